//! How it is run: prompts into batches, batches through the model, logits into answers.
//!
//! [`rehearse()`] finds before the first sample what would fail all of them; [`pipeline`] keeps preparation ahead of the model
//! behind a bounded queue; [`evaluate()`] runs one unit, [`generate()`] continues prompts; [`score`] reads a
//! distribution; [`follow`] sets a conflict case's three answers side by side. Batches never cross a unit, so a unit's
//! numbers don't depend on what else runs.

mod assemble;
mod batches;
mod evaluate;
pub mod follow;
mod generate;
pub mod pipeline;
mod rehearse;
pub mod score;

pub use evaluate::{
    Answered, EvaluationSettings, LayerMeans, StageSeconds, UnitResult, encode_images, evaluate,
};
pub use generate::{Generation, GenerationSettings, generate};
pub use rehearse::{Sizes, rehearse};
