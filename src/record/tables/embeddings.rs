//! `embeddings`: one row a prompt and depth, for the prompts that were answered.
//!
//! `depth` is `input` (what enters the decoder), `layer-01` and so on (the residual stream after so many layers, on request) or
//! `output` (after the last layer and the final norm). Sorted, they are in the order of the layers.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use super::{Columns, Context, Row, vectors};
use crate::engine::{Depth, LayerMeans};

pub(super) fn batch(context: &Context, rows: &[Row]) -> Result<RecordBatch, ArrowError> {
    let mut kept: Vec<(Row, String, &LayerMeans)> = Vec::new();
    for row in rows {
        let Ok(answer) = row.answer else { continue };
        let layers = answer.means.len().saturating_sub(2);
        kept.extend(answer.means.iter().map(|means| (*row, depth_name(means.depth, layers), means)));
    }
    let rows: Vec<Row> = kept.iter().map(|(row, _, _)| *row).collect();
    let mut columns = Columns::key(context, &rows);
    columns.text("depth", kept.iter().map(|(_, depth, _)| depth.as_str()));
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

/// A depth's name in a decoder of so many layers.
fn depth_name(depth: Depth, layers: usize) -> String {
    let digits = layers.to_string().len().max(2);
    match depth {
        Depth::Input => "input".into(),
        Depth::Layer(layer) => format!("layer-{layer:0digits$}"),
        Depth::Output => "output".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_depths_sort_as_the_layers_do() {
        for layers in [2, 30, 120] {
            let between = (1..=layers).map(Depth::Layer);
            let depths = [Depth::Input].into_iter().chain(between).chain([Depth::Output]);
            let names: Vec<String> = depths.map(|depth| depth_name(depth, layers)).collect();
            assert!(names.is_sorted(), "{names:?}");
            assert_eq!(names[1], if layers == 120 { "layer-001" } else { "layer-01" });
        }
    }
}
