//! `following`: one row a conflict case (arXiv 2511.02243).

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use super::{Columns, Context, Row, rows_in_order};
use crate::engine::UnitResult;
use crate::engine::follow::{Follows, follows, relative_uncertainty};
use crate::suite::Control;

/// The three rows of a case.
pub(super) struct Case<'a> {
    pub conflict: Row<'a>,
    pub vision: Row<'a>,
    pub text: Row<'a>,
}

impl Case<'_> {
    fn follows(&self) -> Option<Follows> {
        if self.status() == "error" {
            return None;
        }
        follows(self.vision.answered(), self.text.answered(), self.conflict.answered())
    }

    /// Each unimodal answer is the one that its modality was designed to give.
    fn analysed(&self) -> bool {
        let designed =
            |row: &Row, answer: &Option<String>| answer.is_some() && row.answered() == answer.as_deref();
        self.conflict.presentation.control == Control::None
            && self.follows().is_some()
            && designed(&self.vision, &self.conflict.presentation.vision_answer)
            && designed(&self.text, &self.conflict.presentation.text_answer)
    }

    fn status(&self) -> &'static str {
        let rows = [&self.conflict, &self.vision, &self.text];
        if rows.iter().all(|row| row.answer.is_ok()) { "ok" } else { "error" }
    }
}

/// A unit's conflict cases, sorted by the key of the conflict.
pub(super) fn cases(result: &UnitResult) -> Vec<Case<'_>> {
    let rows = rows_in_order(result);
    let mut cases: Vec<Case> = Vec::new();
    let mut start = 0;
    for group in &result.unit.groups {
        let at = |index: usize| rows[start + index];
        let of_group = group.cases.iter();
        cases.extend(of_group.map(|case| Case {
            conflict: at(case.conflict),
            vision: at(case.vision),
            text: at(case.text),
        }));
        start += group.presentations.len();
    }
    cases.sort_by(|a, b| a.conflict.presentation.key().cmp(&b.conflict.presentation.key()));
    cases
}

pub(super) fn batch(context: &Context, result: &UnitResult) -> Result<RecordBatch, ArrowError> {
    let cases = cases(result);
    let entropy = |row: &Row| row.answer.ok().and_then(|answer| answer.scores.entropy);
    let of = |case: &Case| case.conflict.presentation.clone();
    let presentations: Vec<_> = cases.iter().map(of).collect();
    let conflicts: Vec<Row> = cases.iter().map(|case| case.conflict).collect();
    let mut columns = Columns::key(context, &conflicts);
    columns.optional_int("dv", presentations.iter().map(|row| row.dv));
    columns.optional_int("dt", presentations.iter().map(|row| row.dt));
    columns.text("vision_item_id", cases.iter().map(|case| case.vision.presentation.item_id.as_str()));
    columns.text("text_item_id", cases.iter().map(|case| case.text.presentation.item_id.as_str()));
    columns.optional_text("expected_vision", presentations.iter().map(|row| row.vision_answer.as_deref()));
    columns.optional_text("expected_text", presentations.iter().map(|row| row.text_answer.as_deref()));
    columns.optional_text("y_vision", cases.iter().map(|case| case.vision.answered()));
    columns.optional_text("y_text", cases.iter().map(|case| case.text.answered()));
    columns.optional_text("y_conflict", cases.iter().map(|case| case.conflict.answered()));
    columns.optional_double("h_vision", cases.iter().map(|case| entropy(&case.vision)));
    columns.optional_double("h_text", cases.iter().map(|case| entropy(&case.text)));
    columns.optional_double("h_conflict", cases.iter().map(|case| entropy(&case.conflict)));
    columns.optional_double(
        "dh_rel",
        cases.iter().map(|case| relative_uncertainty(entropy(&case.text)?, entropy(&case.vision)?)),
    );
    columns.optional_text("follows", cases.iter().map(|case| case.follows().map(Follows::as_str)));
    columns.optional_bool("analysed", cases.iter().map(|case| Some(case.analysed())));
    columns.text("status", cases.iter().map(Case::status));
    columns.finish()
}
