//! Which modality a model follows: rows of the tables in, a [`FollowingAnalysis`] out.
//!
//! `curve` holds P(text following | dH_rel) with its fits, `breakdown` the counts by tier, cell and control.

mod breakdown;
mod curve;

use std::path::Path;

use self::curve::CurveCase;
use super::error::AnalysisError;
use super::estimates::mean_by_group;
use super::statistics::bootstrap::GroupBootstrap;
use super::summary::{Counts, CurveSplit, FollowingAnalysis, FollowingSettings};
use super::tables::{
    FollowingRow, Follows, NO_CONTROL, OutcomeRow, Partition, read_following, read_outcomes,
};

/// Narrowest bin: 400 on [-2, 2].
const MIN_BIN_WIDTH: f64 = 0.01;

/// Analyses one model and suite of a run, from the tables `following` and `outcomes`. The result depends on the rows and
/// the settings alone, neither on their order nor on the number of threads.
///
/// # Errors
/// A setting out of range, or a part that cannot be read or lacks a column: see [`AnalysisError`].
pub(super) fn analyze_partition(
    run_dir: &Path,
    partition: &Partition,
    settings: &FollowingSettings,
) -> Result<FollowingAnalysis, AnalysisError> {
    check(settings)?;
    let rows = read_following(run_dir, partition)?;
    let outcomes = read_outcomes(run_dir, partition)?;
    analyze_rows(&partition.model, &partition.suite, &rows, &outcomes, settings)
}

/// Analyses the rows of one model and suite, in the order in which [`read_following`] and [`read_outcomes`] give them. The
/// name of the run is that of the first row.
///
/// # Errors
/// A setting out of range.
pub fn analyze_rows(
    model: &str,
    suite: &str,
    rows: &[FollowingRow],
    outcomes: &[OutcomeRow],
    settings: &FollowingSettings,
) -> Result<FollowingAnalysis, AnalysisError> {
    check(settings)?;
    let resampling = resampling(settings);
    let conflicts: Vec<&FollowingRow> = rows.iter().filter(|row| row.control == NO_CONTROL).collect();
    let analysed: Vec<&FollowingRow> =
        conflicts.iter().copied().filter(|row| row.analysed && !row.failed).collect();
    let decided: Vec<(&FollowingRow, bool)> =
        analysed.iter().filter_map(|row| follows_a_modality(row).map(|text| (*row, text))).collect();
    let share = |of: &mut dyn Iterator<Item = (&str, bool)>| {
        let values: Vec<(&str, f64)> = of.map(|(group, yes)| (group, f64::from(u8::from(yes)))).collect();
        mean_by_group(&values, &resampling)
    };
    let cases: Vec<CurveCase> = decided.iter().filter_map(|&(row, text)| CurveCase::of(row, text)).collect();
    let curve = curve::curve(&cases, settings);
    Ok(FollowingAnalysis {
        run: rows.first().map(|row| row.run.clone()).unwrap_or_default(),
        model: model.to_owned(),
        suite: suite.to_owned(),
        settings: *settings,
        counts: counts(&conflicts, &analysed, &decided),
        tfr: share(&mut decided.iter().map(|(row, text)| (row.group_id.as_str(), *text))),
        other_rate: share(
            &mut analysed.iter().map(|row| (row.group_id.as_str(), follows_a_modality(row).is_none())),
        ),
        splits: splits(&cases, settings),
        curve,
        cells: breakdown::cells(&conflicts),
        vision_tiers: breakdown::vision_tiers(outcomes, &resampling),
        text_tiers: breakdown::text_tiers(outcomes, &resampling),
        controls: breakdown::controls(rows),
        layers: None,
    })
}

/// Whether an analysed case follows the text (`true`) or the image (`false`); `None` for *other*. An answer that is no
/// option agrees with neither, so that a case whose `follows` is null counts as *other* too.
pub(super) fn follows_a_modality(row: &FollowingRow) -> Option<bool> {
    match row.follows {
        Some(Follows::Text) => Some(true),
        Some(Follows::Vision) => Some(false),
        Some(Follows::Other) | None => None,
    }
}

fn counts(
    conflicts: &[&FollowingRow],
    analysed: &[&FollowingRow],
    decided: &[(&FollowingRow, bool)],
) -> Counts {
    let text = decided.iter().filter(|(_, text)| *text).count();
    Counts {
        cases: conflicts.len() as u64,
        failed: conflicts.iter().filter(|row| row.failed).count() as u64,
        analysed: analysed.len() as u64,
        text: text as u64,
        vision: (decided.len() - text) as u64,
        other: (analysed.len() - decided.len()) as u64,
    }
}

/// The curve again below and above the median of Ht + Hv; none where one half would be empty.
fn splits(cases: &[CurveCase], settings: &FollowingSettings) -> Vec<CurveSplit> {
    let mut totals: Vec<f64> = cases.iter().filter_map(|case| case.total_entropy).collect();
    if totals.is_empty() {
        return Vec::new();
    }
    totals.sort_by(f64::total_cmp);
    let median = super::statistics::bootstrap::quantile(&totals, 0.5);
    let half = |name: &str, within: &dyn Fn(f64) -> bool| {
        let part: Vec<CurveCase> =
            cases.iter().filter(|case| case.total_entropy.is_some_and(within)).copied().collect();
        Some(CurveSplit { name: name.to_owned(), curve: curve::curve(&part, settings)? })
    };
    let halves: Option<Vec<CurveSplit>> =
        [half("low", &|total| total <= median), half("high", &|total| total > median)].into_iter().collect();
    halves.unwrap_or_default()
}

/// The analysis' bootstrap.
pub(super) fn resampling(settings: &FollowingSettings) -> GroupBootstrap {
    GroupBootstrap { resamples: settings.bootstrap, confidence: settings.confidence, seed: settings.seed }
}

fn check(settings: &FollowingSettings) -> Result<(), AnalysisError> {
    let wrong = |setting, expected, found: String| Err(AnalysisError::Setting { setting, expected, found });
    if !(MIN_BIN_WIDTH..=4.0).contains(&settings.bin_width) {
        return wrong("bin_width", "between 0.01 and 4", settings.bin_width.to_string());
    }
    if settings.min_bin_cases == 0 {
        return wrong("min_bin_cases", "at least 1", settings.min_bin_cases.to_string());
    }
    if !(settings.confidence > 0.0 && settings.confidence < 1.0) {
        return wrong("confidence", "between 0 and 1, both excluded", settings.confidence.to_string());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
