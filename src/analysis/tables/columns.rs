//! Columns of a record batch by name, as plain values.
//!
//! Text may be plain or a dictionary, and numbers of any width, as the profiles of a run and the files of other programs
//! differ; anything else is an error that names the file, the column and both types.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema};

use crate::analysis::error::AnalysisError;

/// The columns of one batch of a file.
pub(super) struct Columns<'a> {
    /// The file, for messages.
    pub path: &'a Path,
    /// All columns of the file.
    pub schema: &'a Schema,
    /// The batch, which may have a part of them.
    pub batch: &'a RecordBatch,
    /// Row of the file at which the batch starts.
    pub first_row: usize,
}

const TEXT: &str = "utf8";
const INTEGER: &str = "int32";
const NUMBER: &str = "float64";
const TEXTS: &str = "list of utf8";
const NUMBERS: &str = "list of float32";
const BOOLEAN: &str = "boolean";

impl Columns<'_> {
    /// A text column.
    pub fn text(&self, name: &str) -> Result<Vec<Option<String>>, AnalysisError> {
        let array = self.column(name, TEXT)?;
        text_values(array).ok_or_else(|| self.type_error(name, TEXT, array))
    }

    /// A text column that must have a value in every row.
    pub fn required_text(&self, name: &str) -> Result<Vec<String>, AnalysisError> {
        self.required(name, TEXT, self.text(name)?)
    }

    /// A text column that older tables lack: absent, it is null in every row.
    pub fn text_if_there(&self, name: &str) -> Result<Vec<Option<String>>, AnalysisError> {
        match self.batch.column_by_name(name) {
            Some(_) => self.text(name),
            None => Ok(vec![None; self.batch.num_rows()]),
        }
    }

    /// A text column that older tables lack: absent, it has this value in every row; there, it must have one in each.
    pub fn required_text_or(&self, name: &str, absent: &str) -> Result<Vec<String>, AnalysisError> {
        match self.batch.column_by_name(name) {
            Some(_) => self.required_text(name),
            None => Ok(vec![absent.to_owned(); self.batch.num_rows()]),
        }
    }

    /// A column of whole numbers that fit in 32 bits.
    pub fn integer(&self, name: &str) -> Result<Vec<Option<i32>>, AnalysisError> {
        let array = self.column(name, INTEGER)?;
        let wide: Vec<Option<i64>> = match array.data_type() {
            DataType::Int8 => primitive::<Int8Type, _>(array),
            DataType::Int16 => primitive::<Int16Type, _>(array),
            DataType::Int32 => primitive::<Int32Type, _>(array),
            DataType::Int64 => primitive::<Int64Type, _>(array),
            _ => return Err(self.type_error(name, INTEGER, array)),
        };
        let narrow = |(row, value): (usize, Option<i64>)| match value.map(i32::try_from).transpose() {
            Ok(value) => Ok(value),
            Err(_) => Err(self.value_error(name, row, "a number of 32 bits", value.unwrap_or_default())),
        };
        wide.into_iter().enumerate().map(narrow).collect()
    }

    /// A column of finite real numbers.
    pub fn number(&self, name: &str) -> Result<Vec<Option<f64>>, AnalysisError> {
        let array = self.column(name, NUMBER)?;
        let values = number_values(array).ok_or_else(|| self.type_error(name, NUMBER, array))?;
        match values.iter().position(|value| value.is_some_and(|value| !value.is_finite())) {
            Some(row) => {
                Err(self.value_error(name, row, "a finite number or null", values[row].unwrap_or_default()))
            }
            None => Ok(values),
        }
    }

    /// A column of lists of texts; a missing list is an empty one.
    pub fn texts(&self, name: &str) -> Result<Vec<Vec<String>>, AnalysisError> {
        self.lists(name, TEXTS, |values| Some(text_values(values)?.into_iter().flatten().collect()))
    }

    /// A column of lists of numbers; a missing list is an empty one.
    pub fn numbers(&self, name: &str) -> Result<Vec<Vec<f64>>, AnalysisError> {
        self.lists(name, NUMBERS, |values| Some(number_values(values)?.into_iter().flatten().collect()))
    }

    /// Some rows of a column of lists of finite numbers, in single precision.
    pub fn vectors(&self, name: &str, rows: &[usize]) -> Result<Vec<Option<Vec<f32>>>, AnalysisError> {
        let array = self.column(name, NUMBERS)?;
        let values = |row: usize| match array.data_type() {
            DataType::List(_) => Some(array.as_list::<i32>().value(row)),
            DataType::LargeList(_) => Some(array.as_list::<i64>().value(row)),
            DataType::FixedSizeList(..) => Some(array.as_fixed_size_list().value(row)),
            _ => None,
        };
        let vector = |&row: &usize| {
            if array.is_null(row) {
                return Ok(None);
            }
            let numbers = values(row).as_ref().and_then(number_values);
            let numbers = numbers.ok_or_else(|| self.type_error(name, NUMBERS, array))?;
            let vector: Vec<f32> =
                numbers.into_iter().map(|value| value.unwrap_or(f64::NAN) as f32).collect();
            match vector.iter().find(|value| !value.is_finite()) {
                Some(value) => Err(self.value_error(name, row, "finite numbers", value)),
                None => Ok(Some(vector)),
            }
        };
        rows.iter().map(vector).collect()
    }

    fn lists<T>(
        &self,
        name: &str,
        expected: &'static str,
        read: impl Fn(&ArrayRef) -> Option<Vec<T>>,
    ) -> Result<Vec<Vec<T>>, AnalysisError> {
        let array = self.column(name, expected)?;
        let rows: Vec<Option<ArrayRef>> = match array.data_type() {
            DataType::List(_) => array.as_list::<i32>().iter().collect(),
            DataType::LargeList(_) => array.as_list::<i64>().iter().collect(),
            DataType::FixedSizeList(..) => array.as_fixed_size_list().iter().collect(),
            _ => return Err(self.type_error(name, expected, array)),
        };
        let values = |row: Option<ArrayRef>| match row {
            Some(values) => read(&values).ok_or_else(|| self.type_error(name, expected, array)),
            None => Ok(Vec::new()),
        };
        rows.into_iter().map(values).collect()
    }

    /// A column of truth values.
    pub fn boolean(&self, name: &str) -> Result<Vec<Option<bool>>, AnalysisError> {
        let array = self.column(name, BOOLEAN)?;
        match array.as_boolean_opt() {
            Some(values) => Ok(values.iter().collect()),
            None => Err(self.type_error(name, BOOLEAN, array)),
        }
    }

    /// A column of truth values that must have a value in every row.
    pub fn required_boolean(&self, name: &str) -> Result<Vec<bool>, AnalysisError> {
        self.required(name, BOOLEAN, self.boolean(name)?)
    }

    /// That the value in a row of this batch is not one that the column may have.
    pub fn value_error(
        &self,
        column: &str,
        row: usize,
        expected: &'static str,
        found: impl ToString,
    ) -> AnalysisError {
        AnalysisError::Value {
            path: self.path.to_owned(),
            column: column.to_owned(),
            row: self.first_row + row,
            expected,
            found: found.to_string(),
        }
    }

    fn column(&self, name: &str, expected: &'static str) -> Result<&ArrayRef, AnalysisError> {
        self.batch.column_by_name(name).ok_or_else(|| AnalysisError::MissingColumn {
            path: self.path.to_owned(),
            column: name.to_owned(),
            expected,
            found: self
                .schema
                .fields()
                .iter()
                .map(|field| field.name().as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    fn type_error(&self, column: &str, expected: &'static str, found: &ArrayRef) -> AnalysisError {
        AnalysisError::ColumnType {
            path: self.path.to_owned(),
            column: column.to_owned(),
            expected,
            found: found.data_type().to_string(),
        }
    }

    fn required<T>(
        &self,
        name: &str,
        expected: &'static str,
        values: Vec<Option<T>>,
    ) -> Result<Vec<T>, AnalysisError> {
        let present = |(row, value): (usize, Option<T>)| {
            value.ok_or_else(|| self.value_error(name, row, expected, "null"))
        };
        values.into_iter().enumerate().map(present).collect()
    }
}

fn text_values(array: &ArrayRef) -> Option<Vec<Option<String>>> {
    let owned = |value: Option<&str>| value.map(str::to_owned);
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().iter().map(owned).collect()),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().iter().map(owned).collect()),
        DataType::Utf8View => Some(array.as_string_view().iter().map(owned).collect()),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let values = text_values(dictionary.values())?;
            if values.is_empty() {
                return Some(vec![None; array.len()]);
            }
            let keys = dictionary.normalized_keys();
            let value = |(row, key): (usize, usize)| {
                if array.is_null(row) { None } else { values[key].clone() }
            };
            Some(keys.into_iter().enumerate().map(value).collect())
        }
        _ => None,
    }
}

fn number_values(array: &ArrayRef) -> Option<Vec<Option<f64>>> {
    Some(match array.data_type() {
        DataType::Float16 => primitive::<Float16Type, _>(array),
        DataType::Float32 => primitive::<Float32Type, _>(array),
        DataType::Float64 => primitive::<Float64Type, _>(array),
        _ => return None,
    })
}

fn primitive<T: ArrowPrimitiveType, V: From<T::Native>>(array: &ArrayRef) -> Vec<Option<V>> {
    array.as_primitive::<T>().iter().map(|value| value.map(V::from)).collect()
}
