//! Where a decoder's LM head stands in its graph.

use std::collections::BTreeSet;

use crate::model::graph::{Graph, Node};

/// Nodes that are looked at between two tensors at most: more is no LM head.
const FEW: usize = 12;

/// The LM head of a decoder.
pub(in crate::model) struct Head<'a> {
    /// The residual stream after the final norm, [batch, sequence, hidden]: what the head computes logits from.
    pub hidden: &'a str,
    /// The product with the vocabulary's weights.
    pub product: &'a Node<'a>,
    /// What follows the product, up to the node that gives the logits.
    pub after: Vec<&'a Node<'a>>,
}

impl<'a> Head<'a> {
    /// Walks back from `logits` through what quantization, caps and type changes put around the product.
    ///
    /// `None` when the graph is not of that pattern.
    pub fn find(graph: &'a Graph<'a>, logits: &str) -> Option<Self> {
        let mut node = graph.producer(logits)?;
        let mut after = Vec::new();
        while !is_product(node.operator) {
            after.push(node);
            if after.len() > FEW {
                return None;
            }
            let mut computed = match node.operator {
                "Cast" | "Tanh" | "Identity" | "Reshape" => &node.inputs[..1.min(node.inputs.len())],
                "Mul" | "Div" | "Add" => &node.inputs,
                _ => return None,
            }
            .iter()
            .filter(|name| !is_scale(graph, name, FEW))
            .filter_map(|name| graph.producer(name));
            node = computed.next()?;
            if computed.next().is_some() {
                return None; // Two operands that both have positions: no factor, bias or cap.
            }
        }
        let read = node.input(0)?;
        let source = graph.producer(read);
        let hidden = match source.filter(|_| node.operator.starts_with("MatMulInteger")) {
            Some(source) if source.operator == "DynamicQuantizeLinear" => source.input(0)?,
            Some(_) => return None,
            None => read,
        };
        let restores_axes = after.iter().any(|node| node.operator == "Reshape");
        let flattening =
            graph.producer(hidden).filter(|source| restores_axes && source.operator == "Reshape");
        let hidden = flattening.map_or(Some(hidden), |reshape| reshape.input(0))?;
        has_all_positions(graph, hidden).then_some(Self { hidden, product: node, after })
    }
}

impl<'a> Head<'a> {
    /// The last node from the product on before a bias or a cap: up to there, scaled rows give scaled logits.
    pub fn last_linear(&self) -> &'a Node<'a> {
        let is_linear =
            |node: &&&Node| matches!(node.operator, "Cast" | "Identity" | "Reshape" | "Mul" | "Div");
        self.after.iter().rev().take_while(is_linear).last().copied().unwrap_or(self.product)
    }
}

/// Whether an operator is a matrix product with the activations as its first input.
pub(super) fn is_product(operator: &str) -> bool {
    [
        "MatMul",
        "Gemm",
        "FusedMatMul",
        "MatMulNBits",
        "MatMulBnb4",
        "MatMulInteger",
        "MatMulIntegerToFloat",
        "DynamicQuantizeMatMul",
    ]
    .contains(&operator)
}

/// Whether a tensor is the same for all positions: computed from weights, or a scale of dynamic quantization.
fn is_scale(graph: &Graph, name: &str, depth: usize) -> bool {
    match graph.producer(name) {
        None => name.is_empty() || graph.is_weight(name),
        Some(node) if node.operator == "DynamicQuantizeLinear" => node.outputs.first() != Some(&name),
        Some(node) => depth > 0 && node.inputs.iter().all(|input| is_scale(graph, input, depth - 1)),
    }
}

/// Whether the residual stream still has all positions: nothing between the layers and the head picks some of them.
///
/// `num_logits_to_keep` does, and is told to keep all.
fn has_all_positions(graph: &Graph, hidden: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![hidden];
    while let Some(name) = open.pop() {
        let Some(node) = graph.producer(name).filter(|_| seen.insert(name)) else {
            continue;
        };
        match node.operator {
            "Slice" if !reads_number_to_keep(graph, node) => return false,
            "Gather" | "GatherND" | "GatherElements" | "Compress" | "Split" => return false,
            "Reshape" | "Expand" | "Slice" | "Squeeze" | "Unsqueeze" => open.extend(node.input(0)),
            "DynamicQuantizeLinear" => {} // a scale, the same for all positions
            operator if is_product(operator) => {}
            _ => open.extend(&node.inputs),
        }
    }
    true
}

fn reads_number_to_keep(graph: &Graph, slice: &Node) -> bool {
    let mut open: Vec<&str> = slice.inputs.iter().skip(1).copied().collect();
    // Negation and a reshape or two.
    for _ in 0..16 {
        let Some(name) = open.pop() else { return false };
        match graph.producer(name) {
            None if name == "num_logits_to_keep" => return true,
            None => {}
            Some(node) => open.extend(&node.inputs),
        }
    }
    false
}
