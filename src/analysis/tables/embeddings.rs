//! The table `embeddings`: mean tokens of prompts, one row a prompt and depth.
//!
//! The keys are read apart from the vectors, so that a caller takes no more vectors at a time than it can hold.

use std::collections::BTreeSet;
use std::path::Path;

use super::columns::Columns;
use super::consistency::{NO_VARIANT, Shown};
use super::partitions::{Partition, find_in_batches, for_each_batch};
use crate::analysis::error::AnalysisError;

/// Name of the table.
pub const TABLE: &str = "embeddings";

const KEY: [&str; 5] = ["item_id", "group_id", "presentation", "variant", "depth"];

/// Which mean token a row is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MeanTokenKey {
    /// "input" or "output" of the decoder, or "layer-NN": after so many layers.
    pub depth: String,
    /// As image or as text; other presentations are passed over.
    pub shown: Shown,
    /// In which rendering; [`NO_VARIANT`] for text.
    pub variant: String,
    /// The item.
    pub item_id: String,
    /// Its group.
    pub group_id: String,
}

/// The keys of the rows that show an item as image or as text, sorted; each once.
pub fn mean_token_keys(
    run_dir: &Path,
    partition: &Partition,
) -> Result<BTreeSet<MeanTokenKey>, AnalysisError> {
    let folder = partition.folder(run_dir, TABLE);
    let mut keys = BTreeSet::new();
    for_each_batch(&folder, &KEY, |columns| {
        for (_, key) in keys_of(columns)? {
            if let Some(twice) = keys.replace(key) {
                return Err(AnalysisError::DuplicatePrompt {
                    item_id: twice.item_id,
                    presentation: twice.shown.as_str().into(),
                    variant: twice.variant,
                    folder: folder.clone(),
                });
            }
        }
        Ok(())
    })?;
    Ok(keys)
}

/// Hands the mean tokens of the rows that `wanted` admits to `visit`, in file order: the mean image token of an image,
/// the mean text token of a text. Rows without one are passed over; all vectors have one length.
pub fn for_each_mean_token(
    run_dir: &Path,
    partition: &Partition,
    shown: Shown,
    wanted: impl Fn(&MeanTokenKey) -> bool,
    mut visit: impl FnMut(MeanTokenKey, Vec<f32>),
) -> Result<(), AnalysisError> {
    let column = if shown == Shown::Image { "mean_image" } else { "mean_text" };
    let names: Vec<&str> = KEY.into_iter().chain([column]).collect();
    let mut length = None;
    for_each_batch(&partition.folder(run_dir, TABLE), &names, |columns| {
        let keys: Vec<(usize, MeanTokenKey)> =
            keys_of(columns)?.into_iter().filter(|(_, key)| key.shown == shown && wanted(key)).collect();
        let rows: Vec<usize> = keys.iter().map(|(row, _)| *row).collect();
        let vectors = columns.vectors(column, &rows)?;
        for ((row, key), vector) in keys.into_iter().zip(vectors) {
            let Some(vector) = vector else { continue };
            if *length.get_or_insert(vector.len()) != vector.len() {
                let expected = "a vector as long as the others";
                return Err(columns.value_error(column, row, expected, format!("{} numbers", vector.len())));
            }
            visit(key, vector);
        }
        Ok(())
    })
}

/// How many numbers a mean token has; `None` where there is no mean text token.
pub fn vector_len(run_dir: &Path, partition: &Partition) -> Result<Option<usize>, AnalysisError> {
    find_in_batches(&partition.folder(run_dir, TABLE), &["mean_text"], |columns| {
        let rows: Vec<usize> = (0..columns.batch.num_rows()).collect();
        let mut vectors = columns.vectors("mean_text", &rows)?.into_iter().flatten();
        Ok(vectors.next().map(|vector| vector.len()))
    })
}

/// Sorts depths on the way through the decoder: input, layers by their number, output; others after them, by name.
pub fn depth_order(depth: &str) -> (u8, u32, &str) {
    let layer = depth.strip_prefix("layer-").and_then(|number| number.parse().ok());
    match (depth, layer) {
        ("input", _) => (0, 0, depth),
        (_, Some(number)) => (1, number, depth),
        ("output", _) => (2, 0, depth),
        _ => (3, 0, depth),
    }
}

/// The rows of a batch that show an item as image or as text.
fn keys_of(columns: &Columns) -> Result<Vec<(usize, MeanTokenKey)>, AnalysisError> {
    let item_id = columns.required_text("item_id")?;
    let group_id = columns.required_text("group_id")?;
    let presentation = columns.required_text("presentation")?;
    let variant = columns.required_text_or("variant", NO_VARIANT)?;
    let depth = columns.required_text("depth")?;
    let key = |(at, shown): (usize, Shown)| {
        let key = MeanTokenKey {
            depth: depth[at].clone(),
            shown,
            variant: variant[at].clone(),
            item_id: item_id[at].clone(),
            group_id: group_id[at].clone(),
        };
        (at, key)
    };
    let shown = |name: &str| Shown::from_name(name).filter(|as_| matches!(as_, Shown::Image | Shown::Text));
    let rows = presentation.iter().enumerate().filter_map(|(at, name)| Some((at, shown(name)?)));
    Ok(rows.map(key).collect())
}

#[cfg(test)]
mod tests {
    use super::depth_order;

    #[test]
    fn depths_stand_in_the_order_of_the_decoder() {
        let mut depths = ["output", "layer-100", "elsewhere", "layer-02", "input", "layer-11"];
        depths.sort_by_key(|depth| depth_order(depth));
        assert_eq!(depths, ["input", "layer-02", "layer-11", "layer-100", "output", "elsewhere"]);
    }
}
