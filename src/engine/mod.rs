//! How it is run: prompts into batches, batches through the model, logits into answers.
//!
//! [`rehearse()`] finds before the first sample what would fail all of them; [`pipeline`] keeps preparation ahead of the model
//! behind a bounded queue; [`evaluate()`] runs one unit; [`score`] reads a
//! distribution; [`follow`] sets a conflict case's three answers side by side. Batches never cross a unit, so a unit's
//! numbers don't depend on what else runs.

mod batches;
mod evaluate;
pub mod follow;
pub mod pipeline;
mod rehearse;
pub mod score;

pub use evaluate::{Answered, EvaluationSettings, LayerMeans, StageSeconds, UnitResult, evaluate};
pub use rehearse::{Sizes, rehearse};
