//! The rows that were read last. Groups are asked for in order, and their rows mostly stand together: what is read ahead
//! for one group serves the next ones, reading goes on where it stopped, and a file is gone through once.

use std::collections::HashMap;
use std::iter::Peekable;
use std::sync::Arc;

use super::index::{self, Entry};
use super::source::{Rows, Source};
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
    /// What follows them in the file.
    rest: Option<Peekable<Rows>>,
}

impl Window {
    /// The row at `entry`, from the window or after moving the window to it.
    pub fn row(&mut self, sources: &[Arc<Source>], entry: &Entry) -> Result<Row, SuiteError> {
        let source = &sources[entry.source];
        if self.source != entry.source || !self.rows.contains_key(&entry.at) {
            self.move_to(source, entry)?;
        }
        let row = self.rows.get(&entry.at).filter(|row| index::digest(row) == entry.digest);
        row.cloned().ok_or_else(|| {
            source.wrong_row(entry.number, "the file has changed since it was opened; start again".into())
        })
    }

    fn move_to(&mut self, source: &Arc<Source>, entry: &Entry) -> Result<(), SuiteError> {
        let follows = self.rest.as_mut().and_then(|rest| rest.peek()?.as_ref().ok()).map(|next| next.at);
        if self.source != entry.source || follows != Some(entry.at) {
            self.rest = Some(source.rows(entry.at)?.peekable());
        }
        self.source = entry.source;
        self.rows.clear();
        let mut bytes = 0;
        // A row that is not what it was ends the window, and is complained of when it is asked for.
        for placed in self.rest.iter_mut().flatten().map_while(Result::ok) {
            bytes += placed.bytes;
            self.rows.insert(placed.at, placed.row);
            if bytes > WINDOW_BYTES {
                break;
            }
        }
        Ok(())
    }
}
