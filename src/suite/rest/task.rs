//! The tasks of REST.

use serde::{Deserialize, Serialize};

use crate::suite::answers::AnswerKind;

/// Where an item comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Massive Multitask Language Understanding (arXiv 2009.03300): multiple choice.
    Mmlu,
    /// AI2 Reasoning Challenge (arXiv 1803.05457): multiple choice.
    Arc,
    /// GSM-Symbolic (arXiv 2410.05229), and GSM8K: word problems with a number as answer.
    GsmSymbolic,
    /// Systems of linear equations, which are generated here ([`crate::suite::soebench`]).
    #[serde(rename = "soebench")]
    SoeBench,
}

impl Task {
    /// All of them, in the order in which their items stand in a suite.
    pub const ALL: [Self; 4] = [Self::Arc, Self::Mmlu, Self::GsmSymbolic, Self::SoeBench];

    /// The name in tables and arguments.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mmlu => "mmlu",
            Self::Arc => "arc",
            Self::GsmSymbolic => "gsm-symbolic",
            Self::SoeBench => "soebench",
        }
    }

    /// The task of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task| task.name() == name)
    }

    /// How its answers are read.
    pub fn answers(self) -> AnswerKind {
        match self {
            Self::Mmlu | Self::Arc => AnswerKind::Choice,
            Self::GsmSymbolic | Self::SoeBench => AnswerKind::Number,
        }
    }

    /// The columns of its published files that are needed.
    pub(super) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Mmlu => &["question", "choices", "answer"],
            Self::Arc => &["id", "question", "choices", "answerKey"],
            Self::GsmSymbolic => &["question", "answer"],
            Self::SoeBench => &[],
        }
    }
}
