//! Phi-4-multimodal, its vision part: the HD transform with masks for the white padding, whose tokens are left out.

use image::RgbImage;
use ndarray::{Array3, arr2, s};
use serde_json::{Value, json};

use super::{Expanded, Family, ImagePlace, ImageTensor, Packing, Pixels, Positions};
use crate::model::{ModelDirectory, ModelError};
use crate::prepare::image_processor::high_definition::{Filled, filled_canvas, views};
use crate::prepare::image_processor::{Normalisation, or_defaults, tiles};

/// Side of a tile, which the published processor fixes.
const TILE: u32 = 448;
/// Side of a patch.
const PATCH: u32 = 14;
/// Tokens along a side of a tile: two by two patches each.
const TOKENS: usize = (TILE / PATCH / 2) as usize;
/// The published id of the token that the prompt holds for each image feature.
const IMAGE_TOKEN_ID: i64 = 200_010;
const IMAGE_TOKEN: &str = "<|endoftext10|>";

pub(super) struct Phi4Mm {
    normalisation: Normalisation,
    /// Most tiles.
    crops: u32,
    image_token_id: i64,
    /// The position from which on RoPE has its long factors.
    long_rope_at: Option<usize>,
}

impl Phi4Mm {
    pub(super) fn of(directory: &ModelDirectory) -> Result<Self, ModelError> {
        let wrong = |reason: String| ModelError::File {
            path: directory.path.clone(),
            reason: format!("image processor: {reason}"),
        };
        let defaults = json!({"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "dynamic_hd": 36});
        let config = or_defaults(directory.image_processor_config()?, &defaults);
        let crops = config.get("dynamic_hd").and_then(Value::as_u64).unwrap_or(0);
        if !(1..=256).contains(&crops) {
            return Err(wrong(format!("`dynamic_hd` is {crops}, expected 1 to 256")));
        }
        Ok(Self {
            normalisation: Normalisation::from_config(&config).map_err(wrong)?,
            crops: crops as u32,
            image_token_id: super::image_token_id(directory).unwrap_or(IMAGE_TOKEN_ID),
            long_rope_at: directory.number(&["original_max_position_embeddings"]).ok(),
        })
    }

    fn canvas(&self, image: &RgbImage) -> Result<Filled, String> {
        let (width, height) = image.dimensions();
        let whole = (width.div_ceil(TILE), height.div_ceil(TILE));
        let grid = if u64::from(whole.0) * u64::from(whole.1) > u64::from(self.crops) {
            tiles::nearest_grid((width, height), (TILE, TILE), 1, self.crops)
        } else {
            whole
        };
        filled_canvas(image, TILE, grid)
    }
}

impl Family for Phi4Mm {
    fn model_type(&self) -> &'static str {
        "phi4mm"
    }

    fn pixels(&self, image: &RgbImage) -> Result<Pixels, String> {
        let Filled { canvas, size } = self.canvas(image)?;
        let (columns, rows) = (canvas.width() / TILE, canvas.height() / TILE);
        let count = 1 + (columns * rows) as usize;
        let values = views(&canvas, TILE, count, &self.normalisation);
        // Patches that are white altogether are masked; of the rest every second one becomes a token.
        let patches = |pixels: u32, all: u32| (all / PATCH - (all - pixels) / PATCH) as usize;
        let (wide, high) = (patches(size.0, canvas.width()), patches(size.1, canvas.height()));
        let side = (TILE / PATCH) as usize;
        let mut mask = Array3::from_elem((count, side, side), true);
        for tile in 0..count - 1 {
            let (top, left) = (tile / columns as usize * side, tile % columns as usize * side);
            mask.slice_mut(s![tile + 1, .., ..])
                .indexed_iter_mut()
                .for_each(|((y, x), inside)| *inside = top + y < high && left + x < wide);
        }
        let (token_columns, token_rows) = (wide.div_ceil(2), high.div_ceil(2));
        let tokens = token_rows * (token_columns + 1) + 1 + TOKENS * (TOKENS + 1);
        let sizes = arr2(&[[i64::from(canvas.height()), i64::from(canvas.width())]]);
        Ok(Pixels {
            inputs: vec![
                ("pixel_values", ImageTensor::Float(values.into_dyn())),
                ("image_attention_mask", ImageTensor::Bool(mask.into_dyn())),
                ("image_sizes", ImageTensor::Int(sizes.into_dyn())),
            ],
            views: None,
            features: tokens,
            packing: Packing::AsEncoded,
            tokens,
            grid: [1, 1, tokens],
            expansion: IMAGE_TOKEN.repeat(tokens),
        })
    }

    fn positions(&self, length: usize, _images: &[ImagePlace]) -> Positions {
        Positions::with_long_rope(length, self.long_rope_at)
    }

    fn image_placeholder(&self) -> &str {
        "<|image_1|>"
    }

    fn image_token_id(&self) -> i64 {
        self.image_token_id
    }

    fn image_text(&self, number: usize) -> Option<String> {
        Some(format!("<|image_{number}|>"))
    }

    fn expand(&self, rendered: &str, images: &[&Pixels]) -> Result<Expanded, String> {
        let pieces = super::between_numbered_placeholders(rendered, images.len())?;
        let mut expanded = String::new();
        for (index, piece) in pieces.into_iter().enumerate() {
            expanded.push_str(piece);
            expanded.push_str(images.get(index).map_or("", |image| &image.expansion));
        }
        Ok(Expanded::Text(expanded))
    }

    fn adds_special_tokens(&self) -> bool {
        false
    }
}
