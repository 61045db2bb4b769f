//! Each way in which a run's tables can be wrong, with its message.

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array, StringArray};
use crossmodal::analysis::{AnalysisSettings, ConsistencySettings, FollowingSettings, analyze};

use crate::run_directory::{Columns, Profile, Run, following, outcomes, write};

pub fn settings() -> AnalysisSettings {
    let following = FollowingSettings { bootstrap: 2, permutations: 2, ..FollowingSettings::default() };
    let consistency = ConsistencySettings { bootstrap: 2, ..Default::default() };
    AnalysisSettings { following, consistency, ..Default::default() }
}

/// The message for a run, with its temporary folder as RUN.
pub fn message(run: &Run) -> String {
    let error = analyze(&[run.path()], &settings()).unwrap_err();
    error.to_string().replace(run.path().to_str().unwrap(), "RUN")
}

/// The message for a run whose only part of `following` has these columns.
fn message_for(columns: Columns) -> String {
    let run = Run::new();
    write(&run.part("following", "m", "s", 0), columns);
    write(&run.part("outcomes", "m", "s", 0), outcomes(&[1, 2, 3], Profile::Plain));
    message(&run)
}

/// A good part with one column exchanged.
fn with(name: &str, column: ArrayRef) -> Columns {
    let mut columns = following(&[1, 2, 3], Profile::Plain);
    columns.iter_mut().find(|(of, _)| *of == name).unwrap().1 = column;
    columns
}

const PART: &str = "RUN/tables/table=following/model=m/suite=s/part-00000.parquet";

#[test]
fn a_folder_that_is_no_run() {
    assert_eq!(
        message(&Run::new()),
        "expected the table `outcomes` as RUN/tables/table=outcomes with a folder model=NAME/suite=NAME inside, but there \
         is none; check that this is a run's directory and that the run had a suite that fills this table"
    );
}

#[test]
fn a_suite_without_parts() {
    let run = Run::new();
    // What is being written has another name until it is whole.
    let unfinished = run.part("following", "m", "s", 0).with_extension("parquet.tmp");
    File::create(unfinished).unwrap();
    assert_eq!(
        message(&run),
        "expected files named part-NNNNN.parquet in RUN/tables/table=following/model=m/suite=s, but there are none; the \
         run may not have finished its first unit: resume it"
    );
}

#[test]
fn following_without_outcomes() {
    let run = Run::new();
    write(&run.part("following", "m", "s", 0), following(&[1], Profile::Plain));
    let found = message(&run);
    assert!(found.contains("RUN/tables/table=outcomes/model=m/suite=s"), "{found}");
}

#[test]
fn a_truncated_part() {
    let run = Run::new();
    let path = run.part("following", "m", "s", 0);
    write(&path, following(&[1, 2, 3], Profile::Plain));
    let bytes = fs::read(&path).unwrap();
    File::create(&path).unwrap().write_all(&bytes[..bytes.len() / 2]).unwrap();
    let expected = format!(
        "{PART} is not a whole Parquet file; delete it and resume the run, which will write this part again"
    );
    assert_eq!(message(&run), expected);
}

/// Whatever byte is damaged, the answer is an error or an analysis: the decoder's own panics do not get through.
#[test]
fn a_damaged_byte_anywhere() {
    let run = Run::new();
    let path = run.part("following", "m", "s", 0);
    write(&path, following(&[1, 2, 3, 4, 5], Profile::Compact));
    write(&run.part("outcomes", "m", "s", 0), outcomes(&[1, 2, 3], Profile::Plain));
    let bytes = fs::read(&path).unwrap();
    let mut by_panic = 0;
    for at in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        File::create(&path).unwrap().write_all(&damaged).unwrap();
        if let Err(error) = analyze(&[run.path()], &settings()) {
            let source = error.source().map(ToString::to_string).unwrap_or_default();
            by_panic += usize::from(source == "the decoder panicked");
        }
    }
    assert!(by_panic > 0, "no damage made the decoder panic: this test shows nothing");
}

#[test]
fn a_missing_column() {
    let columns: Columns = following(&[1], Profile::Plain)
        .into_iter()
        .filter(|column| column.0 == "run" || column.0 == "suite")
        .collect();
    let expected = format!("{PART} has no column `item_id` (expected utf8); its columns are: run, suite");
    assert_eq!(message_for(columns), expected);
}

#[test]
fn a_column_of_another_type() {
    let number: ArrayRef = Arc::new(Float64Array::from(vec![1.0; 3]));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["1"; 3]));
    for (name, column, expected, found) in [
        ("item_id", number.clone(), "utf8", "Float64"),
        ("dv", number.clone(), "int32", "Float64"),
        ("dh_rel", text.clone(), "float64", "Utf8"),
        ("analysed", text, "boolean", "Utf8"),
    ] {
        let expected = format!("column `{name}` of {PART} must be {expected}, but it is {found}");
        assert_eq!(message_for(with(name, column)), expected);
    }
}

#[test]
fn values_that_a_column_may_not_have() {
    let texts = |values: [Option<&str>; 3]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let numbers = |values: [f64; 3]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
    for (name, column, row, expected, found) in [
        ("group_id", texts([Some("a"), None, Some("b")]), 1, "utf8", "null"),
        ("follows", texts([Some("text"), None, Some("image")]), 2, "text, vision, other or null", "`image`"),
        ("dh_rel", numbers([0.0, 2.5, 0.0]), 1, "a number in [-2, 2] or null", "2.5"),
        ("h_text", numbers([f64::NAN, 0.0, 0.0]), 0, "a finite number or null", "NaN"),
        ("dt", Arc::new(Int64Array::from(vec![0, 1 << 40, 0])), 1, "a number of 32 bits", "1099511627776"),
    ] {
        let expected = format!("row {row} of {PART}, column `{name}`: expected {expected}, found {found}");
        assert_eq!(message_for(with(name, column)), expected);
    }
}

#[test]
fn a_case_that_occurs_twice() {
    let run = Run::new();
    write(&run.part("following", "m", "s", 0), following(&[2, 1], Profile::Plain));
    write(&run.part("following", "m", "s", 1), following(&[3, 2], Profile::Plain));
    let found = message(&run);
    assert!(
        found.starts_with("the item `item-0002` with control `none` has more than one row under RUN/"),
        "{found}"
    );
}

#[test]
fn parts_of_several_runs() {
    let runs = with("run", Arc::new(StringArray::from(vec!["one", "two", "one"])));
    let found = message_for(runs);
    assert!(found.contains("come from several runs (one, two)"), "{found}");
}

#[test]
fn parts_without_rows() {
    let found = message_for(following(&[], Profile::Plain));
    assert!(
        found.starts_with("expected rows in the parts of RUN/tables/table=following/model=m/suite=s"),
        "{found}"
    );
}

#[test]
fn whole_numbers_may_be_null_throughout() {
    let run = Run::new();
    let mut columns = with("dv", Arc::new(Int32Array::from(vec![None; 3])));
    let nothing: Vec<Option<&str>> = vec![None; 3];
    let dictionary: arrow_array::DictionaryArray<arrow_array::types::Int32Type> =
        nothing.into_iter().collect();
    columns.iter_mut().find(|(of, _)| *of == "expected_text").unwrap().1 = Arc::new(dictionary);
    write(&run.part("following", "m", "s", 0), columns);
    write(&run.part("outcomes", "m", "s", 0), outcomes(&[1, 2, 3], Profile::Plain));
    let found = analyze(&[run.path()], &settings()).unwrap().following;
    assert_eq!((found[0].counts.cases, found[0].cells.len()), (3, 0));
}
