//! One image and one prompt through every graph before the first sample: what makes all samples fail shows here.

use std::sync::Arc;

use image::RgbImage;

use super::forward::{Piece, Wanted, forward};
use crate::model::family::{Family, ImagePlace};
use crate::model::{Model, ModelError, Seen};
use crate::prepare::{ImageSpan, OptionTokens, Prompt};

/// Sizes that a model's answers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Width of embeddings and hidden states.
    pub hidden: usize,
    /// Tokens in the vocabulary.
    pub vocabulary: usize,
}

/// Largest difference between the best logit and what the lens shows of it, of the logit: in 16-bit floats, of other rounding.
const LENS_TOLERANCE: f32 = 0.02;

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
    let piece = Piece::of_prompt(&prompt, 0..length, Seen::default(), length - 1..length);
    let lens = (model.lens_layers() > 0).then(Vec::new);
    let passed = forward(model, &mut [piece], &[Ok(features)], Wanted { sums: true, lens })?;
    let embeds = passed.embeds_shape();
    if embeds != Some((1, length, hidden)) {
        return Err(wrong(format!(
            "token embeddings have the shape {:?}, image features are {hidden} wide",
            embeds.unwrap_or_default()
        )));
    }
    let vocabulary = passed.logits(0).ncols();
    if vocabulary == 0 {
        return Err(wrong("no logits came out".into()));
    }
    // The lens after the last layer is the model itself.
    if let Some(lens) = passed.lens(0) {
        let best = passed.logits(0).iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let shown = lens.output.logits.iter().last().copied().unwrap_or(f32::NAN);
        if (best - shown).abs() > LENS_TOLERANCE * best.abs().max(1.0) || shown.is_nan() {
            return Err(wrong(format!(
                "the logit lens after the last layer shows {shown} as the best logit, the model's own is {best}: the layers were not found where they are\n  run without --probe-layers"
            )));
        }
    }
    Ok(Sizes { hidden, vocabulary })
}
