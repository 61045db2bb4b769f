//! Each way in which tables of the same content can be wrong, with its message.

use std::sync::Arc;

use arrow_array::types::Float32Type;
use arrow_array::{ArrayRef, ListArray, StringArray};
use crossmodal::analysis::analyze;

use crate::bad_tables::{message, settings};
use crate::run_directory::{Columns, Profile, Run, outcomes, same_content, same_embeddings, write};

const PART: &str = "RUN/tables/table=outcomes/model=m/suite=s/part-00000.parquet";

fn run_of(columns: Columns) -> Run {
    let run = Run::new();
    write(&run.part("outcomes", "m", "s", 0), columns);
    run
}

fn with(mut columns: Columns, name: &str, column: ArrayRef) -> Columns {
    columns.iter_mut().find(|(of, _)| *of == name).unwrap().1 = column;
    columns
}

#[test]
fn a_run_with_nothing_to_analyze() {
    let run = Run::new();
    write(&run.part("outcomes", "m", "s", 0), outcomes(&[1, 2], Profile::Plain));
    assert_eq!(
        message(&run),
        "there is nothing to analyze in RUN: expected the table `following` (which suites of conflict cases fill), or rows of \
         the presentations text, image and mixed in `outcomes` (suites that show the same content in several ways)"
    );
}

#[test]
fn a_prompt_that_occurs_twice() {
    let run = run_of(same_content("run-1", &[1, 2]));
    write(&run.part("outcomes", "m", "s", 1), same_content("run-1", &[2]));
    assert_eq!(
        message(&run),
        "the item `item-0002` has more than one row of presentation `text` in variant `none` under \
         RUN/tables/table=outcomes/model=m/suite=s; two runs may have been written into one directory: analyze each in its own"
    );
}

#[test]
fn parts_of_several_runs() {
    let run = run_of(same_content("one", &[1]));
    write(&run.part("outcomes", "m", "s", 1), same_content("two", &[2]));
    let found = message(&run);
    assert!(found.contains("come from several runs (one, two)"), "{found}");
}

#[test]
fn a_run_given_twice() {
    let run = run_of(same_content("run-1", &[1]));
    let found = analyze(&[run.path(), run.path()], &settings()).unwrap_err().to_string();
    let expected = "the run `run-1` on the suite `s` is given twice, the second time as ";
    assert!(found.starts_with(expected), "{found}");
}

#[test]
fn a_missing_column_and_a_variant_without_name() {
    let mut columns = same_content("run-1", &[1]);
    columns.retain(|(name, _)| *name != "cer");
    let found = message(&run_of(columns));
    assert!(found.starts_with(&format!("{PART} has no column `cer` (expected float64)")), "{found}");
    let variants = Arc::new(StringArray::from(vec![Some("none"), None]));
    assert_eq!(
        message(&run_of(with(same_content("run-1", &[1]), "variant", variants))),
        format!("row 1 of {PART}, column `variant`: expected utf8, found null")
    );
}

/// Tables of schema version 1 have neither variants nor tasks: all that is rendered is one rendering.
#[test]
fn a_table_from_before_there_were_variants() {
    let mut columns = same_content("run-1", &[1, 2, 3, 4]);
    columns.retain(|(name, _)| !["variant", "task"].contains(name));
    let found = analyze(&[run_of(columns).path()], &settings()).unwrap().consistency.remove(0);
    assert_eq!(found.all.pooled.rates.rer.unwrap().value, 0.75);
    assert_eq!((found.all.by_task.len(), found.all.by_task[0].task.as_str()), (1, "none"));
}

#[test]
fn vectors_that_cannot_be_compared() {
    // Two texts, and two images whose vectors are well.
    let lists = |texts: [&[f32]; 2]| -> ArrayRef {
        let vectors = texts.into_iter().chain([&[1.0, 2.0][..]; 2]);
        let rows = vectors.map(|vector| Some(vector.iter().copied().map(Some).collect::<Vec<_>>()));
        Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows))
    };
    let message_for = |column| {
        let run = run_of(same_content("run-1", &[1]));
        let columns = with(same_embeddings(&[1, 2], 0.0), "mean_text", column);
        let shown = vec!["text", "text", "image", "image"];
        let columns = with(columns, "presentation", Arc::new(StringArray::from(shown)));
        let columns = with(columns, "item_id", Arc::new(StringArray::from(vec!["a", "b", "a", "b"])));
        write(&run.part("embeddings", "m", "s", 0), columns);
        message(&run)
    };
    let part = PART.replace("outcomes", "embeddings");
    assert_eq!(
        message_for(lists([&[1.0, 2.0], &[1.0]])),
        format!(
            "row 1 of {part}, column `mean_text`: expected a vector as long as the others, found 1 numbers"
        )
    );
    assert_eq!(
        message_for(lists([&[1.0, f32::NAN], &[1.0, 2.0]])),
        format!("row 0 of {part}, column `mean_text`: expected finite numbers, found NaN")
    );
    assert_eq!(
        message_for(Arc::new(StringArray::from(vec!["1"; 4]))),
        format!("column `mean_text` of {part} must be list of float32, but it is Utf8")
    );
}
