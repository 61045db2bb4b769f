//! The LM head at the positions that are asked for only: it is a sixth of a text prompt's time in a small model, and its
//! logits at all positions are most of the memory.

use super::head::Head;
use crate::model::graph::{Edit, Graph, Node};

/// The input that is added: (row, place among the new tokens) of each token whose logits are wanted, [asked, 2].
pub(in crate::model) const ASKED: &str = "crossmodal.asked";

/// What the head's product reads then.
const ASKED_ROWS: &str = "crossmodal.asked_rows";

/// Lets a decoder give the logits of the tokens in [`ASKED`] only, in that order: [asked, vocabulary].
///
/// Only the product of the head and what follows it see fewer positions. Dynamic quantization before the product still
/// sees all, so that its scale, and with it every logit, stays the same. Says whether the graph is of that pattern.
pub(in crate::model) fn compute_asked_logits(
    graph: &Graph,
    head: &Head,
    logits: &str,
    edit: &mut Edit,
) -> bool {
    let Some(rows) = rows(graph, head) else { return false };
    // `GatherND` came with operator set 11.
    if graph.opset < 11 || !feeds_one_another(graph, head, logits) {
        return false;
    }
    edit.integer_input(ASKED, &[None, Some(2)]);
    if head.product.operator == "DynamicQuantizeMatMul" {
        multiply_quantized(head.product, rows, edit);
    } else {
        edit.node("GatherND", "", &[rows, ASKED], &[ASKED_ROWS]);
        edit.rewire(head.product, &[&[ASKED_ROWS], &head.product.inputs[1..]].concat());
    }
    for node in &head.after {
        // Positions were flattened for the product and are flat now.
        if node.operator == "Reshape" {
            edit.strike(node);
            edit.node("Identity", "", &node.inputs[..1], &node.outputs);
        }
    }
    for name in [head.product].iter().chain(&head.after).flat_map(|node| &node.outputs) {
        edit.forget_type(graph, name);
    }
    true
}

/// `DynamicQuantizeMatMul` in two, with the picking of rows between quantization and product.
fn multiply_quantized(product: &Node, activations: &str, edit: &mut Edit) {
    let quantized = ["crossmodal.all_quantized", "crossmodal.all_scale", "crossmodal.all_zero_point"];
    let [all, scale, zero_point] = quantized;
    let weights = |place: usize| product.input(place).unwrap_or_default();
    edit.node("DynamicQuantizeLinear", "", &[activations], &quantized);
    edit.node("GatherND", "", &[all, ASKED], &[ASKED_ROWS]);
    edit.strike(product);
    let inputs = [ASKED_ROWS, weights(1), scale, weights(2), zero_point, weights(3), weights(4)];
    edit.node("MatMulIntegerToFloat", "com.microsoft", &inputs, &product.outputs);
}

/// The tensor [batch, sequence, hidden] of which rows are picked for the product.
fn rows<'a>(graph: &'a Graph<'a>, head: &Head<'a>) -> Option<&'a str> {
    let read = head.product.input(0)?;
    let flattens = graph.producer(read).is_some_and(|source| source.operator == "Reshape");
    let unflattens = head.after.iter().any(|node| node.operator == "Reshape");
    match (flattens, unflattens) {
        (true, true) => Some(head.hidden),
        (false, false) => Some(read),
        _ => None,
    }
}

/// Whether the head's nodes are read by one another only: nothing else expects logits at all positions.
fn feeds_one_another(graph: &Graph, head: &Head, logits: &str) -> bool {
    let is_read_once = |name: &&str| graph.consumers(name).count() == 1 && !graph.is_output(name);
    let nodes = [head.product].into_iter().chain(head.after.iter().copied());
    nodes.flat_map(|node| &node.outputs).filter(|name| **name != logits).all(is_read_once)
        && graph.consumers(logits).next().is_none()
}
