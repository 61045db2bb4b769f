//! Behaviour by tier, by cell of both difficulties, and in the controls.

use std::collections::BTreeMap;

use super::follows_a_modality;
use crate::analysis::estimates::mean_by_group;
use crate::analysis::statistics::bootstrap::GroupBootstrap;
use crate::analysis::summary::{CellRow, ControlRow, TierRow};
use crate::analysis::tables::outcomes::{TEXT_ONLY, VISION_ONLY};
use crate::analysis::tables::{FollowingRow, NO_CONTROL, OutcomeRow};

/// Vision-only prompts by dv.
pub(super) fn vision_tiers(outcomes: &[OutcomeRow], resampling: &GroupBootstrap) -> Vec<TierRow> {
    tiers(outcomes, VISION_ONLY, |row| row.dv, resampling)
}

/// Text-only prompts by dt.
pub(super) fn text_tiers(outcomes: &[OutcomeRow], resampling: &GroupBootstrap) -> Vec<TierRow> {
    tiers(outcomes, TEXT_ONLY, |row| row.dt, resampling)
}

/// Entropy is over the prompts that have one (imported answers have none) and accuracy over those whose answer is known to
/// be right or wrong; a tier in which that is known of no prompt is left out.
fn tiers(
    outcomes: &[OutcomeRow],
    presentation: &str,
    tier_of: impl Fn(&OutcomeRow) -> Option<i32>,
    resampling: &GroupBootstrap,
) -> Vec<TierRow> {
    let mut by_tier: BTreeMap<i32, Vec<&OutcomeRow>> = BTreeMap::new();
    let answered =
        |row: &&OutcomeRow| row.presentation == presentation && row.control == NO_CONTROL && !row.failed;
    for row in outcomes.iter().filter(answered) {
        if let Some(tier) = tier_of(row) {
            by_tier.entry(tier).or_default().push(row);
        }
    }
    let mean = |rows: &[&OutcomeRow], value_of: &dyn Fn(&OutcomeRow) -> Option<f64>| {
        let values: Vec<(&str, f64)> =
            rows.iter().filter_map(|row| Some((row.group_id.as_str(), value_of(row)?))).collect();
        mean_by_group(&values, resampling)
    };
    let row = |(tier, rows): (i32, Vec<&OutcomeRow>)| {
        Some(TierRow {
            tier,
            prompts: rows.len() as u64,
            entropy: mean(&rows, &|row| row.entropy),
            accuracy: mean(&rows, &|row| row.correct.map(|right| f64::from(u8::from(right))))?,
        })
    };
    by_tier.into_iter().filter_map(row).collect()
}

/// Conflict cases by dv and dt. A cell of which no case is analysed stays, with zeros; cases without a dv or dt are in
/// no cell.
pub(super) fn cells(conflicts: &[&FollowingRow]) -> Vec<CellRow> {
    let mut by_cell: BTreeMap<(i32, i32), Vec<&FollowingRow>> = BTreeMap::new();
    for row in conflicts {
        if let Some(cell) = row.dv.zip(row.dt) {
            let analysed = Some(*row).filter(|row| row.analysed && !row.failed);
            by_cell.entry(cell).or_default().extend(analysed);
        }
    }
    let row = |((dv, dt), rows): ((i32, i32), Vec<&FollowingRow>)| {
        let count = |wanted| rows.iter().filter(|row| follows_a_modality(row) == wanted).count() as u64;
        let dh_rel: Vec<f64> = rows.iter().filter_map(|row| row.dh_rel).collect();
        CellRow {
            dv,
            dt,
            analysed: rows.len() as u64,
            text: count(Some(true)),
            vision: count(Some(false)),
            other: count(None),
            mean_dh_rel: (!dh_rel.is_empty()).then(|| dh_rel.iter().sum::<f64>() / dh_rel.len() as f64),
        }
    };
    by_cell.into_iter().map(row).collect()
}

/// The controls by name. An answer that both modalities are designed to give tells nothing of either: it is *other*.
pub(super) fn controls(rows: &[FollowingRow]) -> Vec<ControlRow> {
    let mut by_control: BTreeMap<&str, ControlRow> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.control != NO_CONTROL) {
        let control = row.control.clone();
        let counts = by_control.entry(&row.control).or_insert(ControlRow {
            control,
            cases: 0,
            designed_text: 0,
            designed_vision: 0,
            other: 0,
        });
        if row.failed {
            continue;
        }
        counts.cases += 1;
        let answer = row.y_conflict.as_ref();
        let text = answer.is_some() && answer == row.expected_text.as_ref();
        let vision = answer.is_some() && answer == row.expected_vision.as_ref();
        match (text, vision) {
            (true, false) => counts.designed_text += 1,
            (false, true) => counts.designed_vision += 1,
            _ => counts.other += 1,
        }
    }
    by_control.into_values().collect()
}
