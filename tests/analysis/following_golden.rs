//! The whole analysis of synthetic conflict cases against numpy, scipy and scikit-learn.

use crossmodal::analysis::following::analyze_rows;
use crossmodal::analysis::statistics::isotonic::evaluate;
use crossmodal::analysis::summary::{
    BalancePoint, Counts, Curve, Estimate, FollowingAnalysis, FollowingSettings,
};
use crossmodal::analysis::tables::{FollowingRow, Follows, NO_CONTROL};
use serde::Deserialize;

use crate::{assert_close, golden};

#[derive(Deserialize)]
struct Golden {
    rows: Rows,
    counts: Counts,
    tfr: f64,
    tfr_interval: (f64, f64),
    other_rate: f64,
    curve: GoldenCurve,
    low: GoldenCurve,
    high: GoldenCurve,
    cells: Vec<GoldenCell>,
}

#[derive(Deserialize)]
struct Rows {
    item_id: Vec<String>,
    group_id: Vec<String>,
    dv: Vec<i32>,
    dt: Vec<i32>,
    h_vision: Vec<f64>,
    h_text: Vec<f64>,
    dh_rel: Vec<Option<f64>>,
    follows: Vec<Option<String>>,
    analysed: Vec<bool>,
    status: Vec<String>,
}

#[derive(Deserialize)]
struct GoldenCurve {
    cases: u64,
    bins: Vec<GoldenBin>,
    at: Vec<f64>,
    fitted: Vec<f64>,
    balance_point: f64,
    intercept: f64,
    slope: f64,
    rho: f64,
    distance: f64,
    balance_point_interval: Option<(f64, f64)>,
    logistic_balance_point_interval: Option<(f64, f64)>,
}

#[derive(Deserialize)]
struct GoldenBin {
    cases: u64,
    mean_dh_rel: Option<f64>,
    share: Option<f64>,
}

#[derive(Deserialize)]
struct GoldenCell {
    dv: i32,
    dt: i32,
    analysed: u64,
    text: u64,
    vision: u64,
    mean_dh_rel: f64,
}

fn rows(of: Rows) -> Vec<FollowingRow> {
    let row = |at: usize| FollowingRow {
        run: "golden".into(),
        item_id: of.item_id[at].clone(),
        group_id: of.group_id[at].clone(),
        control: NO_CONTROL.into(),
        dv: Some(of.dv[at]),
        dt: Some(of.dt[at]),
        expected_vision: None,
        expected_text: None,
        y_conflict: None,
        h_vision: Some(of.h_vision[at]),
        h_text: Some(of.h_text[at]),
        dh_rel: of.dh_rel[at],
        follows: of.follows[at].as_deref().map(|follows| match follows {
            "text" => Follows::Text,
            "vision" => Follows::Vision,
            _ => Follows::Other,
        }),
        analysed: of.analysed[at],
        failed: of.status[at] != "ok",
    };
    (0..of.item_id.len()).map(row).collect()
}

fn analysis(of: Rows) -> FollowingAnalysis {
    let settings = FollowingSettings { min_bin_cases: 10, ..FollowingSettings::default() };
    analyze_rows("model", "suite", &rows(of), &[], &settings).unwrap()
}

#[track_caller]
fn assert_interval(found: Estimate, expected: (f64, f64), tolerance: f64) {
    let (low, high) = found.interval.unwrap();
    assert_close(low, expected.0, tolerance);
    assert_close(high, expected.1, tolerance);
}

#[track_caller]
fn assert_curve(found: &Curve, expected: &GoldenCurve) {
    assert_eq!(found.cases, expected.cases);
    assert_eq!(found.bins.len(), expected.bins.len());
    for (bin, want) in found.bins.iter().zip(&expected.bins) {
        assert_eq!(bin.cases, want.cases, "{bin:?}");
        assert_eq!(bin.mean_dh_rel.is_some(), want.mean_dh_rel.is_some());
        assert_close(bin.mean_dh_rel.unwrap_or_default(), want.mean_dh_rel.unwrap_or_default(), 1e-9);
        assert_eq!(bin.text_following.is_some(), want.share.is_some(), "{bin:?}");
        assert_close(
            bin.text_following.map_or(0.0, |share| share.value),
            want.share.unwrap_or_default(),
            1e-9,
        );
    }
    for (&x, &p) in expected.at.iter().zip(&expected.fitted) {
        assert_close(evaluate(&found.isotonic, x).unwrap(), p, 1e-6);
    }
    let BalancePoint::Crossing(at) = found.balance_point else { panic!("{:?}", found.balance_point) };
    assert_close(at.value, expected.balance_point, 1e-9);
    let logistic = found.logistic.unwrap();
    assert_close(logistic.intercept, expected.intercept, 1e-6);
    assert_close(logistic.slope, expected.slope, 1e-6);
    assert_close(logistic.balance_point.unwrap().value, -expected.intercept / expected.slope, 1e-6);
    let monotonicity = found.monotonicity.unwrap();
    assert_close(monotonicity.distance, expected.distance, 1e-9);
    assert_close(monotonicity.spearman_rho.unwrap(), expected.rho, 1e-9);
    // The intervals come from other draws: they agree within the error of the bootstrap itself.
    if let Some(interval) = expected.balance_point_interval {
        assert_interval(at, interval, 0.08);
    }
    if let Some(interval) = expected.logistic_balance_point_interval {
        assert_interval(logistic.balance_point.unwrap(), interval, 0.03);
    }
}

#[test]
fn following_is_that_of_the_reference() {
    let expected: Golden = golden("following.json");
    let found = analysis(expected.rows);
    assert_eq!(found.counts, expected.counts);
    assert_close(found.tfr.unwrap().value, expected.tfr, 1e-9);
    assert_interval(found.tfr.unwrap(), expected.tfr_interval, 0.01);
    assert_close(found.other_rate.unwrap().value, expected.other_rate, 1e-9);
    assert_curve(&found.curve.unwrap(), &expected.curve);
    let splits: Vec<&str> = found.splits.iter().map(|split| split.name.as_str()).collect();
    assert_eq!(splits, ["low", "high"]);
    assert_curve(&found.splits[0].curve, &expected.low);
    assert_curve(&found.splits[1].curve, &expected.high);
    assert_eq!(found.cells.len(), expected.cells.len());
    for (cell, want) in found.cells.iter().zip(&expected.cells) {
        assert_eq!((cell.dv, cell.dt), (want.dv, want.dt));
        assert_eq!((cell.analysed, cell.text, cell.vision), (want.analysed, want.text, want.vision));
        assert_close(cell.mean_dh_rel.unwrap(), want.mean_dh_rel, 1e-9);
    }
}
