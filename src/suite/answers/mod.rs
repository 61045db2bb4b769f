//! Reading answers: from what a model wrote to an option, a number or a word; and how far a transcription is off.

mod transcript;

use super::AnswerOption;

pub use transcript::character_error_rate;

/// What kind of answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerKind {
    /// An option, by its letter.
    Choice,
    /// A number.
    Number,
    /// One word.
    Word,
    /// All that was written, as a transcription of the text in the image.
    Transcript,
}

/// How an answer is read from what the model wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What is read.
    pub kind: AnswerKind,
}

impl Reading {
    /// One word, or an option by one of its spellings.
    pub fn word() -> Self {
        Self { kind: AnswerKind::Word }
    }

    /// The answer that `text` gives to a question with these `options`; `None` when there is none to be read.
    pub fn read(&self, text: &str, options: &[AnswerOption]) -> Option<String> {
        let said = text.trim();
        match self.kind {
            AnswerKind::Transcript => Some(said.to_string()),
            _ => options.iter().find(|option| option.name == said).map(|option| option.name.clone()),
        }
    }
}
