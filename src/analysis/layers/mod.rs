//! What the model would answer after each layer: rows of the tables `following` and `layers` in, a [`LayersAnalysis`] out.
//!
//! The cases are the analysed conflict cases of `following` that have rows in `layers`; the controls have cases of their
//! own. `oscillation` counts switches, `regions` compares cases near the balance point with the others, `heat_map` is layer
//! x dH_rel, `trajectories` picks an example.

mod heat_map;
mod oscillation;
mod regions;
mod trajectories;

use std::path::Path;

pub use self::oscillation::oscillations;
use super::error::AnalysisError;
use super::following::resampling;
use super::summary::{BalancePoint, FollowingAnalysis, LayersAnalysis, LayersSettings};
use super::tables::layers::TABLE;
use super::tables::{
    FollowingRow, LayerPoint, LayerTable, NO_CONTROL, Partition, partitions_if_any, read_following,
    read_layers, read_top1,
};

/// A case with its layers.
#[derive(Debug, Clone, Copy)]
struct LayerCase<'a> {
    row: &'a FollowingRow,
    /// Rising, one at least.
    points: &'a [LayerPoint],
    /// `None` where no class of it is known.
    oscillations: Option<u32>,
}

impl<'a> LayerCase<'a> {
    /// `None` for a case that was not probed.
    fn of(row: &'a FollowingRow, table: &'a LayerTable) -> Option<Self> {
        let points = table.cases.get(&(row.item_id.clone(), row.control.clone()))?;
        Some(Self { row, points, oscillations: oscillations(points.iter().map(|point| point.class)) })
    }
}

/// Analyses one model and suite of a run; `None` where it has no table `layers`.
///
/// # Errors
/// A setting out of range, or a part that cannot be read or lacks a column: see [`AnalysisError`].
pub(super) fn analyze_partition(
    run_dir: &Path,
    partition: &Partition,
    following: &FollowingAnalysis,
    settings: &LayersSettings,
) -> Result<Option<LayersAnalysis>, AnalysisError> {
    check(settings)?;
    if !partitions_if_any(run_dir, TABLE)?.contains(partition) {
        return Ok(None);
    }
    let table = read_layers(run_dir, partition)?;
    if !table.cases.is_empty() && table.run != following.run {
        let runs = vec![following.run.clone(), table.run];
        return Err(AnalysisError::SeveralRuns { folder: partition.folder(run_dir, TABLE), runs });
    }
    let rows = read_following(run_dir, partition)?;
    let mut analysis = analyze_rows(following, &rows, &table, settings)?;
    if let Some(example) = &mut analysis.trajectories {
        let chosen = |item: &str| example.cases.iter().any(|case| case.item_id == item);
        let words = read_top1(run_dir, partition, chosen)?;
        trajectories::name(example, words);
    }
    Ok(Some(analysis))
}

/// Analyses the rows of one model and suite, with the bins, the resampling and the balance point of its analysis of
/// following. The words of the example are left out.
///
/// # Errors
/// A setting out of range.
pub fn analyze_rows(
    following: &FollowingAnalysis,
    rows: &[FollowingRow],
    table: &LayerTable,
    settings: &LayersSettings,
) -> Result<LayersAnalysis, AnalysisError> {
    check(settings)?;
    let with_layers = |row| LayerCase::of(row, table);
    let ran = rows.iter().filter(|row| !row.failed);
    let (analysed, controls): (Vec<&FollowingRow>, Vec<&FollowingRow>) = ran
        .filter(|row| row.analysed || row.control != NO_CONTROL)
        .partition(|row| row.control == NO_CONTROL);
    let conflicts: Vec<LayerCase> = analysed.iter().copied().filter_map(with_layers).collect();
    let controls: Vec<LayerCase> = controls.into_iter().filter_map(with_layers).collect();
    let balance_point = following.curve.as_ref().and_then(|curve| match curve.balance_point {
        BalancePoint::Crossing(at) => Some(at.value),
        BalancePoint::AlwaysText | BalancePoint::AlwaysVision => None,
    });
    let resampling = resampling(&following.settings);
    let (sets, difference) = regions::sets(&conflicts, &controls, balance_point, settings, &resampling);
    Ok(LayersAnalysis {
        settings: *settings,
        layers: deepest(&conflicts).max(deepest(&controls)),
        analysed: analysed.len() as u64,
        probed: conflicts.len() as u64,
        unplaced: conflicts.iter().filter(|case| case.row.dh_rel.is_none()).count() as u64,
        balance_point,
        sets,
        difference,
        heat_map: heat_map::cells(&conflicts, following.settings.bin_width, settings.min_cell_cases),
        trajectories: trajectories::example(&conflicts),
    })
}

fn deepest(cases: &[LayerCase]) -> i32 {
    cases.iter().flat_map(|case| case.points).map(|point| point.layer).max().unwrap_or(0)
}

fn check(settings: &LayersSettings) -> Result<(), AnalysisError> {
    let wrong = |setting, expected, found: String| Err(AnalysisError::Setting { setting, expected, found });
    if !(settings.ambiguous_width > 0.0 && settings.ambiguous_width <= 4.0) {
        return wrong("ambiguous_width", "above 0 and at most 4", settings.ambiguous_width.to_string());
    }
    if settings.min_cell_cases == 0 {
        return wrong("min_cell_cases", "at least 1", settings.min_cell_cases.to_string());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
