//! A norm in a decoder's graph, as one operator or written out, from the residual stream to what the next product reads.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::residual::{Flow, Stream};
use crate::model::graph::{Attribute, Edit, Graph, Node};

/// Nodes that a norm is written out in at most, with changes of type around it.
const FEW: usize = 24;

/// What epsilon of `SkipLayerNormalization` and its like is where they don't say.
const SKIP_EPSILON: f32 = 1e-12;

/// A norm of the residual stream.
pub(in crate::model) struct Norm<'a> {
    /// What is normed, before any change of type.
    pub input: Stream<'a>,
    /// The normed tensor.
    output: &'a str,
    /// From the input to the output, each after those it reads.
    nodes: Vec<&'a Node<'a>>,
}

impl<'a> Norm<'a> {
    /// Walks back from a normed tensor, or from one that has another type or fewer positions. `None` where it comes from no norm.
    pub(super) fn find(flow: &Flow<'a>, output: &'a str) -> Option<Self> {
        let graph = flow.graph;
        let mut found = BTreeSet::new();
        let mut node = graph.producer(output)?;
        while keeps_numbers(node) {
            found.extend(node.outputs.first());
            node = graph.producer(node.input(0)?)?;
            (found.len() < FEW).then_some(())?;
        }
        let mut input = match node.operator {
            "RMSNormalization" | "SimplifiedLayerNormalization" | "LayerNormalization" => {
                Stream::Tensor(node.input(0)?)
            }
            "SkipSimplifiedLayerNormalization" | "SkipLayerNormalization" => Stream::sum_of(node),
            _ => Stream::Tensor(written_out(flow, node, &mut found)?),
        };
        found.extend(node.outputs.first());
        while let Stream::Tensor(name) = input
            && let Some(cast) = graph.producer(name).filter(|node| node.operator == "Cast")
        {
            found.insert(name);
            input = Stream::Tensor(cast.input(0)?);
        }
        let mut nodes = Vec::new();
        in_order(graph, output, &mut found, &mut nodes);
        Some(Self { input, output, nodes })
    }

    /// The same norm of another tensor with as many axes and the same type; returns what it is called.
    pub fn copy(&self, from: &str, edit: &mut Edit) -> String {
        let mut copies: BTreeMap<&str, String> = BTreeMap::new();
        if let Stream::Tensor(input) = self.input {
            copies.insert(input, from.into());
        }
        for (index, node) in self.nodes.iter().enumerate() {
            let read = |name: &str| copies.get(name).cloned().unwrap_or_else(|| name.to_string());
            let [output, ..] = node.outputs[..] else { continue };
            if matches!(node.operator, "Reshape" | "Flatten" | "Slice") {
                // Which positions there are is not the copy's concern.
                copies.insert(output, read(node.inputs[0]));
                continue;
            }
            let copy = format!("crossmodal.norm.{index}");
            match after_sum(node) {
                Some((operator, weights)) => {
                    let epsilon = Attribute::Float("epsilon", node.float("epsilon").unwrap_or(SKIP_EPSILON));
                    let attributes = [epsilon, Attribute::Integer("axis", -1)];
                    edit.node_with(operator, "", &[&[from], weights].concat(), &[&copy], &attributes);
                }
                None => {
                    let inputs: Vec<String> = node.inputs.iter().map(|name| read(name)).collect();
                    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
                    edit.copy(node, &inputs, &[&copy]);
                }
            }
            copies.insert(output, copy);
        }
        copies.remove(self.output).unwrap_or_else(|| from.to_string())
    }
}

/// The nodes that give `found` tensors, from those before `output` on to the one that gives it.
fn in_order<'a>(
    graph: &'a Graph<'a>,
    output: &'a str,
    found: &mut BTreeSet<&'a str>,
    nodes: &mut Vec<&'a Node<'a>>,
) {
    if let Some(node) = graph.producer(output).filter(|_| found.remove(output)) {
        node.inputs.iter().for_each(|input| in_order(graph, input, found, nodes));
        nodes.push(node);
    }
}

/// Whether what a node gives are the numbers that it reads: in another type or shape, or at some positions only.
fn keeps_numbers(node: &Node) -> bool {
    [
        "Cast",
        "Identity",
        "QuantizeLinear",
        "DequantizeLinear",
        "DynamicQuantizeLinear",
        "Reshape",
        "Flatten",
        "Slice",
    ]
    .contains(&node.operator)
}

/// A norm that adds first: what norms a sum, with the weights that it takes.
fn after_sum<'a>(node: &'a Node<'a>) -> Option<(&'static str, &'a [&'a str])> {
    match node.operator {
        "SkipSimplifiedLayerNormalization" => Some(("SimplifiedLayerNormalization", node.inputs.get(2..3)?)),
        "SkipLayerNormalization" => {
            let weights = node.inputs.get(2..)?;
            let has_shift = weights.get(1).is_some_and(|name| !name.is_empty());
            Some(("LayerNormalization", &weights[..1 + usize::from(has_shift)]))
        }
        _ => None,
    }
}

/// What a norm is written out in.
const ELEMENTWISE: [&str; 10] =
    ["Mul", "Div", "Add", "Sub", "Cast", "Identity", "Sqrt", "Reciprocal", "Pow", "ReduceMean"];

/// The tensor whose mean a written-out norm divides by or takes off. Outputs of the nodes from there to `last` are put into `found`.
fn written_out<'a>(flow: &Flow<'a>, last: &'a Node<'a>, found: &mut BTreeSet<&'a str>) -> Option<&'a str> {
    let graph = flow.graph;
    let mean = nearest_mean(flow, last)?;
    let squared = mean.input(0)?;
    let base = match graph.producer(squared) {
        Some(square) if is_square(square) => square.input(0)?,
        _ => squared,
    };
    let centred = graph.producer(base).filter(|node| node.operator == "Sub" && takes_mean_off(graph, node));
    let input = centred.map_or(Some(base), |node| node.input(0))?;
    let mut open = vec![last];
    while let Some(node) = open.pop() {
        let [output] = node.outputs[..] else { return None };
        let is_of_norm = ELEMENTWISE.contains(&node.operator) && found.len() < FEW;
        (output != input && is_of_norm).then_some(())?;
        if found.insert(output) {
            let above = flow.carrying(node).filter(|name| *name != input);
            open.extend(above.map(|name| graph.producer(name)).collect::<Option<Vec<_>>>()?);
        }
    }
    Some(input)
}

fn nearest_mean<'a>(flow: &Flow<'a>, last: &'a Node<'a>) -> Option<&'a Node<'a>> {
    let mut open = VecDeque::from([last]);
    for _ in 0..2 * FEW {
        let node = open.pop_front()?;
        match node.operator {
            "ReduceMean" => return Some(node),
            operator if ELEMENTWISE.contains(&operator) => {
                open.extend(flow.carrying(node).filter_map(|name| flow.graph.producer(name)));
            }
            _ => {}
        }
    }
    None
}

fn is_square(node: &Node) -> bool {
    node.operator == "Pow" || (node.operator == "Mul" && node.inputs.first() == node.inputs.get(1))
}

fn takes_mean_off(graph: &Graph, node: &Node) -> bool {
    let mean = node.input(1).and_then(|name| graph.producer(name));
    mean.is_some_and(|mean| mean.operator == "ReduceMean" && mean.input(0) == node.input(0))
}
