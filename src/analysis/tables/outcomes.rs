//! The table `outcomes`, as far as the unimodal behaviour needs it: one row a prompt.

use std::path::Path;

use super::columns::Columns;
use super::partitions::{Partition, for_each_batch};
use crate::analysis::error::AnalysisError;

/// Name of the table.
pub const TABLE: &str = "outcomes";
/// Presentation of the image without the text.
pub const VISION_ONLY: &str = "vision-only";
/// Presentation of the text without the image.
pub const TEXT_ONLY: &str = "text-only";

const COLUMNS: [&str; 9] =
    ["item_id", "group_id", "presentation", "control", "dv", "dt", "entropy", "correct", "status"];

/// One prompt that was answered or failed.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeRow {
    /// The item.
    pub item_id: String,
    /// Its group.
    pub group_id: String,
    /// How it was shown.
    pub presentation: String,
    /// [`super::NO_CONTROL`], or the control it belongs to.
    pub control: String,
    /// Visual difficulty.
    pub dv: Option<i32>,
    /// Text difficulty.
    pub dt: Option<i32>,
    /// Entropy over the whole vocabulary at the answer token, nats.
    pub entropy: Option<f64>,
    /// Whether the answer is right; `None` where that is not known.
    pub correct: Option<bool>,
    /// Whether the prompt failed.
    pub failed: bool,
}

/// Reads all rows of a model and suite, sorted by item and presentation.
pub fn read_outcomes(run_dir: &Path, partition: &Partition) -> Result<Vec<OutcomeRow>, AnalysisError> {
    let mut rows = Vec::new();
    for_each_batch(&partition.folder(run_dir, TABLE), &COLUMNS, |columns| {
        rows.extend(rows_of(columns)?);
        Ok(())
    })?;
    // An item may be shown several times in one way (fonts, resolutions); the values themselves then settle the order.
    let key = |row: &OutcomeRow| (row.dv, row.dt, row.entropy.map(f64::to_bits), row.correct, row.failed);
    rows.sort_by(|one, other| {
        let names = (&one.item_id, &one.presentation, &one.control, &one.group_id);
        names
            .cmp(&(&other.item_id, &other.presentation, &other.control, &other.group_id))
            .then(key(one).cmp(&key(other)))
    });
    Ok(rows)
}

fn rows_of(columns: &Columns) -> Result<Vec<OutcomeRow>, AnalysisError> {
    let item_id = columns.required_text("item_id")?;
    let group_id = columns.required_text("group_id")?;
    let presentation = columns.required_text("presentation")?;
    let control = columns.required_text("control")?;
    let dv = columns.integer("dv")?;
    let dt = columns.integer("dt")?;
    let entropy = columns.number("entropy")?;
    let correct = columns.boolean("correct")?;
    let status = columns.required_text("status")?;
    let row = |at: usize| OutcomeRow {
        item_id: item_id[at].clone(),
        group_id: group_id[at].clone(),
        presentation: presentation[at].clone(),
        control: control[at].clone(),
        dv: dv[at],
        dt: dt[at],
        entropy: entropy[at],
        correct: correct[at],
        failed: status[at] != "ok",
    };
    Ok((0..item_id.len()).map(row).collect())
}
