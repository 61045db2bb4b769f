//! From groups to prompts and pixels.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use image::RgbImage;
use rayon::prelude::*;
use serde_json::Value;
use tokenizers::Tokenizer;

use super::OptionTokens;
use super::chat_template::ChatTemplate;
use super::unit::{PreparedUnit, filled_in, shown_by};
use crate::model::family::{Company, Expanded, Family, ImagePlace, Pixels, Positions};
use crate::model::{ModelDirectory, ModelError};
use crate::render::load::load;
use crate::suite::seeding::hex_digest;
use crate::suite::{AnswerOption, Ask, Group, ImageSource, Message, Presentation};

/// A run of an image's placeholder tokens in a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSpan {
    /// Index of the image in [`PreparedUnit::images`].
    pub image: usize,
    /// The image's feature that stands in the first token: an image's tokens may be in several runs.
    pub feature: usize,
    /// First placeholder token.
    pub start: usize,
    /// Number of placeholder tokens.
    pub length: usize,
}

/// A presentation after the chat template: tokens and image spans.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// Token ids, placeholders expanded.
    pub ids: Vec<i64>,
    /// The images among them, in order.
    pub spans: Vec<ImageSpan>,
    /// Where the tokens stand.
    pub positions: Positions,
    /// SHA-256 (hex) of the rendered prompt, before placeholders are expanded.
    pub hash: String,
    /// First tokens of the options.
    pub options: Arc<OptionTokens>,
    /// Tokens that the model's context still takes after it; `None` where the model does not say.
    pub room: Option<usize>,
}

impl Prompt {
    /// Tokens that stand for images.
    pub fn vision_tokens(&self) -> usize {
        self.spans.iter().map(|span| span.length).sum()
    }

    /// All other tokens.
    pub fn text_tokens(&self) -> usize {
        self.ids.len() - self.vision_tokens()
    }
}

/// An image, ready for the vision encoder.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedImage {
    /// SHA-256 (hex) of size and RGB pixels.
    pub hash: String,
    /// What the vision encoder takes, until it has.
    pub pixels: Pixels,
    /// Whether it was processed for prompts that show several images, where that makes a difference.
    pub among_others: bool,
}

/// Template, tokenizer and image processor of one model.
pub struct Preparer {
    family: Box<dyn Family>,
    template: ChatTemplate,
    tokenizer: Tokenizer,
    context_length: Option<usize>,
    stop_tokens: Vec<u32>,
    option_tokens: Mutex<Vec<KnownOptions>>,
}

type KnownOptions = (Vec<AnswerOption>, Result<Arc<OptionTokens>, String>);

/// Lists of options that are remembered.
const MAX_KNOWN_OPTIONS: usize = 64;

impl Preparer {
    /// Reads what it needs from the model's directory.
    ///
    /// # Errors
    /// When a file is missing or broken.
    pub fn open(directory: &ModelDirectory) -> Result<Self, ModelError> {
        let wrong = |file: &str, reason: String| ModelError::File { path: directory.path.join(file), reason };
        let broken = |error: tokenizers::Error| wrong("tokenizer.json", error.to_string());
        let mut tokenizer = Tokenizer::from_file(directory.path.join("tokenizer.json")).map_err(broken)?;
        // As transformers does on each call: what the file says of truncation and padding does not count.
        tokenizer.with_truncation(None).map_err(broken)?.with_padding(None);
        let config = directory.tokenizer_config()?;
        let special = |name: &str| match config.get(name) {
            Some(Value::String(token)) => token.clone(),
            Some(token) => token.get("content").and_then(Value::as_str).unwrap_or_default().to_string(),
            None => String::new(),
        };
        let family = directory.family()?;
        let source = match (directory.chat_template(), family.default_chat_template()) {
            (Err(ModelError::Directory { .. }), Some(default)) => default.to_string(),
            (source, _) => source?,
        };
        let template = ChatTemplate::compile(source, special("bos_token"), special("eos_token"))
            .map_err(|error| wrong("chat_template.jinja", error.to_string()))?;
        Ok(Self {
            family,
            template,
            tokenizer,
            context_length: directory.context_length(),
            stop_tokens: directory.stop_tokens()?,
            option_tokens: Mutex::default(),
        })
    }

    /// The model's family.
    pub fn family(&self) -> &dyn Family {
        &*self.family
    }

    /// Tokens that end an answer.
    pub fn stop_tokens(&self) -> &[u32] {
        &self.stop_tokens
    }

    /// The text of tokens that a model wrote, without special ones.
    ///
    /// # Errors
    /// When the tokenizer cannot say.
    pub fn text(&self, tokens: &[u32]) -> Result<String, String> {
        self.tokenizer.decode(tokens, true).map_err(|error| format!("the tokenizer cannot decode: {error}"))
    }

