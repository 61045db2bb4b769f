//! The whole consistency analysis of a synthetic run against numpy and scipy.

use std::path::PathBuf;
use std::sync::OnceLock;

use crossmodal::analysis::summary::{Analysis, Estimate, Unparsed};
use crossmodal::analysis::{AnalysisSettings, ConsistencyAnalysis, ConsistencySettings, analyze};
use serde_json::Value;

use crate::{assert_close, golden};

pub fn run() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/analysis/consistency")
}

/// The analysis with the default number of resamples.
pub fn analysis() -> &'static Analysis {
    static ANALYSIS: OnceLock<Analysis> = OnceLock::new();
    ANALYSIS.get_or_init(|| analyze(&[run()], &AnalysisSettings::default()).unwrap())
}

fn with(unparsed: Unparsed) -> ConsistencyAnalysis {
    let consistency = ConsistencySettings { unparsed, bootstrap: 2, ..ConsistencySettings::default() };
    let settings = AnalysisSettings { consistency, ..AnalysisSettings::default() };
    analyze(&[run()], &settings).unwrap().consistency.remove(0)
}

/// Every number of `expected` is in `found`, where an estimate counts as its value, and a list of named rows as an object.
#[track_caller]
pub fn assert_same(found: &Value, expected: &Value, path: &str) {
    match expected {
        Value::Object(fields) => {
            if let Value::Array(rows) = found {
                assert_eq!(rows.len(), fields.len(), "{path}");
            }
            for (name, value) in fields {
                let found = match found {
                    Value::Array(rows) => rows.iter().find(|row| name_of(row) == *name),
                    found => found.get(name),
                };
                let found = found.unwrap_or_else(|| panic!("{path}: no {name}"));
                assert_same(found, value, &format!("{path}.{name}"));
            }
        }
        Value::Array(values) => {
            let rows = found.as_array().unwrap_or_else(|| panic!("{path}: {found}"));
            assert_eq!(rows.len(), values.len(), "{path}");
            for (at, (found, value)) in rows.iter().zip(values).enumerate() {
                assert_same(found, value, &format!("{path}[{at}]"));
            }
        }
        Value::Number(number) => {
            let found = found.get("value").unwrap_or(found).as_f64();
            let (found, expected) =
                (found.unwrap_or_else(|| panic!("{path}: none")), number.as_f64().unwrap());
            assert!((found - expected).abs() <= 1e-9, "{path}: found {found}, expected {expected}");
        }
        other => assert_eq!(found, other, "{path}"),
    }
}

/// Name of a row of a task, rendering or presentation (and its control); "all" of the row over all renderings.
fn name_of(row: &Value) -> String {
    let text = |field: &str| row.get(field).and_then(Value::as_str);
    let name = text("task").or(text("variant")).or(text("presentation")).unwrap_or("all");
    match text("control") {
        None | Some("none") => name.to_owned(),
        Some(control) => format!("{name}, {control}"),
    }
}

#[test]
fn every_figure_is_that_of_the_reference() {
    let expected: Value = golden("consistency.json");
    for (unparsed, name) in [(Unparsed::Disagree, "disagree"), (Unparsed::Agree, "agree")] {
        let found = with(unparsed);
        for reason in &found.incomplete {
            let reason_name = serde_json::to_value(reason.reason).unwrap();
            let key = format!("{}-{}", reason.modality.as_str(), reason_name.as_str().unwrap());
            assert_eq!(Value::from(reason.comparisons), expected["incomplete"][key.as_str()], "{key}");
        }
        assert_eq!(found.incomplete.len(), expected["incomplete"].as_object().unwrap().len());
        let found = serde_json::to_value(found).unwrap();
        assert_same(&found, &expected[name], name);
        for section in ["items", "without_mixed", "ocr", "ocr_first", "tokens", "representations"] {
            assert_same(&found[section], &expected[section], section);
        }
    }
}

#[test]
fn how_unparseable_answers_compare_matters_to_rer_alone() {
    let (disagree, agree) = (with(Unparsed::Disagree).all.pooled, with(Unparsed::Agree).all.pooled);
    assert!(agree.rates.rer.unwrap().value > disagree.rates.rer.unwrap().value);
    assert_eq!((agree.rates.cfr, agree.rates.mmc), (disagree.rates.cfr, disagree.rates.mmc));
}

#[test]
fn intervals_are_those_of_another_bootstrap() {
    let expected: Value = golden("consistency.json");
    let found = &analysis().consistency[0];
    let rates = &found.all.pooled.rates;
    for (name, estimate, tolerance) in [
        ("rer", rates.rer, 0.01),
        ("mmc", rates.mmc, 0.01),
        ("cfr", rates.cfr, 0.01),
        ("vision_per_right", found.tokens[0].vision_per_right, 12.0),
    ] {
        let Some(Estimate { interval: Some((low, high)), .. }) = estimate else { panic!("{name}") };
        let ends = &expected["intervals"][name];
        assert_close(low, ends[0].as_f64().unwrap(), tolerance);
        assert_close(high, ends[1].as_f64().unwrap(), tolerance);
    }
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let settings = AnalysisSettings::default();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert_eq!(&pool.install(|| analyze(&[run()], &settings)).unwrap(), analysis());
}
