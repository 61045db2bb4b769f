//! Parquet: a row a row, with nested columns as Hugging Face `datasets`, pyarrow, DuckDB or Polars write them.

use std::fs::File;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_schema::{ArrowError, DataType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;
use serde_json::Number;

use super::source::{Placed, Rows, Source};
use crate::suite::SuiteError;
use crate::suite::cell::Cell;

/// About how many bytes of rows are decoded at once.
const BATCH_BYTES: i64 = 16 << 20;

/// Most rows that are decoded at once.
const MAX_BATCH_ROWS: i64 = 1024;

/// The rows from number `at` on; `required` columns must be there.
pub(super) fn rows(source: &Arc<Source>, at: u64, required: &[&str]) -> Result<Rows<Cell>, SuiteError> {
    let io = |error| SuiteError::Io { action: "read", path: source.path.clone(), source: error };
    let broken = |error: String| source.unusable(format!("it is no Parquet file that can be read: {error}"));
    let file = File::open(&source.path).map_err(io)?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| broken(error.to_string()))?;
    let columns: Vec<&str> = builder.schema().fields().iter().map(|field| field.name().as_str()).collect();
    if let Some(lacking) = required.iter().find(|name| !columns.contains(name)) {
        let found = columns.join(", ");
        return Err(source.unusable(format!("it has no column `{lacking}`; its columns are {found}")));
    }
    let (groups, offset) = from_row(builder.metadata(), at);
    let batch_rows = batch_rows(builder.metadata());
    let reader = builder
        .with_row_groups(groups)
        .with_offset(offset)
        .with_batch_size(batch_rows)
        .build()
        .map_err(|error| broken(error.to_string()))?;
    let mut next = at;
    let source = Arc::clone(source);
    let batches = reader.flat_map(move |batch: Result<RecordBatch, ArrowError>| {
        let first = next;
        next += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        rows_of_batch(&source, first, batch)
    });
    Ok(Box::new(batches))
}

/// The row groups from that of row `at` on, and how many rows of the first stand before it.
fn from_row(metadata: &ParquetMetaData, at: u64) -> (Vec<usize>, usize) {
    let mut before = 0;
    for (index, group) in metadata.row_groups().iter().enumerate() {
        let rows = group.num_rows().max(0) as u64;
        if at < before + rows {
            return ((index..metadata.num_row_groups()).collect(), (at - before) as usize);
        }
        before += rows;
    }
    (Vec::new(), 0)
}

/// Few rows where they are large, so that a batch stays small.
fn batch_rows(metadata: &ParquetMetaData) -> usize {
    let bytes: i64 = metadata.row_groups().iter().map(|group| group.total_byte_size()).sum();
    let each = bytes / metadata.file_metadata().num_rows().max(1);
    (BATCH_BYTES / each.max(1)).clamp(1, MAX_BATCH_ROWS) as usize
}

fn rows_of_batch(
    source: &Source,
    first: u64,
    batch: Result<RecordBatch, ArrowError>,
) -> Vec<Result<Placed<Cell>, SuiteError>> {
    let table = match batch {
        Ok(batch) => Arc::new(StructArray::from(batch)) as ArrayRef,
        Err(error) => {
            return vec![Err(source.unusable(format!(
                "it cannot be read: {error}; it must be whole, and compressed with snappy, zstd or not at all"
            )))];
        }
    };
    let row = |row: usize| {
        let number = first + row as u64;
        let cell = cell(&table, row).map_err(|reason| source.wrong_row(number, reason))?;
        let bytes = size(&cell);
        Ok(Placed { at: number, number, row: cell, bytes })
    };
    (0..table.len()).map(row).collect()
}

/// What pandas adds to a table is none of the row.
const INDEX_PREFIX: &str = "__index_level_";

/// The value at `row`.
fn cell(array: &ArrayRef, row: usize) -> Result<Cell, String> {
    if array.is_null(row) {
        return Ok(Cell::Null);
    }
    let text = |text: &str| Cell::Text(text.into());
    let list = |values: ArrayRef| -> Result<Cell, String> {
        Ok(Cell::List((0..values.len()).map(|at| cell(&values, at)).collect::<Result<_, _>>()?))
    };
    Ok(match array.data_type() {
        DataType::Null => Cell::Null,
        DataType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        DataType::Int8 => whole::<Int8Type>(array, row),
        DataType::Int16 => whole::<Int16Type>(array, row),
        DataType::Int32 => whole::<Int32Type>(array, row),
        DataType::Int64 => whole::<Int64Type>(array, row),
        DataType::UInt8 => whole::<UInt8Type>(array, row),
        DataType::UInt16 => whole::<UInt16Type>(array, row),
        DataType::UInt32 => whole::<UInt32Type>(array, row),
        DataType::UInt64 => whole::<UInt64Type>(array, row),
        DataType::Float32 => real(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => real(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => text(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => text(array.as_string_view().value(row)),
        DataType::Binary => Cell::Bytes(array.as_binary::<i32>().value(row).into()),
        DataType::LargeBinary => Cell::Bytes(array.as_binary::<i64>().value(row).into()),
        DataType::BinaryView => Cell::Bytes(array.as_binary_view().value(row).into()),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            cell(dictionary.values(), dictionary.normalized_keys()[row])?
        }
        DataType::List(_) => list(array.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => list(array.as_list::<i64>().value(row))?,
        DataType::FixedSizeList(..) => list(array.as_fixed_size_list().value(row))?,
        DataType::Struct(_) => record(array.as_struct(), row)?,
        DataType::Map(..) => map(&array.as_map().value(row))?,
        other => return Err(format!("a column of type {other} is none that a row has")),
    })
}

fn record(fields: &StructArray, row: usize) -> Result<Cell, String> {
    let names = fields.column_names().into_iter().zip(fields.columns());
    let cells = names
        .filter(|(name, _)| !name.starts_with(INDEX_PREFIX))
        .map(|(name, column)| Ok((name.to_string(), cell(column, row)?)));
    Ok(Cell::Record(cells.collect::<Result<_, String>>()?))
}

fn map(entries: &StructArray) -> Result<Cell, String> {
    let entry = |row: usize| match cell(entries.column(0), row)? {
        Cell::Text(name) => Ok((name, cell(entries.column(1), row)?)),
        other => Err(other.expected("a key of a map", "text")),
    };
    Ok(Cell::Record((0..entries.len()).map(entry).collect::<Result<_, String>>()?))
}

fn whole<T: ArrowPrimitiveType>(array: &ArrayRef, row: usize) -> Cell
where
    Number: From<T::Native>,
{
    Cell::Number(array.as_primitive::<T>().value(row).into())
}

/// Not-a-number is what pandas writes for a missing one.
fn real(value: f64) -> Cell {
    Number::from_f64(value).map_or(Cell::Null, Cell::Number)
}

/// About how much memory a value takes, bytes.
fn size(cell: &Cell) -> usize {
    match cell {
        Cell::Text(text) => text.len(),
        Cell::Bytes(bytes) => bytes.len(),
        Cell::List(cells) => cells.iter().map(size).sum(),
        Cell::Record(fields) => fields.iter().map(|(name, cell)| name.len() + size(cell)).sum(),
        Cell::Null | Cell::Bool(_) | Cell::Number(_) => size_of::<Cell>(),
    }
}
