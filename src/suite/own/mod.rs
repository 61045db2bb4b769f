//! The user's own suite: rows in the format of [`super::row`], as JSON Lines or Parquet, in one file or many.
//!
//! All rows are checked when the suite is opened, so that a wrong one is named before any model runs. What is kept of
//! them is where they stand: a group's rows are read again when it is asked for, so that memory stays flat however many
//! images a Parquet file holds. Image files are read later still, one group at a time: a missing or corrupt one fails
//! its own rows only.

mod check;
mod files;
mod group;
mod index;
mod jsonl;
mod links;
mod parquet;
mod reading;
mod source;
mod window;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

pub use files::is_suite_path;
use index::Index;
use source::Source;
use window::Window;

use super::cell::Cell;
use super::{Group, Suite, SuiteError};

/// A suite read from files.
pub struct OwnSuite {
    name: String,
    sources: Vec<Arc<Source>>,
    index: Index,
    window: Mutex<Window>,
}

impl OwnSuite {
    /// Reads and checks what `path` names: a `.jsonl` or `.parquet` file, a folder of them, or a pattern with `*` in its
    /// last part. `limit` keeps the first groups only.
    ///
    /// # Errors
    /// When there is no such file, one cannot be read, or a row does not fit the format: the message names file, row and
    /// field.
    pub fn open(path: &Path, limit: Option<usize>) -> Result<Self, SuiteError> {
        let (name, sources) = files::find(path)?;
        let index = Index::of(&sources, limit.unwrap_or(usize::MAX))?;
        if index.groups.is_empty() {
            return Err(SuiteError::File { path: path.into(), reason: "it has no rows".into() });
        }
        Ok(Self { name, sources, index, window: Mutex::default() })
    }
}

/// What `read` makes of the rows of the files that `path` names (as [`OwnSuite::open`] does); `required` columns must be
/// there.
pub(super) fn read_rows<T: 'static>(
    path: &Path,
    required: &[&str],
    read: fn(Cell) -> Result<T, String>,
) -> Result<Vec<T>, SuiteError> {
    let (_, sources) = files::find(path)?;
    let mut found = Vec::new();
    for source in &sources {
        for placed in source.read(0, required, read)? {
            found.push(placed?.row);
        }
    }
    Ok(found)
}

impl Suite for OwnSuite {
    fn name(&self) -> &str {
        &self.name
    }

    fn fingerprint(&self) -> String {
        self.index.digest.clone()
    }

    fn group_count(&self) -> usize {
        self.index.groups.len()
    }

    fn group(&self, index: usize) -> Result<Group, SuiteError> {
        let group = &self.index.groups[index];
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let rows: Vec<_> =
            group.rows.iter().map(|entry| window.row(&self.sources, entry)).collect::<Result<_, _>>()?;
        drop(window);
        let folders: Vec<&Path> =
            group.rows.iter().map(|entry| self.sources[entry.source].folder()).collect();
        group::build(&group.group_id, &rows, &folders)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests;
