//! A prompt's answer: what the model's distribution or its continuation says.

use super::lens::LayerPrediction;
use super::means::LayerMeans;
use super::score::Scores;
use crate::prepare::Prompt;
use crate::suite::Presentation;
use crate::suite::answers::{AnswerKind, Reading, character_error_rate};

/// What an answer ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// Only the next token was asked for.
    AnswerToken,
    /// The model ended it.
    Stop,
    /// As many tokens as were allowed, or as the context takes.
    Length,
    /// It was not made here.
    Imported,
}

impl Finish {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AnswerToken => "answer-token",
            Self::Stop => "stop",
            Self::Length => "length",
            Self::Imported => "imported",
        }
    }
}

/// How many tokens a prompt has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptTokens {
    /// Tokens that are text.
    pub text: usize,
    /// Tokens that stand for images.
    pub vision: usize,
}

/// A prompt's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// What the model wrote.
    pub raw_text: String,
    /// The answer that is read from it; `None` where none could be.
    pub answer: Option<String>,
    /// Character error rate of a transcription.
    pub cer: Option<f64>,
    /// What ended it.
    pub finish: Finish,
    /// Tokens that were written, the one that ended it included.
    pub generated_tokens: Option<usize>,
    /// Tokens of the prompt, where another program counted them.
    pub prompt_tokens: Option<PromptTokens>,
    /// The distribution at the first token of the answer.
    pub scores: Scores,
    /// Mean and last tokens by depth, from the decoder's input to its output; empty where they are not kept.
    pub means: Vec<LayerMeans>,
    /// The answer after each layer; empty where the layers are not probed.
    pub layers: Vec<LayerPrediction>,
}

impl Answered {
    /// The option that the best next token says.
    pub(super) fn by_token(prompt: &Prompt, scores: Scores, raw_text: String) -> Self {
        Self {
            raw_text,
            answer: scores.answer.map(|option| prompt.options.names[option].clone()),
            cer: None,
            finish: Finish::AnswerToken,
            generated_tokens: Some(1),
            prompt_tokens: None,
            scores,
            means: Vec::new(),
            layers: Vec::new(),
        }
    }

    /// What is read from a text that was written for `row`.
    pub(super) fn by_text(row: &Presentation, reading: &Reading, raw_text: String, finish: Finish) -> Self {
        let reference = row.answer.as_deref().filter(|_| reading.kind == AnswerKind::Transcript);
        Self {
            answer: reading.read(&raw_text, &row.options),
            cer: reference.map(|reference| character_error_rate(reference, &raw_text)),
            raw_text,
            finish,
            generated_tokens: None,
            prompt_tokens: None,
            scores: Scores::default(),
            means: Vec::new(),
            layers: Vec::new(),
        }
    }

    /// Whether it is the answer that `row` expects; a transcription must have no error. `None` where nothing is expected.
    pub fn correct(&self, row: &Presentation) -> Option<bool> {
        let expected = row.answer.as_deref()?;
        Some(self.cer.map_or_else(|| self.answer.as_deref() == Some(expected), |cer| cer == 0.0))
    }
}
