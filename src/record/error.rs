//! What can go wrong while keeping results.

use std::path::PathBuf;

/// A run directory that cannot be used, or a file that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file system said no.
    #[error(
        "cannot {action} {path}: {source}\n  nothing that was complete is lost; once the place is writable, the same command goes on"
    )]
    Io {
        /// "create", "write", ...
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The directory holds another run.
    #[error(
        "{path} holds another run: {difference}\n  give another --out, or remove the directory to start afresh"
    )]
    OtherRun {
        /// The directory.
        path: PathBuf,
        /// Which setting differs.
        difference: String,
    },
    /// The directory is not empty and no run.
    #[error("{path} is not empty and holds no manifest.json: it is no run of ours\n  give another --out")]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// Another process writes into it.
    #[error("{path} is in use by another process; wait for it, or give another --out")]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// A file of the run is broken.
    #[error("{path}: {reason}")]
    Broken {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Arrow or Parquet refused a table.
    #[error("cannot encode {path}: {source}")]
    Encode {
        /// The part.
        path: PathBuf,
        /// Why.
        source: parquet::errors::ParquetError,
    },
}
