//! What is asked: items and their presentations.
//!
//! A suite is a list of groups; a group is what must be computed together (an image series, its texts and the conflict
//! cases between them). Groups are pure data: [`crate::render`] draws their images, [`crate::prepare`] makes prompts of
//! their messages. Wording lives in `data/prompts/*.toml`, not here.

pub mod answers;
mod ask;
pub mod attribute_recognition;
pub mod catalogue;
mod cell;
pub mod color_recognition;
mod conflict;
mod error;
pub mod export;
pub mod mc2;
pub mod own;
mod pictures;
pub mod prediction;
pub mod prompts;
mod registry;
pub mod rest;
pub mod row;
pub mod seeding;
mod selected;
pub mod soebench;
mod wordings;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use ask::{Ask, Generate, Rendering};
pub use error::SuiteError;
pub use registry::{SuiteSpec, open};

use crate::render::scene::SceneSpec;
use crate::render::typeset::TextSpec;

/// How an item is shown to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PresentationKind {
    /// Image and question, no description: Yv = M(I, Q).
    VisionOnly,
    /// Description and question, no image: Yt = M(T, Q).
    TextOnly,
    /// Image, description that contradicts it, and question: Ym = M(I, T, Q).
    Conflict,
    /// The whole content as image, to be transcribed.
    Ocr,
    /// The whole content as text.
    Text,
    /// The whole content as image.
    Image,
    /// A part of the content as image, the rest as text.
    Mixed,
    /// The model's own transcription in the place of the content.
    OcrFirst,
}

impl PresentationKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::VisionOnly,
        Self::TextOnly,
        Self::Conflict,
        Self::Ocr,
        Self::Text,
        Self::Image,
        Self::Mixed,
        Self::OcrFirst,
    ];

    /// The name in tables and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VisionOnly => "vision-only",
            Self::TextOnly => "text-only",
            Self::Conflict => "conflict",
            Self::Ocr => "ocr",
            Self::Text => "text",
            Self::Image => "image",
            Self::Mixed => "mixed",
            Self::OcrFirst => "ocr-first",
        }
    }
}

/// Whether a presentation belongs to a control, and to which.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// No control: the case itself.
    #[default]
    None,
    /// The description speaks of another shape than the question.
    TextIrrelevant,
    /// Description and question speak of something that the image never shows.
    ImageIrrelevant,
}

impl Control {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::None, Self::TextIrrelevant, Self::ImageIrrelevant];

    /// The name in tables and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::TextIrrelevant => "text-irrelevant",
            Self::ImageIrrelevant => "image-irrelevant",
        }
    }
}

/// One answer that a question admits, with the ways a model may spell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerOption {
    /// The answer's name in the tables.
    pub name: String,
    /// Spellings; the probabilities of their first tokens are summed for the option's mass.
    pub spellings: Vec<String>,
}

impl AnswerOption {
    /// An option spelled as it is named: in lower case, capitalised, and in upper case.
    pub fn named(name: &str) -> Self {
        let mut capitalised = name.to_string();
        if let Some(first) = name.chars().next() {
            capitalised = first.to_uppercase().chain(name.chars().skip(1)).collect();
        }
        let mut spellings = vec![name.to_string(), name.to_lowercase(), capitalised, name.to_uppercase()];
        let mut seen = std::collections::HashSet::new();
        spellings.retain(|spelling| seen.insert(spelling.clone()));
        Self { name: name.to_string(), spellings }
    }
}

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions that precede the conversation.
    System,
    /// The one who asks.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text, as it goes into the chat template.
    Text(String),
    /// An image, by its index in [`Group::images`].
    Image(usize),
    /// What the model wrote for another presentation of the group, by its index in [`Group::presentations`].
    Written(usize),
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said and shown, in order.
    pub content: Vec<Part>,
}

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageSource {
    /// Drawn from a specification and a seed.
    Scene(Box<SceneSpec>),
    /// Typeset from a specification.
    Text(Box<TextSpec>),
    /// A file on this machine.
    File(PathBuf),
    /// Encoded bytes (PNG, JPEG, ...) that came with the row.
    Bytes(Arc<[u8]>),
}

/// One way of showing an item: what is asked of the model once.
#[derive(Debug, Clone, PartialEq)]
pub struct Presentation {
    /// Identifies the row within a suite, together with `kind` and the rendering's variant.
    pub item_id: String,
    /// How it is shown.
    pub kind: PresentationKind,
    /// Which control it belongs to.
    pub control: Control,
    /// The conversation.
    pub messages: Vec<Message>,
    /// The answers that the question admits.
    pub options: Arc<[AnswerOption]>,
    /// The right answer, where there is one.
    pub answer: Option<String>,
    /// The answer that the image was designed to give.
    pub vision_answer: Option<String>,
    /// The answer that the text was designed to give.
    pub text_answer: Option<String>,
    /// Difficulty tier of the image.
    pub dv: Option<i32>,
    /// Difficulty tier of the text.
    pub dt: Option<i32>,
    /// What the question is about, for people who read the tables.
    pub target: Option<String>,
    /// The task (or the dataset) that the item belongs to.
    pub task: Option<String>,
    /// How its text was rendered; `None` where no text is.
    pub rendering: Option<Rendering>,
    /// What is wanted of the model.
    pub ask: Ask,
    /// What is wrong with the item, so that it cannot be asked: its row says so.
    pub fault: Option<String>,
}

impl Presentation {
    /// A presentation that asks for the next token and has no answer yet.
    pub fn new(item_id: String, kind: PresentationKind, messages: Vec<Message>) -> Self {
        Self {
            item_id,
            kind,
            control: Control::None,
            messages,
            options: Arc::new([]),
            answer: None,
            vision_answer: None,
            text_answer: None,
            dv: None,
            dt: None,
            target: None,
            task: None,
            rendering: None,
            ask: Ask::NextToken,
            fault: None,
        }
    }

    /// The rendering's name in tables; [`NO_VARIANT`] where nothing is rendered.
    pub fn variant(&self) -> &str {
        self.rendering.as_ref().map_or(NO_VARIANT, |rendering| &rendering.variant)
    }

    /// What identifies the row within a suite: item, presentation, variant.
    pub fn key(&self) -> (&str, &'static str, &str) {
        (&self.item_id, self.kind.as_str(), self.variant())
    }
}

/// The variant of what is not rendered.
pub const NO_VARIANT: &str = "none";

/// Which rows of a group make one conflict case (indices into [`Group::presentations`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConflictCase {
    /// The bimodal row (Ym).
    pub conflict: usize,
    /// Its vision-only row (Yv, Hv).
    pub vision: usize,
    /// Its text-only row (Yt, Ht).
    pub text: usize,
}

/// Presentations that belong together: they share images, and unimodal rows serve many conflict cases.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The group's identifier: the unit of the bootstrap.
    pub group_id: String,
    /// The distinct images.
    pub images: Vec<ImageSource>,
    /// Everything that is asked.
    pub presentations: Vec<Presentation>,
    /// The conflict cases between them.
    pub cases: Vec<ConflictCase>,
}

/// A source of groups. Implementations are cheap to share between threads; groups are made when asked for.
pub trait Suite: Send + Sync {
    /// The suite's name, as it stands in tables and paths.
    fn name(&self) -> &str;

    /// A digest (hex) of everything that determines the groups' content.
    fn fingerprint(&self) -> String;

    /// How many groups there are.
    fn group_count(&self) -> usize;

    /// What a user should know before the suite is run: what was left out, and why.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Makes group `index` (below [`Suite::group_count`]).
    fn group(&self, index: usize) -> Result<Group, SuiteError>;
}
