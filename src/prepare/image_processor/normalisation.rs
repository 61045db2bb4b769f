//! From 8-bit channels to the floats that a vision encoder takes.

use image::RgbImage;
use ndarray::Array3;
use serde_json::Value;

/// Rescaling and normalising as `preprocessor_config.json` says, as a table of the 256 values of each channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalisation {
    /// `lookup[channel][value]`: the float that an 8-bit value becomes.
    lookup: [Vec<f32>; 3],
}

impl Normalisation {
    /// Reads `do_rescale`, `rescale_factor`, `do_normalize`, `image_mean` and `image_std`.
    ///
    /// # Errors
    /// When one is of another kind than expected: the message names it.
    pub fn from_config(config: &Value) -> Result<Self, String> {
        let flag = |name: &str| config.get(name).and_then(Value::as_bool).unwrap_or(true);
        let scale = match config.get("rescale_factor").filter(|_| flag("do_rescale")) {
            Some(factor) => factor.as_f64().ok_or("`rescale_factor` is no number")?,
            None if flag("do_rescale") => 1.0 / 255.0,
            None => 1.0,
        };
        let triple = |name: &str, default: f64| -> Result<[f64; 3], String> {
            match config.get(name).filter(|_| flag("do_normalize")) {
                None | Some(Value::Null) => Ok([default; 3]),
                Some(value) => {
                    let numbers: Vec<f64> =
                        value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
                    numbers.try_into().map_err(|_| format!("`{name}` is {value}, expected three numbers"))
                }
            }
        };
        let (mean, std) = (triple("image_mean", 0.0)?, triple("image_std", 1.0)?);
        // In the order and precision of the reference: rescaled to a 32-bit float, then normalised as one.
        let channel = |channel: usize| {
            let normalise = |value: u32| {
                let rescaled = (f64::from(value) * scale) as f32;
                (rescaled - mean[channel] as f32) / std[channel] as f32
            };
            (0..256).map(normalise).collect()
        };
        Ok(Self { lookup: [channel(0), channel(1), channel(2)] })
    }

    /// The float of an 8-bit value in a channel.
    pub fn value(&self, channel: usize, byte: u8) -> f32 {
        self.lookup[channel][usize::from(byte)]
    }

    /// An image as [3, height, width].
    pub fn apply(&self, image: &RgbImage) -> Array3<f32> {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let bytes = image.as_raw();
        Array3::from_shape_fn((3, height, width), |(channel, y, x)| {
            self.value(channel, bytes[(y * width + x) * 3 + channel])
        })
    }
}
