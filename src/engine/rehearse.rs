//! One image and one prompt through every graph before the first sample: what makes all samples fail shows here.

use image::RgbImage;
use ndarray::{Array2, s};

use crate::model::family::{Family, Pixels};
use crate::model::{Model, ModelError};

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
    let pixels = Pixels::batch(&[&blank]).ok_or_else(|| wrong("no pixels came out".into()))?;
    let features = model.encode_images(pixels)?;
    let (images, tokens, hidden) = features.dim();
    if (images, tokens) != (1, blank.tokens) {
        return Err(wrong(format!(
            "the vision encoder gave {images} x {tokens} features, where the prompt holds 1 x {} placeholders",
            blank.tokens
        )));
    }
    let ids = Array2::from_elem((1, tokens + 1), family.image_token_id());
    let mut embeds = model.embed_tokens(ids)?;
    if embeds.dim() != (1, tokens + 1, hidden) {
        return Err(wrong(format!(
            "token embeddings have the shape {:?}, image features are {hidden} wide",
            embeds.dim()
        )));
    }
    embeds.slice_mut(s![.., ..tokens, ..]).assign(&features);
    let positions = family.positions(tokens + 1);
    let output = model.prefill(embeds, Array2::from_shape_fn((1, tokens + 1), |(_, at)| positions[at]))?;
    let vocabulary = output.logits.ncols();
    if vocabulary == 0 {
        return Err(wrong("no logits came out".into()));
    }
    Ok(Sizes { hidden, vocabulary })
}
