//! The table `outcomes`, as far as two runs of one suite are compared: one row a prompt, with what the model made of it.

use std::collections::BTreeSet;
use std::path::Path;

use super::columns::Columns;
use super::consistency::NO_VARIANT;
use super::outcomes::TABLE;
use super::partitions::{Partition, for_each_batch};
use crate::analysis::error::AnalysisError;

const COLUMNS: [&str; 17] = [
    "run",
    "item_id",
    "group_id",
    "presentation",
    "variant",
    "control",
    "prompt_hash",
    "image_hash",
    "raw_text",
    "answer",
    "correct",
    "options",
    "option_logprobs",
    "entropy",
    "top1_token",
    "finish_reason",
    "status",
];

/// Key in a part's metadata under which a run's suite is fingerprinted.
const SUITE_FINGERPRINT: &str = "crossmodal.suite_fingerprint";
/// The finish reason of an answer that is one token, and no text.
const ANSWER_TOKEN: &str = "answer-token";

/// One prompt, answered or failed. Rows are ordered by their key first.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptRow {
    /// The item.
    pub item_id: String,
    /// Its group: resampled together.
    pub group_id: String,
    /// How it was shown.
    pub presentation: String,
    /// In which rendering; [`NO_VARIANT`] where nothing is rendered.
    pub variant: String,
    /// [`super::NO_CONTROL`], or the control it belongs to.
    pub control: String,
    /// Digests of tokens and of the image, where they are known.
    pub hashes: [Option<String>; 2],
    /// What the model wrote, where it wrote a text and not one token.
    pub text: Option<String>,
    /// The answer; `None` where none could be read.
    pub answer: Option<String>,
    /// Whether it is right; `None` where that is not known.
    pub correct: Option<bool>,
    /// The options.
    pub options: Vec<String>,
    /// Their log-probabilities, nats; empty where they are not known.
    pub option_logprobs: Vec<f64>,
    /// Entropy over the whole vocabulary at the answer token, nats.
    pub entropy: Option<f64>,
    /// The most probable token.
    pub top1_token: Option<i32>,
    /// Whether the prompt failed.
    pub failed: bool,
}

impl PromptRow {
    /// What identifies the prompt in every run of its suite.
    pub fn key(&self) -> [&str; 5] {
        [&self.item_id, &self.group_id, &self.presentation, &self.variant, &self.control].map(String::as_str)
    }
}

/// All prompts of a run, sorted by key.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptTable {
    /// Run identifier.
    pub run: String,
    /// Digest of the suite's content, where the parts name it.
    pub suite_fingerprint: Option<String>,
    /// The prompts.
    pub rows: Vec<PromptRow>,
}

/// Reads all prompts of a model and suite.
///
/// # Errors
/// When a part is missing, broken, or lacks a column, when there are no rows, when they come from several runs, or when
/// two have one key.
pub fn read_prompts(run_dir: &Path, partition: &Partition) -> Result<PromptTable, AnalysisError> {
    let folder = partition.folder(run_dir, TABLE);
    let (mut rows, mut runs, mut suite_fingerprint) = (Vec::new(), BTreeSet::new(), None);
    for_each_batch(&folder, &COLUMNS, |columns| {
        runs.extend(columns.required_text("run")?);
        rows.extend(rows_of(columns)?);
        if suite_fingerprint.is_none() {
            suite_fingerprint = columns.schema.metadata().get(SUITE_FINGERPRINT).cloned();
        }
        Ok(())
    })?;
    rows.sort_by(|one: &PromptRow, other| one.key().cmp(&other.key()));
    if let Some([twice, _]) = rows.windows(2).find(|pair| pair[0].key() == pair[1].key()) {
        return Err(AnalysisError::DuplicatePrompt {
            item_id: twice.item_id.clone(),
            presentation: twice.presentation.clone(),
            variant: twice.variant.clone(),
            folder,
        });
    }
    let mut runs = runs.into_iter();
    match (runs.next(), runs.next()) {
        (None, _) => Err(AnalysisError::NoRows { folder }),
        (Some(run), None) => Ok(PromptTable { run, suite_fingerprint, rows }),
        (Some(one), Some(other)) => {
            Err(AnalysisError::SeveralRuns { folder, runs: [one, other].into_iter().chain(runs).collect() })
        }
    }
}

fn rows_of(columns: &Columns) -> Result<Vec<PromptRow>, AnalysisError> {
    let item_id = columns.required_text("item_id")?;
    let group_id = columns.required_text("group_id")?;
    let presentation = columns.required_text("presentation")?;
    let variant = columns.required_text_or("variant", NO_VARIANT)?;
    let control = columns.required_text("control")?;
    let prompt_hash = columns.text_if_there("prompt_hash")?;
    let image_hash = columns.text_if_there("image_hash")?;
    let raw_text = columns.text("raw_text")?;
    let answer = columns.text("answer")?;
    let correct = columns.boolean("correct")?;
    let options = columns.texts("options")?;
    let option_logprobs = columns.numbers("option_logprobs")?;
    let entropy = columns.number("entropy")?;
    let top1_token = columns.integer("top1_token")?;
    let finish_reason = columns.text("finish_reason")?;
    let status = columns.required_text("status")?;
    let row = |at: usize| PromptRow {
        item_id: item_id[at].clone(),
        group_id: group_id[at].clone(),
        presentation: presentation[at].clone(),
        variant: variant[at].clone(),
        control: control[at].clone(),
        hashes: [prompt_hash[at].clone(), image_hash[at].clone()],
        text: raw_text[at].clone().filter(|_| finish_reason[at].as_deref() != Some(ANSWER_TOKEN)),
        answer: answer[at].clone(),
        correct: correct[at],
        options: options[at].clone(),
        option_logprobs: option_logprobs[at].clone(),
        entropy: entropy[at],
        top1_token: top1_token[at],
        failed: status[at] != "ok",
    };
    Ok((0..item_id.len()).map(row).collect())
}