    /// A text as a model may write it: at once, or after a space.
    pub fn spellings_as_answer(&self, text: &str) -> Vec<Vec<u32>> {
        let mut spelled = Vec::new();
        for text in [text.to_string(), format!(" {text}")] {
            let Ok(encoding) = self.tokenizer.encode(text, false) else { continue };
            let mut tokens = encoding.get_ids().to_vec();
            tokens.extend(self.stop_tokens.first());
            if !spelled.contains(&tokens) {
                spelled.push(tokens);
            }
        }
        spelled
    }

    /// The text of one token.
    pub fn token_text(&self, token: u32) -> String {
        self.tokenizer.decode(&[token], false).unwrap_or_default()
    }

    /// First tokens of options. A suite has few distinct lists of them: each is tokenized once.
    ///
    /// # Errors
    /// See [`OptionTokens::of`].
    pub fn option_tokens(&self, options: &[AnswerOption]) -> Result<Arc<OptionTokens>, String> {
        let mut known = self.option_tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, tokens)) = known.iter().find(|(known, _)| known == options) {
            return tokens.clone();
        }
        let tokens = OptionTokens::of(options, &self.tokenizer).map(Arc::new);
        if known.len() < MAX_KNOWN_OPTIONS {
            known.push((options.to_vec(), tokens.clone()));
        }
        tokens
    }

    /// The rendered prompt, with one placeholder an image.
    ///
    /// # Errors
    /// When the template fails.
    pub fn render(&self, presentation: &Presentation) -> Result<String, String> {
        self.render_messages(&presentation.messages)
    }

    /// A conversation, rendered with one placeholder an image.
    ///
    /// # Errors
    /// When the template fails.
    pub fn render_messages(&self, messages: &[Message]) -> Result<String, String> {
        let text = |number| self.family.image_text(number);
        self.template.render(messages, &text).map_err(|error| error.to_string())
    }

    /// Prepares a unit: draws, decodes, resizes and tokenizes on rayon's threads. Prompts that hold what the model writes for
    /// others are left to [`Preparer::fill`].
    pub fn prepare(&self, index: usize, groups: Vec<Group>) -> PreparedUnit {
        let sources: Vec<&ImageSource> = groups.iter().flat_map(|group| &group.images).collect();
        let mut images: Vec<Result<PreparedImage, String>> =
            sources.par_iter().map(|source| guarded("image", || self.image(source))).collect();
        let again = self.shown_among_others(&groups);
        let processed: Vec<_> = again
            .par_iter()
            .map(|&index| guarded("image", || self.image_among_others(sources[index])))
            .collect();
        let among_others =
            again.iter().enumerate().map(|(place, &index)| (index, images.len() + place)).collect();
        images.extend(processed);
        let mut unit = PreparedUnit::new(index, groups, images, among_others);
        let prompts = {
            let rows: Vec<(usize, &Presentation)> = unit.presentations().enumerate().collect();
            let prompt = |(index, row): (usize, &Presentation)| match unit.waiting.contains_key(&index) {
                true => Err("waits for what the model writes".into()),
                false => guarded("prompt", || self.prompt(&unit, index, row, &row.messages)),
            };
            rows.into_par_iter().map(prompt).collect()
        };
        unit.prompts = prompts;
        unit
    }

    /// Prepares the prompts that were waiting for `written` (by row: what the model wrote, or why it did not), and returns
    /// their rows.
    pub fn fill(&self, unit: &mut PreparedUnit, written: &[Result<&str, &str>]) -> Vec<usize> {
        let filled: Vec<(usize, Result<Prompt, String>)> = unit
            .waiting
            .iter()
            // A row that waits for one that waits itself is for the next time.
            .filter(|(_, on)| on.iter().all(|other| !unit.waiting.contains_key(other)))
            .filter_map(|(&index, on)| {
                let row = unit.presentations().nth(index)?;
                let failed = on.iter().find_map(|&other| Some((other, written[other].err()?)));
                let prompt = match failed {
                    Some((other, reason)) => {
                        let kind = unit.presentations().nth(other).map_or("", |row| row.kind.as_str());
                        Err(format!("needs the model's {kind} of this item, which failed: {reason}"))
                    }
                    None => {
                        let first = index - unit.place_in_group(index);
                        let text = |row: usize| written[first + row].unwrap_or_default();
                        guarded("prompt", || self.prompt(unit, index, row, &filled_in(&row.messages, &text)))
                    }
                };
                Some((index, prompt))
            })
            .collect();
        let rows = filled.iter().map(|(index, _)| *index).collect();
        for (index, prompt) in filled {
            unit.waiting.remove(&index);
            unit.prompts[index] = prompt;
        }
        rows
    }

    /// Pixels of one image as the vision encoder takes them.
    ///
    /// # Errors
    /// When it cannot be drawn or decoded.
    pub fn image(&self, source: &ImageSource) -> Result<PreparedImage, String> {
        let image = load(source).map_err(|error| error.to_string())?;
        let pixels = self.family.pixels(&image)?;
        Ok(PreparedImage { hash: image_hash(&image), pixels, among_others: false })
    }

    fn image_among_others(&self, source: &ImageSource) -> Result<PreparedImage, String> {
        let image = load(source).map_err(|error| error.to_string())?;
        let pixels = self.family.pixels_among_others(&image)?;
        Ok(PreparedImage { hash: image_hash(&image), pixels, among_others: true })
    }

    /// Images that a prompt shows beside another one, where the family makes a difference.
    fn shown_among_others(&self, groups: &[Group]) -> Vec<usize> {
        if self.family.company() == Company::Ignored {
            return Vec::new();
        }
        let mut offset = 0;
        let mut shown = BTreeSet::new();
        for group in groups {
            let several = group.presentations.iter().filter(|row| shown_by(&row.messages).count() > 1);
            shown.extend(several.flat_map(|row| shown_by(&row.messages)).map(|image| offset + image));
            offset += group.images.len();
        }
        shown.into_iter().collect()
    }

    /// The prompt of a unit's row, with its `messages` as they are to be shown.
    fn prompt(
        &self,
        unit: &PreparedUnit,
        index: usize,
        row: &Presentation,
        messages: &[Message],
    ) -> Result<Prompt, String> {
        if let Some(fault) = &row.fault {
            return Err(fault.clone());
        }
        let images = &unit.images;
        let shown: Vec<(usize, &Pixels)> = unit
            .shown(index, messages)
            .into_iter()
            .map(|index| images[index].as_ref().map(|image| (index, &image.pixels)).map_err(Clone::clone))
            .collect::<Result<_, _>>()?;
        let rendered = self.render_messages(messages)?;
        let pixels: Vec<&Pixels> = shown.iter().map(|(_, pixels)| *pixels).collect();
        let expanded = self.family.expand(&rendered, &pixels)?;
        // As transformers' processors do it: a template that writes the BOS token itself gets no second one.
        let bos = self.template.bos_token();
        let add_special_tokens =
            self.family.adds_special_tokens() && (bos.is_empty() || !rendered.starts_with(bos));
        let tokenize = |text: String| -> Result<Vec<i64>, String> {
            let encoding =
                self.tokenizer.encode(text, add_special_tokens).map_err(|error| error.to_string())?;
            Ok(encoding.get_ids().iter().map(|&id| i64::from(id)).collect())
        };
        let ids: Vec<i64> = match expanded {
            Expanded::Text(text) => tokenize(text)?,
            Expanded::Pieces { texts, images } => {
                let mut between = images.into_iter();
                let mut ids = Vec::new();
                for text in texts {
                    ids.extend(tokenize(text)?);
                    ids.extend(between.next().unwrap_or_default());
                }
                ids
            }
        };
        if let Some(limit) = self.context_length.filter(|limit| ids.len() > *limit) {
            return Err(format!(
                "context overflow: the prompt has {} tokens, the model takes {limit}",
                ids.len()
            ));
        }
        let spans = self.spans(&ids, &shown)?;
        let place = |span: &ImageSpan| ImagePlace {
            start: span.start,
            length: span.length,
            grid: images[span.image].as_ref().map_or([1; 3], |image| image.pixels.grid),
        };
        let places: Vec<ImagePlace> = spans.iter().map(place).collect();
        let positions = self.family.positions(ids.len(), &places);
        let options = match row.ask {
            Ask::NextToken => self.option_tokens(&row.options)?,
            // The answer is read from the text: options that begin alike are told apart there.
            Ask::Generate(_) => self.option_tokens(&row.options).unwrap_or_default(),
        };
        let room = self.context_length.map(|limit| limit - ids.len());
        Ok(Prompt { ids, spans, positions, hash: hex_digest(&rendered), options, room })
    }

    /// Finds the placeholder tokens and deals them out to the images in order.
    fn spans(&self, ids: &[i64], shown: &[(usize, &Pixels)]) -> Result<Vec<ImageSpan>, String> {
        let of_image = |(_, id): &(usize, &i64)| self.family.is_image_token(**id);
        let mut places = ids.iter().enumerate().filter(of_image).map(|(place, _)| place);
        let mut spans: Vec<ImageSpan> = Vec::with_capacity(shown.len());
        for &(image, pixels) in shown {
            let from = spans.len();
            for feature in 0..pixels.tokens {
                let Some(place) = places.next() else {
                    return Err(format!(
                        "the tokenizer made {feature} image tokens for an image of {}",
                        pixels.tokens
                    ));
                };
                match spans[from..].last_mut() {
                    Some(run) if run.start + run.length == place => run.length += 1,
                    _ => spans.push(ImageSpan { image, feature, start: place, length: 1 }),
                }
            }
        }
        match places.count() {
            0 => Ok(spans),
            more => Err(format!("the prompt has {more} image tokens more than its images have features")),
        }
    }
}

/// A third-party decoder's or template's panic is one sample's error.
fn guarded<T>(what: &str, work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let reason = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(format!("internal error while preparing this {what}: {reason}"))
    })
}

fn image_hash(image: &RgbImage) -> String {
    let mut bytes = Vec::with_capacity(8 + image.as_raw().len());
    bytes.extend(image.width().to_le_bytes());
    bytes.extend(image.height().to_le_bytes());
    bytes.extend(image.as_raw());
    hex_digest(bytes)
}
