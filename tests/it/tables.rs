//! Tables of a run as other programs see them: types, order, encodings, metadata.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use crossmodal::record::Table;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Encoding;

use crate::program::{run, succeed};

/// All parts of a table, sorted by name.
pub fn parts(run: &Path, table: Table) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![run.join(format!("tables/table={}", table.as_str()))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    let is_part = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "parquet");
    assert!(found.iter().all(is_part), "{found:?}");
    found
}

/// All rows of a table, part by part.
pub fn read(run: &Path, table: Table) -> Vec<RecordBatch> {
    let open = |path: &PathBuf| ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    parts(run, table).iter().flat_map(|path| open(path).build().unwrap().map(Result::unwrap)).collect()
}

/// A text column of a table; nulls are empty.
pub fn texts(run: &Path, table: Table, column: &str) -> Vec<String> {
    let values = |batch: RecordBatch| {
        let array = batch.column_by_name(column).unwrap().as_string::<i32>().clone();
        array.iter().map(|value| value.unwrap_or_default().to_string()).collect::<Vec<_>>()
    };
    read(run, table).into_iter().flat_map(values).collect()
}

/// A table's columns in words.
fn described(run: &Path, table: Table) -> String {
    let schema = read(run, table)[0].schema();
    let field = |field: &arrow_schema::FieldRef| {
        let null = if field.is_nullable() { "?" } else { "" };
        let of = |element: &arrow_schema::FieldRef| format!("{}: {}", element.name(), element.data_type());
        let data_type = match field.data_type() {
            DataType::List(element) => format!("list<{}>", of(element)),
            DataType::FixedSizeList(element, size) => format!("fixed[{size}]<{}>", of(element)),
            other => other.to_string(),
        };
        format!("{}{null}: {data_type}", field.name())
    };
    schema.fields().iter().map(field).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_columns_of_both_profiles_are_pinned() {
    let folder = tempfile::tempdir().unwrap();
    for profile in ["lake", "compact"] {
        let out = folder.path().join(profile);
        let asked = ["--limit", "1", "--profile", profile, "--probe-layers"];
        succeed(run("color-recognition", &out).args(asked));
        for table in Table::ALL {
            insta::assert_snapshot!(format!("{profile}-{}", table.as_str()), described(&out, table));
        }
    }
}

#[test]
fn rows_are_sorted_and_parts_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let asked = ["--limit", "2", "--groups-per-unit", "1", "--probe-layers"];
    succeed(run("color-recognition", folder.path()).args(asked));
    for table in Table::ALL {
        let parts = parts(folder.path(), table);
        assert_eq!(parts.len(), 2, "{}", table.as_str());
        for path in &parts {
            let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
            let metadata = reader.metadata().clone();
            let group = metadata.row_group(0);
            let name = |column: i32| group.column(column as usize).column_path().string();
            let sorted: Vec<String> =
                group.sorting_columns().unwrap().iter().map(|column| name(column.column_idx)).collect();
            assert_eq!(sorted[..2], ["item_id", "presentation"]);
            let pairs = metadata.file_metadata().key_value_metadata().unwrap();
            let keys: Vec<&str> = pairs.iter().map(|pair| pair.key.as_str()).collect();
            for key in ["schema_version", "model_fingerprint", "suite_fingerprint", "settings_fingerprint"] {
                assert!(keys.contains(&format!("crossmodal.{key}").as_str()), "{keys:?}");
            }
        }
        let ids = texts(folder.path(), table, "item_id");
        assert!(ids.is_sorted(), "{} is not sorted", table.as_str());
    }
}

/// Layer by layer, the answers of two groups.
fn probed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let asked = ["--limit", "2", "--probe-layers", "--layer-embeddings"];
    succeed(run("color-recognition", folder.path()).args(asked));
    folder
}

/// (item, presentation) of each row.
fn keys(run: &Path, table: Table) -> Vec<[String; 2]> {
    let [items, kinds] = ["item_id", "presentation"].map(|column| texts(run, table, column));
    items.into_iter().zip(kinds).map(|(item, kind)| [item, kind]).collect()
}

#[test]
fn after_the_last_layer_the_lens_answers_as_the_model_does() {
    let folder = probed();
    let number = |batch: &RecordBatch, column: &str, row: usize| {
        batch.column_by_name(column).unwrap().as_primitive::<arrow_array::types::Int32Type>().value(row)
    };
    let mut last = BTreeMap::new();
    let rows = read(folder.path(), Table::Layers);
    let rows = rows.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    for (key, (batch, row)) in keys(folder.path(), Table::Layers).into_iter().zip(rows) {
        let layer = number(batch, "layer", row);
        let before = last.insert(key, (layer, number(batch, "top1_id", row)));
        assert_eq!(before.map_or(1, |(before, _)| before + 1), layer, "layers are not in order");
    }
    assert_eq!(last.values().map(|(layer, _)| *layer).max(), last.values().map(|(layer, _)| *layer).min());
    let outcomes = read(folder.path(), Table::Outcomes);
    let rows = outcomes.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    let answers: BTreeMap<_, _> = keys(folder.path(), Table::Outcomes)
        .into_iter()
        .zip(rows.map(|(batch, row)| number(batch, "top1_token", row)))
        .collect();
    assert_eq!(last.into_iter().map(|(key, (_, token))| (key, token)).collect::<BTreeMap<_, _>>(), answers);
}

