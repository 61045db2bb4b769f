//! The analysis from outside: against golden values, and over the Parquet files of a run.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bad_consistency;
mod bad_layers;
mod bad_tables;
mod comparison_golden;
mod comparison_output;
mod consistency_golden;
mod consistency_tables;
mod following_golden;
mod layers_golden;
mod report_page;
mod run_directory;
mod statistics_golden;
mod tables_of_a_run;
mod text_table;

use std::path::Path;

/// A file of `tests/golden/analysis`, which `export_scripts/golden_analysis.py`, `golden_consistency.py` and
/// `golden_layers_analysis.py` write.
fn golden<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/analysis").join(name);
    serde_json::from_reader(std::fs::File::open(path).unwrap()).unwrap()
}

#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "found {found}, expected {expected} within {tolerance}");
}
