//! A row of a suite file: what is asked of the model once. The same row is a line of JSON or a row of Parquet, with the
//! columns that Hugging Face `datasets` would write; [`super::export`] writes it, [`super::own`] reads it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};

use super::answers::AnswerKind;
use super::{AnswerOption, Control, PresentationKind, Role};

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Identifies the row, together with `presentation` and the tag `variant`.
    pub item_id: String,
    /// Rows of one group share images and are resampled together.
    pub group_id: String,
    /// How the item is shown.
    pub presentation: PresentationKind,
    /// The conversation.
    pub messages: Vec<RowMessage>,
    /// The answers that the question admits; a name alone stands for its usual spellings.
    #[serde(serialize_with = "options")]
    pub options: Vec<AnswerOption>,
    /// The right answer, where there is one.
    pub answer: Option<String>,
    /// The answer that the image gives.
    pub vision_answer: Option<String>,
    /// The answer that the text gives.
    pub text_answer: Option<String>,
    /// What else is known of it.
    pub tags: Tags,
}

/// One turn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowMessage {
    /// `system`, `user` or `assistant`.
    pub role: Role,
    /// Parts in order.
    pub content: Vec<RowPart>,
}

/// One part of a turn.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum RowPart {
    /// Text.
    Text {
        /// The words.
        text: String,
    },
    /// An image.
    Image {
        /// Where it is.
        image: RowImage,
    },
    /// What the model wrote for the item's presentation of this name (and the same variant).
    Written {
        /// `ocr`, for one.
        written: PresentationKind,
    },
}

/// Where a row's image is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RowImage {
    /// A path relative to the suite file.
    Path(String),
    /// Encoded bytes (PNG, JPEG, ...) in the row itself.
    Embedded(Arc<[u8]>),
}

impl Serialize for RowImage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Path(path) => serializer.serialize_str(path),
            Self::Embedded(bytes) => {
                serializer.serialize_str(&format!("data:;base64,{}", STANDARD.encode(bytes)))
            }
        }
    }
}

/// What is known of a row beside its question.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tags {
    /// Which control it belongs to.
    pub control: Control,
    /// Difficulty tier of the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dv: Option<i32>,
    /// Difficulty tier of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dt: Option<i32>,
    /// What the question is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Of a conflict row: the item of its vision-only row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vision_item: Option<String>,
    /// Of a conflict row: the item of its text-only row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_item: Option<String>,
    /// The task or dataset that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Name of the rendering, unique among an item's renderings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Typeface of the rendered text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub font: Option<String>,
    /// Resolution of the rendered text, dots per inch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpi: Option<i32>,
    /// Color of the rendered text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// How the answer is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<RowReading>,
    /// Tokens that the model writes at most, where it writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_new_tokens: Option<i32>,
    /// What is wrong with the item, so that it cannot be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// How a row's answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowReading {
    /// From the distribution of the next token: the option that its best token says.
    OptionToken,
    /// From what the model writes: the letter of an option.
    Choice,
    /// From what the model writes: a number.
    Number,
    /// From what the model writes: a word.
    Word,
    /// All that the model writes is a transcription of the image's text.
    Transcript,
}

impl RowReading {
    /// All of them, in the order of [`Self::NAMES`].
    const ALL: [Self; 5] = [Self::OptionToken, Self::Choice, Self::Number, Self::Word, Self::Transcript];

    /// Their names in files.
    pub const NAMES: [&'static str; 5] = ["option-token", "choice", "number", "word", "transcript"];

    /// The name in files.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().zip(Self::NAMES).find(|(reading, _)| **reading == self).map_or("", |(_, name)| name)
    }

    /// What is read from what the model writes; nothing is written for an option's token.
    pub fn kind(self) -> Option<AnswerKind> {
        match self {
            Self::OptionToken => None,
            Self::Choice => Some(AnswerKind::Choice),
            Self::Number => Some(AnswerKind::Number),
            Self::Word => Some(AnswerKind::Word),
            Self::Transcript => Some(AnswerKind::Transcript),
        }
    }
}

impl From<AnswerKind> for RowReading {
    fn from(kind: AnswerKind) -> Self {
        match kind {
            AnswerKind::Choice => Self::Choice,
            AnswerKind::Number => Self::Number,
            AnswerKind::Word => Self::Word,
            AnswerKind::Transcript => Self::Transcript,
        }
    }
}

fn options<S: Serializer>(options: &[AnswerOption], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Written<'a> {
        Name(&'a str),
        Spelled(&'a AnswerOption),
    }
    serializer.collect_seq(options.iter().map(|option| {
        let is_usual = *option == AnswerOption::named(&option.name);
        if is_usual { Written::Name(&option.name) } else { Written::Spelled(option) }
    }))
}