#[test]
fn after_the_last_layer_a_conflict_is_decided_as_the_answer_decides_it() {
    let folder = probed();
    let [classes, kinds] =
        ["class", "presentation"].map(|column| texts(folder.path(), Table::Layers, column));
    let items = texts(folder.path(), Table::Layers, "item_id");
    let mut decided = BTreeMap::new();
    for ((item, kind), class) in items.into_iter().zip(kinds).zip(classes) {
        match kind.as_str() {
            "conflict" => drop(decided.insert(item, class)),
            _ => assert_eq!(class, "", "{item}: {kind} is no conflict"),
        }
    }
    let follows = texts(folder.path(), Table::Following, "follows");
    let items = texts(folder.path(), Table::Following, "item_id");
    assert_eq!(decided, items.into_iter().zip(follows).collect());
    assert!(decided.values().any(|class| class == "text") && decided.values().any(|class| class == "vision"));

    // The two options' logits say by how much.
    for batch in read(folder.path(), Table::Layers) {
        let column = |name: &str| batch.column_by_name(name).unwrap().clone();
        let (class, differences) = (column("class"), column("logit_difference"));
        for row in 0..batch.num_rows() {
            assert_eq!(class.is_null(row), differences.is_null(row), "row {row}");
            let difference = differences.as_primitive::<Float64Type>().value(row);
            match class.as_string::<i32>().value(row) {
                "text" if class.is_valid(row) => assert!(difference >= 0.0, "{difference}"),
                "vision" if class.is_valid(row) => assert!(difference <= 0.0, "{difference}"),
                _ => {}
            }
        }
    }
}

#[test]
fn embeddings_of_every_layer_stand_between_input_and_output() {
    let folder = probed();
    let mut depths: BTreeMap<[String; 2], Vec<String>> = BTreeMap::new();
    let of_rows = texts(folder.path(), Table::Embeddings, "depth");
    for (key, depth) in keys(folder.path(), Table::Embeddings).into_iter().zip(of_rows) {
        depths.entry(key).or_default().push(depth);
    }
    for (key, depths) in depths {
        assert_eq!((depths[0].as_str(), depths[1].as_str()), ("input", "layer-01"), "{key:?}");
        assert!(depths.is_sorted() && depths.last().unwrap() == "output", "{key:?}: {depths:?}");
    }
}

#[test]
fn floats_are_byte_streams_and_keys_are_dictionaries() {
    let folder = tempfile::tempdir().unwrap();
    succeed(run("color-recognition", folder.path()).args(["--limit", "1"]));
    let path = &parts(folder.path(), Table::Logits)[0];
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let mut seen = 0;
    for column in reader.metadata().row_group(0).columns() {
        let encodings: Vec<Encoding> = column.encodings().collect();
        match column.column_path().string().as_str() {
            "logits.list.element" => {
                assert!(encodings.contains(&Encoding::BYTE_STREAM_SPLIT), "{encodings:?}");
                assert!(!encodings.contains(&Encoding::RLE_DICTIONARY), "{encodings:?}");
                seen += 1;
            }
            "control" | "presentation" => {
                assert!(encodings.contains(&Encoding::RLE_DICTIONARY), "{encodings:?}");
                assert!(column.statistics().is_some());
                seen += 1;
            }
            _ => {}
        }
    }
    assert_eq!(seen, 3);
}

#[test]
fn following_says_what_the_outcomes_say() {
    let folder = tempfile::tempdir().unwrap();
    succeed(run("color-recognition", folder.path()).args(["--limit", "2"]));
    let column = |batch: &RecordBatch, name: &str| batch.column_by_name(name).unwrap().clone();
    let text = |batch: &RecordBatch, name: &str, row: usize| {
        let array = column(batch, name);
        array.is_valid(row).then(|| array.as_string::<i32>().value(row).to_string())
    };
    let number = |batch: &RecordBatch, name: &str, row: usize| {
        column(batch, name).as_primitive::<Float64Type>().value(row)
    };
    let mut answers = BTreeMap::new();
    for batch in read(folder.path(), Table::Outcomes) {
        for row in 0..batch.num_rows() {
            let answer = (text(&batch, "answer", row), number(&batch, "entropy", row));
            answers.insert(text(&batch, "item_id", row).unwrap(), answer);
        }
    }
    let mut rows = 0;
    for batch in read(folder.path(), Table::Following) {
        for row in 0..batch.num_rows() {
            let of = |name: &str| &answers[&text(&batch, name, row).unwrap()];
            let (conflict, vision, words) = (of("item_id"), of("vision_item_id"), of("text_item_id"));
            assert_eq!(text(&batch, "y_conflict", row), conflict.0);
            assert_eq!(text(&batch, "y_vision", row), vision.0);
            assert_eq!(text(&batch, "y_text", row), words.0);
            let expected = 2.0 * (words.1 - vision.1) / (words.1 + vision.1);
            assert!((number(&batch, "dh_rel", row) - expected).abs() < 1e-12);
            rows += 1;
        }
    }
    assert_eq!(rows, 2 * 3 * 42);
}
