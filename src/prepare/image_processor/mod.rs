//! The image processor that `preprocessor_config.json` describes: resize, crop, rescale, normalise.
//!
//! Pixels equal those of transformers' reference (Pillow) processors to 1/255.

pub mod high_definition;
mod normalisation;
mod pan_and_scan;
mod patches;
mod smart_resize;
mod split;
pub mod tiles;

use image::{Rgb, RgbImage};
use ndarray::Array3;
use serde_json::Value;

pub use normalisation::Normalisation;
pub use pan_and_scan::PanAndScan;
pub use patches::Patches;
pub use smart_resize::PixelBounds;
pub use split::{Splitter, Tiles};

use crate::render::resize::{Filter, Window, resize, resize_window};

/// Most pixels of a resized image, before it is cropped.
pub const MAX_RESIZED_PIXELS: u64 = 1 << 26;

/// A processor of fixed steps.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageProcessor {
    /// The color that pads an image to a square, where it is padded.
    square: Option<Rgb<u8>>,
    resize: Option<Target>,
    filter: Filter,
    crop: Option<(u32, u32)>,
    normalisation: Normalisation,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Target {
    /// Width and height, whatever the aspect.
    Exact(u32, u32),
    /// The shorter side; the aspect is kept.
    ShortestEdge(u32),
}

impl ImageProcessor {
    /// Reads the settings.
    ///
    /// # Errors
    /// When a field is missing or of another kind than expected: the message names it.
    pub fn from_config(config: &Value) -> Result<Self, String> {
        let padded = config.get("do_pad").and_then(Value::as_bool) == Some(true);
        let square = padded.then(|| mean_color(config));
        let flag = |name: &str| config.get(name).and_then(Value::as_bool).unwrap_or(true);
        let resize = if flag("do_resize") { Some(target(config.get("size"))?) } else { None };
        let crop = match config.get("crop_size").filter(|_| flag("do_center_crop")) {
            None | Some(Value::Null) => None,
            Some(size) => match target(Some(size))? {
                Target::Exact(width, height) => Some((width, height)),
                Target::ShortestEdge(side) => Some((side, side)),
            },
        };
        let filter = resample(config)?;
        Ok(Self { square, resize, filter, crop, normalisation: Normalisation::from_config(config)? })
    }

    /// Width and height of what comes out, when it does not depend on the image.
    pub fn output_size(&self) -> Option<(u32, u32)> {
        self.crop.or(match self.resize {
            Some(Target::Exact(width, height)) => Some((width, height)),
            _ => None,
        })
    }

    /// Processes one image: `pixel_values` as [3, height, width].
    ///
    /// # Errors
    /// When the resized image would have more than [`MAX_RESIZED_PIXELS`].
    pub fn process(&self, image: &RgbImage) -> Result<Array3<f32>, String> {
        let squared = self.square.map(|color| tiles::square(image, color)).transpose()?;
        let image = squared.as_ref().unwrap_or(image);
        let size = match self.resize {
            None => image.dimensions(),
            Some(Target::Exact(width, height)) => (width, height),
            Some(Target::ShortestEdge(side)) => shortest_edge(image.dimensions(), side),
        };
        let processed = match self.crop {
            // Of an elongated image most is cut away again: it is never resized.
            Some(crop) if crop.0 <= size.0 && crop.1 <= size.1 => {
                let corner = ((size.0 - crop.0) / 2, (size.1 - crop.1) / 2);
                resize_window(image, size, Window { corner, size: crop }, self.filter)
            }
            Some(crop) => center_crop(&resize_within_limits(image, size, self.filter)?, crop),
            None => resize_within_limits(image, size, self.filter)?,
        };
        Ok(self.normalisation.apply(&processed))
    }
}

/// `image_mean` as a color, as the reference pads with it.
pub fn mean_color(config: &Value) -> Rgb<u8> {
    Rgb([0, 1, 2].map(|channel| {
        let mean = config.get("image_mean").and_then(|mean| mean.get(channel)).and_then(Value::as_f64);
        (mean.unwrap_or(0.0) * 255.0) as u8
    }))
}

