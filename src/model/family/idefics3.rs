//! Idefics3 and SmolVLM: tiles of one size and the whole image, each with as many tokens, between tokens that say which tile
//! it is.

use std::fmt::Write;

use image::RgbImage;
use ndarray::{Array3, Array4, Axis};
use serde_json::{Value, json};

use super::special_tokens::named_token;
use super::{Family, ImageTensor, Pixels, image_token_id};
use crate::model::{ModelDirectory, ModelError};
use crate::prepare::image_processor::{Normalisation, Splitter, or_defaults};

pub(super) struct Idefics3 {
    model_type: &'static str,
    splitter: Splitter,
    normalisation: Normalisation,
    tokens: ImageTokens,
    image_token_id: i64,
}

/// What the prompt holds for an image.
struct ImageTokens {
    image: String,
    around: String,
    whole: String,
    /// Image tokens of one tile.
    each: usize,
}

impl Idefics3 {
    pub(super) fn of(directory: &ModelDirectory, model_type: &'static str) -> Result<Self, ModelError> {
        let settings = or_defaults(directory.image_processor_config()?, &defaults());
        let wrong = |reason: String| ModelError::File {
            path: directory.path.clone(),
            reason: format!("image processor: {reason}"),
        };
        // Idefics3's processor calls it a tag, SmolVLM's a token.
        let tag = named_token(directory, "global_image_tag", "<global-img>")?;
        Ok(Self {
            model_type,
            splitter: Splitter::from_config(&settings).map_err(wrong)?,
            normalisation: Normalisation::from_config(&settings).map_err(wrong)?,
            tokens: ImageTokens {
                image: named_token(directory, "image_token", "<image>")?,
                around: named_token(directory, "fake_image_token", "<fake_token_around_image>")?,
                whole: named_token(directory, "global_image_token", &tag)?,
                each: tokens_of_tile(directory)?,
            },
            image_token_id: image_token_id(directory)?,
        })
    }
}

/// What holds where the settings say nothing.
fn defaults() -> Value {
    json!({
        "resample": 1,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "size": {"longest_edge": 4 * 364},
        "max_image_size": {"longest_edge": 364},
    })
}

/// Tokens of one tile: `image_seq_len`, or what the vision encoder leaves of its patches.
fn tokens_of_tile(directory: &ModelDirectory) -> Result<usize, ModelError> {
    let processor = directory.processor_config()?;
    if let Some(tokens) = processor.get("image_seq_len").and_then(Value::as_u64) {
        return Ok(tokens as usize);
    }
    let size = directory.number(&["vision_config", "image_size"])?;
    let patch = directory.number(&["vision_config", "patch_size"])?.max(1);
    let scale = directory.number(&["scale_factor"])?.max(1);
    Ok((size / patch).pow(2) / scale.pow(2))
}

impl ImageTokens {
    /// The expansion of an image in `rows` x `columns` tiles, as the processors of both families write it.
    fn expansion(&self, (rows, columns): (usize, usize)) -> String {
        let tile = self.image.repeat(self.each);
        let mut text = String::new();
        for row in 1..=rows {
            for column in 1..=columns {
                // Writing to a string never fails.
                let _ = write!(text, "{}<row_{row}_col_{column}>{tile}", self.around);
            }
            text.push('\n');
        }
        if rows > 0 {
            text.push('\n');
        }
        text + &self.around + &self.whole + &tile + &self.around
    }
}

impl Family for Idefics3 {
    fn model_type(&self) -> &'static str {
        self.model_type
    }

    fn pixels(&self, image: &RgbImage) -> Result<Pixels, String> {
        let tiles = self.splitter.split(image)?;
        let (width, height) = tiles.views[0].dimensions();
        let (count, width, height) = (tiles.views.len(), width as usize, height as usize);
        let mut values = Array4::zeros((count, 3, height, width));
        for (mut target, view) in values.axis_iter_mut(Axis(0)).zip(&tiles.views) {
            target.assign(&self.normalisation.apply(view));
        }
        let expansion = self.tokens.expansion(tiles.grid);
        let mut pixels = Pixels::views(values.into_dyn(), self.tokens.each, expansion);
        // Tiles are whole: no pixel of them is padding.
        let mask = Array3::from_elem((count, height, width), true).into_dyn();
        pixels.inputs.push(("pixel_attention_mask", ImageTensor::Bool(mask)));
        Ok(pixels)
    }

    fn image_placeholder(&self) -> &str {
        &self.tokens.image
    }

    fn image_token_id(&self) -> i64 {
        self.image_token_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> ImageTokens {
        ImageTokens {
            image: "<image>".into(),
            around: "<fake_token_around_image>".into(),
            whole: "<global-img>".into(),
            each: 2,
        }
    }

    /// What `replace_image_token` of SmolVLMProcessor and Idefics3Processor gives in transformers 5.23, with `image_seq_len` 2.
    #[test]
    fn tiles_are_numbered_by_rows_and_the_whole_image_follows() {
        let expected = "\
            <fake_token_around_image><row_1_col_1><image><image>\
            <fake_token_around_image><row_1_col_2><image><image>\n\
            <fake_token_around_image><row_2_col_1><image><image>\
            <fake_token_around_image><row_2_col_2><image><image>\n\n\
            <fake_token_around_image><global-img><image><image><fake_token_around_image>";
        assert_eq!(tokens().expansion((2, 2)), expected);
    }

    #[test]
    fn one_tile_is_the_whole_image() {
        let expected = "<fake_token_around_image><global-img><image><image><fake_token_around_image>";
        assert_eq!(tokens().expansion((0, 0)), expected);
    }
}
