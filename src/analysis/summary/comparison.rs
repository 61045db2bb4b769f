//! How faithful a run is to a reference run of the same suite: a model in int8 to the same one in fp32, for one.
//!
//! Rows of both runs are joined by their key. Every figure is over rows that both runs have and neither failed on; a change
//! is the run's figure minus the reference's.

use serde::{Deserialize, Serialize};

use crate::analysis::tables::NO_CONTROL;

use super::{BalancePoint, ConsistencySettings, Estimate};

/// A run that is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedRun {
    /// Run identifier (the tables' `run` column).
    pub run: String,
    /// Model name.
    pub model: String,
    /// Number format of its weights. The tables do not say it: who knows it (by the run's manifest) writes it here.
    pub precision: Option<String>,
}

impl ComparedRun {
    /// The model, and the precision where it is known.
    pub fn name(&self) -> String {
        match &self.precision {
            Some(precision) => format!("{} ({precision})", self.model),
            None => self.model.clone(),
        }
    }
}

/// What the comparison comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Verdict {
    /// The same rows with the same answers, texts and numbers to the last bit, and the same failures.
    Identical,
    /// Every answer that can be compared is the same; numbers or texts are not, or rows are missing or failed.
    SameAnswers {
        /// Prompts that both runs answered.
        compared: u64,
    },
    /// Some answers are not the same.
    AnswersDiffer {
        /// How many.
        differ: u64,
        /// Prompts that both runs answered.
        compared: u64,
    },
    /// No prompt was answered in both runs.
    NothingCompared,
}

impl Verdict {
    /// In words, counts written by `count`.
    pub fn words(self, count: impl Fn(u64) -> String) -> String {
        match self {
            Self::Identical => "identical".into(),
            Self::SameAnswers { compared } => format!("same answers to all {} prompts", count(compared)),
            Self::AnswersDiffer { differ, compared } => {
                format!("{} of {} answers differ", count(differ), count(compared))
            }
            Self::NothingCompared => "nothing to compare: no prompt was answered in both runs".into(),
        }
    }
}

/// A figure of both runs and its change, with intervals from the same resamples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// Of the reference run.
    pub reference: Option<Estimate>,
    /// Of the run.
    pub run: Option<Estimate>,
    /// Run minus reference.
    pub change: Option<Estimate>,
}

/// How far numbers of the run lie from those of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distance {
    /// Pairs of numbers.
    pub values: u64,
    /// Mean absolute difference.
    pub mean: f64,
    /// 95th percentile of the absolute differences.
    pub p95: f64,
    /// Largest absolute difference.
    pub max: f64,
    /// Mean of run minus reference: 0 where differences cancel out.
    pub mean_change: f64,
}

/// How alike the texts are that were written as answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TextFidelity {
    /// Prompts for which both runs wrote a text.
    pub texts: u64,
    /// Share of texts that are the same to the letter.
    pub same: Option<Estimate>,
    /// Mean of (insertions + deletions + substitutions) / characters of the longer text, in [0, 1].
    pub distance: Option<Estimate>,
}

/// The figures over prompts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct PromptFidelity {
    /// Prompts of both runs.
    pub joined: u64,
    /// Prompts that only the reference has.
    pub only_reference: u64,
    /// Prompts that only the run has.
    pub only_run: u64,
    /// Joined prompts that failed in the reference.
    pub failed_reference: u64,
    /// Joined prompts that failed in the run.
    pub failed_run: u64,
    /// Joined prompts that failed in neither: those that the figures below are over.
    pub compared: u64,
    /// ... whose tokens or pixels are not the same in both runs. Where a prompt shows what the model wrote before, that is
    /// a consequence of other texts; elsewhere it says that more than the precision differs.
    pub other_prompt: u64,
    /// ... whose answers are the same.
    pub same_answers: u64,
    /// ... of which no answer could be read in either run; that counts as the same answer.
    pub both_unparsed: u64,
    /// Share of the same answers.
    pub answer_agreement: Option<Estimate>,
    /// Share of the same most probable token, where both runs have one.
    pub top1_agreement: Option<Estimate>,
    /// |d log-probability| of the options, nats.
    pub option_logprob: Option<Distance>,
    /// |dH| of the entropy over the whole vocabulary at the answer token, nats.
    pub entropy: Option<Distance>,
    /// Texts; `None` where answers were not written but read from the first token.
    pub texts: Option<TextFidelity>,
    /// Prompts whose answer is known to be right or wrong in both runs.
    pub scored: u64,
    /// Share of right answers over them.
    pub accuracy: Paired,
}

