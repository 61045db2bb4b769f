//! Attention that an exporter wrote out as products around a softmax, as one operator again.
//!
//! ONNX Runtime's CPU kernel of `MultiHeadAttention` never has the scores of all pairs in memory where there is no mask, and
//! touches them less often where there is one. Its own optimizer knows the graphs of other exporters.

use super::heads::{Heads, swaps};
use super::scores::Scores;
use crate::model::graph::{Attribute, Edit, Graph, MICROSOFT, Node};

/// Fuses every attention of the pattern
/// `MatMul(Softmax(MatMul(q, transposed k) [scaled] [+ mask]), v)`, and standard `Attention` without a mask, whose queries, keys
/// and values are split into heads right before and joined right after.
///
/// The answer is the same up to rounding. Dynamic quantization makes a step of 1/255 of what rounding moves over an edge, so
/// that such graphs are left as they are.
pub(in crate::model) fn fuse_attention(graph: &Graph, edit: &mut Edit) {
    if QUANTIZING.iter().any(|operator| graph.has(operator)) {
        return;
    }
    let mut masks = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        if let Some(found) = Attention::find(graph, node) {
            found.fuse(graph, index, &mut masks, edit);
        }
    }
}

/// Operators that quantize activations while the graph runs.
const QUANTIZING: [&str; 2] = ["DynamicQuantizeLinear", "DynamicQuantizeMatMul"];

/// Attention of several heads.
struct Attention<'a> {
    heads: i64,
    queries: Heads<'a>,
    keys: Heads<'a>,
    values: Heads<'a>,
    scores: Scores<'a>,
    /// What joins the heads: the transpose to [batch, sequence, heads, head size], and a reshape that may stand before it.
    joins: Vec<&'a Node<'a>>,
}

impl<'a> Attention<'a> {
    /// `last`: the node that gives [batch, heads, sequence, head size].
    fn find(graph: &'a Graph<'a>, last: &'a Node<'a>) -> Option<Self> {
        let scores = Scores::of(graph, last)?;
        let queries = Heads::split(graph, scores.queries, &[0, 2, 1, 3])?;
        let keys = match scores.keys_transposed {
            true => Heads::split(graph, scores.keys, &[0, 2, 3, 1]).or_else(|| {
                let transpose = graph.producer(scores.keys).filter(|node| swaps(node, &[0, 1, 3, 2]))?;
                Heads::split(graph, transpose.input(0)?, &[0, 2, 1, 3])
            })?,
            false => Heads::split(graph, scores.keys, &[0, 2, 1, 3])?,
        };
        let values = Heads::split(graph, scores.values, &[0, 2, 1, 3])?;
        let heads = queries.count;
        (keys.count == heads && values.count == heads).then_some(())?;

        let mut joins = vec![the_reader(graph, last)?];
        if joins[0].operator == "Reshape" {
            joins.push(the_reader(graph, joins[0])?); // contiguous(): the same shape
        }
        joins.reverse();
        swaps(joins[0], &[0, 2, 1, 3]).then_some(Self { heads, queries, keys, values, scores, joins })
    }

    /// `masks`: those that were broadcast for attention before this one.
    fn fuse(&self, graph: &Graph, index: usize, masks: &mut Vec<&'a str>, edit: &mut Edit) {
        let named = |part: &str| format!("crossmodal.attention.{index}.{part}");
        let [joined, split] = ["joined", "split"].map(named);
        edit.integers(&joined, &[0, 0, -1]);
        edit.integers(&split, &[0, 0, self.heads, -1]);
        let mut flat = Vec::new();
        for (part, heads) in [("q", &self.queries), ("k", &self.keys), ("v", &self.values)] {
            let name = named(part);
            edit.node("Reshape", "", &[heads.apart, &joined], &[&name]);
            flat.push(name);
        }
        // All factors of the scores are numbers, and can be the queries'.
        for (place, (operator, factor)) in self.scores.factors.iter().enumerate() {
            let scaled = named(&format!("q.{place}"));
            edit.node(operator, "", &[&flat[0], factor], &[&scaled]);
            flat[0] = scaled;
        }
        let mut inputs: Vec<&str> = flat.iter().map(String::as_str).collect();
        let bias = self.scores.mask.map(|mask| self.broadcast(mask, masks, edit));
        inputs.extend(bias.iter().flat_map(|bias| ["", "", bias.as_str()]));
        let mut attributes = vec![Attribute::Integer("num_heads", self.heads)];
        attributes.extend(self.scores.scale.map(|scale| Attribute::Float("scale", scale)));
        let together = named("together");
        edit.node_with("MultiHeadAttention", MICROSOFT, &inputs, &[&together], &attributes);
        edit.node("Reshape", "", &[&together, &split], &self.joins[0].outputs);

        let mut kept = vec![self.queries.apart, self.keys.apart, self.values.apart];
        kept.extend(self.scores.mask);
        kept.extend(self.scores.factors.iter().map(|(_, factor)| *factor));
        self.joins.iter().for_each(|node| edit.strike(node));
        edit.strike_with_sources(graph, &[self.scores.last], &kept);
    }

