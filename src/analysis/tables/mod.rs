//! Reads the tables of a run: `RUN/tables/table=T/model=M/suite=S/part-NNNNN.parquet`.
//!
//! What is read is typed, checked and sorted by key here, so that nothing after it depends on how the rows were spread
//! over parts. Which columns mean what is said in [`following`], [`layers`], [`outcomes`], [`consistency`], [`prompts`] and [`embeddings`];
//! `columns` knows Arrow's types.

pub mod answers;
mod columns;
pub mod consistency;
pub mod embeddings;
pub mod following;
pub mod layers;
pub mod outcomes;
mod partitions;
pub mod prompts;

pub use answers::{AnswerRow, read_answers};
pub use consistency::{ConsistencyRow, Shown, read_consistency};
pub use following::{FollowingRow, Follows, read_following};
pub use layers::{Class, LayerPoint, LayerTable, read_layers, read_top1};
pub use outcomes::{OutcomeRow, read_outcomes};
pub(super) use partitions::partitions_if_any;
pub use partitions::{Partition, partitions};
pub use prompts::{PromptRow, PromptTable, read_prompts};

/// The value of `control` in rows that belong to no control.
pub const NO_CONTROL: &str = "none";
