//! The LM head at the positions that are asked for only: it is a sixth of a text prompt's time in a small model, and its
//! logits at all positions are most of the memory.

use super::head::Head;
use super::quantized::Quantization;
use crate::model::graph::{Attribute, Edit, Graph, INT64, MICROSOFT, Node};

/// The input that is added: (row, place among the new tokens) of each token whose logits are wanted, [asked, 2].
pub(in crate::model) const ASKED: &str = "crossmodal.asked";

/// What the head's product reads then.
const ASKED_ROWS: &str = "crossmodal.asked_rows";

/// What it reads where other rows follow those.
const ALL_ROWS: &str = "crossmodal.all_rows";

/// The logits of all rows, where they are not the graph's output.
const ALL_LOGITS: &str = "crossmodal.all_logits";

/// Whether [`compute_asked_logits`] knows the pattern of a graph.
pub(in crate::model) fn can_compute_asked_logits(graph: &Graph, head: &Head, logits: &str) -> bool {
    // `GatherND` came with operator set 11.
    graph.opset >= 11 && rows(graph, head).is_some() && feeds_one_another(graph, head, logits)
}

/// Lets a decoder give the logits of the tokens in [`ASKED`] only, in that order: [asked, vocabulary].
///
/// Only the product of the head and what follows it see fewer positions. Dynamic quantization before the product still
/// sees all, so that its scale, and with it every logit, stays the same.
///
/// `further` rows [rows, hidden] of the residual stream go through the head in the same product, so that its weights are read
/// once (a second product would also keep a second packed copy of them). Theirs follow the asked logits in the tensor whose
/// name is returned, [asked + rows, vocabulary].
pub(in crate::model) fn compute_asked_logits(
    graph: &Graph,
    head: &Head,
    logits: &str,
    further: Option<&str>,
    edit: &mut Edit,
) -> Option<&'static str> {
    if !can_compute_asked_logits(graph, head, logits) {
        return None;
    }
    let rows = rows(graph, head)?;
    edit.input(ASKED, INT64, &[None, Some(2)]);
    let product = head.product;
    let quantization = Quantization::of(graph, product, rows, edit);
    let all_positions = quantization.as_ref().map_or(rows, |found| &found.activations);
    edit.node("GatherND", "", &[all_positions, ASKED], &[ASKED_ROWS]);
    let mut read = ASKED_ROWS;
    // Where rows were scaled down to fit the pass's quantization, their logits are scaled up.
    let mut scaled = None;
    if let Some(further) = further {
        let mut appended = further;
        if let Some(quantization) = &quantization {
            let fitted = quantization.fit(further, edit);
            appended = fitted.rows;
            scaled = Some((head.last_linear(), quantization.factors(ASKED, &fitted, edit)));
        }
        read = ALL_ROWS;
        edit.node_with("Concat", "", &[ASKED_ROWS, appended], &[read], &[Attribute::Integer("axis", 0)]);
    }
    let written = |node: &Node, edit: &mut Edit| -> Vec<String> {
        let [name] = node.outputs[..] else {
            return node.outputs.iter().map(|name| name.to_string()).collect();
        };
        let name = if further.is_some() && name == logits { ALL_LOGITS } else { name };
        match scaled {
            Some((last, factors)) if last == node => {
                let unscaled = "crossmodal.unscaled_logits";
                edit.node("Mul", "", &[unscaled, factors], &[name]);
                vec![unscaled.into()]
            }
            _ => vec![name.into()],
        }
    };
    let outputs = written(product, edit);
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    match quantization.filter(|_| product.operator == "DynamicQuantizeMatMul") {
        Some(Quantization { scale, zero_point, .. }) => {
            let weights = |place: usize| product.input(place).unwrap_or_default();
            edit.strike(product);
            let inputs = [read, weights(1), &scale, weights(2), &zero_point, weights(3), weights(4)];
            edit.node("MatMulIntegerToFloat", MICROSOFT, &inputs, &outputs);
        }
        None => edit.rewrite(product, &[&[read], &product.inputs[1..]].concat(), &outputs),
    }
    for node in &head.after {
        let outputs = written(node, edit);
        let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
        // Positions were flattened for the product and are flat now.
        if node.operator == "Reshape" {
            edit.strike(node);
            edit.node("Identity", "", &node.inputs[..1], &outputs);
        } else if outputs != node.outputs {
            edit.rewrite(node, &node.inputs, &outputs);
        }
    }
    for name in [head.product].iter().chain(&head.after).flat_map(|node| &node.outputs) {
        edit.forget_type(graph, name);
    }
    if further.is_some() {
        first_rows(logits, edit);
    }
    Some(ALL_LOGITS)
}

/// Makes the output of the asked tokens' logits.
fn first_rows(logits: &str, edit: &mut Edit) {
    let [shape, count] = ["crossmodal.asked_shape", "crossmodal.asked_count"];
    let [zero, one] = ["crossmodal.zero", "crossmodal.one"];
    edit.integers(zero, &[0]);
    edit.integers(one, &[1]);
    edit.node("Shape", "", &[ASKED], &[shape]);
    edit.node("Slice", "", &[shape, zero, one, zero], &[count]);
    edit.node("Slice", "", &[ALL_LOGITS, zero, count, zero], &[logits]);
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
    let is_read_once = |name: &&str| graph.consumers(name).count() == 1 && !graph.is_kept(name);
    let nodes = [head.product].into_iter().chain(head.after.iter().copied());
    nodes.flat_map(|node| &node.outputs).filter(|name| **name != logits).all(is_read_once)
        && graph.consumers(logits).next().is_none()
}
