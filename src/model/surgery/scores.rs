//! Attention between its heads: from queries, keys and values to their mean by score.

use super::mask::Mask;
use crate::model::graph::{Graph, Node};

/// Queries, keys and values [batch, heads, sequence, head size] and what makes scores of them.
pub(super) struct Scores<'a> {
    pub queries: &'a str,
    pub keys: &'a str,
    pub values: &'a str,
    /// Whether keys are [batch, heads, head size, sequence].
    pub keys_transposed: bool,
    /// (`Mul` or `Div`, number) that scores are scaled with, in products that are written out.
    pub factors: Vec<(&'a str, &'a str)>,
    /// The operator's scale, where it is not 1 / sqrt(head size).
    pub scale: Option<f32>,
    pub mask: Option<Mask<'a>>,
    /// The node that gives [batch, heads, sequence, head size].
    pub last: &'a Node<'a>,
}

impl<'a> Scores<'a> {
    /// `last`: `Attention`, or the product with the values.
    pub fn of(graph: &'a Graph<'a>, last: &'a Node<'a>) -> Option<Self> {
        match (last.operator, last.domain) {
            ("Attention", "") => Self::of_operator(graph, last),
            ("MatMul", "") => Self::of_products(graph, last),
            _ => None,
        }
    }

    /// Without anything that the fused operator lacks.
    fn of_operator(graph: &'a Graph<'a>, last: &'a Node<'a>) -> Option<Self> {
        let (&[queries, keys, values, ref rest @ ..], [_]) = (&last.inputs[..], &last.outputs[..]) else {
            return None;
        };
        let mask = rest.first().filter(|name| !name.is_empty());
        let mask = mask.map(|name| Mask { name, is_bool: graph.is_bool(name) });
        let is_plain = rest.iter().skip(1).all(|name| name.is_empty())
            && mask.as_ref().is_none_or(|mask| mask.is_bool)
            && last.float("softcap").is_none_or(|cap| cap == 0.0)
            && last.integer("is_causal").is_none_or(|causal| causal == 0)
            && last.integer("q_num_heads").is_none();
        let scale = last.float("scale");
        let (keys_transposed, factors) = (false, Vec::new());
        is_plain.then_some(Self { queries, keys, values, keys_transposed, factors, scale, mask, last })
    }

    fn of_products(graph: &'a Graph<'a>, last: &'a Node<'a>) -> Option<Self> {
        let producer = |name: &str, operator| graph.producer(name).filter(|node| node.operator == operator);
        let &[weights, values] = &last.inputs[..] else { return None };
        let softmax = producer(weights, "Softmax")?;
        let over_keys = match softmax.integer("axis") {
            Some(axis) => [-1, 3].contains(&axis),
            None => graph.opset >= 13,
        };
        let mut scores = softmax.input(0).filter(|_| over_keys)?;
        let mut factors = Vec::new();
        let mut mask = None;
        if let Some(add) = producer(scores, "Add") {
            let is_product =
                |name: &&&str| producer(unscaled(graph, name, &mut Vec::new()), "MatMul").is_some();
            let place = add.inputs.iter().position(|name| is_product(&name))?;
            (scores, mask) = (add.input(place)?, Some(Mask { name: add.input(1 - place)?, is_bool: false }));
        }
        scores = unscaled(graph, scores, &mut factors);
        let &[queries, keys] = &producer(scores, "MatMul")?.inputs[..] else { return None };
        let queries = unscaled(graph, queries, &mut factors);
        let keys = unscaled(graph, keys, &mut factors);
        let (keys_transposed, scale) = (true, Some(1.0));
        Some(Self { queries, keys, values, keys_transposed, factors, scale, mask, last })
    }
}

/// A tensor before it is multiplied with numbers or divided by them, which are added to `factors`.
fn unscaled<'a>(graph: &'a Graph<'a>, name: &'a str, factors: &mut Vec<(&'a str, &'a str)>) -> &'a str {
    let Some(node) = graph.producer(name) else { return name };
    let &[left, right] = &node.inputs[..] else { return name };
    let (source, factor) = match node.operator {
        "Mul" | "Div" if is_number(graph, right, DEPTH) => (left, right),
        "Mul" if is_number(graph, left, DEPTH) => (right, left),
        _ => return name,
    };
    factors.push((node.operator, factor));
    unscaled(graph, source, factors)
}

/// Steps from a constant or a size to a scale at most.
const DEPTH: usize = 10;

/// Whether a tensor has one element: a constant, or computed from constants and a size (TorchScript writes out
/// sqrt(1 / sqrt(head size))).
fn is_number(graph: &Graph, name: &str, depth: usize) -> bool {
    let Some(node) = graph.producer(name).filter(|node| node.operator != "Constant") else {
        return graph.sizes(name).is_some_and(|sizes| sizes.iter().all(|size| *size == 1));
    };
    let all_numbers = || node.inputs.iter().all(|input| is_number(graph, input, depth - 1));
    let last_size = || {
        let shape = node.input(0).and_then(|shape| graph.producer(shape));
        let starts = node.input(1).and_then(|starts| graph.integers(starts));
        shape.is_some_and(|shape| shape.operator == "Shape") && starts.as_deref() == Some(&[-1])
    };
    match node.operator {
        "Cast" | "Sqrt" | "Reciprocal" | "Mul" | "Div" | "Pow" => depth > 0 && all_numbers(),
        "Slice" => last_size(),
        _ => false,
    }
}
