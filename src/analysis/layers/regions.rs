//! Cases near the balance point against those away from it, and the controls.

use std::collections::BTreeMap;

use super::LayerCase;
use crate::analysis::estimates::{Part, Ratios, mean_by_group, mean_part};
use crate::analysis::statistics::bootstrap::GroupBootstrap;
use crate::analysis::summary::{ClassCounts, Estimate, LayerSet, LayersSettings, Paired};
use crate::analysis::tables::Class;

/// The set of all conflict cases, those of the regions where there is a balance point, and one of each control; and the
/// difference of the mean oscillations, ambiguous minus clear.
pub(super) fn sets(
    conflicts: &[LayerCase],
    controls: &[LayerCase],
    balance_point: Option<f64>,
    settings: &LayersSettings,
    resampling: &GroupBootstrap,
) -> (Vec<LayerSet>, Option<Estimate>) {
    let mean = |cases: &[LayerCase]| {
        let values: Vec<(&str, f64)> = cases
            .iter()
            .filter_map(|case| Some((case.row.group_id.as_str(), f64::from(case.oscillations?))))
            .collect();
        mean_by_group(&values, resampling)
    };
    let mut sets = vec![set(LayerSet::CONFLICT, conflicts, mean(conflicts))];
    let mut difference = None;
    if let Some(balance_point) = balance_point {
        let placed = conflicts.iter().filter_map(|case| {
            let apart = (case.row.dh_rel? - balance_point).abs();
            Some((*case, apart <= settings.ambiguous_width))
        });
        let (ambiguous, clear): (Vec<_>, Vec<_>) = placed.partition(|(_, ambiguous)| *ambiguous);
        let [ambiguous, clear] =
            [ambiguous, clear].map(|of| of.into_iter().map(|(case, _)| case).collect::<Vec<_>>());
        let paired = paired(&ambiguous, &clear, resampling);
        sets.push(set(LayerSet::AMBIGUOUS, &ambiguous, paired.run));
        sets.push(set(LayerSet::CLEAR, &clear, paired.reference));
        difference = paired.change;
    }
    let mut by_control: BTreeMap<&str, Vec<LayerCase>> = BTreeMap::new();
    for case in controls {
        by_control.entry(&case.row.control).or_default().push(*case);
    }
    sets.extend(by_control.into_iter().map(|(control, cases)| set(control, &cases, mean(&cases))));
    (sets, difference)
}

/// Mean oscillations of both regions and their difference, on the same resamples.
fn paired(ambiguous: &[LayerCase], clear: &[LayerCase], resampling: &GroupBootstrap) -> Paired {
    fn parts<'a>(
        stratum: usize,
        cases: &[LayerCase<'a>],
    ) -> impl Iterator<Item = (&'a str, usize, [Part; 1])> + Clone {
        cases.iter().map(move |case| {
            (case.row.group_id.as_str(), stratum, [mean_part(case.oscillations.map(f64::from))])
        })
    }
    let [paired] = Ratios::stratified(2, parts(0, clear).chain(parts(1, ambiguous))).paired(resampling);
    paired
}

fn set(name: &str, cases: &[LayerCase], oscillations: Option<Estimate>) -> LayerSet {
    let mut by_layer: BTreeMap<i32, ClassCounts> = BTreeMap::new();
    for point in cases.iter().flat_map(|case| case.points) {
        let layer = point.layer;
        let counts = by_layer.entry(layer).or_insert(ClassCounts { layer, vision: 0, text: 0, other: 0 });
        match point.class {
            Some(Class::Vision) => counts.vision += 1,
            Some(Class::Text) => counts.text += 1,
            Some(Class::Other) => counts.other += 1,
            None => {}
        }
    }
    LayerSet {
        name: name.to_owned(),
        cases: cases.iter().filter(|case| case.oscillations.is_some()).count() as u64,
        oscillations,
        classes: by_layer.into_values().collect(),
    }
}
