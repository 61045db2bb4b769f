//! Edits of graphs when they are loaded, so that any published export gives out what evaluation needs.
//!
//! A graph that is not of the expected pattern is left as it is, and runs without the feature.

mod asked;
mod attention;
mod grouped;
mod head;
mod heads;
mod mask;
mod scores;
mod side_by_side;
mod written_out;

pub(super) use asked::{ASKED, compute_asked_logits};
pub(super) use attention::fuse_attention;
pub(super) use grouped::share_keys_and_values;
pub(super) use head::Head;
pub(super) use written_out::write_out_attention;
