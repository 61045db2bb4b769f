//! One image with three texts, layer by layer: an example to look at.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::LayerCase;
use crate::analysis::summary::{Trajectories, Trajectory, TrajectoryPoint};

/// The texts of an example, by difficulty.
const TEXTS: [i32; 3] = [0, 1, 2];

/// Among the images whose cases of dt 0, 1 and 2 are all here, the one whose cases switch most often; then the one whose
/// classes change most often; then the first by group and dv.
pub(super) fn example(conflicts: &[LayerCase]) -> Option<Trajectories> {
    let mut images: BTreeMap<(&str, i32), BTreeMap<i32, LayerCase>> = BTreeMap::new();
    for case in conflicts.iter().filter(|case| case.oscillations.is_some()) {
        if let Some((dv, dt)) = case.row.dv.zip(case.row.dt).filter(|(_, dt)| TEXTS.contains(dt)) {
            images.entry((&case.row.group_id, dv)).or_default().insert(dt, *case);
        }
    }
    let whole = images.into_iter().filter(|(_, cases)| cases.len() == TEXTS.len());
    let ((group_id, dv), cases) = whole.min_by_key(|((group_id, dv), cases)| {
        let of = |count: fn(&LayerCase) -> usize| Reverse(cases.values().map(count).sum::<usize>());
        let switches = of(|case| case.oscillations.unwrap_or_default() as usize);
        (switches, of(changes), *group_id, *dv)
    })?;
    let first = cases.values().next()?.row;
    Some(Trajectories {
        group_id: group_id.to_owned(),
        dv,
        expected_vision: first.expected_vision.clone(),
        expected_text: first.expected_text.clone(),
        cases: cases.into_iter().map(|(dt, case)| trajectory(dt, &case)).collect(),
    })
}

/// Puts in the words, by item and layer.
pub(super) fn name(example: &mut Trajectories, mut words: BTreeMap<(String, i32), String>) {
    for case in &mut example.cases {
        for point in &mut case.points {
            point.top1_text = words.remove(&(case.item_id.clone(), point.layer));
        }
    }
}

fn trajectory(dt: i32, case: &LayerCase) -> Trajectory {
    let point = |point: &super::LayerPoint| TrajectoryPoint {
        layer: point.layer,
        top1_text: None,
        class: point.class,
        logit_difference: point.logit_difference,
    };
    Trajectory {
        item_id: case.row.item_id.clone(),
        dt,
        dh_rel: case.row.dh_rel,
        follows: case.row.follows.map(|follows| follows.as_str().to_owned()),
        oscillations: case.oscillations.unwrap_or_default(),
        points: case.points.iter().map(point).collect(),
    }
}

/// Changes of class from one layer to the next.
fn changes(case: &LayerCase) -> usize {
    case.points.windows(2).filter(|pair| pair[0].class != pair[1].class).count()
}
