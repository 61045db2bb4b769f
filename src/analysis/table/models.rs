//! Several models side by side, for the terminal.

use super::cell::count;
use super::consistency::{p_value, share};
use super::rows::section;
use crate::analysis::summary::{
    Alignment, AlignmentCorrelation, BEST_DEPTH, DECODER_ENDS, Estimate, ModelComparison, ModelRow,
    Representation,
};

/// The depths of which the text speaks; all of them are in the JSON.
const SHOWN_DEPTHS: [&str; 3] = [DECODER_ENDS[0], DECODER_ENDS[1], BEST_DEPTH];

/// The models, and the correlations over them.
pub fn models(of: &ModelComparison) -> String {
    let value = |of: Option<Estimate>| share(of.map(|of| Estimate { interval: None, ..of }));
    let row = |row: &ModelRow| {
        [
            row.model.clone(),
            row.suite.clone(),
            share(row.rer),
            share(row.rer_ocr_correct),
            share(row.cfr),
            value(row.accuracy.text),
            value(row.accuracy.image),
            value(row.accuracy.mixed),
            alignments(row, Alignment::Cosine, |at| at.cosine),
            alignments(row, Alignment::Retrieval, |at| at.retrieval),
        ]
    };
    let rows: Vec<_> = of.models.iter().map(row).collect();
    let table = section(
        "Models",
        ["", "suite", "RER", "RER, OCR-correct", "CFR", "text", "image", "mixed", "cosine", "retrieval"],
        &rows,
    );
    let row = |of: &AlignmentCorrelation| {
        let number = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.4}"));
        [
            of.alignment.as_str().to_owned(),
            of.depth.clone(),
            of.subset.clone(),
            of.suite.clone(),
            count(of.models),
            number(of.r),
            number(of.r_squared),
            of.p_value.map_or_else(|| "-".into(), p_value),
        ]
    };
    let shown = |of: &&AlignmentCorrelation| SHOWN_DEPTHS.contains(&of.depth.as_str());
    let rows: Vec<_> = of.correlations.iter().filter(shown).map(row).collect();
    let correlations = section(
        "Correlation of RER with the alignment of image and text, over models (Pearson)",
        ["", "depth", "comparisons", "suite", "models", "r", "R^2", "p"],
        &rows,
    );
    super::joined([table, correlations])
}

/// A measure at the depths shown.
fn alignments(row: &ModelRow, alignment: Alignment, pick: fn(&Representation) -> Option<Estimate>) -> String {
    let at = |depth: &str| {
        let value = pick(row.at_depth(depth, alignment)?);
        let value = value.map_or_else(|| "-".into(), |of| format!("{:.3}", of.value));
        Some(format!("{depth} {value}"))
    };
    let within = row.representations.iter().any(|at| !DECODER_ENDS.contains(&at.depth.as_str()));
    let shown = SHOWN_DEPTHS.iter().filter(|depth| within || **depth != BEST_DEPTH);
    shown.filter_map(|depth| at(depth)).collect::<Vec<_>>().join(", ")
}
