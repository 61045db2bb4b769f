//! The logit lens: the residual stream after every layer, at chosen tokens, through the model's own final norm and LM head.
//!
//! All layers go through the head in the product that computes the asked logits, and of their logits only the best token and
//! the options' leave the graph.

use super::residual::Residual;
use crate::model::graph::{Attribute, Edit, FLOAT, INT64};

/// The input that is added: (row, place among the new tokens) of each token whose layers are read, [probed, 1, 2]; may be empty.
pub(in crate::model) const PROBED: &str = "crossmodal.probed";

/// The input that is added: the tokens whose logits are wanted after every layer, [options].
pub(in crate::model) const OPTIONS: &str = "crossmodal.options";

/// Outputs, of all rows that went through the head: the best logit and its token, [rows, 1] each, and the logits of [`OPTIONS`],
/// [rows, options]. After the asked rows follow the layers of the first probed token, then those of the next one.
pub(in crate::model) const LENS_OUTPUTS: [&str; 3] =
    ["crossmodal.lens_logit", "crossmodal.lens_token", "crossmodal.lens_options"];

/// Adds the normed stream of the [`PROBED`] tokens after every layer, [probed x layers, hidden]; returns what it is called.
pub(in crate::model) fn lens_rows(residual: &Residual, streams: &[&str], edit: &mut Edit) -> &'static str {
    let [stacked, rows] = ["crossmodal.lens_stream", "crossmodal.lens_rows"];
    edit.input(PROBED, INT64, &[None, Some(1), Some(2)]);
    let picked: Vec<String> =
        (0..streams.len()).map(|layer| format!("crossmodal.probed.{}", layer + 1)).collect();
    let picked: Vec<&str> = picked.iter().map(String::as_str).collect();
    edit.node_with("Concat", "", &picked, &[stacked], &[Attribute::Integer("axis", 1)]);
    let normed = residual.norm.copy(stacked, edit);
    edit.node_with("Flatten", "", &[&normed], &[rows], &[Attribute::Integer("axis", 2)]);
    for (stream, picked) in streams.iter().zip(&picked).rev() {
        edit.node("GatherND", "", &[stream, PROBED], &[picked]);
    }
    rows
}

/// Adds [`LENS_OUTPUTS`] of `logits` [rows, vocabulary].
pub(in crate::model) fn read_lens(logits: &str, edit: &mut Edit) {
    let [best, token, options] = LENS_OUTPUTS;
    let [in_full, one] = ["crossmodal.lens_logits", "crossmodal.lens_one"];
    edit.input(OPTIONS, INT64, &[None]);
    edit.integers(one, &[1]);
    edit.node_with("Cast", "", &[logits], &[in_full], &[Attribute::Integer("to", FLOAT as i64)]);
    // Of equal logits the first one comes first.
    edit.node("TopK", "", &[in_full, one], &[best, token]);
    edit.node_with("Gather", "", &[in_full, OPTIONS], &[options], &[Attribute::Integer("axis", 1)]);
    LENS_OUTPUTS.iter().for_each(|name| edit.output(name));
}
