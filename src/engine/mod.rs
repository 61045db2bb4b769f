//! How it is run: prompts into batches, batches through the model, logits into answers.
//!
//! The whole of a unit is known before its first token, and nothing of it is computed twice: images of one content are
//! encoded once, prompts that begin alike are run along their prefix tree, and what is known of an answer drafts it.
//!
//! [`rehearse()`] finds before the first sample what would fail all of them; [`Expectation`] says what a unit will cost;
//! [`preparation`] cuts a suite into units, and begins while models are loaded; [`pipeline`] keeps it ahead of them behind a
//! bounded queue; [`evaluate()`] runs one unit: `running` takes its prompts along the `prompt_tree` in `batches`, `decoding`
//! writes answers from `drafts`, both by `forward` passes; [`score`] reads distributions; [`Predictions`] stand in for a model
//! that ran elsewhere; [`follow`] sets a conflict case's three answers side by side. Batches never cross a unit, so a unit's
//! numbers don't depend on what else runs.

mod answered;
mod batches;
mod decoding;
mod drafts;
mod evaluate;
mod explain;
pub mod follow;
mod forward;
mod generate;
mod imported;
mod lens;
mod means;
pub mod pipeline;
pub mod preparation;
mod prompt_tree;
mod rehearse;
mod requests;
mod running;
pub mod score;

pub use answered::{Answered, Finish, PromptTokens};
pub use evaluate::{EvaluationSettings, StageSeconds, UnitResult, encode_images, evaluate};
pub use explain::Expectation;
pub use generate::{GenerationSettings, generate};
pub use imported::Predictions;
pub use lens::{LayerPrediction, prompts_a_pass};
pub use means::{Depth, LayerMeans};
pub use rehearse::{Sizes, rehearse};
pub use requests::{Generation, Work};
