//! PaliGemma: one square view an image; images stand in front of the text, and all of the prompt sees all of it.

use image::RgbImage;
use ndarray::{Array2, Axis};
use serde_json::Value;

use super::special_tokens::named_token;
use super::{Expanded, Family, Pixels, Positions, image_token_id};
use crate::model::{ModelDirectory, ModelError};
use crate::prepare::image_processor::ImageProcessor;

pub(super) struct PaliGemma {
    processor: ImageProcessor,
    tokens_each: usize,
    placeholder: String,
    bos: String,
    image_token_id: i64,
}

impl PaliGemma {
    pub(super) fn of(directory: &ModelDirectory) -> Result<Self, ModelError> {
        let config = directory.image_processor_config()?;
        let wrong = |reason: String| ModelError::File {
            path: directory.path.clone(),
            reason: format!("image processor: {reason}"),
        };
        let processor = ImageProcessor::from_config(&config).map_err(wrong)?;
        let (width, height) =
            processor.output_size().ok_or_else(|| wrong("`size` must have height and width".into()))?;
        let tokens_each = match config.get("image_seq_length").and_then(Value::as_u64) {
            Some(tokens) => tokens as usize,
            None => {
                let patch = directory.number(&["vision_config", "patch_size"])?.max(1);
                (width as usize / patch) * (height as usize / patch)
            }
        };
        Ok(Self {
            processor,
            tokens_each,
            placeholder: named_token(directory, "image_token", "<image>")?,
            bos: named_token(directory, "bos_token", "<bos>")?,
            image_token_id: image_token_id(directory)?,
        })
    }
}

impl Family for PaliGemma {
    fn model_type(&self) -> &'static str {
        "paligemma"
    }

    fn pixels(&self, image: &RgbImage) -> Result<Pixels, String> {
        let values = self.processor.process(image)?.insert_axis(Axis(0)).into_dyn();
        Ok(Pixels::views(values, self.tokens_each, self.placeholder.repeat(self.tokens_each)))
    }

    fn image_placeholder(&self) -> &str {
        &self.placeholder
    }

    fn image_token_id(&self) -> i64 {
        self.image_token_id
    }

    /// Images, then the beginning of the sequence, the text, and a new line that ends the prefix.
    fn expand(&self, rendered: &str, images: &[&Pixels]) -> Result<Expanded, String> {
        let expanded = super::replace_placeholders(rendered, &self.placeholder, images)?;
        let text_from = expanded.rfind(&self.placeholder).map_or(0, |last| last + self.placeholder.len());
        let (images, text) = expanded.split_at(text_from);
        Ok(Expanded::Text(format!("{images}{}{text}\n", self.bos)))
    }

    fn adds_special_tokens(&self) -> bool {
        false
    }

    /// Positions begin at 1; the whole prompt is the prefix, whose tokens see each other in both directions.
    fn positions(&self, length: usize, _images: &[super::ImagePlace]) -> Positions {
        let ids = Array2::from_shape_fn((1, length), |(_, token)| token as i64 + 1);
        Positions { next_token_type: 1, shareable: false, ..Positions::of(ids) }
    }

    fn default_chat_template(&self) -> Option<&'static str> {
        Some(include_str!("../../../data/chat_templates/paligemma.jinja"))
    }
}
