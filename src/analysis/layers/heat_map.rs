//! logit(Yt) - logit(Yv) over layer x dH_rel.

use std::collections::BTreeSet;

use super::LayerCase;
use crate::analysis::bins::{bin_of, edges};
use crate::analysis::summary::HeatCell;

/// Every layer by every bin of dH_rel, layer by layer; a mean where at least `min_cases` cases have a difference. Cases
/// count whatever they follow.
pub(super) fn cells(cases: &[LayerCase], bin_width: f64, min_cases: u64) -> Vec<HeatCell> {
    let edges = edges(bin_width);
    let bins = edges.len() - 1;
    let layers: Vec<i32> = cases
        .iter()
        .flat_map(|case| case.points)
        .map(|point| point.layer)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let mut sums = vec![(0_u64, 0.0); layers.len() * bins];
    for case in cases {
        let Some(bin) = case.row.dh_rel.map(|dh_rel| bin_of(&edges, dh_rel)) else { continue };
        for point in case.points {
            if let (Ok(layer), Some(value)) = (layers.binary_search(&point.layer), point.logit_difference) {
                let (count, sum) = &mut sums[layer * bins + bin];
                *count += 1;
                *sum += value;
            }
        }
    }
    let cell = |(place, (cases, sum)): (usize, (u64, f64))| HeatCell {
        layer: layers[place / bins],
        low: edges[place % bins],
        high: edges[place % bins + 1],
        cases,
        logit_difference: (cases >= min_cases).then(|| sum / cases as f64),
    };
    sums.into_iter().enumerate().map(cell).collect()
}
