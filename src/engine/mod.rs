//! How it is run: prompts into batches, batches through the model, logits into answers.
//!
//! [`rehearse()`] finds before the first sample what would fail all of them; [`pipeline`] keeps preparation ahead of the model
//! behind a bounded queue; [`evaluate()`] runs one unit: it asks for distributions, which [`score`] reads, and for
//! continuations, which [`generate()`] writes; [`Predictions`] stand in for a model that ran elsewhere; [`follow`] sets a conflict case's three answers side by side. Batches never
//! cross a unit, so a unit's numbers don't depend on what else runs.

mod answered;
mod asking;
mod assemble;
mod batches;
mod evaluate;
pub mod follow;
mod generate;
mod imported;
mod means;
pub mod pipeline;
mod rehearse;
pub mod score;

pub use answered::{Answered, Finish, PromptTokens};
pub use evaluate::{EvaluationSettings, StageSeconds, UnitResult, encode_images, evaluate};
pub use generate::{Generation, GenerationSettings, generate};
pub use imported::Predictions;
pub use means::LayerMeans;
pub use rehearse::{Sizes, rehearse};
