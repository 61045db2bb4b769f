//! Reading answers: from what a model wrote to an option, a number or a word; and how far a transcription is off.
//!
//! Two steps. [`Patterns`], which are data, find where an answer is stated ("The answer is ..."); what stands there is read
//! by kind. Where nothing is stated, the text is read as a whole, its end first. An answer that states two is none.

mod choice;
mod mentions;
mod number;
mod patterns;
#[cfg(test)]
mod tests;
mod transcript;
mod word;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::AnswerOption;

pub use number::canonical as canonical_number;
pub use patterns::{BUILT_IN, PatternError, PatternTable, Patterns};
pub use transcript::character_error_rate;

/// What kind of answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerKind {
    /// An option, by its letter or its own text; read as the option's name.
    Choice,
    /// A number; read in the form of [`canonical_number`].
    Number,
    /// One word: the name of the option that it is, or the word in lower case where there are no options.
    Word,
    /// All that was written, as a transcription of the text in the image.
    Transcript,
}

/// How an answer is read from what the model wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What is read.
    pub kind: AnswerKind,
    /// Where answers are stated.
    pub patterns: Patterns,
}

impl Reading {
    /// Reads with the patterns that ship with the program.
    pub fn new(kind: AnswerKind) -> Self {
        Self { kind, patterns: Patterns::built_in(kind) }
    }

    /// One word, or an option by one of its spellings.
    pub fn word() -> Self {
        Self::new(AnswerKind::Word)
    }

    /// The answer that `text` gives to a question with these `options`; `None` when there is none to be read, or two.
    ///
    /// An option of a choice is named by its label; its spellings are the label and its text.
    pub fn read(&self, text: &str, options: &[AnswerOption]) -> Option<String> {
        if self.kind == AnswerKind::Transcript {
            return Some(text.trim().to_string());
        }
        let text: String = text.nfkc().collect();
        let said = match self.kind {
            AnswerKind::Choice => self
                .patterns
                .stated(&text, |fragment| choice::stated(fragment, options))
                .or_else(|| choice::anywhere(&text, options)),
            AnswerKind::Number => {
                self.patterns.stated(&text, number::stated).or_else(|| number::anywhere(&text))
            }
            AnswerKind::Word | AnswerKind::Transcript => self
                .patterns
                .stated(&text, |fragment| word::stated(fragment, options))
                .or_else(|| word::anywhere(&text, options)),
        };
        match said {
            Said::One(answer) => Some(answer),
            Said::Nothing | Said::Several => None,
        }
    }
}

/// What a piece of text says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    /// No answer.
    Nothing,
    /// This one.
    One(String),
    /// More than one.
    Several,
}

impl Said {
    /// This, or what comes next when nothing is said here.
    fn or_else(self, next: impl FnOnce() -> Self) -> Self {
        if self == Self::Nothing { next() } else { self }
    }

    /// What all of these say together.
    fn all(answers: impl IntoIterator<Item = String>) -> Self {
        answers.into_iter().fold(Self::Nothing, |said, answer| match said {
            Self::Nothing => Self::One(answer),
            Self::One(first) if first == answer => Self::One(first),
            _ => Self::Several,
        })
    }
}
