//! One file of a suite, whatever its format: rows from any place on, and what a place is called.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{jsonl, parquet};
use crate::suite::SuiteError;
use crate::suite::cell::Cell;
use crate::suite::row::Row;

/// How a file holds rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// By the file's extension.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "jsonl" => Some(Self::Jsonl),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// A file of rows.
#[derive(Debug)]
pub(super) struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// How it holds rows.
    pub format: Format,
}

/// A row (as it stands in the file, or read) with its place.
pub(super) struct Placed<T = Row> {
    /// From where [`Source::rows`] starts with this row.
    pub at: u64,
    /// The number that a person knows it by: of the line, from 1; of the Parquet row, from 0.
    pub number: u64,
    /// The row.
    pub row: T,
    /// About how much memory it takes, bytes.
    pub bytes: usize,
}

/// Rows in the order of the file.
pub(super) type Rows<T = Row> = Box<dyn Iterator<Item = Result<Placed<T>, SuiteError>> + Send>;

impl Source {
    /// A file of rows.
    pub fn new(path: PathBuf, format: Format) -> Self {
        Self { path, format }
    }

    /// The folder in which relative image paths begin.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The rows from the one at `at` on; all from 0 on.
    pub fn rows(self: &Arc<Self>, at: u64) -> Result<Rows, SuiteError> {
        const REQUIRED: [&str; 4] = ["item_id", "group_id", "presentation", "messages"];
        self.read(at, &REQUIRED, Row::of)
    }

    /// What `read` makes of the rows from the one at `at` on; `required` columns must be there.
    pub fn read<T: 'static>(
        self: &Arc<Self>,
        at: u64,
        required: &[&str],
        read: fn(Cell) -> Result<T, String>,
    ) -> Result<Rows<T>, SuiteError> {
        let cells = match self.format {
            Format::Jsonl => jsonl::rows(self, at)?,
            Format::Parquet => parquet::rows(self, at, required)?,
        };
        let source = Arc::clone(self);
        Ok(Box::new(cells.map(move |placed| {
            let Placed { at, number, row, bytes } = placed?;
            let row = read(row).map_err(|reason| source.wrong_row(number, reason))?;
            Ok(Placed { at, number, row, bytes })
        })))
    }

    /// What row `number` is called in messages.
    pub fn place(&self, number: u64) -> Place<'_> {
        Place { source: self, number }
    }

    /// The complaint about row `number`.
    pub fn wrong_row(&self, number: u64, reason: String) -> SuiteError {
        SuiteError::Row { place: self.place(number).to_string(), reason }
    }

    /// The complaint about the whole file.
    pub fn unusable(&self, reason: String) -> SuiteError {
        SuiteError::File { path: self.path.clone(), reason }
    }
}

/// A row's place, as messages name it.
pub(super) struct Place<'a> {
    source: &'a Source,
    number: u64,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let path = self.source.path.display();
        match self.source.format {
            Format::Jsonl => write!(formatter, "{path}:{}", self.number),
            Format::Parquet => write!(formatter, "{path}, row {} (from 0)", self.number),
        }
    }
}
