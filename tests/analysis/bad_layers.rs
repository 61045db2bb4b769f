//! Tables `layers` that cannot be analysed, each with its message; and runs without one.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int32Array, StringArray};
use crossmodal::analysis::{analyze, table};

use crate::bad_tables::{message, settings};
use crate::run_directory::{Columns, Profile, Run, following, outcomes, write};

const PART: &str = "RUN/tables/table=layers/model=m/suite=s/part-00000.parquet";

/// Two layers of a case.
fn layers() -> Columns {
    let text = |values: [&str; 2]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    vec![
        ("run", text(["run-1"; 2])),
        ("item_id", text(["item-0001"; 2])),
        ("presentation", text(["conflict"; 2])),
        ("control", text(["none"; 2])),
        ("layer", Arc::new(Int32Array::from(vec![1, 2]))),
        ("class", text(["vision", "text"])),
        ("logit_difference", Arc::new(Float64Array::from(vec![-1.0, 0.5]))),
        ("top1_text", text([" red", " blue"])),
    ]
}

fn run_with(column: &str, values: ArrayRef) -> Run {
    let run = Run::new();
    write(&run.part("following", "m", "s", 0), following(&[1, 2, 3], Profile::Plain));
    write(&run.part("outcomes", "m", "s", 0), outcomes(&[1, 2, 3], Profile::Plain));
    let columns = layers().into_iter().map(|(name, array)| match name == column {
        true => (name, values.clone()),
        false => (name, array),
    });
    write(&run.part("layers", "m", "s", 0), columns.collect());
    run
}

fn message_with(column: &str, values: ArrayRef) -> String {
    message(&run_with(column, values))
}

fn texts(values: [&str; 2]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn values_that_a_layer_cannot_have() {
    assert_eq!(
        message_with("class", texts(["vision", "image"])),
        format!("row 1 of {PART}, column `class`: expected vision, text, other or null, found `image`")
    );
    assert_eq!(
        message_with("layer", Arc::new(Int32Array::from(vec![0, 1]))),
        format!("row 0 of {PART}, column `layer`: expected a layer's number, from 1, found 0")
    );
    assert_eq!(
        message_with("layer", Arc::new(Int32Array::from(vec![Some(1), None]))),
        format!("row 1 of {PART}, column `layer`: expected a layer's number, from 1, found null")
    );
}

#[test]
fn a_layer_that_is_there_twice() {
    let said = message_with("layer", Arc::new(Int32Array::from(vec![2, 2])));
    assert!(said.contains("`item-0001` has more than one row of layer 2"), "{said}");
}

#[test]
fn layers_of_another_run() {
    let said = message_with("run", texts(["run-2"; 2]));
    assert!(said.contains("come from several runs (run-1, run-2)"), "{said}");
    let said = message_with("run", texts(["run-1", "run-2"]));
    assert!(said.contains("come from several runs (run-1, run-2)"), "{said}");
}

#[test]
fn prompts_of_other_presentations_are_passed_over_and_a_run_without_the_table_says_how_to_get_it() {
    let run = run_with("presentation", texts(["text-only"; 2]));
    let found = analyze(&[run.path()], &settings()).unwrap().following.remove(0);
    assert_eq!(found.layers.as_ref().map(|layers| layers.probed), Some(0));
    std::fs::remove_dir_all(run.path().join("tables/table=layers")).unwrap();
    let found = analyze(&[run.path()], &settings()).unwrap().following.remove(0);
    assert_eq!(found.layers, None);
    assert!(table::following(&found).contains("--probe-layers"));
}
