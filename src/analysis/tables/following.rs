//! The table `following`: one row a conflict case, or a case of a control.

use std::collections::BTreeSet;
use std::path::Path;

use super::columns::Columns;
use super::partitions::{Partition, for_each_batch};
use crate::analysis::error::AnalysisError;
pub use crate::engine::follow::Follows;

/// Name of the table.
pub const TABLE: &str = "following";

const COLUMNS: [&str; 15] = [
    "run",
    "item_id",
    "group_id",
    "control",
    "dv",
    "dt",
    "expected_vision",
    "expected_text",
    "y_conflict",
    "h_vision",
    "h_text",
    "dh_rel",
    "follows",
    "analysed",
    "status",
];

/// One conflict case.
#[derive(Debug, Clone, PartialEq)]
pub struct FollowingRow {
    /// Name of the run.
    pub run: String,
    /// The case.
    pub item_id: String,
    /// Its group: cases of a group are not independent.
    pub group_id: String,
    /// [`super::NO_CONTROL`], or the control it belongs to.
    pub control: String,
    /// Visual difficulty.
    pub dv: Option<i32>,
    /// Text difficulty.
    pub dt: Option<i32>,
    /// The answer that the image is designed to give.
    pub expected_vision: Option<String>,
    /// The answer that the text is designed to give.
    pub expected_text: Option<String>,
    /// Ym; `None` where the answer was no option.
    pub y_conflict: Option<String>,
    /// Hv, nats.
    pub h_vision: Option<f64>,
    /// Ht, nats.
    pub h_text: Option<f64>,
    /// `2 (Ht - Hv) / (Ht + Hv)`, in [-2, 2]; `None` where Ht + Hv = 0.
    pub dh_rel: Option<f64>,
    /// `None` where it is not decidable.
    pub follows: Option<Follows>,
    /// Whether Yv and Yt are both the designed answers.
    pub analysed: bool,
    /// Whether one of its presentations failed.
    pub failed: bool,
}

/// Reads all rows of a model and suite, sorted by item and control.
pub fn read_following(run_dir: &Path, partition: &Partition) -> Result<Vec<FollowingRow>, AnalysisError> {
    let folder = partition.folder(run_dir, TABLE);
    let mut rows = Vec::new();
    for_each_batch(&folder, &COLUMNS, |columns| {
        rows.extend(rows_of(columns)?);
        Ok(())
    })?;
    rows.sort_by(|one, other| (&one.item_id, &one.control).cmp(&(&other.item_id, &other.control)));
    let same =
        |pair: &&[FollowingRow]| pair[0].item_id == pair[1].item_id && pair[0].control == pair[1].control;
    if let Some([twice, _]) = rows.windows(2).find(same) {
        let (item_id, control) = (twice.item_id.clone(), twice.control.clone());
        return Err(AnalysisError::DuplicateCase { item_id, control, folder });
    }
    let runs: BTreeSet<&str> = rows.iter().map(|row| row.run.as_str()).collect();
    match runs.len() {
        0 => Err(AnalysisError::NoRows { folder }),
        1 => Ok(rows),
        _ => Err(AnalysisError::SeveralRuns { folder, runs: runs.into_iter().map(str::to_owned).collect() }),
    }
}

fn rows_of(columns: &Columns) -> Result<Vec<FollowingRow>, AnalysisError> {
    let run = columns.required_text("run")?;
    let item_id = columns.required_text("item_id")?;
    let group_id = columns.required_text("group_id")?;
    let control = columns.required_text("control")?;
    let dv = columns.integer("dv")?;
    let dt = columns.integer("dt")?;
    let expected_vision = columns.text("expected_vision")?;
    let expected_text = columns.text("expected_text")?;
    let y_conflict = columns.text("y_conflict")?;
    let h_vision = columns.number("h_vision")?;
    let h_text = columns.number("h_text")?;
    let dh_rel = columns.number("dh_rel")?;
    let follows = columns.text("follows")?;
    let analysed = columns.required_boolean("analysed")?;
    let status = columns.required_text("status")?;
    let row = |at: usize| {
        Ok(FollowingRow {
            run: run[at].clone(),
            item_id: item_id[at].clone(),
            group_id: group_id[at].clone(),
            control: control[at].clone(),
            dv: dv[at],
            dt: dt[at],
            expected_vision: expected_vision[at].clone(),
            expected_text: expected_text[at].clone(),
            y_conflict: y_conflict[at].clone(),
            h_vision: h_vision[at],
            h_text: h_text[at],
            dh_rel: match dh_rel[at] {
                Some(value) if value.abs() > 2.0 => {
                    return Err(columns.value_error("dh_rel", at, "a number in [-2, 2] or null", value));
                }
                value => value,
            },
            follows: match follows[at].as_deref() {
                None => None,
                Some(name) => match Follows::from_name(name) {
                    Some(follows) => Some(follows),
                    None => {
                        let expected = "text, vision, other or null";
                        return Err(columns.value_error("follows", at, expected, format!("`{name}`")));
                    }
                },
            },
            analysed: analysed[at],
            failed: status[at] != "ok",
        })
    };
    (0..item_id.len()).map(row).collect()
}
