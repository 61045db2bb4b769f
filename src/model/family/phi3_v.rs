//! Phi-3-vision and Phi-3.5-vision: the HD transform, numbered placeholders, and texts between images that are tokenized one by
//! one.

use image::RgbImage;
use ndarray::arr2;
use serde_json::Value;

use super::{Expanded, Family, ImagePlace, ImageTensor, Packing, Pixels, Positions};
use crate::model::{ModelDirectory, ModelError};
use crate::prepare::image_processor::{Normalisation, high_definition, or_defaults};

/// Side of a tile, which the published processor fixes.
const TILE: u32 = 336;

pub(super) struct Phi3V {
    normalisation: Normalisation,
    /// Most tiles.
    crops: u32,
    /// Tokens of one tile, and of one of its sides.
    tokens_each: usize,
    tokens_side: usize,
    /// The position from which on RoPE has its long factors.
    long_rope_at: Option<usize>,
}

impl Phi3V {
    pub(super) fn of(directory: &ModelDirectory) -> Result<Self, ModelError> {
        let wrong = |reason: String| ModelError::File {
            path: directory.path.clone(),
            reason: format!("image processor: {reason}"),
        };
        let defaults = serde_json::json!({
            "image_mean": [0.48145466, 0.4578275, 0.40821073],
            "image_std": [0.26862954, 0.26130258, 0.27577711],
            "num_crops": 4,
            "num_img_tokens": 144,
        });
        let config = or_defaults(directory.image_processor_config()?, &defaults);
        let number = |name: &str| config.get(name).and_then(Value::as_u64).unwrap_or(0);
        let (crops, tokens_each) = (number("num_crops"), number("num_img_tokens") as usize);
        let tokens_side = tokens_each.isqrt();
        if !(1..=256).contains(&crops) {
            return Err(wrong(format!("`num_crops` is {crops}, expected 1 to 256")));
        }
        if tokens_each == 0 || tokens_side * tokens_side != tokens_each {
            return Err(wrong(format!("`num_img_tokens` is {tokens_each}, expected a square")));
        }
        let normalisation = Normalisation::from_config(&config).map_err(wrong)?;
        let long_rope_at = directory.number(&["original_max_position_embeddings"]).ok();
        Ok(Self { normalisation, crops: crops as u32, tokens_each, tokens_side, long_rope_at })
    }
}

impl Family for Phi3V {
    fn model_type(&self) -> &'static str {
        "phi3_v"
    }

    fn pixels(&self, image: &RgbImage) -> Result<Pixels, String> {
        let canvas = high_definition::largest_canvas(image, TILE, self.crops)?;
        let (columns, rows) = ((canvas.width() / TILE) as usize, (canvas.height() / TILE) as usize);
        let values = high_definition::views(&canvas, TILE, self.crops as usize + 1, &self.normalisation);
        let sizes = arr2(&[[i64::from(canvas.height()), i64::from(canvas.width())]]);
        let tokens = (rows * columns + 1) * self.tokens_each + 1 + (rows + 1) * self.tokens_side;
        Ok(Pixels {
            inputs: vec![
                ("pixel_values", ImageTensor::Float(values.into_dyn())),
                ("image_sizes", ImageTensor::Int(sizes.into_dyn())),
            ],
            views: None,
            features: tokens,
            packing: Packing::AsEncoded,
            tokens,
            grid: [1, 1, tokens],
            expansion: String::new(),
        })
    }

    fn positions(&self, length: usize, _images: &[ImagePlace]) -> Positions {
        Positions::with_long_rope(length, self.long_rope_at)
    }

    fn image_placeholder(&self) -> &str {
        "<|image_1|>"
    }

    fn image_token_id(&self) -> i64 {
        -1
    }

    /// Each image's tokens are minus its number.
    fn is_image_token(&self, id: i64) -> bool {
        id < 0
    }

    fn image_text(&self, number: usize) -> Option<String> {
        Some(format!("<|image_{number}|>\n"))
    }

    fn expand(&self, rendered: &str, images: &[&Pixels]) -> Result<Expanded, String> {
        let pieces = super::between_numbered_placeholders(rendered, images.len())?;
        if images.is_empty() {
            return Ok(Expanded::Text(rendered.to_string()));
        }
        let tokens = |(index, image): (usize, &&Pixels)| vec![-(index as i64 + 1); image.tokens];
        let images = images.iter().enumerate().map(tokens).collect();
        Ok(Expanded::Pieces { texts: pieces.into_iter().map(String::from).collect(), images })
    }
}
