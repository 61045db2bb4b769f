//! `embeddings`: one row a prompt and depth, for the prompts that were answered.
//!
//! `depth` is `input` (what enters the decoder) or `output` (after the last layer and the final norm).

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use super::{Columns, Context, Row, vectors};
use crate::engine::LayerMeans;

pub(super) fn batch(context: &Context, rows: &[Row]) -> Result<RecordBatch, ArrowError> {
    let mut kept: Vec<(Row, &str, &LayerMeans)> = Vec::new();
    for row in rows {
        let Ok(answer) = row.answer else { continue };
        let depths = [("input", &answer.input), ("output", &answer.output)];
        kept.extend(depths.into_iter().filter_map(|(depth, means)| Some((*row, depth, means.as_ref()?))));
    }
    let rows: Vec<Row> = kept.iter().map(|(row, _, _)| *row).collect();
    let mut columns = Columns::key(context, &rows);
    columns.text("depth", kept.iter().map(|(_, depth, _)| *depth));
    let vector = |pick: fn(&LayerMeans) -> Option<&[f32]>| {
        vectors::floats(
            context.profile,
            context.hidden_size,
            kept.iter().map(move |(_, _, means)| pick(means)),
        )
    };
    columns.push("mean_image", true, vector(|means| means.image.as_deref())?);
    columns.push("mean_text", true, vector(|means| Some(&means.text))?);
    columns.push("last_token", true, vector(|means| Some(&means.last))?);
    columns.finish()
}
