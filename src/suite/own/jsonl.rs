//! JSON Lines: a row a line; empty lines are passed over.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::sync::Arc;

use serde_json::Value;

use super::source::{Placed, Rows, Source};
use crate::suite::SuiteError;
use crate::suite::cell::Cell;

/// The rows from byte `at` of the file on.
pub(super) fn rows(source: &Arc<Source>, at: u64) -> Result<Rows<Cell>, SuiteError> {
    let source = Arc::clone(source);
    let path = source.path.clone();
    let io = move |error| SuiteError::Io { action: "read", path: path.clone(), source: error };
    let mut file = BufReader::new(File::open(&source.path).map_err(&io)?);
    file.seek(SeekFrom::Start(at)).map_err(&io)?;
    let mut lines = Lines { file, at, number: 0 };
    Ok(Box::new(std::iter::from_fn(move || {
        loop {
            let (at, number, line) = match lines.next().map_err(&io).transpose()? {
                Ok(line) => line,
                Err(error) => return Some(Err(error)),
            };
            if line.trim_ascii().is_empty() {
                continue;
            }
            let placed = |row| Placed { at, number, row, bytes: line.len() };
            return Some(parse(&line).map(placed).map_err(|reason| source.wrong_row(number, reason)));
        }
    })))
}

fn parse(line: &[u8]) -> Result<Cell, String> {
    let value: Value = serde_json::from_slice(line).map_err(|error| {
        // serde counts lines within the row, which is always its first.
        let text = error.to_string();
        format!(
            "not JSON, at column {}: {}",
            error.column(),
            text.split(" at line ").next().unwrap_or_default()
        )
    })?;
    Ok(value.into())
}

struct Lines {
    file: BufReader<File>,
    at: u64,
    number: u64,
}

impl Lines {
    /// Where the next line begins, its number, and itself.
    fn next(&mut self) -> std::io::Result<Option<(u64, u64, Vec<u8>)>> {
        let mut line = Vec::new();
        let length = self.file.read_until(b'\n', &mut line)?;
        let begin = self.at;
        self.at += length as u64;
        self.number += 1;
        Ok((length > 0).then_some((begin, self.number, line)))
    }
}
