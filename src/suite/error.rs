//! What can be wrong with a suite: every message says where, what was expected, and what to do.

use std::path::PathBuf;

/// A suite that cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// The name is none of ours and no file.
    #[error(
        "there is no suite `{name}`\n  known suites: {known}\n  or give a .jsonl or .parquet file with your own items (see `crossmodal suite export --help`)"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// A prompt file does not parse or lacks something.
    #[error(
        "the prompt file {path} cannot be used: {reason}\n  start from a copy of the suite's own file in data/prompts"
    )]
    Prompts {
        /// The file, or "(built in)".
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A row of a user's suite is wrong.
    #[error("{place}: {reason}")]
    Row {
        /// The file, and the line or row in it.
        place: String,
        /// Which field, what was expected, what was found.
        reason: String,
    },
    /// An item of a data file that is not what its columns promise.
    #[error("{path}, row {row}: {reason}")]
    Item {
        /// The file.
        path: PathBuf,
        /// Row number (of text files: line number), from 1.
        row: usize,
        /// Which field, what was expected, what was found.
        reason: String,
    },
    /// A file or folder of the user's is not what the suite needs.
    #[error("{path}: {reason}")]
    File {
        /// Where.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// A setting that makes no sense.
    #[error("{0}")]
    Setting(String),
    /// The file system said no.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// "read", "write", ...
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
