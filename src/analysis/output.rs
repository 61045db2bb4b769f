//! An analysis as bytes: JSON text, and two Parquet tables for the lake. Where the bytes go is the caller's business.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::error::AnalysisError;
use super::statistics::isotonic;
use super::summary::{BalancePoint, Curve, Estimate, FollowingAnalysis};

/// Name of the table of [`curve_parquet`].
pub const CURVE_TABLE: &str = "following_curve";
/// Name of the table of [`summary_parquet`].
pub const SUMMARY_TABLE: &str = "following_summary";

/// The analyses as a JSON array, indented, with a line feed at the end.
pub fn to_json(analyses: &[FollowingAnalysis]) -> Result<String, AnalysisError> {
    let mut text = serde_json::to_string_pretty(analyses).map_err(AnalysisError::EncodeJson)?;
    text.push('\n');
    Ok(text)
}

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
            ("cases", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.3.cases as i64)))),
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

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn numbers(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}

fn encode(table: &'static str, columns: Vec<(&str, ArrayRef)>) -> Result<Vec<u8>, AnalysisError> {
    let write = || -> Result<Vec<u8>, ParquetError> {
        // Every column may be null, so that the schema does not depend on what could be computed.
        let columns = columns.into_iter().map(|(name, array)| (name, array, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns)?;
        let properties =
            WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))?;
        writer.write(&batch)?;
        writer.into_inner()
    };
    write().map_err(|source| AnalysisError::EncodeParquet { table, source })
}
