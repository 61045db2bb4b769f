//! A model family says three things: how pixels are processed, how an image expands into placeholder tokens, and how
//! position ids are computed. Everything else is read from the model's files. Adding a family is one file and one row in
//! [`of`].

mod llava;

use image::RgbImage;
use ndarray::{ArrayD, Axis, concatenate};

use super::{ModelDirectory, ModelError};

/// One image as the vision encoder takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pixels {
    /// The image's slice of `pixel_values`; the first axis is the one along which images are batched.
    pub values: ArrayD<f32>,
    /// Placeholder tokens that it takes in a prompt.
    pub tokens: usize,
}

impl Pixels {
    /// Stacks images of one shape along the first axis.
    pub fn batch(images: &[&Pixels]) -> Option<ArrayD<f32>> {
        let views: Vec<_> = images.iter().map(|image| image.values.view()).collect();
        concatenate(Axis(0), &views).ok()
    }
}

/// What is particular to a model family.
pub trait Family: Send + Sync {
    /// The family's `model_type`.
    fn model_type(&self) -> &'static str;

    /// The placeholder that stands for an image in a rendered prompt.
    fn image_placeholder(&self) -> &str;

    /// The token id that the placeholder has, once for each image feature.
    fn image_token_id(&self) -> i64;

    /// Processes one image.
    ///
    /// # Errors
    /// When the image cannot be processed, such as one whose sides are so unlike that resizing it would take gigabytes.
    fn pixels(&self, image: &RgbImage) -> Result<Pixels, String>;

    /// What stands in the prompt instead of one placeholder, for an image of `tokens` features.
    fn expand(&self, tokens: usize) -> String;

    /// Position ids of a prompt of `length` tokens, without padding.
    fn positions(&self, length: usize) -> Vec<i64>;
}

/// The family of a model directory.
pub(super) fn of(directory: &ModelDirectory) -> Result<Box<dyn Family>, ModelError> {
    let path = directory.path.join("config.json");
    match directory.config.get("model_type").and_then(|value| value.as_str()) {
        Some("llava") => Ok(Box::new(llava::Llava::of(directory)?)),
        Some(found) => Err(ModelError::Family { path, found: found.into(), known: "llava".into() }),
        None => Err(ModelError::File { path, reason: "`model_type` is missing".into() }),
    }
}
