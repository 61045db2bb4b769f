//! Whether the same content is answered alike: rows of the tables in, a [`ConsistencyAnalysis`] out.
//!
//! `items` gathers the rows of an item, `comparison` makes comparisons of them, and every other file computes one section
//! of the analysis: `metrics` and `tests` (of modalities) on subsets of the comparisons, `effects`, `tokens`, `ocr` and
//! `renderings` on the items, `representation` and `similarity` on the table `embeddings`.

mod comparison;
mod effects;
mod items;
mod metrics;
mod modality_tests;
mod ocr;
mod renderings;
mod representation;
mod similarity;
mod tokens;

use std::path::Path;

use self::comparison::{Comparison, Comparisons};
use self::items::items;
use super::error::AnalysisError;
use super::estimates::Part;
use super::statistics::bootstrap::GroupBootstrap;
use super::summary::{ConsistencyAnalysis, ConsistencySettings, SubsetAnalysis, Unparsed};
use super::tables::{ConsistencyRow, Partition, read_consistency};

/// Analyses one model and suite of a run, from the table `outcomes` and, where there is one, `embeddings`.
///
/// # Errors
/// A setting out of range, or a part that cannot be read or lacks a column: see [`AnalysisError`].
pub(super) fn analyze_partition(
    run_dir: &Path,
    partition: &Partition,
    settings: &ConsistencySettings,
) -> Result<ConsistencyAnalysis, AnalysisError> {
    check(settings)?;
    let rows = read_consistency(run_dir, partition)?;
    let analysis = analyze_rows(&partition.model, &partition.suite, &rows, settings)?;
    let representations = representation::representations(run_dir, partition, &resampling(settings))?;
    let best_depth = representation::best_depth(&representations);
    let similarities = match best_depth.as_ref().and_then(|best| best.retrieval.as_ref()) {
        Some(depth) => similarity::matrix(run_dir, partition, depth)?,
        None => None,
    };
    Ok(ConsistencyAnalysis { representations, best_depth, similarities, ..analysis })
}

/// Analyses the rows of one model and suite, whatever their order; no item may have two rows of one presentation and
/// variant. The name of the run is that of the first row; representations are left out.
///
/// # Errors
/// A setting out of range.
pub fn analyze_rows(
    model: &str,
    suite: &str,
    rows: &[ConsistencyRow],
    settings: &ConsistencySettings,
) -> Result<ConsistencyAnalysis, AnalysisError> {
    check(settings)?;
    let resampling = resampling(settings);
    let items = items(rows);
    let comparisons = comparison::comparisons(&items, settings.unparsed);
    let complete = &comparisons.complete;
    Ok(ConsistencyAnalysis {
        run: rows.first().map(|row| row.run.clone()).unwrap_or_default(),
        model: model.to_owned(),
        suite: suite.to_owned(),
        settings: *settings,
        items: items.iter().filter(|item| !item.renderings.is_empty()).count() as u64,
        without_mixed: complete.iter().filter(|one| one.mixed.is_none()).count() as u64,
        incomplete: comparisons.reasons(),
        all: subset(&comparisons, |_| true, &resampling),
        ocr_correct: subset(&comparisons, |place| place.ocr_correct, &resampling),
        ocr: ocr::transcriptions(&items, &resampling),
        effects: effects::effects(complete, &resampling),
        ocr_first: renderings::ocr_first(&items, &resampling),
        variant_agreement: renderings::agreement(&items, settings.unparsed, &resampling),
        tokens: tokens::tokens(complete, &resampling),
        representations: Vec::new(),
        best_depth: None,
        similarities: None,
    })
}

/// What one complete comparison adds to the shares that two runs are compared in.
pub(super) struct RateParts<'a> {
    /// Its group.
    pub group: &'a str,
    /// Whether its rendering is transcribed without an error.
    pub ocr_correct: bool,
    /// RER, MMC, CFR.
    pub parts: [Part; 3],
}

/// Every complete comparison of these rows.
pub(super) fn rate_parts<'a>(rows: &'a [ConsistencyRow], unparsed: Unparsed) -> Vec<RateParts<'a>> {
    let complete = comparison::comparisons(&items(rows), unparsed).complete;
    let added = |one: &Comparison<'a>| RateParts {
        group: one.place.group,
        ocr_correct: one.place.ocr_correct,
        parts: metrics::shares(one),
    };
    complete.iter().map(added).collect()
}

/// The figures of the comparisons at the places that `holds` admits.
fn subset(
    comparisons: &Comparisons,
    holds: impl Fn(&comparison::Place) -> bool,
    resampling: &GroupBootstrap,
) -> SubsetAnalysis {
    let complete: Vec<&Comparison> = comparisons.complete.iter().filter(|one| holds(&one.place)).collect();
    let incomplete: Vec<&comparison::Place> =
        comparisons.incomplete.iter().map(|(place, ..)| place).filter(|place| holds(place)).collect();
    SubsetAnalysis {
        pooled: metrics::metrics(&complete, &incomplete, resampling),
        macro_mean: metrics::macro_mean(&complete, resampling),
        by_task: metrics::by_task(&complete, &incomplete, resampling),
        by_variant: metrics::by_variant(&complete, &incomplete, resampling),
        tests: modality_tests::tests(&complete, resampling),
    }
}

/// The analysis' bootstrap.
pub(super) fn resampling(settings: &ConsistencySettings) -> GroupBootstrap {
    GroupBootstrap { resamples: settings.bootstrap, confidence: settings.confidence, seed: settings.seed }
}

/// That the settings are in their range.
pub(super) fn check(settings: &ConsistencySettings) -> Result<(), AnalysisError> {
    if settings.confidence > 0.0 && settings.confidence < 1.0 {
        return Ok(());
    }
    Err(AnalysisError::Setting {
        setting: "confidence",
        expected: "between 0 and 1, both excluded",
        found: settings.confidence.to_string(),
    })
}

#[cfg(test)]
mod tests;