    /// The mask for every pair of a query and a key, as `MultiHeadAttention` wants it: [1 or batch, 1 or heads, queries, keys].
    fn broadcast(&self, mask: &'a str, masks: &mut Vec<&'a str>, edit: &mut Edit) -> String {
        let named = |part: &str| format!("crossmodal.mask.{mask}.{part}");
        let bias = named("bias");
        if masks.contains(&mask) {
            return bias;
        }
        masks.push(mask);
        let (ones, first, end) = (named("ones"), named("first"), named("end"));
        edit.integers(&ones, &[1, 1]);
        edit.integers(&first, &[1]);
        edit.integers(&end, &[2]);
        let mut lengths = Vec::new();
        for (part, heads) in [("queries", &self.queries), ("keys", &self.keys)] {
            let (shape, length) = (named(&format!("{part}.shape")), named(part));
            edit.node("Shape", "", &[heads.apart], &[&shape]);
            edit.node("Slice", "", &[&shape, &first, &end], &[&length]);
            lengths.push(length);
        }
        let shape = named("shape");
        let axis = [Attribute::Integer("axis", 0)];
        edit.node_with("Concat", "", &[&ones, &lengths[0], &lengths[1]], &[&shape], &axis);
        edit.node("Expand", "", &[mask, &shape], &[&bias]);
        bias
    }
}

/// The one node that reads what a node gives.
fn the_reader<'a>(graph: &'a Graph<'a>, node: &Node) -> Option<&'a Node<'a>> {
    let &[name] = &node.outputs[..] else { return None };
    let mut readers = graph.consumers(name);
    readers.next().filter(|_| readers.next().is_none() && !graph.is_output(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Operators of a vision encoder before and after, with how many there are of each.
    fn operators(file: &[u8], wanted: &[&str]) -> [Vec<usize>; 2] {
        let mut bytes = file.to_vec();
        let count = |graph: &Graph| {
            let of = |operator: &&str| graph.nodes.iter().filter(|node| node.operator == *operator).count();
            wanted.iter().map(of).collect()
        };
        let graph = Graph::read(&bytes).unwrap();
        let before = count(&graph);
        let mut edit = Edit::default();
        fuse_attention(&graph, &mut edit);
        edit.apply(&mut bytes).unwrap();
        [before, count(&Graph::read(&bytes).unwrap())]
    }

    #[test]
    fn each_way_to_write_attention_becomes_one_operator() {
        let wanted = ["Softmax", "Attention", "MultiHeadAttention", "Expand"];
        for (name, file, before, after) in [
            (
                "operator",
                &include_bytes!("../../../tests/models/paligemma/onnx/vision_encoder.onnx")[..],
                [0, 2, 0, 0],
                [0, 0, 2, 0],
            ),
            (
                "torchscript",
                include_bytes!("../../../tests/models/attentions/torchscript.onnx"),
                [1, 0, 0, 0],
                [0, 0, 1, 1],
            ),
            (
                "eager",
                include_bytes!("../../../tests/models/attentions/eager.onnx"),
                [1, 0, 0, 0],
                [0, 0, 1, 0],
            ),
            (
                "masked keys",
                include_bytes!("../../../tests/models/attentions/masked_keys.onnx"),
                [1, 0, 0, 0],
                [0, 0, 1, 1],
            ),
        ] {
            let [found_before, found_after] = operators(file, &wanted);
            assert_eq!((&found_before[..], &found_after[..]), (&before[..], &after[..]), "{name}");
        }
    }

    #[test]
    fn quantized_graphs_are_left_alone() {
        let file = include_bytes!("../../../onnx/tiny-llava/onnx/vision_encoder_int8.onnx");
        let [before, after] = operators(file, &["Attention", "MultiHeadAttention"]);
        assert_eq!(before, after);
    }

    #[test]
    fn a_mask_of_the_operator_is_left_to_it() {
        let file = include_bytes!("../../../tests/models/smolvlm/onnx/vision_encoder.onnx");
        let [before, after] = operators(file, &["Attention", "MultiHeadAttention"]);
        assert_eq!(before, after);
    }
}
