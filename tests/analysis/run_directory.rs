//! Builds the tables of a run in a temporary folder, with columns in any of the types that a run may use.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::{Float32Type, Int32Type};
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float32Array, Float64Array, Int32Array, ListArray, RecordBatch,
    StringArray,
};
use parquet::arrow::ArrowWriter;

/// Named columns.
pub type Columns = Vec<(&'static str, ArrayRef)>;

/// Whether text is plain and numbers are double, or text is a dictionary and numbers are single.
#[derive(Clone, Copy)]
pub enum Profile {
    Plain,
    Compact,
}

/// A run's directory.
pub struct Run {
    folder: tempfile::TempDir,
}

impl Run {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn part(&self, table: &str, model: &str, suite: &str, number: usize) -> PathBuf {
        let folder = self.path().join(format!("tables/table={table}/model={model}/suite={suite}"));
        fs::create_dir_all(&folder).unwrap();
        folder.join(format!("part-{number:05}.parquet"))
    }
}

pub fn write(path: &Path, columns: Columns) {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Conflict case `number`: text is followed below dH_rel 0. Every tenth case is of a control.
fn dh_rel(number: usize) -> f64 {
    (number % 13) as f64 * 0.25 - 1.5
}

fn control(number: usize) -> &'static str {
    if number % 10 == 9 { "text-irrelevant" } else { "none" }
}

/// Columns of the table `following` for the cases of these numbers.
pub fn following(numbers: &[usize], profile: Profile) -> Columns {
    let text =
        |value: &dyn Fn(usize) -> Option<String>| texts(numbers.iter().map(|&n| value(n)).collect(), profile);
    let real =
        |value: &dyn Fn(usize) -> f64| reals(numbers.iter().map(|&n| Some(value(n))).collect(), profile);
    let follows = |n: usize| if dh_rel(n) < 0.0 { "text" } else { "vision" };
    vec![
        ("run", text(&|_| Some("run-1".into()))),
        ("suite", text(&|_| Some("colors".into()))),
        ("item_id", text(&|n| Some(format!("item-{n:04}")))),
        ("group_id", text(&|n| Some(format!("group-{}", n / 5)))),
        ("control", text(&|n| Some(control(n).into()))),
        (
            "dv",
            Arc::new(Int32Array::from_iter(numbers.iter().map(|&n| (n % 7 != 6).then_some((n % 2) as i32)))),
        ),
        ("dt", Arc::new(Int32Array::from_iter(numbers.iter().map(|&n| Some((n % 3) as i32))))),
        ("expected_vision", text(&|_| Some("red".into()))),
        ("expected_text", text(&|n| (n % 3 != 0).then(|| "blue".into()))),
        ("y_vision", text(&|_| Some("red".into()))),
        ("y_text", text(&|_| Some("blue".into()))),
        ("y_conflict", text(&|n| Some(if follows(n) == "text" { "blue" } else { "red" }.into()))),
        ("h_vision", real(&|n| 1.0 - dh_rel(n) / 2.0)),
        ("h_text", real(&|n| 1.0 + dh_rel(n) / 2.0)),
        ("h_conflict", real(&|_| 0.5)),
        ("dh_rel", real(&dh_rel)),
        ("follows", text(&|n| (control(n) == "none").then(|| follows(n).into()))),
        ("analysed", Arc::new(BooleanArray::from_iter(numbers.iter().map(|&n| Some(n % 11 != 0))))),
        ("status", text(&|n| Some(if n % 17 == 3 { "error" } else { "ok" }.into()))),
    ]
}

/// Columns of the table `outcomes` for the same cases: three prompts each.
pub fn outcomes(numbers: &[usize], profile: Profile) -> Columns {
    let prompts: Vec<(usize, &str)> = numbers
        .iter()
        .flat_map(|&n| ["vision-only", "text-only", "conflict"].map(|presentation| (n, presentation)))
        .collect();
    let text = |value: &dyn Fn(usize, &str) -> String| {
        texts(prompts.iter().map(|&(n, presentation)| Some(value(n, presentation))).collect(), profile)
    };
    let entropy = |n: usize| (!n.is_multiple_of(5)).then_some((n % 8) as f64 * 0.125);
    vec![
        ("item_id", text(&|n, _| format!("item-{n:04}"))),
        ("group_id", text(&|n, _| format!("group-{}", n / 5))),
        ("presentation", text(&|_, presentation| presentation.into())),
        ("control", text(&|n, _| control(n).into())),
        (
            "dv",
            Arc::new(Int32Array::from_iter(
                prompts.iter().map(|p| (p.1 != "text-only").then_some((p.0 % 2) as i32)),
            )),
        ),
        (
            "dt",
            Arc::new(Int32Array::from_iter(
                prompts.iter().map(|p| (p.1 != "vision-only").then_some((p.0 % 3) as i32)),
            )),
        ),
        ("entropy", reals(prompts.iter().map(|p| entropy(p.0)).collect(), profile)),
        ("correct", Arc::new(BooleanArray::from_iter(prompts.iter().map(|p| Some(p.0 % 6 != 1))))),
        ("status", text(&|_, _| "ok".into())),
    ]
}

/// Columns of the table `outcomes` for items shown as text and as image in one rendering, in a run of this name. Every
/// fourth item is answered differently as image, and its right answer is the text's.
pub fn same_content(run: &str, items: &[usize]) -> Columns {
    let prompts: Vec<(usize, &str)> =
        items.iter().flat_map(|&item| ["text", "image"].map(|presentation| (item, presentation))).collect();
    let text = |value: &dyn Fn(usize, &str) -> Option<String>| {
        texts(prompts.iter().map(|&(item, presentation)| value(item, presentation)).collect(), Profile::Plain)
    };
    let integer = |value: &dyn Fn(&str) -> Option<i32>| -> ArrayRef {
        Arc::new(Int32Array::from_iter(prompts.iter().map(|&(_, presentation)| value(presentation))))
    };
    let differs = |item: usize, presentation: &str| item.is_multiple_of(4) && presentation == "image";
    let rendered = |presentation: &str, name: &str| (presentation != "text").then(|| name.to_owned());
    let nothing = vec![None; prompts.len()];
    vec![
        ("run", text(&|_, _| Some(run.into()))),
        ("item_id", text(&|item, _| Some(format!("item-{item:04}")))),
        ("group_id", text(&|item, _| Some(format!("group-{item:04}")))),
        ("presentation", text(&|_, presentation| Some(presentation.into()))),
        ("variant", text(&|_, of| rendered(of, "dejavu-sans-200").or(Some("none".into())))),
        ("task", text(&|_, _| Some("arc".into()))),
        ("font", text(&|_, of| rendered(of, "dejavu-sans"))),
        ("dpi", integer(&|presentation| (presentation != "text").then_some(200))),
        ("color", text(&|_, of| rendered(of, "black"))),
        ("text_tokens", integer(&|_| Some(40))),
        ("vision_tokens", integer(&|presentation| Some(if presentation == "text" { 0 } else { 90 }))),
        ("expected", text(&|_, _| Some("B".into()))),
        ("answer", text(&|item, of| Some(if differs(item, of) { "A" } else { "B" }.into()))),
        (
            "correct",
            Arc::new(BooleanArray::from_iter(prompts.iter().map(|&(item, of)| Some(!differs(item, of))))),
        ),
        ("cer", reals(nothing, Profile::Plain)),
        ("status", text(&|_, _| Some("ok".into()))),
    ]
}

/// Columns of the table `embeddings` for the same prompts: the image of an item is its text turned by `angle`.
pub fn same_embeddings(items: &[usize], angle: f32) -> Columns {
    let prompts: Vec<(usize, &str)> =
        items.iter().flat_map(|&item| ["text", "image"].map(|presentation| (item, presentation))).collect();
    let text = |value: &dyn Fn(usize, &str) -> String| {
        texts(prompts.iter().map(|&(item, of)| Some(value(item, of))).collect(), Profile::Plain)
    };
    let vectors = |shift: f32| -> ArrayRef {
        let vector = |&(item, _): &(usize, &str)| {
            let turned = item as f32 * 0.1 + shift;
            Some([turned.cos(), turned.sin()].map(Some))
        };
        Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(prompts.iter().map(vector)))
    };
    vec![
        ("item_id", text(&|item, _| format!("item-{item:04}"))),
        ("group_id", text(&|item, _| format!("group-{item:04}"))),
        ("presentation", text(&|_, presentation| presentation.into())),
        ("variant", text(&|_, of| if of == "text" { "none" } else { "dejavu-sans-200" }.into())),
        ("depth", text(&|_, _| "output".into())),
        ("mean_image", vectors(angle)),
        ("mean_text", vectors(0.0)),
    ]
}

fn texts(values: Vec<Option<String>>, profile: Profile) -> ArrayRef {
    match profile {
        Profile::Plain => Arc::new(StringArray::from_iter(values)),
        Profile::Compact => {
            Arc::new(values.iter().map(Option::as_deref).collect::<DictionaryArray<Int32Type>>())
        }
    }
}

/// The numbers above are whole eighths, which are the same in single precision.
fn reals(values: Vec<Option<f64>>, profile: Profile) -> ArrayRef {
    match profile {
        Profile::Plain => Arc::new(Float64Array::from_iter(values)),
        Profile::Compact => {
            Arc::new(values.into_iter().map(|value| value.map(|v| v as f32)).collect::<Float32Array>())
        }
    }
}
