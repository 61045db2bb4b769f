//! How well the model transcribes its images.

use std::collections::BTreeMap;

use super::items::{Item, answered};
use crate::analysis::estimates::{Ratios, mean_part, share_part};
use crate::analysis::statistics::bootstrap::GroupBootstrap;
use crate::analysis::summary::Transcription;
use crate::analysis::tables::ConsistencyRow;

/// All renderings together, then each; empty without a transcription.
pub(super) fn transcriptions(items: &[Item], resampling: &GroupBootstrap) -> Vec<Transcription> {
    let mut by_variant: BTreeMap<&str, Vec<&ConsistencyRow>> = BTreeMap::new();
    for (variant, rendered) in items.iter().flat_map(|item| &item.renderings) {
        if let Some(row) = rendered.ocr {
            by_variant.entry(variant).or_default().push(row);
        }
    }
    if by_variant.is_empty() {
        return Vec::new();
    }
    let all: Vec<&ConsistencyRow> =
        items.iter().flat_map(|item| item.renderings.values().filter_map(|rendered| rendered.ocr)).collect();
    let whole = transcription(None, &all, resampling);
    let each = by_variant.into_iter().map(|(variant, rows)| transcription(Some(variant), &rows, resampling));
    std::iter::once(whole).chain(each).collect()
}

fn transcription(
    variant: Option<&str>,
    rows: &[&ConsistencyRow],
    resampling: &GroupBootstrap,
) -> Transcription {
    let made: Vec<&ConsistencyRow> = rows.iter().filter_map(|row| answered(Some(row))).collect();
    let [cer, perfect] =
        Ratios::new(made.iter().map(|row| {
            (row.group_id.as_str(), [mean_part(row.cer), share_part(row.cer.map(|cer| cer == 0.0))])
        }))
        .pooled(resampling);
    Transcription {
        variant: variant.map(str::to_owned),
        transcriptions: made.len() as u64,
        failed: (rows.len() - made.len()) as u64,
        cer,
        perfect,
    }
}
