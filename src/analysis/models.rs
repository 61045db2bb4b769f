//! Several models side by side, and whether RER goes with how alike they represent image and text.

use std::collections::BTreeSet;

use super::statistics::pearson::correlation;
use super::summary::{
    Alignment, AlignmentCorrelation, BEST_DEPTH, ConsistencyAnalysis, DECODER_ENDS, Estimate,
    ModelComparison, ModelRow,
};
use super::tables::embeddings::depth_order;

/// The RER of a model over some comparisons.
type Rer = fn(&ModelRow) -> Option<Estimate>;

/// Which comparisons RER is over.
const SUBSETS: [(&str, Rer); 2] = [("all", |row| row.rer), ("ocr-correct", |row| row.rer_ocr_correct)];

/// Compares the analyses of several models (or runs of one); correlations are made within a suite.
pub fn compare(analyses: &[ConsistencyAnalysis]) -> ModelComparison {
    let models: Vec<ModelRow> = analyses.iter().map(row).collect();
    let suites: BTreeSet<&str> = models.iter().map(|row| row.suite.as_str()).collect();
    let depths = depths(&models);
    let mut correlations = Vec::new();
    for &suite in &suites {
        let of_suite: Vec<&ModelRow> = models.iter().filter(|row| row.suite == suite).collect();
        for (subset, rer) in SUBSETS {
            for &depth in &depths {
                for alignment in [Alignment::Cosine, Alignment::Retrieval] {
                    let pairs: Vec<(f64, f64)> = of_suite
                        .iter()
                        .filter_map(|row| Some((rer(row)?.value, aligned(row, depth, alignment)?)))
                        .collect();
                    let found = correlation(&pairs);
                    correlations.push(AlignmentCorrelation {
                        suite: suite.to_owned(),
                        subset: subset.to_owned(),
                        depth: depth.to_owned(),
                        alignment,
                        models: pairs.len() as u64,
                        r: found.map(|found| found.r),
                        r_squared: found.map(|found| found.r * found.r),
                        p_value: found.map(|found| found.p_value),
                    });
                }
            }
        }
    }
    ModelComparison { models, correlations }
}

/// Every depth of a model, on the way through the decoder; then [`BEST_DEPTH`], where there are others than its ends.
fn depths(models: &[ModelRow]) -> Vec<&str> {
    let found: BTreeSet<&str> =
        models.iter().flat_map(|row| &row.representations).map(|at| at.depth.as_str()).collect();
    let within = found.iter().any(|depth| !DECODER_ENDS.contains(depth));
    let mut depths: Vec<&str> = found.into_iter().collect();
    depths.sort_by_key(|depth| depth_order(depth));
    depths.extend(within.then_some(BEST_DEPTH));
    depths
}

fn row(of: &ConsistencyAnalysis) -> ModelRow {
    let (all, gated) = (&of.all.pooled.rates, &of.ocr_correct.pooled.rates);
    ModelRow {
        run: of.run.clone(),
        model: of.model.clone(),
        suite: of.suite.clone(),
        rer: all.rer,
        rer_ocr_correct: gated.rer,
        cfr: all.cfr,
        cfr_ocr_correct: gated.cfr,
        accuracy: all.accuracy,
        representations: of.representations.clone(),
        best_depth: of.best_depth.clone(),
    }
}

/// How alike image and text are at a depth; [`BEST_DEPTH`] is the model's own, by this measure.
fn aligned(row: &ModelRow, depth: &str, alignment: Alignment) -> Option<f64> {
    let at = row.at_depth(depth, alignment)?;
    let estimate = match alignment {
        Alignment::Cosine => at.cosine,
        Alignment::Retrieval => at.retrieval,
    };
    estimate.map(|estimate| estimate.value)
}
