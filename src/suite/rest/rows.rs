//! Rows of published data files, whatever their format: Parquet, JSON Lines, or one JSON array.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};

use crate::suite::SuiteError;

/// Endings of the files that are read.
pub(super) const ENDINGS: [&str; 3] = ["parquet", "jsonl", "json"];

/// Columns that any task reads; others are left on the disk.
const COLUMNS: [&str; 7] = ["id", "instance", "question", "subject", "choices", "answer", "answerKey"];

/// A row: its number (of JSON Lines: its line), from 1, and its fields.
pub(super) type Row = (usize, Map<String, Value>);

/// A file that is being read.
pub(super) struct Rows {
    /// The names of its columns; of JSON, those of the first row.
    pub columns: Vec<String>,
    /// What is left to read.
    pub rows: Box<dyn Iterator<Item = Result<Row, SuiteError>>>,
}

/// Opens a file; which format it has is said by its name's ending.
pub(super) fn open(path: &Path) -> Result<Rows, SuiteError> {
    let file =
        File::open(path).map_err(|source| SuiteError::Io { action: "read", path: path.into(), source })?;
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("parquet") => parquet(path, file),
        Some("jsonl") => json_lines(path, BufReader::new(file)),
        Some("json") => json_array(path, BufReader::new(file)),
        _ => Err(wrong(path, format!("expected a name that ends in .{}", ENDINGS.join(", .")))),
    }
}

fn wrong(path: &Path, reason: String) -> SuiteError {
    SuiteError::File { path: path.into(), reason }
}

/// The rows of a text that is part of the program.
pub(super) fn shipped(name: &str, text: &'static str) -> Result<Rows, SuiteError> {
    json_lines(Path::new(name), text.as_bytes())
}

fn json_lines(path: &Path, lines: impl BufRead + 'static) -> Result<Rows, SuiteError> {
    let path = path.to_path_buf();
    let mut rows = lines
        .lines()
        .enumerate()
        .filter(|(_, line)| line.as_ref().map_or(true, |line| !line.trim().is_empty()))
        .map(move |(index, line)| {
            let line =
                line.map_err(|source| SuiteError::Io { action: "read", path: path.clone(), source })?;
            let fields: Map<String, Value> = serde_json::from_str(&line).map_err(|error| {
                // serde counts lines within the row, which is always its first.
                let text = error.to_string();
                let text = text.split(" at line ").next().unwrap_or_default();
                let reason = format!("not a JSON object, at column {}: {text}", error.column());
                SuiteError::Item { path: path.clone(), row: index + 1, reason }
            })?;
            Ok((index + 1, fields))
        })
        .peekable();
    let columns = match rows.peek() {
        Some(Ok((_, fields))) => fields.keys().cloned().collect(),
        _ => Vec::new(),
    };
    Ok(Rows { columns, rows: Box::new(rows) })
}

fn json_array(path: &Path, file: impl BufRead) -> Result<Rows, SuiteError> {
    let objects: Vec<Map<String, Value>> = serde_json::from_reader(file)
        .map_err(|error| wrong(path, format!("expected one JSON array of objects: {error}")))?;
    let columns = objects.first().map(|fields| fields.keys().cloned().collect()).unwrap_or_default();
    let rows = objects.into_iter().enumerate().map(|(index, fields)| Ok((index + 1, fields)));
    Ok(Rows { columns, rows: Box::new(rows) })
}

fn parquet(path: &Path, file: File) -> Result<Rows, SuiteError> {
    let unreadable = |reason: String| wrong(path, format!("cannot be read as Parquet: {reason}"));
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| unreadable(error.to_string()))?;
    let columns: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let wanted = columns.iter().enumerate().filter(|(_, name)| COLUMNS.contains(&name.as_str()));
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.map(|(index, _)| index));
    let batches = builder.with_projection(mask).build().map_err(|error| unreadable(error.to_string()))?;
    let path = path.to_path_buf();
    let mut first = 1;
    let rows = batches.flat_map(move |batch| {
        let rows: Vec<Result<Row, SuiteError>> = match batch {
            Ok(batch) => {
                let start = first;
                first += batch.num_rows();
                (0..batch.num_rows()).map(|row| Ok((start + row, fields(&batch, row, &path)?))).collect()
            }
            Err(error) => vec![Err(wrong(&path, format!("cannot be read as Parquet: {error}")))],
        };
        rows
    });
    Ok(Rows { columns, rows: Box::new(rows) })
}

fn fields(batch: &RecordBatch, row: usize, path: &Path) -> Result<Map<String, Value>, SuiteError> {
    let named = |(name, array): (&String, &arrow_array::ArrayRef)| match value(array, row) {
        Some(value) => Ok((name.clone(), value)),
        None => Err(wrong(
            path,
            format!(
                "the column `{name}` has the type {}, expected text, whole numbers, lists of them or structs of lists",
                array.data_type()
            ),
        )),
    };
    let schema = batch.schema();
    schema.fields().iter().map(|field| field.name()).zip(batch.columns()).map(named).collect()
}

/// A cell; `None` when it is of a type that no published file has.
fn value(array: &dyn Array, row: usize) -> Option<Value> {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return Some(Value::Null);
    }
    let items = |items: arrow_array::ArrayRef| -> Option<Value> {
        (0..items.len()).map(|item| value(&items, item)).collect::<Option<Vec<_>>>().map(Value::Array)
    };
    Some(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into(),
        DataType::Utf8View => array.as_string_view().value(row).into(),
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int8 => number::<Int8Type>(array, row),
        DataType::Int16 => number::<Int16Type>(array, row),
        DataType::Int32 => number::<Int32Type>(array, row),
        DataType::Int64 => number::<Int64Type>(array, row),
        DataType::UInt8 => number::<UInt8Type>(array, row),
        DataType::UInt16 => number::<UInt16Type>(array, row),
        DataType::UInt32 => number::<UInt32Type>(array, row),
        DataType::UInt64 => number::<UInt64Type>(array, row),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let key = value(dictionary.keys(), row)?.as_u64()?;
            value(dictionary.values(), usize::try_from(key).ok()?)?
        }
        DataType::List(_) => items(array.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => items(array.as_list::<i64>().value(row))?,
        DataType::FixedSizeList(..) => items(array.as_fixed_size_list().value(row))?,
        DataType::Struct(_) => {
            let parts = array.as_struct();
            let named = parts.column_names().into_iter().zip(parts.columns());
            named
                .map(|(name, part)| Some((name.to_string(), value(part, row)?)))
                .collect::<Option<_>>()
                .map(Value::Object)?
        }
        _ => return None,
    })
}

fn number<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> Value
where
    Value: From<T::Native>,
{
    array.as_primitive::<T>().value(row).into()
}
