//! What is asked: items and their presentations.
//!
//! A suite is a list of groups; a group is what must be computed together (an image series, its texts and the conflict
//! cases between them). Groups are pure data: [`crate::render`] draws their images, [`crate::prepare`] makes prompts of
//! their messages. Wording lives in `data/prompts/*.toml`, not here.

pub mod color_recognition;
mod error;
pub mod export;
pub mod own;
pub mod prompts;
mod registry;
pub mod row;
pub mod seeding;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

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
}

impl PresentationKind {
    /// The name in tables and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VisionOnly => "vision-only",
            Self::TextOnly => "text-only",
            Self::Conflict => "conflict",
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

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text, as it goes into the chat template.
    Text(String),
    /// An image, by its index in [`Group::images`].
    Image(usize),
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
    /// Identifies the row within a suite, together with `kind`.
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
}

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

    /// Makes group `index` (below [`Suite::group_count`]).
    fn group(&self, index: usize) -> Result<Group, SuiteError>;
}
