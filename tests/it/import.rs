//! Answers that were given elsewhere: they become the tables that a run would have written.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, RecordBatch};
use crossmodal::record::Table;
use serde_json::{Value, json};

use crate::program::{program, run, stderr, succeed};
use crate::tables::{read, texts};

/// What a run answered, as a program that asks an API would write it.
fn predictions(of: &Path) -> Vec<Value> {
    let rows = |batch: &RecordBatch| -> Vec<Value> {
        let text = |name: &str, row: usize| {
            let column = batch.column_by_name(name).unwrap().as_string::<i32>();
            column.is_valid(row).then(|| column.value(row).to_string())
        };
        let entropy = batch.column_by_name("entropy").unwrap().as_primitive::<Float64Type>();
        let row = |row: usize| {
            json!({"item_id": text("item_id", row), "presentation": text("presentation", row),
                "raw_text": text("raw_text", row), "entropy": entropy.value(row), "ignored": 1})
        };
        (0..batch.num_rows()).map(row).collect()
    };
    read(of, Table::Outcomes).iter().flat_map(rows).collect()
}

fn write(path: &Path, rows: &[Value]) {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    std::fs::write(path, lines.join("\n")).unwrap();
}

fn import(file: &Path, out: &Path) -> std::process::Command {
    let mut command = program();
    command.arg("import").arg(file).args([
        "--as",
        "outcomes",
        "--model",
        "api",
        "--suite",
        "color-recognition",
    ]);
    command.args(["--limit", "3", "--out"]).arg(out);
    command
}

#[test]
fn imported_answers_follow_as_the_model_did() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    succeed(run("color-recognition", &here).args(["--limit", "3"]));
    let mut rows = predictions(&here);
    rows.reverse();
    let file = folder.path().join("answers.jsonl");
    write(&file, &rows);
    succeed(&mut import(&file, &there));
    let columns = ["item_id", "y_vision", "y_text", "y_conflict", "follows", "status"];
    for column in columns {
        let (here, there) = (texts(&here, Table::Following, column), texts(&there, Table::Following, column));
        assert_eq!(here, there, "{column}");
    }
    let dh_rel = |run: &Path| -> Vec<Option<f64>> {
        let of = |batch: RecordBatch| {
            let column = batch.column_by_name("dh_rel").unwrap().as_primitive::<Float64Type>().clone();
            column.iter().collect::<Vec<_>>()
        };
        read(run, Table::Following).into_iter().flat_map(of).collect()
    };
    // JSON is read to the last bit but one.
    let near = |(here, there): (Option<f64>, Option<f64>)| (here.unwrap() - there.unwrap()).abs() < 1e-12;
    assert!(dh_rel(&here).into_iter().zip(dh_rel(&there)).all(near));
    let tfr = |run: &Path| {
        let output = program().arg("analyze").arg(run).arg("--json").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        text.lines().find(|line| line.contains("\"analysed\"")).map(String::from).unwrap()
    };
    assert_eq!(tfr(&here), tfr(&there));
}

#[test]
fn the_outcomes_of_a_run_can_be_imported_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    succeed(run("color-recognition", &here).args(["--limit", "3", "--groups-per-unit", "1"]));
    let outcomes = here.join("tables/table=outcomes/model=tiny-llava/suite=color-recognition");
    succeed(&mut import(&outcomes, &there));
    for table in [Table::Outcomes, Table::Following] {
        for (here, there) in columns(&here, table).into_iter().zip(columns(&there, table)) {
            assert_eq!(here, there);
        }
    }
}

/// The columns that are the same, whoever asked, as text.
fn columns(run: &Path, table: Table) -> Vec<(String, Vec<String>)> {
    let batches = read(run, table);
    let ours =
        ["run", "prompt_hash", "image_hash", "finish_reason", "top1_token", "top1_logprob", "option_entropy"];
    let names = batches[0].schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    let values = |name: &String| {
        let of = |batch: &RecordBatch| {
            let column = batch.column_by_name(name).unwrap();
            (0..batch.num_rows()).map(|row| format!("{:?}", column.slice(row, 1))).collect::<Vec<_>>()
        };
        (name.clone(), batches.iter().flat_map(of).collect())
    };
    names.iter().filter(|name| !ours.contains(&name.as_str())).map(values).collect()
}

#[test]
fn a_missing_answer_is_a_failed_row_and_a_foreign_one_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("here");
    succeed(run("color-recognition", &here).args(["--limit", "3"]));
    let mut rows = predictions(&here);
    rows.truncate(rows.len() - 1);
    rows[0]["raw_text"] = Value::Null;
    rows[0]["error"] = json!("refused by the API");
    let file = folder.path().join("answers.jsonl");
    write(&file, &rows);
    let there = folder.path().join("there");
    succeed(&mut import(&file, &there));
    let errors: Vec<String> =
        texts(&there, Table::Outcomes, "error").into_iter().filter(|error| !error.is_empty()).collect();
    assert_eq!(errors.len(), 2);
    assert!(errors.contains(&"refused by the API".into()), "{errors:?}");
    assert!(errors.contains(&"the imported file has no answer to it".into()), "{errors:?}");

    rows[1]["item_id"] = json!("cr-99999-dv00");
    let wrong = [
        rows.clone(),
        vec![rows[3].clone(), rows[3].clone()],
        vec![json!({"item_id": "cr-00000-dv00", "presentation": "vision-only"})],
        vec![json!({"item_id": "cr-00000-dv00", "presentation": "picture", "raw_text": "red"})],
    ];
    let messages: Vec<String> = wrong
        .iter()
        .map(|rows| {
            write(&file, rows);
            let (code, message) = stderr(&mut import(&file, &folder.path().join("none")));
            format!("{} {message}", code.unwrap()).replace(&folder.path().display().to_string(), "FOLDER")
        })
        .collect();
    insta::assert_snapshot!(messages.join(""), @r#"
    2 error: FOLDER/answers.jsonl: 1 of 488 rows are none of the suite color-recognition, the first: item_id "cr-99999-dv00", presentation text-only, variant none
      see `crossmodal suite show color-recognition` for its rows
    2 error: FOLDER/answers.jsonl: "cr-00000-dt1", text-only, variant none is answered twice
    1 error: FOLDER/answers.jsonl:1: it has neither `raw_text` nor `answer` nor `error`
    1 error: FOLDER/answers.jsonl:1: `presentation` is "picture", expected one of vision-only, text-only, conflict, ocr, text, image, mixed, ocr-first
    "#);
}