/// The filter that `resample` names by Pillow's number; bicubic where nothing is said.
///
/// # Errors
/// When the number is none of Pillow's filters.
pub fn resample(config: &Value) -> Result<Filter, String> {
    let number = config.get("resample").and_then(Value::as_u64).unwrap_or(3);
    Filter::from_pillow(number)
        .ok_or_else(|| format!("`resample` is {number}, expected one of Pillow's filters 0 to 5"))
}

/// Resizes to exactly `width` x `height`.
///
/// # Errors
/// When the result would have more than [`MAX_RESIZED_PIXELS`].
pub fn resize_within_limits(
    image: &RgbImage,
    (width, height): (u32, u32),
    filter: Filter,
) -> Result<RgbImage, String> {
    if u64::from(width) * u64::from(height) > MAX_RESIZED_PIXELS {
        let (from_width, from_height) = image.dimensions();
        return Err(format!(
            "image too elongated: {from_width}x{from_height} would be resized to {width}x{height}"
        ));
    }
    Ok(resize(image, width, height, filter))
}

/// Settings with `defaults` for what is missing or null, as the reference's processors fill theirs up.
pub fn or_defaults(mut settings: Value, defaults: &Value) -> Value {
    if let (Some(settings), Some(defaults)) = (settings.as_object_mut(), defaults.as_object()) {
        for (name, default) in defaults {
            let setting = settings.entry(name).or_insert(Value::Null);
            if setting.is_null() {
                setting.clone_from(default);
            }
        }
    }
    settings
}

fn target(size: Option<&Value>) -> Result<Target, String> {
    let size = size.ok_or("`size` is missing")?;
    let side = |name: &str| size.get(name).and_then(Value::as_u64).map(|side| side as u32);
    if let Some(side) = size.as_u64() {
        return Ok(Target::ShortestEdge(side as u32));
    }
    match (side("width"), side("height"), side("shortest_edge")) {
        (Some(width), Some(height), _) => Ok(Target::Exact(width, height)),
        (_, _, Some(side)) => Ok(Target::ShortestEdge(side)),
        _ => Err(format!("`size` is {size}, expected height and width, or shortest_edge")),
    }
}

/// The longer side is truncated to whole pixels, as the reference does it.
fn shortest_edge((width, height): (u32, u32), side: u32) -> (u32, u32) {
    let longer = |long: u32, short: u32| (u64::from(side) * u64::from(long) / u64::from(short.max(1))) as u32;
    if width <= height { (side, longer(height, width)) } else { (longer(width, height), side) }
}

/// Cuts the middle out; where the image is smaller, it is padded with black.
fn center_crop(image: &RgbImage, (width, height): (u32, u32)) -> RgbImage {
    let offset = |have: u32, want: u32| {
        let (have, want) = (i64::from(have), i64::from(want));
        // Cropping rounds down, padding rounds up: that is where the reference puts the odd pixel.
        if have >= want { (have - want) / 2 } else { -((want - have + 1) / 2) }
    };
    let (left, top) = (offset(image.width(), width), offset(image.height(), height));
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (i64::from(x) + left, i64::from(y) + top);
        let inside =
            (0..i64::from(image.width())).contains(&x) && (0..i64::from(image.height())).contains(&y);
        if inside { *image.get_pixel(x as u32, y as u32) } else { Rgb([0; 3]) }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_longer_side_is_truncated() {
        assert_eq!(shortest_edge((1000, 333), 336), (1009, 336));
        assert_eq!(shortest_edge((17, 31), 64), (64, 116));
    }

    #[test]
    fn crops_and_pads_around_the_middle() {
        let image = RgbImage::from_fn(4, 2, |x, y| Rgb([x as u8 + 1, y as u8, 0]));
        let cropped = center_crop(&image, (2, 4));
        assert_eq!(cropped.get_pixel(0, 1).0, [2, 0, 0]);
        assert_eq!(cropped.get_pixel(1, 2).0, [3, 1, 0]);
        assert_eq!(cropped.get_pixel(0, 0).0, [0, 0, 0]);
    }

    #[test]
    fn a_field_of_another_kind_is_named() {
        let message = ImageProcessor::from_config(&json!({"size": {"width": 4}})).unwrap_err();
        assert!(message.contains("`size`"), "{message}");
        let message =
            ImageProcessor::from_config(&json!({"size": 4, "image_mean": [1, 2], "image_std": [1, 1, 1]}))
                .unwrap_err();
        assert!(message.contains("`image_mean`"), "{message}");
    }
}
