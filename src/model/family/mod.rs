//! A model family says three things: how pixels are processed, how an image expands into placeholder tokens, and how
//! position ids are computed. Everything else is read from the model's files. Adding a family is one file and one row in
//! [`FAMILIES`].

mod any_resolution;
mod gemma3;
mod idefics3;
mod internvl;
mod llava;
mod paligemma;
mod phi3_v;
mod phi4mm;
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

    /// Whether a token of the prompt stands for an image feature.
    fn is_image_token(&self, id: i64) -> bool {
        id == self.image_token_id()
    }

    /// What stands in a message for the conversation's image of this number (from 1), for chat templates that take texts
    /// only. With it, parts are put together before the template runs.
    fn image_text(&self, _number: usize) -> Option<String> {
        None
    }

    /// Puts each image's expansion in the place of its placeholder.
    ///
    /// # Errors
    /// When the prompt does not have one placeholder for each image.
    fn expand(&self, rendered: &str, images: &[&Pixels]) -> Result<Expanded, String> {
        replace_placeholders(rendered, self.image_placeholder(), images).map(Expanded::Text)
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

/// A prompt with its images' expansions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expanded {
    /// A text to be tokenized as a whole.
    Text(String),
    /// Texts to be tokenized each by itself, special tokens included, and the tokens that stand between them.
    Pieces {
        /// One more than images.
        texts: Vec<String>,
        /// Each image's tokens.
        images: Vec<Vec<i64>>,
    },
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
    ("idefics3", |directory| Ok(Box::new(idefics3::Idefics3::of(directory, "idefics3")?))),
    ("internvl", |directory| Ok(Box::new(internvl::InternVl::of(directory)?))),
    ("llava", |directory| Ok(Box::new(llava::Llava::of(directory)?))),
    ("llava_next", |directory| Ok(Box::new(any_resolution::AnyResolution::next(directory)?))),
    ("llava_onevision", |directory| Ok(Box::new(any_resolution::AnyResolution::one_vision(directory)?))),
    ("paligemma", |directory| Ok(Box::new(paligemma::PaliGemma::of(directory)?))),
    ("phi3_v", |directory| Ok(Box::new(phi3_v::Phi3V::of(directory)?))),
    ("phi4mm", |directory| Ok(Box::new(phi4mm::Phi4Mm::of(directory)?))),
    ("qwen2_5_vl", |directory| Ok(Box::new(qwen_vl::QwenVl::of(directory, "qwen2_5_vl")?))),
    ("qwen2_vl", |directory| Ok(Box::new(qwen_vl::QwenVl::of(directory, "qwen2_vl")?))),
    ("qwen3_vl", |directory| Ok(Box::new(qwen_vl::QwenVl::of(directory, "qwen3_vl")?))),
    ("smolvlm", |directory| Ok(Box::new(idefics3::Idefics3::of(directory, "smolvlm")?))),
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

/// What stands before, between and after the placeholders `<|image_1|>`, `<|image_2|>`, ...: one more than `images`.
fn between_numbered_placeholders(rendered: &str, images: usize) -> Result<Vec<&str>, String> {
    let mut pieces = Vec::with_capacity(images + 1);
    let mut rest = rendered;
    for number in 1..=images {
        let placeholder = format!("<|image_{number}|>");
        let (before, after) = rest.split_once(&placeholder).ok_or_else(|| {
            format!("the prompt has no placeholder {placeholder} for the image of this number, in order")
        })?;
        pieces.push(before);
        rest = after;
    }
    pieces.push(rest);
    let another = pieces.iter().any(|piece| {
        piece.split("<|image_").skip(1).any(|after| {
            after.split_once("|>").is_some_and(|(number, _)| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            })
        })
    });
    if another {
        return Err(format!(
            "the prompt has more placeholders <|image_N|> than its {images} images; a text must not hold a placeholder itself"
        ));
    }
    Ok(pieces)
}

/// The id of the token that the prompt holds for each image feature, by the names that configurations give it.
fn image_token_id(directory: &ModelDirectory) -> Result<i64, ModelError> {
    let id = directory.number(&["image_token_id"]).or_else(|_| directory.number(&["image_token_index"]))?;
    Ok(id as i64)
}
