//! Edits of graphs when they are loaded, so that any published export gives out what evaluation needs.
//!
//! A graph that is not of the expected pattern is left as it is, and runs without the feature.

mod asked;
mod attention;
mod cached;
mod grouped;
mod head;
mod heads;
mod lens;
mod linear;
mod mask;
mod norm;
mod quantized;
mod residual;
mod scores;
mod side_by_side;
mod sums;
mod tokens_first;
mod unread;
mod written_out;

pub(super) use asked::{ASKED, can_compute_asked_logits, compute_asked_logits};
pub(super) use attention::fuse_attention;
pub(super) use cached::keep_in_blocks;
pub(super) use grouped::share_keys_and_values;
pub(super) use head::Head;
pub(super) use lens::{LENS_OUTPUTS, OPTIONS, PROBED, lens_rows, read_lens};
pub(super) use linear::own_linear_layers;
pub(super) use residual::{Refusal, Residual};
pub(super) use sums::{SUMS, WEIGHTS, sum_over_tokens};
pub(super) use unread::strike_unread;
pub(super) use written_out::write_out_attention;
