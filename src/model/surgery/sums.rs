//! Weighted sums of the residual stream over tokens, inside of the graph: of a prompt's states a row or two leave it.

use crate::model::graph::{Attribute, Edit, FLOAT};

/// The input that is added: each sum's weight of each new token, [batch, sums, sequence].
pub(in crate::model) const WEIGHTS: &str = "crossmodal.sum_weights";

/// The output: [batch, sums, depths x hidden], 32-bit floats.
pub(in crate::model) const SUMS: &str = "crossmodal.sums";

/// Adds the sums of `streams` [batch, sequence, hidden] with [`WEIGHTS`].
pub(in crate::model) fn sum_over_tokens(streams: &[&str], edit: &mut Edit) {
    edit.input(WEIGHTS, FLOAT, &[None, None, None]);
    let named = |part: &str| -> Vec<String> {
        (0..streams.len()).map(|depth| format!("crossmodal.{part}.{depth}")).collect()
    };
    let (in_full, sums) = (named("in_full"), named("sum"));
    let all: Vec<&str> = sums.iter().map(String::as_str).collect();
    edit.node_with("Concat", "", &all, &[SUMS], &[Attribute::Integer("axis", 2)]);
    for ((stream, in_full), sum) in streams.iter().zip(&in_full).zip(&sums).rev() {
        // Sums of 16-bit floats overflow.
        edit.node_with("Cast", "", &[stream], &[in_full], &[Attribute::Integer("to", FLOAT as i64)]);
        edit.node("MatMul", "", &[WEIGHTS, in_full], &[sum]);
    }
    edit.output(SUMS);
}
