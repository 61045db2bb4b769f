//! Standard `Attention` as the products and the softmax that it stands for.
//!
//! OpenVINO's provider takes the operator for an older one of that name in another domain, and then cannot compile the graph.

use super::scores::Scores;
use crate::model::graph::{Attribute, Edit, Graph};

/// Writes out attention in f32 that has a scale, no past, no cap and no causal flag; other attention stays.
pub(in crate::model) fn write_out_attention(graph: &Graph, edit: &mut Edit) {
    let operators = graph.nodes.iter().filter(|node| node.operator == "Attention");
    let found = operators.filter_map(|node| Scores::of(graph, node));
    for attention in found.filter(|attention| graph.is_f32(attention.queries)) {
        if let (Some(scale), &[output]) = (attention.scale, &attention.last.outputs[..]) {
            edit.strike(attention.last);
            write_out(&attention, scale, output, edit);
        }
    }
}

/// `MatMul(Softmax(MatMul(queries * scale, transposed keys) + mask), values)`; all of [batch, heads, tokens, head size].
fn write_out(attention: &Scores, scale: f32, output: &str, edit: &mut Edit) {
    let named = |part: &str| format!("crossmodal.{output}.{part}");
    let number = |part: &str, value: f32, edit: &mut Edit| {
        edit.node_with("Constant", "", &[], &[&named(part)], &[Attribute::Float("value_float", value)]);
    };
    let [factor, scaled, turned, mut scores, weights] =
        ["factor", "scaled", "turned", "scores", "weights"].map(named);
    number("factor", scale, edit);
    edit.node("Mul", "", &[attention.queries, &factor], &[&scaled]);
    let swapped = [Attribute::Integers("perm", &[0, 1, 3, 2])];
    edit.node_with("Transpose", "", &[attention.keys], &[&turned], &swapped);
    edit.node("MatMul", "", &[&scaled, &turned], &[&scores]);
    if let Some(mask) = attention.mask {
        let [seen, hidden, bias, masked] = ["seen", "hidden", "bias", "masked"].map(named);
        number("seen", 0.0, edit);
        // As ONNX Runtime's own attention: a row that sees nothing sees all alike, and is not NaN.
        number("hidden", f32::MIN, edit);
        edit.node("Where", "", &[mask.name, &seen, &hidden], &[&bias]);
        edit.node("Add", "", &[&scores, &bias], &[&masked]);
        scores = masked;
    }
    edit.node("Softmax", "", &[&scores], &[&weights]);
    edit.node("MatMul", "", &[&weights, attention.values], &[output]);
}

#[cfg(test)]
#[path = "written_out_tests.rs"]
mod tests;
