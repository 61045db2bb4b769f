//! What it means: tables in, numbers with intervals out. Reads Parquet only; never touches a model.
//!
//! [`analyze`] reads a run through `tables`, computes in `following` with the means of `statistics`, and answers with the
//! plain values of `summary`. `table` prints them, `output` encodes them; writing the files is the caller's work.

pub mod error;
pub mod following;
pub mod output;
pub mod statistics;
pub mod summary;
pub mod table;
pub mod tables;

pub use error::AnalysisError;
pub use following::analyze;
pub use summary::{FollowingAnalysis, FollowingSettings};
