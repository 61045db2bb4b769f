//! What is wanted of the model for a presentation, and how its text was rendered.

use serde::{Deserialize, Serialize};

use super::answers::Reading;

/// What is wanted of the model.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// The distribution of the next token: the answer is the option that its best token says.
    NextToken,
    /// A greedy continuation, from which the answer is read.
    Generate(Generate),
}

/// How a prompt is continued, and how its answer is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Generate {
    /// Tokens to write at most.
    pub max_new_tokens: usize,
    /// How the answer is read.
    pub reading: Reading,
}

/// How a text looks as an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendering {
    /// The name in tables, such as `dejavu-sans-200`; unique among an item's renderings.
    pub variant: String,
    /// Typeface.
    pub font: Option<String>,
    /// Resolution, dots per inch.
    pub dpi: Option<i32>,
    /// Color of the text, such as `black`.
    pub color: Option<String>,
}
