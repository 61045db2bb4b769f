//! What became of the modality that is followed: agreement, TFR, balance point.

use super::Side;
use super::join::join;
use crate::analysis::error::AnalysisError;
use crate::analysis::estimates::{Part, Ratios, mean_by_group, share_part};
use crate::analysis::following::follows_a_modality;
use crate::analysis::statistics::bootstrap::{GroupBootstrap, number_groups};
use crate::analysis::statistics::isotonic::{Crossing, DecreasingFit, Point};
use crate::analysis::summary::{BalancePoint, Estimate, FollowingFidelity};
use crate::analysis::tables::following::{FollowingRow, TABLE};
use crate::analysis::tables::{NO_CONTROL, Partition, partitions_if_any, read_following};

/// The figures over the conflict cases of both runs; `None` where a run has none.
pub(super) fn fidelity(
    sides: &[Side; 2],
    resampling: &GroupBootstrap,
) -> Result<Option<FollowingFidelity>, AnalysisError> {
    let (Some(reference), Some(run)) = (cases(&sides[0])?, cases(&sides[1])?) else {
        return Ok(None);
    };
    let joined = join(&reference, &run, |row| (&row.item_id, &row.group_id));
    let both: Vec<(&FollowingRow, &FollowingRow)> =
        joined.both.into_iter().filter(|(reference, run)| !reference.failed && !run.failed).collect();
    let decided: Vec<(&str, f64)> = both
        .iter()
        .filter(|(reference, run)| reference.follows.is_some() || run.follows.is_some())
        .map(|(reference, run)| {
            (reference.group_id.as_str(), f64::from(u8::from(reference.follows == run.follows)))
        })
        .collect();
    let analysed = [0, 1].map(|side| -> Vec<&FollowingRow> {
        let of_side = both.iter().map(|pair| [pair.0, pair.1][side]);
        of_side.filter(|row| row.analysed).collect()
    });
    let parts = analysed.iter().enumerate().flat_map(|(side, rows)| {
        rows.iter().map(move |row| -> (&str, usize, [Part; 1]) {
            (&row.group_id, side, [share_part(follows_a_modality(row))])
        })
    });
    let [tfr] = Ratios::stratified(2, parts).paired(resampling);
    let (balance, balance_shift) = balance(&analysed, resampling);
    Ok((!both.is_empty()).then(|| FollowingFidelity {
        cases: both.len() as u64,
        decided: decided.len() as u64,
        same: decided.iter().filter(|(_, same)| *same == 1.0).count() as u64,
        agreement: mean_by_group(&decided, resampling),
        analysed_reference: analysed[0].len() as u64,
        analysed_run: analysed[1].len() as u64,
        tfr,
        balance_reference: balance[0],
        balance_run: balance[1],
        balance_shift,
    }))
}

/// The conflict cases of a run, controls apart; `None` where it has none.
fn cases(side: &Side) -> Result<Option<Vec<FollowingRow>>, AnalysisError> {
    let has_table = |partition: &Partition| *partition == side.partition;
    if !partitions_if_any(side.folder, TABLE)?.iter().any(has_table) {
        return Ok(None);
    }
    match read_following(side.folder, &side.partition) {
        Ok(rows) => Ok(Some(rows.into_iter().filter(|row| row.control == NO_CONTROL).collect())),
        // A suite without conflict cases leaves the table empty.
        Err(AnalysisError::NoRows { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A case with a place on the curve of one run.
struct Placed {
    group: usize,
    dh_rel: f64,
    text: bool,
}

/// The balance points of both runs, and the shift between them on the same resamples.
fn balance(
    analysed: &[Vec<&FollowingRow>; 2],
    resampling: &GroupBootstrap,
) -> ([Option<BalancePoint>; 2], Option<Estimate>) {
    let (numbers, groups) = number_groups(analysed.iter().flatten().map(|row| row.group_id.as_str()));
    let mut numbers = numbers.into_iter();
    let curves = [0, 1].map(|side: usize| {
        let place = |(row, group): (&&FollowingRow, usize)| {
            Some(Placed { group, dh_rel: row.dh_rel?, text: follows_a_modality(row)? })
        };
        let numbered = analysed[side].iter().zip(numbers.by_ref());
        let mut placed: Vec<Placed> = numbered.filter_map(place).collect();
        placed.sort_by(|one, other| one.dh_rel.total_cmp(&other.dh_rel));
        placed
    });
    let found = [0, 1].map(|side| crossing(&curves[side], |_| 1.0));
    let intervals = resampling.intervals(groups, 3, |times| {
        let [one, other] = [0, 1].map(|side| at(crossing(&curves[side], |group| f64::from(times[group]))));
        vec![one, other, one.zip(other).map(|(one, other)| other - one)]
    });
    let points = [0, 1].map(|side| {
        Some(match found[side]? {
            Crossing::At(value) => BalancePoint::Crossing(Estimate { value, interval: intervals[side] }),
            Crossing::Above => BalancePoint::AlwaysText,
            Crossing::Below => BalancePoint::AlwaysVision,
        })
    });
    let shift = at(found[0]).zip(at(found[1]));
    (points, shift.map(|(one, other)| Estimate { value: other - one, interval: intervals[2] }))
}

/// Where the isotonic fit of P(text) crosses one half, groups counted so many times; `None` without cases.
fn crossing(cases: &[Placed], times: impl Fn(usize) -> f64) -> Option<Crossing> {
    let point = |case: &Placed| Point {
        x: case.dh_rel,
        y: f64::from(u8::from(case.text)),
        weight: times(case.group),
    };
    Some(DecreasingFit::new(cases.iter().map(point))?.crossing(0.5))
}

fn at(crossing: Option<Crossing>) -> Option<f64> {
    match crossing {
        Some(Crossing::At(value)) => Some(value),
        _ => None,
    }
}
