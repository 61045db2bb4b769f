//! A run's Parquet files in, analyses and their own Parquet out.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, Float64Array, RecordBatch};
use crossmodal::analysis::output::{curve_parquet, summary_parquet, to_json};
use crossmodal::analysis::summary::BalancePoint;
use crossmodal::analysis::table;
use crossmodal::analysis::{Analysis, AnalysisSettings, FollowingAnalysis, FollowingSettings, analyze};

use crate::consistency_golden;
use crate::run_directory::{Profile, Run, following, outcomes, write};

const CASES: usize = 200;

fn settings() -> AnalysisSettings {
    let following = FollowingSettings {
        bootstrap: 200,
        permutations: 200,
        min_bin_cases: 5,
        ..FollowingSettings::default()
    };
    AnalysisSettings { following, ..AnalysisSettings::default() }
}

/// Writes the cases in these parts and analyses them.
fn analysis(parts: &[Vec<usize>], profile: Profile) -> FollowingAnalysis {
    let run = Run::new();
    for (number, cases) in parts.iter().enumerate() {
        write(&run.part("following", "tiny", "colors", number), following(cases, profile));
        write(&run.part("outcomes", "tiny", "colors", number), outcomes(cases, profile));
    }
    analyze(&[run.path()], &settings()).unwrap().following.remove(0)
}

fn one_part() -> FollowingAnalysis {
    analysis(&[(0..CASES).collect()], Profile::Plain)
}

#[test]
fn a_run_is_analysed_by_model_and_suite_in_order() {
    let run = Run::new();
    for (model, suite) in [("b", "colors"), ("a", "shapes"), ("a", "colors")] {
        write(&run.part("following", model, suite, 0), following(&[1, 2, 3], Profile::Plain));
        write(&run.part("outcomes", model, suite, 0), outcomes(&[1, 2, 3], Profile::Plain));
    }
    let found = analyze(&[run.path()], &settings()).unwrap().following;
    let names: Vec<_> =
        found.iter().map(|one| (one.run.as_str(), one.model.as_str(), one.suite.as_str())).collect();
    assert_eq!(names, [("run-1", "a", "colors"), ("run-1", "a", "shapes"), ("run-1", "b", "colors")]);
}

#[test]
fn every_row_of_every_part_is_read() {
    let found = one_part();
    let conflicts = || (0..CASES).filter(|n| n % 10 != 9);
    assert_eq!(found.counts.cases as usize, conflicts().count());
    assert_eq!(found.counts.failed as usize, conflicts().filter(|n| n % 17 == 3).count());
    let analysed = conflicts().filter(|n| n % 17 != 3 && n % 11 != 0);
    assert_eq!(found.counts.analysed as usize, analysed.count());
    let BalancePoint::Crossing(at) = found.curve.unwrap().balance_point else { panic!("no crossing") };
    assert_eq!(at.value, -0.125, "between -0.25 and 0");
    let tiers: Vec<_> = found.vision_tiers.iter().map(|row| (row.tier, row.prompts)).collect();
    assert_eq!(tiers, [(0, 100), (1, 80)], "the controls all have dv 1");
    assert_eq!(found.text_tiers.len(), 3);
    assert_eq!(found.controls[0].control, "text-irrelevant");
}

#[test]
fn neither_the_parts_nor_their_order_nor_the_types_change_the_result() {
    let whole = one_part();
    let backwards: Vec<Vec<usize>> =
        (0..CASES).rev().collect::<Vec<_>>().chunks(33).map(<[_]>::to_vec).collect();
    assert_eq!(analysis(&backwards, Profile::Plain), whole);
    assert_eq!(analysis(&backwards, Profile::Compact), whole);
}

