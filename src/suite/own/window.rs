//! The rows that were read last. Groups are asked for in order, and their rows mostly stand together: what is read ahead
//! for one group serves the next ones, and a file is gone through about once.

use std::collections::HashMap;

use super::index::{self, Entry};
use super::source::Source;
use crate::suite::SuiteError;
use crate::suite::row::Row;

/// How far is read ahead, bytes. It bounds what is held of a file; a file whose groups are scattered is read this far for
/// every row, so rows of a group should stand together.
const WINDOW_BYTES: usize = 32 << 20;

/// Consecutive rows of one file.
#[derive(Default)]
pub(super) struct Window {
    source: usize,
    rows: HashMap<u64, Row>,
}

impl Window {
    /// The row at `entry`, from the window or after moving the window to it.
    pub fn row(&mut self, sources: &[Source], entry: &Entry) -> Result<Row, SuiteError> {
        if self.source != entry.source || !self.rows.contains_key(&entry.at) {
            self.move_to(&sources[entry.source], entry)?;
        }
        let row = self.rows.get(&entry.at).filter(|row| index::digest(row) == entry.digest);
        row.cloned().ok_or_else(|| {
            sources[entry.source]
                .wrong_row(entry.number, "the file has changed since it was opened; start again".into())
        })
    }

    fn move_to(&mut self, source: &Source, entry: &Entry) -> Result<(), SuiteError> {
        self.source = entry.source;
        self.rows.clear();
        let mut bytes = 0;
        for placed in source.rows(entry.at)? {
            // A row that is not what it was is complained of when it is asked for.
            let Ok(placed) = placed else { break };
            bytes += placed.bytes;
            self.rows.insert(placed.at, placed.row);
            if bytes > WINDOW_BYTES {
                break;
            }
        }
        Ok(())
    }
}
