//! `logits`: one row an answered prompt, with the best tokens at the answer position.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use super::{Columns, Context, Row, vectors};

pub(super) fn batch(context: &Context, rows: &[Row]) -> Result<RecordBatch, ArrowError> {
    let top = || rows.iter().map(|row| Some(&row.answer.ok()?.scores.top).filter(|top| !top.is_empty()));
    let mut columns = Columns::key(context, rows);
    let ids = top().map(|top| Some(top?.iter().map(|(token, _)| *token as i32).collect::<Vec<i32>>()));
    columns.push("token_ids", true, vectors::token_ids(context.profile, context.top_k, ids)?);
    let logits: Vec<Option<Vec<f32>>> =
        top().map(|top| Some(top?.iter().map(|(_, logit)| *logit).collect())).collect();
    columns.push(
        "logits",
        true,
        vectors::floats(context.profile, context.top_k, logits.iter().map(Option::as_deref))?,
    );
    columns.finish()
}
