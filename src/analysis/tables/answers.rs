//! The table `outcomes`, as far as a report shows single answers.

use std::path::Path;

use super::columns::Columns;
use super::consistency::NO_VARIANT;
use super::partitions::{Partition, for_each_batch};
use crate::analysis::error::AnalysisError;

const COLUMNS: [&str; 11] = [
    "item_id",
    "presentation",
    "variant",
    "expected",
    "raw_text",
    "answer",
    "entropy",
    "options",
    "option_logprobs",
    "status",
    "error",
];

/// What the model made of one prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerRow {
    /// The item.
    pub item_id: String,
    /// How it was shown.
    pub presentation: String,
    /// In which rendering; [`NO_VARIANT`] where nothing is rendered.
    pub variant: String,
    /// The right answer.
    pub expected: Option<String>,
    /// The answer as the model wrote it.
    pub raw_text: Option<String>,
    /// The option that it says.
    pub answer: Option<String>,
    /// Entropy over the whole vocabulary at the answer token, nats.
    pub entropy: Option<f64>,
    /// The options with their probabilities in [0, 1].
    pub options: Vec<(String, f64)>,
    /// "ok" or "error".
    pub status: String,
    /// Why it failed.
    pub error: Option<String>,
}

/// Reads the rows that `wanted` admits by item and presentation, in file order.
///
/// # Errors
/// When a part is missing, broken, or lacks a column.
pub fn read_answers(
    run_dir: &Path,
    partition: &Partition,
    wanted: impl Fn(&str, &str) -> bool,
) -> Result<Vec<AnswerRow>, AnalysisError> {
    let mut rows = Vec::new();
    for_each_batch(&partition.folder(run_dir, super::outcomes::TABLE), &COLUMNS, |columns| {
        rows.extend(rows_of(columns)?.into_iter().filter(|row| wanted(&row.item_id, &row.presentation)));
        Ok(())
    })?;
    Ok(rows)
}

fn rows_of(columns: &Columns) -> Result<Vec<AnswerRow>, AnalysisError> {
    let item_id = columns.required_text("item_id")?;
    let presentation = columns.required_text("presentation")?;
    let variant = columns.required_text_or("variant", NO_VARIANT)?;
    let expected = columns.text("expected")?;
    let raw_text = columns.text("raw_text")?;
    let answer = columns.text("answer")?;
    let entropy = columns.number("entropy")?;
    let options = columns.texts("options")?;
    let logprobs = columns.numbers("option_logprobs")?;
    let status = columns.required_text("status")?;
    let error = columns.text("error")?;
    let row = |at: usize| AnswerRow {
        item_id: item_id[at].clone(),
        presentation: presentation[at].clone(),
        variant: variant[at].clone(),
        expected: expected[at].clone(),
        raw_text: raw_text[at].clone(),
        answer: answer[at].clone(),
        entropy: entropy[at],
        options: options[at].iter().cloned().zip(logprobs[at].iter().map(|logprob| logprob.exp())).collect(),
        status: status[at].clone(),
        error: error[at].clone(),
    };
    Ok((0..item_id.len()).map(row).collect())
}
