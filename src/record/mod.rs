//! What is kept: tables as Parquet parts in a run directory that can be resumed.
//!
//! ```text
//! RUN/
//!   manifest.json                 what the run is: settings, fingerprints; once complete, every part with its SHA-256
//!   progress.jsonl                the units that are done, with their parts (progress-K-of-N.jsonl: by shard K of N)
//!   tables/table=outcomes/model=M/suite=S/part-00000.parquet
//!   log/units.jsonl               time, host, threads: outside the promise of equal bytes
//! ```
//!
//! Only this room writes into a run. A part is written under a temporary name, synced and renamed.

pub mod atomic;
mod error;
mod log;
mod manifest;
mod parquet_file;
mod run_directory;
mod shard;
pub mod tables;

pub use error::RecordError;
pub use log::UnitLog;
pub use manifest::{Fingerprints, Manifest, Part, RunSettings};
pub use parquet_file::{PartContext, SCHEMA_VERSION};
pub use run_directory::{ClaimedDirectory, RunDirectory, State, read_manifest};
pub use shard::Shard;
pub use tables::{Profile, Table};
