//! What it means: tables in, numbers with intervals out. Reads Parquet only; never touches a model.
//!
//! [`analyze`] reads runs through `tables`, computes in `following`, `layers` and `consistency` with the means of `statistics` and
//! `estimates`, compares in `models`, and answers with the plain values of `summary`. [`compare`] holds one run against a
//! reference run of the same prompts, in `comparison`. `table` prints either, `output` encodes it; writing the files is the
//! caller's work.

pub(crate) mod bins;
pub mod comparison;
pub mod consistency;
pub mod error;
mod estimates;
pub mod following;
pub mod layers;
pub mod models;
pub mod output;
pub mod statistics;
pub mod summary;
pub mod table;
pub mod tables;

use std::collections::BTreeSet;
use std::path::Path;

pub use comparison::compare;
pub use error::AnalysisError;
pub use summary::{
    Analysis, AnalysisSettings, ConsistencyAnalysis, ConsistencySettings, FollowingAnalysis,
    FollowingSettings, LayersSettings,
};

use tables::partitions_if_any;

/// Analyses every model and suite of each run: which modality is followed, where it has the table `following`, after which
/// layer, where it has `layers`, too, and whether the same content is answered alike, where its `outcomes` show it in
/// several ways.
///
/// Runs stay in the order given; within one, models and suites are sorted. The result depends on the rows and the settings
/// alone, neither on their order nor on the number of threads.
///
/// # Errors
/// A setting out of range, a run with nothing to analyze, a run given twice, or a part that cannot be read or lacks a
/// column: see [`AnalysisError`].
pub fn analyze<P: AsRef<Path>>(runs: &[P], settings: &AnalysisSettings) -> Result<Analysis, AnalysisError> {
    let mut analysis = Analysis::default();
    for run in runs {
        let of_run = analyze_run(run.as_ref(), settings)?;
        analysis.following.extend(of_run.following);
        analysis.consistency.extend(of_run.consistency);
        check_distinct(run.as_ref(), &analysis)?;
    }
    if analysis.consistency.len() > 1 {
        analysis.models = Some(models::compare(&analysis.consistency));
    }
    Ok(analysis)
}

fn analyze_run(run: &Path, settings: &AnalysisSettings) -> Result<Analysis, AnalysisError> {
    let mut analysis = Analysis::default();
    let mut without_rows = None;
    for partition in partitions_if_any(run, tables::following::TABLE)? {
        match following::analyze_partition(run, &partition, &settings.following) {
            Ok(of) => {
                let layers = layers::analyze_partition(run, &partition, &of, &settings.layers)?;
                analysis.following.push(FollowingAnalysis { layers, ..of });
            }
            // A suite without conflict cases leaves the table empty, which is no fault if there is something else.
            Err(error @ AnalysisError::NoRows { .. }) => without_rows = Some(error),
            Err(error) => return Err(error),
        }
    }
    for partition in &tables::partitions(run, tables::outcomes::TABLE)? {
        if tables::consistency::shows_same_content(run, partition)? {
            analysis.consistency.push(consistency::analyze_partition(run, partition, &settings.consistency)?);
        }
    }
    if analysis.following.is_empty() && analysis.consistency.is_empty() {
        return Err(without_rows.unwrap_or(AnalysisError::NothingToAnalyze { folder: run.to_owned() }));
    }
    Ok(analysis)
}

/// One run counts once: its analysis would otherwise stand twice among the models.
fn check_distinct(folder: &Path, analysis: &Analysis) -> Result<(), AnalysisError> {
    let following = analysis.following.iter().map(|of| ("following", &of.run, &of.model, &of.suite));
    let consistency = analysis.consistency.iter().map(|of| ("consistency", &of.run, &of.model, &of.suite));
    let mut seen = BTreeSet::new();
    match following.chain(consistency).find(|key| !seen.insert(*key)) {
        Some((_, run, _, suite)) => {
            Err(AnalysisError::SameRun { run: run.clone(), suite: suite.clone(), folder: folder.to_owned() })
        }
        None => Ok(()),
    }
}