/// Sums of numbers that are not whole fractions differ in their last bits when the order does.
#[test]
fn the_order_of_rows_does_not_change_the_last_bit() {
    let with_order = |numbers: Vec<usize>| {
        let run = Run::new();
        let mut columns = following(&numbers, Profile::Plain);
        let dh_rel = numbers.iter().map(|&n| 2.0 * (n as f64 * 0.7301).sin());
        columns.iter_mut().find(|(name, _)| *name == "dh_rel").unwrap().1 =
            Arc::new(Float64Array::from_iter_values(dh_rel));
        write(&run.part("following", "tiny", "colors", 0), columns);
        let mut columns = outcomes(&numbers, Profile::Plain);
        let entropy = |n: usize| [0.1, 0.2, 0.3].map(|shift| shift + (n as f64 * 0.31).cos().abs());
        columns.iter_mut().find(|(name, _)| *name == "entropy").unwrap().1 =
            Arc::new(Float64Array::from_iter_values(numbers.iter().flat_map(|&n| entropy(n))));
        write(&run.part("outcomes", "tiny", "colors", 0), columns);
        analyze(&[run.path()], &settings()).unwrap()
    };
    assert_eq!(with_order((0..CASES).collect()), with_order((0..CASES).rev().collect()));
}

#[test]
fn the_number_of_threads_does_not_change_the_bytes() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = Analysis { following: vec![pool.install(one_part)], ..Analysis::default() };
        let tables = (curve_parquet(&found.following).unwrap(), summary_parquet(&found.following).unwrap());
        (to_json(&found).unwrap(), tables)
    };
    assert_eq!(on(1), on(3));
}

/// The reader rounds the last bit of some numbers, so that what is compared is every figure as it is printed.
#[test]
fn json_reads_back_as_the_analysis() {
    let found = Analysis { following: vec![one_part()], ..consistency_golden::analysis().clone() };
    let read: Analysis = serde_json::from_str(&to_json(&found).unwrap()).unwrap();
    assert_eq!(table::to_text(&read), table::to_text(&found));
    let (read, found) = (&read.following[0], &found.following[0]);
    assert_eq!((read.counts, &read.controls), (found.counts, &found.controls));
}

/// The rows of a table in memory.
pub fn read(bytes: Vec<u8>) -> RecordBatch {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file.as_file(), &bytes).unwrap();
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file.reopen().unwrap());
    let batches: Vec<_> = reader.unwrap().build().unwrap().map(Result::unwrap).collect();
    assert_eq!(batches.len(), 1);
    batches[0].clone()
}

#[test]
fn curve_table_has_a_row_for_every_bin() {
    let found = one_part();
    let curve = found.curve.clone().unwrap();
    let table = read(curve_parquet(std::slice::from_ref(&found)).unwrap());
    assert_eq!(table.num_rows(), 16 * (1 + found.splits.len()));
    let column = |name: &str| table.column_by_name(name).unwrap().as_primitive::<Float64Type>().clone();
    let cases = table.column_by_name("cases").unwrap().as_primitive::<Int64Type>();
    for (row, bin) in curve.bins.iter().enumerate() {
        assert_eq!(table.column_by_name("split").unwrap().as_string::<i32>().value(row), "all");
        assert_eq!((column("low").value(row), column("high").value(row)), (bin.low, bin.high));
        assert_eq!(cases.value(row), bin.cases as i64);
        let share = column("text_following");
        assert_eq!(
            share.is_valid(row).then(|| share.value(row)),
            bin.text_following.map(|share| share.value)
        );
    }
    assert!(column("isotonic").is_null(0), "an empty bin has no mean to evaluate the fit at");
    assert_eq!(column("isotonic").value(2), 1.0);
}

#[test]
fn summary_table_names_each_figure_and_the_kind_of_balance_point() {
    let found = one_part();
    let table = read(summary_parquet(std::slice::from_ref(&found)).unwrap());
    let text = |name: &str| table.column_by_name(name).unwrap().as_string::<i32>().clone();
    let row = |split: &str, metric: &str| {
        (0..table.num_rows())
            .find(|&row| text("split").value(row) == split && text("metric").value(row) == metric)
    };
    let value = table.column_by_name("value").unwrap().as_primitive::<Float64Type>();
    let (tfr, vfr) = (row("all", "tfr").unwrap(), row("all", "vfr").unwrap());
    assert_eq!(value.value(tfr), found.tfr.unwrap().value);
    assert!((value.value(tfr) + value.value(vfr) - 1.0).abs() < 1e-12);
    let point = row("all", "balance_point").unwrap();
    assert_eq!((text("kind").value(point), value.value(point)), ("crossing", -0.125));
    let separated = row("all", "logistic_slope").unwrap();
    assert!(value.is_null(separated), "a perfect step has no logistic fit");
}
