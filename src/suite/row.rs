//! The row format of a suite file: one JSON object a line, with the columns that Hugging Face `datasets` would write.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{PresentationKind, Role};

/// One line of a suite file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Identifies the row, together with `presentation`.
    pub item_id: String,
    /// Rows of one group share images and are resampled together.
    pub group_id: String,
    /// `vision-only`, `text-only` or `conflict`.
    pub presentation: PresentationKind,
    /// The conversation.
    pub messages: Vec<RowMessage>,
    /// The answers that the question admits.
    pub options: Vec<String>,
    /// The right answer, where there is one.
    #[serde(default)]
    pub answer: Option<String>,
    /// The answer that the image gives.
    #[serde(default)]
    pub vision_answer: Option<String>,
    /// The answer that the text gives.
    #[serde(default)]
    pub text_answer: Option<String>,
    /// Anything else. Known: `dv`, `dt` (whole numbers), `control`, `target`; and on a conflict row `vision_item` and
    /// `text_item`, the item ids of its two unimodal rows.
    #[serde(default)]
    pub tags: Map<String, Value>,
}

/// One turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowMessage {
    /// `system`, `user` or `assistant`.
    pub role: Role,
    /// Parts in order.
    pub content: Vec<RowPart>,
}

/// One part of a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum RowPart {
    /// Text.
    Text {
        /// The words.
        text: String,
    },
    /// An image: a path relative to the suite file, or a `data:` URL.
    Image {
        /// Where it is.
        image: String,
    },
    /// What the model wrote for the item's presentation of this name (and the same variant).
    Written {
        /// `ocr`, for one.
        written: PresentationKind,
    },
}
