//! Edits of a decoder's graph when it is loaded, so that any published export gives out what evaluation needs.

use super::graph::{Node, nodes};

/// The tensor that the LM head reads: the residual stream after the final norm, [batch, sequence, hidden].
///
/// Walks back from `output` (the logits) through what quantization and type changes put around the head's product.
/// `None` when the graph is not of that pattern; it then runs without the feature.
pub(super) fn head_input<'a>(model: &'a [u8], output: &str) -> Option<&'a str> {
    let nodes = nodes(model).ok()?;
    let producer = |name: &str| nodes.iter().rev().find(|node| node.outputs.contains(&name));
    let mut node: &Node = producer(output)?;
    // A handful of nodes stands between the logits and the product at most.
    for _ in 0..12 {
        match node.operator {
            "MatMul" | "Gemm" | "MatMulNBits" | "FusedMatMul" => return node.inputs.first().copied(),
            "MatMulInteger" | "MatMulIntegerToFloat" => {
                let quantized = producer(node.inputs.first()?)?;
                return (quantized.operator == "DynamicQuantizeLinear")
                    .then(|| quantized.inputs.first().copied())?;
            }
            "DynamicQuantizeMatMul" => return node.inputs.first().copied(),
            // Elementwise: follow the operand that a node computes (the other is a scale, a bias or a cap).
            "Cast" | "Mul" | "Div" | "Add" | "Tanh" | "Identity" => {
                let mut computed = node.inputs.iter().filter_map(|name| producer(name));
                node = computed
                    .find(|candidate| !matches!(candidate.operator, "Constant" | "DynamicQuantizeLinear"))?;
            }
            _ => return None,
        }
    }
    None
}
