//! A value as it stands in a file of rows, whatever the file's format, and how typed values are read from it.
//!
//! Every complaint names the field by its path within the row, what was expected there, and what was found.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Number, Value};

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Bytes(Arc<[u8]>),
    List(Vec<Cell>),
    Record(Vec<(String, Cell)>),
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::Text(text),
            Value::Array(values) => Self::List(values.into_iter().map(Self::from).collect()),
            Value::Object(fields) => {
                Self::Record(fields.into_iter().map(|(name, value)| (name, value.into())).collect())
            }
        }
    }
}

/// Longest text that an error message repeats, characters.
const MAX_SHOWN: usize = 60;

impl Cell {
    /// What it is, for a sentence that begins with the field's name.
    fn found(&self) -> String {
        match self {
            Self::Null => "missing".into(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => format!("the number {number}"),
            Self::Text(text) if text.chars().count() > MAX_SHOWN => {
                format!("{:?}...", text.chars().take(MAX_SHOWN).collect::<String>())
            }
            Self::Text(text) => format!("{text:?}"),
            Self::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Self::List(values) => format!("a list of {}", values.len()),
            Self::Record(_) => "an object".into(),
        }
    }

    /// The complaint that the field at `place` should have been something else.
    pub fn expected(&self, place: &str, expected: &str) -> String {
        format!("`{place}` is {}, expected {expected}", self.found())
    }

    /// A text.
    pub fn into_text(self, place: &str) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Number(number) => {
                Err(format!("`{place}` is the number {number}, expected text: write \"{number}\""))
            }
            other => Err(other.expected(place, "text")),
        }
    }

    /// A list; what is missing is an empty one.
    pub fn into_list(self, place: &str, of: &str) -> Result<Vec<Self>, String> {
        match self {
            Self::List(values) => Ok(values),
            Self::Null => Ok(Vec::new()),
            other => Err(other.expected(place, &format!("a list of {of}"))),
        }
    }

    /// One of the `known` names, which are those that `T` is written as.
    pub fn into_one_of<T: DeserializeOwned>(self, place: &str, known: &[&str]) -> Result<T, String> {
        let expected = || format!("one of {}", known.join(", "));
        match &self {
            Self::Text(name) if known.contains(&name.as_str()) => {
                serde_json::from_value(Value::String(name.clone())).map_err(|error| error.to_string())
            }
            _ => Err(self.expected(place, &expected())),
        }
    }

    /// A number.
    pub fn into_number(self, place: &str) -> Result<f64, String> {
        match &self {
            Self::Number(number) => number.as_f64().ok_or_else(|| self.expected(place, "a number")),
            _ => Err(self.expected(place, "a number")),
        }
    }

    /// A whole number of 32 bits; also as a text, because the values of a map are all of one type.
    fn into_integer(self, place: &str) -> Result<i32, String> {
        let whole = match &self {
            Self::Number(number) => number
                .as_i64()
                .or_else(|| number.as_f64().filter(|value| value.fract() == 0.0).map(|value| value as i64)),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        };
        whole
            .and_then(|value| i32::try_from(value).ok())
            .ok_or_else(|| self.expected(place, "a whole number"))
    }
}

/// A record, whose fields are taken out one by one.
pub(super) struct Fields {
    place: String,
    fields: Vec<(String, Cell)>,
}

impl Fields {
    /// The record `cell` at `place` (empty for the row itself).
    pub fn of(cell: Cell, place: &str) -> Result<Self, String> {
        match cell {
            Cell::Record(fields) => Ok(Self { place: place.into(), fields }),
            other if place.is_empty() => Err(format!("a row must be an object, this is {}", other.found())),
            other => Err(other.expected(place, "an object")),
        }
    }

    /// The record, which must have no fields but the `known` ones (others may be null).
    pub fn with(cell: Cell, place: &str, known: &[&str]) -> Result<Self, String> {
        let fields = Self::of(cell, place)?;
        let unknown =
            |(name, value): &&(String, Cell)| !known.contains(&name.as_str()) && *value != Cell::Null;
        match fields.fields.iter().find(unknown) {
            Some((name, _)) => {
                Err(format!("unknown field `{}`, expected one of {}", fields.path(name), known.join(", ")))
            }
            None => Ok(fields),
        }
    }

    /// The field's path within the row.
    pub fn path(&self, name: &str) -> String {
        if self.place.is_empty() { name.into() } else { format!("{}.{name}", self.place) }
    }

    /// The field's value; null when there is none.
    pub fn take(&mut self, name: &str) -> Cell {
        let found = self.fields.iter_mut().find(|(field, _)| field == name);
        found.map_or(Cell::Null, |(_, cell)| std::mem::replace(cell, Cell::Null))
    }

    /// A text, or nothing.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.take(name) {
            Cell::Null => Ok(None),
            cell => cell.into_text(&self.path(name)).map(Some),
        }
    }

    /// A text that must be there and not be empty.
    pub fn required_text(&mut self, name: &str) -> Result<String, String> {
        let text = self.take(name).into_text(&self.path(name))?;
        if text.trim().is_empty() { Err(format!("`{}` is empty", self.path(name))) } else { Ok(text) }
    }

    /// A whole number, or nothing.
    pub fn integer(&mut self, name: &str) -> Result<Option<i32>, String> {
        match self.take(name) {
            Cell::Null => Ok(None),
            cell => cell.into_integer(&self.path(name)).map(Some),
        }
    }

    /// A number, or nothing.
    pub fn number(&mut self, name: &str) -> Result<Option<f64>, String> {
        match self.take(name) {
            Cell::Null => Ok(None),
            cell => cell.into_number(&self.path(name)).map(Some),
        }
    }

    /// One of the `known` names, or nothing.
    pub fn one_of<T: DeserializeOwned>(&mut self, name: &str, known: &[&str]) -> Result<Option<T>, String> {
        match self.take(name) {
            Cell::Null => Ok(None),
            cell => cell.into_one_of(&self.path(name), known).map(Some),
        }
    }

    /// A list, each of whose values is read by `read` at its place.
    pub fn list<T>(
        &mut self,
        name: &str,
        of: &str,
        read: impl Fn(Cell, &str) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let path = self.path(name);
        let values = self.take(name).into_list(&path, of)?;
        values.into_iter().enumerate().map(|(at, cell)| read(cell, &format!("{path}[{at}]"))).collect()
    }
}
