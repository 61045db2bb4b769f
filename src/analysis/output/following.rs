//! The tables of the analysis of following: its curves and its figures.

use super::parquet_table::{counts, encode, numbers, texts};
use crate::analysis::error::AnalysisError;
use crate::analysis::statistics::isotonic;
use crate::analysis::summary::{BalancePoint, Curve, Estimate, FollowingAnalysis};

/// Name of the table of [`curve_parquet`].
pub const CURVE_TABLE: &str = "following_curve";
/// Name of the table of [`summary_parquet`].
pub const SUMMARY_TABLE: &str = "following_summary";

/// The table `following_curve`: one row a bin of dH_rel, with columns run, model, suite, split (all, low, high), low,
/// high, mean_dh_rel, cases, text_following, lower, upper, isotonic (the fit at mean_dh_rel).
pub fn curve_parquet(analyses: &[FollowingAnalysis]) -> Result<Vec<u8>, AnalysisError> {
    let rows: Vec<_> = analyses
        .iter()
        .flat_map(|of| curves(of).into_iter().map(move |(split, curve)| (of, split, curve)))
        .flat_map(|(of, split, curve)| curve.bins.iter().map(move |bin| (of, split, curve, bin)))
        .collect();
    let share = |at: &dyn Fn(Estimate) -> Option<f64>| {
        numbers(rows.iter().map(|(_, _, _, bin)| bin.text_following.and_then(at)))
    };
    encode(
        CURVE_TABLE,
        vec![
            ("run", texts(rows.iter().map(|row| Some(row.0.run.as_str())))),
            ("model", texts(rows.iter().map(|row| Some(row.0.model.as_str())))),
            ("suite", texts(rows.iter().map(|row| Some(row.0.suite.as_str())))),
            ("split", texts(rows.iter().map(|row| Some(row.1)))),
            ("low", numbers(rows.iter().map(|row| Some(row.3.low)))),
            ("high", numbers(rows.iter().map(|row| Some(row.3.high)))),
            ("mean_dh_rel", numbers(rows.iter().map(|row| row.3.mean_dh_rel))),
            ("cases", counts(rows.iter().map(|row| row.3.cases))),
            ("text_following", share(&|share| Some(share.value))),
            ("lower", share(&|share| share.interval.map(|ends| ends.0))),
            ("upper", share(&|share| share.interval.map(|ends| ends.1))),
            (
                "isotonic",
                numbers(
                    rows.iter()
                        .map(|(_, _, curve, bin)| isotonic::evaluate(&curve.isotonic, bin.mean_dh_rel?)),
                ),
            ),
        ],
    )
}

/// The table `following_summary`: one row a figure, with columns run, model, suite, split (all, low, high), metric, kind
/// (of a balance point: crossing, always-text, always-vision), value, lower, upper.
pub fn summary_parquet(analyses: &[FollowingAnalysis]) -> Result<Vec<u8>, AnalysisError> {
    let rows: Vec<_> =
        analyses.iter().flat_map(|of| metrics(of).into_iter().map(move |row| (of, row))).collect();
    let ends = |at: &dyn Fn((f64, f64)) -> f64| numbers(rows.iter().map(|(_, row)| row.interval.map(at)));
    encode(
        SUMMARY_TABLE,
        vec![
            ("run", texts(rows.iter().map(|(of, _)| Some(of.run.as_str())))),
            ("model", texts(rows.iter().map(|(of, _)| Some(of.model.as_str())))),
            ("suite", texts(rows.iter().map(|(of, _)| Some(of.suite.as_str())))),
            ("split", texts(rows.iter().map(|(_, row)| Some(row.split)))),
            ("metric", texts(rows.iter().map(|(_, row)| Some(row.metric)))),
            ("kind", texts(rows.iter().map(|(_, row)| row.kind))),
            ("value", numbers(rows.iter().map(|(_, row)| row.value))),
            ("lower", ends(&|ends| ends.0)),
            ("upper", ends(&|ends| ends.1)),
        ],
    )
}

/// One row of the summary; a figure that could not be computed is a row without value.
struct Metric<'a> {
    split: &'a str,
    metric: &'static str,
    kind: Option<&'static str>,
    value: Option<f64>,
    interval: Option<(f64, f64)>,
}

fn curves(of: &FollowingAnalysis) -> Vec<(&str, &Curve)> {
    let all = of.curve.iter().map(|curve| ("all", curve));
    all.chain(of.splits.iter().map(|split| (split.name.as_str(), &split.curve))).collect()
}

fn metrics(of: &FollowingAnalysis) -> Vec<Metric<'_>> {
    let counts = [
        ("cases", of.counts.cases),
        ("failed", of.counts.failed),
        ("analysed", of.counts.analysed),
        ("text", of.counts.text),
        ("vision", of.counts.vision),
        ("other", of.counts.other),
    ];
    let mut metrics: Vec<Metric> =
        counts.into_iter().map(|(metric, count)| plain("all", metric, Some(count as f64))).collect();
    let vfr = of.tfr.map(Estimate::complement);
    metrics.push(estimated("all", "tfr", of.tfr));
    metrics.push(estimated("all", "vfr", vfr));
    metrics.push(estimated("all", "other_rate", of.other_rate));
    for (split, curve) in curves(of) {
        let (kind, crossing) = match curve.balance_point {
            BalancePoint::Crossing(at) => ("crossing", Some(at)),
            BalancePoint::AlwaysText => ("always-text", None),
            BalancePoint::AlwaysVision => ("always-vision", None),
        };
        metrics.push(plain(split, "curve_cases", Some(curve.cases as f64)));
        metrics.push(Metric { kind: Some(kind), ..estimated(split, "balance_point", crossing) });
        metrics.push(plain(split, "logistic_intercept", curve.logistic.map(|fit| fit.intercept)));
        metrics.push(plain(split, "logistic_slope", curve.logistic.map(|fit| fit.slope)));
        metrics.push(estimated(
            split,
            "logistic_balance_point",
            curve.logistic.and_then(|fit| fit.balance_point),
        ));
        metrics.push(plain(split, "monotonicity_distance", curve.monotonicity.map(|test| test.distance)));
        metrics.push(plain(split, "monotonicity_p_value", curve.monotonicity.map(|test| test.p_value)));
        metrics.push(plain(split, "spearman_rho", curve.monotonicity.and_then(|test| test.spearman_rho)));
    }
    metrics
}

fn plain<'a>(split: &'a str, metric: &'static str, value: Option<f64>) -> Metric<'a> {
    Metric { split, metric, kind: None, value, interval: None }
}

fn estimated<'a>(split: &'a str, metric: &'static str, estimate: Option<Estimate>) -> Metric<'a> {
    let interval = estimate.and_then(|estimate| estimate.interval);
    Metric { interval, ..plain(split, metric, estimate.map(|estimate| estimate.value)) }
}
