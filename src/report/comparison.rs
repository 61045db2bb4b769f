//! Several analyses on one page, compared at its top: a row each, with the key figures.

use super::number;
use super::table::Table;
use crate::analysis::summary::{BalancePoint, ConsistencyAnalysis, Estimate, FollowingAnalysis};

/// The table that stands in the place of a single finding of following.
#[must_use]
pub fn table(analyses: &[FollowingAnalysis]) -> String {
    let mut table = Table::new(&[
        "analysis",
        "text-following ratio",
        "balance point, Δ<i>H</i><sub>rel</sub>",
        "Spearman ρ",
        "analysed cases",
    ]);
    for analysis in analyses {
        let curve = analysis.curve.as_ref();
        let rho = curve.and_then(|curve| curve.monotonicity).and_then(|it| it.spearman_rho);
        table.row([
            format!("{} × {}", analysis.model, analysis.suite),
            number::optional_estimate(analysis.tfr, 2),
            match curve.map(|curve| curve.balance_point) {
                Some(BalancePoint::Crossing(at)) => number::estimate(&at, 2),
                Some(BalancePoint::AlwaysText) => "none, text throughout".to_string(),
                Some(BalancePoint::AlwaysVision) => "none, image throughout".to_string(),
                None => number::ABSENT.to_string(),
            },
            number::optional(rho, 2),
            number::count(analysis.counts.analysed),
        ]);
    }
    format!("<div class=\"compare\">{}</div>", table.finish())
}

/// The table that stands in the place of a single finding of consistency.
#[must_use]
pub fn consistency_table(analyses: &[ConsistencyAnalysis]) -> String {
    let value = |of: Option<Estimate>| number::optional(of.map(|of| of.value), 2);
    let mut table =
        Table::new(&["analysis", "RER", "RER, OCR-correct", "CFR", "text right", "image", "mixed"]);
    for analysis in analyses {
        let rates = &analysis.all.pooled.rates;
        table.row([
            format!("{} × {}", analysis.model, analysis.suite),
            number::optional_estimate(rates.rer, 2),
            number::optional_estimate(analysis.ocr_correct.pooled.rates.rer, 2),
            number::optional_estimate(rates.cfr, 2),
            value(rates.accuracy.text),
            value(rates.accuracy.image),
            value(rates.accuracy.mixed),
        ]);
    }
    format!("<div class=\"compare\">{}</div>", table.finish())
}
