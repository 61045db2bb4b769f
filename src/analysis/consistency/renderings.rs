//! What several rows of one item say together: whether its renderings are answered alike, and whether it is solved better
//! after it has been transcribed.

use super::comparison::same;
use super::items::{Item, answered, right};
use crate::analysis::estimates::{Ratios, mean, mean_by_group, share_part};
use crate::analysis::statistics::bootstrap::GroupBootstrap;
use crate::analysis::summary::{OcrFirst, Unparsed, VariantAgreement};
use crate::analysis::tables::ConsistencyRow;

/// Share of items whose image is answered alike in all renderings, among those with two or more of which none is missing or
/// failed.
pub(super) fn agreement(
    items: &[Item],
    unparsed: Unparsed,
    resampling: &GroupBootstrap,
) -> Option<VariantAgreement> {
    let of_item = |item: &Item| -> Option<bool> {
        let images: Option<Vec<&ConsistencyRow>> =
            item.renderings.values().map(|rendered| answered(rendered.image)).collect();
        match images?.split_first()? {
            (_, []) => None,
            (first, rest) => Some(rest.iter().all(|image| same(first, image, unparsed))),
        }
    };
    let shares: Vec<(&str, bool)> =
        items.iter().filter_map(|item| Some((item.group, of_item(item)?))).collect();
    if shares.is_empty() {
        return None;
    }
    let [share] = Ratios::new(shares.iter().map(|(group, alike)| (*group, [share_part(Some(*alike))])))
        .pooled(resampling);
    Some(VariantAgreement { items: shares.len() as u64, share })
}

/// Accuracy after transcription, and what it changes; `None` where nothing was asked so.
pub(super) fn ocr_first(items: &[Item], resampling: &GroupBootstrap) -> Option<OcrFirst> {
    let rows: Vec<&ConsistencyRow> = items
        .iter()
        .flat_map(|item| item.renderings.values().filter_map(|rendered| rendered.ocr_first))
        .collect();
    if rows.is_empty() {
        return None;
    }
    let scored: Vec<(&str, f64)> =
        rows.iter().filter_map(|row| Some((row.group_id.as_str(), number(right(Some(row))?)))).collect();
    let change = |other: &dyn Fn(&Item, &str) -> Option<bool>| {
        let of_item = |item: &Item| {
            let of_rendering = |variant: &str| {
                Some(number(right(item.renderings[variant].ocr_first)?) - number(other(item, variant)?))
            };
            let differences: Vec<f64> =
                item.renderings.keys().filter_map(|variant| of_rendering(variant)).collect();
            mean(&differences)
        };
        let by_item: Vec<(&str, f64)> =
            items.iter().filter_map(|item| Some((item.group, of_item(item)?))).collect();
        mean_by_group(&by_item, resampling)
    };
    Some(OcrFirst {
        scored: scored.len() as u64,
        failed: rows.iter().filter(|row| row.failed).count() as u64,
        accuracy: mean_by_group(&scored, resampling),
        against_image: change(&|item, variant| right(item.renderings[variant].image)),
        against_text: change(&|item, _| right(item.text)),
    })
}

fn number(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}
