//! One image and one prompt through every graph before the first sample: what makes all samples fail shows here.

use std::sync::Arc;

use image::RgbImage;

use super::forward::{Piece, forward};
use crate::model::family::{Family, ImagePlace};
use crate::model::{Model, ModelError};
use crate::prepare::{ImageSpan, OptionTokens, Prompt};

/// Sizes that a model's answers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Width of embeddings and hidden states.
    pub hidden: usize,
    /// Tokens in the vocabulary.
    pub vocabulary: usize,
}

/// Runs a blank image through the model and checks that the graphs fit each other.
///
/// # Errors
/// When a graph fails, or one's output is not what the next one takes.
pub fn rehearse(model: &mut Model, family: &dyn Family) -> Result<Sizes, ModelError> {
    let wrong = |reason: String| ModelError::Run { step: "the rehearsal with a blank image", reason };
    let blank = family.pixels(&RgbImage::new(64, 48)).map_err(wrong)?;
    let tokens = blank.tokens;
    let features = model.encode_images(&[&blank])?.remove(0);
    let hidden = features.rows.ncols();
    let positions =
        family.positions(tokens + 1, &[ImagePlace { start: 0, length: tokens, grid: blank.grid }]);
    let ids = std::iter::repeat_n(family.image_token_id(), tokens).chain([0]).collect();
    let spans = vec![ImageSpan { image: 0, feature: 0, start: 0, length: tokens }];
    let options = Arc::new(OptionTokens { names: Vec::new(), tokens: Vec::new() });
    let prompt = Prompt { ids, spans, positions, hash: String::new(), options, room: None };
    let length = prompt.ids.len();
    let piece = Piece::of_prompt(&prompt, 0..length, None, length - 1..length);
    let passed = forward(model, &[&piece], &[Ok(features)], true)?;
    let embeds = passed.embeds(0).map(|embeds| embeds.dim());
    if embeds != Some((length, hidden)) {
        return Err(wrong(format!(
            "token embeddings have the shape {:?}, image features are {hidden} wide",
            embeds.unwrap_or_default()
        )));
    }
    let vocabulary = passed.logits(0).ncols();
    if vocabulary == 0 {
        return Err(wrong("no logits came out".into()));
    }
    Ok(Sizes { hidden, vocabulary })
}
