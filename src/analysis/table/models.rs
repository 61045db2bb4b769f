//! Several models side by side, for the terminal.

use super::cell::count;
use super::consistency::{p_value, share};
use super::rows::section;
use crate::analysis::summary::{AlignmentCorrelation, Estimate, ModelComparison, ModelRow};

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
            row.representations
                .iter()
                .map(|at| depth(&at.depth, at.cosine, 3))
                .collect::<Vec<_>>()
                .join(", "),
            row.representations
                .iter()
                .map(|at| depth(&at.depth, at.retrieval, 3))
                .collect::<Vec<_>>()
                .join(", "),
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
    let rows: Vec<_> = of.correlations.iter().map(row).collect();
    let correlations = section(
        "Correlation of RER with the alignment of image and text, over models (Pearson)",
        ["", "depth", "comparisons", "suite", "models", "r", "R^2", "p"],
        &rows,
    );
    super::joined([table, correlations])
}

fn depth(name: &str, of: Option<Estimate>, decimals: usize) -> String {
    of.map_or_else(|| format!("{name} -"), |of| format!("{name} {:.decimals$}", of.value))
}
