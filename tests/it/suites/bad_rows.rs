//! A wrong row is named by file, row and field, with what was expected and what was found, before anything runs.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, ListArray, RecordBatch, StringArray, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::Field;
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use super::refused;

fn good() -> Value {
    json!({
        "item_id": "a", "group_id": "g", "presentation": "text-only",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "What color?"}]}],
        "options": ["red", "blue"]
    })
}

/// The error about the second of two rows.
fn complaint(folder: &Path, change: &dyn Fn(&mut Value)) -> String {
    let mut bad = good();
    bad["item_id"] = json!("b");
    change(&mut bad);
    let path = folder.join("mine.jsonl");
    std::fs::write(&path, format!("{}\n{bad}\n", good())).unwrap();
    refused(&[&path.display().to_string()], folder)
}

fn complaints(changes: &[&dyn Fn(&mut Value)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    changes.iter().map(|change| complaint(folder.path(), change)).collect()
}

fn part(row: &mut Value) -> &mut Value {
    &mut row["messages"][0]["content"][0]
}

#[test]
fn fields_of_another_type() {
    let complaints = complaints(&[
        &|row| row["item_id"] = json!(7),
        &|row| row["group_id"] = json!(" "),
        &|row| row["group_id"] = json!(null),
        &|row| row["presentation"] = json!("picture"),
        &|row| row["messages"] = json!("What color?"),
        &|row| row["messages"][0]["role"] = json!("human"),
        &|row| row["messages"][0]["name"] = json!("me"),
        &|row| row["options"] = json!({"A": "red"}),
        &|row| row["options"][1] = json!(2),
        &|row| row["options"][1] = json!({"name": "blue", "spellings": "azure"}),
        &|row| row["answer"] = json!(4),
        &|row| row["tags"] = json!({"dv": 1.5}),
        &|row| row["tags"] = json!("dv=1"),
        &|row| row["tags"] = json!({"reading": "letter"}),
        &|row| row["tags"] = json!({"max_new_tokens": 0}),
        &|row| *row = json!(["a", "b"]),
    ]);
    insta::assert_snapshot!(complaints);
}

#[test]
fn parts_that_are_none() {
    let complaints = complaints(&[
        &|row| *part(row) = json!({"text": "What color?"}),
        &|row| *part(row) = json!({"type": "image_url", "image": "a.png"}),
        &|row| *part(row) = json!({"type": "text"}),
        &|row| *part(row) = json!({"type": "text", "text": "What color?", "image": "a.png"}),
        &|row| *part(row) = json!({"type": "image", "image": {"bytes": "iVBO", "path": "a.png"}}),
        &|row| *part(row) = json!({"type": "image", "image": {"bytes": null, "path": null}}),
        &|row| *part(row) = json!({"type": "image", "image": "data:image/png,iVBO"}),
        &|row| *part(row) = json!({"type": "image", "image": "data:image/png;base64,i"}),
        &|row| *part(row) = json!({"type": "image", "image": "https://example.org/a.png"}),
        &|row| *part(row) = json!({"type": "image", "image": "/etc/a.png"}),
        &|row| *part(row) = json!({"type": "written", "written": "speech"}),
        &|row| row["messages"][0]["content"] = json!([]),
        &|row| row["messages"] = json!([]),
    ]);
    insta::assert_snapshot!(complaints);
}

#[test]
fn rows_that_cannot_be_asked() {
    let image = json!({"type": "image", "image": "a.png"});
    let needs_image = |kind: &'static str| move |row: &mut Value| row["presentation"] = json!(kind);
    let complaints = complaints(&[
        &|row| row["item_id"] = json!("a"),
        &|row| row["options"] = json!(["red"]),
        &|row| row["options"] = json!(["red", "red"]),
        &|row| {
            row["options"] = json!([]);
            row["tags"] = json!({"reading": "choice"});
        },
        &|row| row["vision_answer"] = json!("green"),
        &|row| *part(row) = image.clone(),
        &needs_image("image"),
        &needs_image("ocr"),
        &needs_image("mixed"),
        &needs_image("conflict"),
        &|row| *part(row) = json!({"type": "written", "written": "ocr"}),
        &|row| {
            row["item_id"] = json!("a");
            row["presentation"] = json!("ocr-first");
            *part(row) = json!({"type": "written", "written": "text-only"});
        },
        &|row| {
            row["presentation"] = json!("ocr-first");
            *part(row) = json!({"type": "written", "written": "ocr-first"});
        },
    ]);
    insta::assert_snapshot!(complaints);
}

/// The error about a Parquet file with these columns.
fn parquet_complaint(folder: &Path, columns: Vec<(&str, ArrayRef)>) -> String {
    let path = folder.join("mine.parquet");
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    refused(&[&path.display().to_string()], folder)
}

#[test]
fn parquet_rows_are_named_by_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let texts = |values: &[&str]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    // One message a row, with plain text as its content.
    let messages = || {
        let fields = [("role", texts(&["user", "user"])), ("content", texts(&["What?", "What?"]))];
        let message: ArrayRef = Arc::new(StructArray::from(RecordBatch::try_from_iter(fields).unwrap()));
        let element = Arc::new(Field::new("element", message.data_type().clone(), true));
        Arc::new(ListArray::new(element, OffsetBuffer::from_lengths([1, 1]), message, None)) as ArrayRef
    };
    let with = |name: &'static str, column: ArrayRef| {
        let mut columns = vec![
            ("item_id", texts(&["a", "b"])),
            ("group_id", texts(&["g", "g"])),
            ("presentation", texts(&["text", "text"])),
            ("messages", messages()),
        ];
        columns.retain(|(kept, _)| *kept != name);
        columns.push((name, column));
        columns
    };
    let mut lacking = with("presentation", texts(&["text", "text"]));
    lacking.remove(0);
    let complaints: String = [
        lacking,
        with("item_id", Arc::new(Int64Array::from(vec![1, 2]))),
        with("presentation", texts(&["text", "picture"])),
        with("messages", texts(&["What?", "What?"])),
        with("colour", texts(&["red", "red"])),
    ]
    .into_iter()
    .map(|columns| parquet_complaint(folder.path(), columns))
    .collect();
    insta::assert_snapshot!(complaints);
}