/// The figures of one kind of presentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PresentationFidelity {
    /// How the prompts are shown.
    pub presentation: String,
    /// The control that they belong to, or "none". What a control asks may have no answer, and a guess changes easily.
    pub control: String,
    /// Its figures.
    #[serde(flatten)]
    pub fidelity: PromptFidelity,
}

impl PresentationFidelity {
    /// The presentation, and the control where there is one.
    pub fn name(&self) -> String {
        match self.control.as_str() {
            NO_CONTROL => self.presentation.clone(),
            control => format!("{}, {control}", self.presentation),
        }
    }
}

/// What became of the modality that is followed, over the conflict cases of both runs that failed in neither.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FollowingFidelity {
    /// Conflict cases compared.
    pub cases: u64,
    /// ... in which at least one run has a conflict: its two unimodal answers are options, and not the same.
    pub decided: u64,
    /// ... of which both follow the same: text, image or other.
    pub same: u64,
    /// Share of the same among the decided.
    pub agreement: Option<Estimate>,
    /// Cases analysed in the reference: both unimodal answers are the designed ones.
    pub analysed_reference: u64,
    /// Cases analysed in the run.
    pub analysed_run: u64,
    /// Text-following ratio, each run over its own analysed cases.
    pub tfr: Paired,
    /// Balance point of the reference by the isotonic fit; `None` where no case has a place on the curve.
    pub balance_reference: Option<BalancePoint>,
    /// Balance point of the run.
    pub balance_run: Option<BalancePoint>,
    /// Run minus reference (dH_rel), where both cross.
    pub balance_shift: Option<Estimate>,
}

/// RER, MMC and CFR over a set of comparisons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RatesFidelity {
    /// Complete comparisons of the reference.
    pub comparisons_reference: u64,
    /// Complete comparisons of the run; another number only where each run has its own OCR gate.
    pub comparisons_run: u64,
    /// Render-equivalence rate.
    pub rer: Paired,
    /// Max modal coverage.
    pub mmc: Paired,
    /// Cross-modality failure rate.
    pub cfr: Paired,
}

/// What became of consistency, over the prompts of both runs that failed in neither.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConsistencyFidelity {
    /// Over all comparisons.
    pub all: RatesFidelity,
    /// Over those that each run transcribes without an error.
    pub ocr_correct: RatesFidelity,
}

/// Entropies of both runs, counted on a square grid.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EntropyGrid {
    /// Side of a cell, nats.
    pub width: f64,
    /// The cells that hold prompts, sorted.
    pub cells: Vec<EntropyCell>,
}

/// One cell of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntropyCell {
    /// Its place along the reference: entropies from `reference * width` to the next.
    pub reference: u32,
    /// Its place along the run.
    pub run: u32,
    /// Prompts in it.
    pub prompts: u64,
}

/// A run against a reference run of the same suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What it comes down to.
    pub verdict: Verdict,
    /// The reference run.
    pub reference: ComparedRun,
    /// The run.
    pub run: ComparedRun,
    /// Their suite.
    pub suite: String,
    /// How it was computed.
    pub settings: ConsistencySettings,
    /// Over all prompts.
    pub prompts: PromptFidelity,
    /// By kind of presentation and control, sorted.
    pub by_presentation: Vec<PresentationFidelity>,
    /// `None` where the runs have no conflict cases.
    pub following: Option<FollowingFidelity>,
    /// `None` where the runs do not show the same content in several ways.
    pub consistency: Option<ConsistencyFidelity>,
    /// Entropies of the compared prompts, those of the run over those of the reference; no cells where there are none.
    pub entropies: EntropyGrid,
}
