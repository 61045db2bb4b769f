//! A model family says three things: how pixels are processed, how an image expands into placeholder tokens, and how
//! position ids are computed. Everything else is read from the model's files. Adding a family is one file and one row in
//! [`FAMILIES`].

mod any_resolution;
mod gemma3;
mod idefics3;
mod internvl;
mod llava;
mod paligemma;
mod pixels;
mod positions;
mod qwen_vl;
mod special_tokens;

use image::RgbImage;
use serde_json::Value;

pub use pixels::{FeatureRow, ImageTensor, Packing, Pixels};
pub use positions::{ImagePlace, Positions};

use super::{ModelDirectory, ModelError};

/// What is particular to a model family.
pub trait Family: Send + Sync {
    /// The family's `model_type`.
    fn model_type(&self) -> &'static str;

    /// Processes one image: what the vision encoder takes, and what stands in the prompt for it.
    ///
    /// # Errors
    /// When the image cannot be processed, such as one whose sides are so unlike that resizing it would take gigabytes.
    fn pixels(&self, image: &RgbImage) -> Result<Pixels, String>;

    /// Whether an image is processed in another way when a prompt shows several.
    fn company(&self) -> Company {
        Company::Ignored
    }

    /// Processes an image for a prompt that shows several.
    ///
    /// # Errors
    /// As [`Family::pixels`].
    fn pixels_among_others(&self, image: &RgbImage) -> Result<Pixels, String> {
        self.pixels(image)
    }

    /// The placeholder that stands for an image in a rendered prompt.
    fn image_placeholder(&self) -> &str;

    /// The token id that the prompt holds once for each image feature.
    fn image_token_id(&self) -> i64;

    /// Puts each image's expansion in the place of its placeholder.
    ///
    /// # Errors
    /// When the prompt does not have one placeholder for each image.
    fn expand(&self, rendered: &str, images: &[&Pixels]) -> Result<String, String> {
        replace_placeholders(rendered, self.image_placeholder(), images)
    }

    /// Whether the tokenizer adds its special tokens (BOS) to the expanded prompt, where the template wrote none.
    fn adds_special_tokens(&self) -> bool {
        true
    }

    /// Where a prompt's tokens stand, without padding.
    fn positions(&self, length: usize, _images: &[ImagePlace]) -> Positions {
        Positions::counting(length)
    }

    /// The chat template for models that are published without one.
    fn default_chat_template(&self) -> Option<&'static str> {
        None
    }
}

/// Whether other images in the same prompt change how one is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// They don't.
    Ignored,
    /// They do: [`Family::pixels_among_others`] is asked then.
    Matters,
}

/// Sets a family up from the model's configuration files.
type Open = fn(&ModelDirectory) -> Result<Box<dyn Family>, ModelError>;

/// The known families by `model_type`.
const FAMILIES: &[(&str, Open)] = &[
    ("gemma3", |directory| Ok(Box::new(gemma3::Gemma3::of(directory)?))),
    ("internvl", |directory| Ok(Box::new(internvl::InternVl::of(directory)?))),
    ("llava", |directory| Ok(Box::new(llava::Llava::of(directory)?))),
    ("llava_next", |directory| Ok(Box::new(any_resolution::AnyResolution::next(directory)?))),
    ("llava_onevision", |directory| Ok(Box::new(any_resolution::AnyResolution::one_vision(directory)?))),
    ("paligemma", |directory| Ok(Box::new(paligemma::PaliGemma::of(directory)?))),
    ("qwen2_vl", |directory| Ok(Box::new(qwen_vl::QwenVl::of(directory, "qwen2_vl")?))),
    ("qwen2_5_vl", |directory| Ok(Box::new(qwen_vl::QwenVl::of(directory, "qwen2_5_vl")?))),
    ("idefics3", |directory| Ok(Box::new(idefics3::Idefics3::of(directory, "idefics3")?))),
    ("smolvlm", |directory| Ok(Box::new(idefics3::Idefics3::of(directory, "smolvlm")?))),
    ("qwen3_vl", |directory| Ok(Box::new(qwen_vl::QwenVl::of(directory, "qwen3_vl")?))),
];

/// The family of a model directory.
pub(super) fn of(directory: &ModelDirectory) -> Result<Box<dyn Family>, ModelError> {
    let path = directory.path.join("config.json");
    let Some(found) = directory.config.get("model_type").and_then(Value::as_str) else {
        return Err(ModelError::File { path, reason: "`model_type` is missing".into() });
    };
    match FAMILIES.iter().find(|(model_type, _)| *model_type == found) {
        Some((_, open)) => open(directory),
        None => {
            let known: Vec<&str> = FAMILIES.iter().map(|(model_type, _)| *model_type).collect();
            Err(ModelError::Family { path, found: found.into(), known: known.join(", ") })
        }
    }
}

/// Puts `images`' expansions, in order, in the place of the placeholders.
fn replace_placeholders(rendered: &str, placeholder: &str, images: &[&Pixels]) -> Result<String, String> {
    let mut pieces = rendered.split(placeholder);
    let mut expanded = pieces.next().unwrap_or_default().to_string();
    let rest: Vec<&str> = pieces.collect();
    if rest.len() != images.len() {
        return Err(format!(
            "the prompt has {} image placeholders ({placeholder}) for {} images; a text must not hold the placeholder itself",
            rest.len(),
            images.len()
        ));
    }
    for (image, piece) in images.iter().zip(rest) {
        expanded.push_str(&image.expansion);
        expanded.push_str(piece);
    }
    Ok(expanded)
}

/// The id of the token that the prompt holds for each image feature, by the names that configurations give it.
fn image_token_id(directory: &ModelDirectory) -> Result<i64, ModelError> {
    let id = directory.number(&["image_token_id"]).or_else(|_| directory.number(&["image_token_index"]))?;
    Ok(id as i64)
}
