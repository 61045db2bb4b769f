//! Attention that an exporter wrote out as products around a softmax, as one operator again.
//!
//! ONNX Runtime's CPU kernel of `MultiHeadAttention` never has the scores of all pairs in memory where there is no mask, and
//! touches them less often where there is one. Its own optimizer knows the graphs of other exporters. Without a mask our own
//! kernel is faster still.

use std::collections::BTreeSet;

use super::heads::{Heads, SWAPPED, swaps};
use super::mask::Mask;
use super::scores::Scores;
use crate::model::graph::{Attribute, Edit, Graph, MICROSOFT, Node};
use crate::model::kernels;
use crate::model::kernels::attention::Products;
use crate::model::operators::{CROSSMODAL, EncoderAttention};

/// Fuses every attention of the pattern
/// `MatMul(Softmax(MatMul(q, transposed k) [scaled] [+ mask]), v)`, and standard `Attention`, whose queries, keys and values are
/// split into heads right before and joined right after. Whether a mask masks anything is found when the graph runs: where
/// pictures fill their tiles it does not, and the operator without a mask is a fifth faster.
///
/// The answer is the same up to rounding; in a graph that quantizes its activations, up to a step of quantization where rounding
/// moves a number over the edge of one, which is no worse an answer. There, products of attention are rounded to bfloat16 where
/// the processor has such and `own` operators are wanted, which is finer than what is quantized around them. Our operator takes
/// 32-bit floats: graphs with others keep the runtime's.
pub(in crate::model) fn fuse_attention(graph: &Graph, own: bool, edit: &mut Edit) {
    let products = match graph.quantizes_activations() && kernels::multiplies_bf16() {
        true => Products::Bfloat16,
        false => Products::Floats,
    };
    fuse_with(Some(products).filter(|_| own && graph.has_single_floats_only()), graph, edit);
}

/// `own`: the products of our operator, if attention without a mask becomes it and not the runtime's.
fn fuse_with(own: Option<Products>, graph: &Graph, edit: &mut Edit) {
    let mut masks = BTreeSet::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let Some(found) = Attention::find(graph, node) else { continue };
        if let Some(mask) = found.scores.mask
            && masks.insert(mask.name)
        {
            mask.prepare([found.queries.apart, found.keys.apart], edit);
        }
        found.fuse(own, graph, index, edit);
    }
}

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
        let queries = Heads::split(graph, scores.queries, &SWAPPED)?;
        let keys = match scores.keys_transposed {
            true => Heads::split(graph, scores.keys, &[0, 2, 3, 1]).or_else(|| {
                let transpose = graph.producer(scores.keys).filter(|node| swaps(node, &[0, 1, 3, 2]))?;
                Heads::split(graph, transpose.input(0)?, &SWAPPED)
            })?,
            false => Heads::split(graph, scores.keys, &SWAPPED)?,
        };
        let values = Heads::split(graph, scores.values, &SWAPPED)?;
        let heads = queries.count;
        (keys.count == heads && values.count == heads).then_some(())?;

        let mut joins = vec![the_reader(graph, last)?];
        if joins[0].operator == "Reshape" {
            joins.push(the_reader(graph, joins[0])?); // contiguous(): the same shape
        }
        joins.reverse();
        swaps(joins[0], &SWAPPED).then_some(Self { heads, queries, keys, values, scores, joins })
    }

    fn fuse(&self, own: Option<Products>, graph: &Graph, index: usize, edit: &mut Edit) {
        let named = |part: &str| format!("crossmodal.attention.{index}.{part}");
        let [joined, split, together] = ["joined", "split", "together"].map(named);
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
        match &self.scores.mask {
            None => self.attend_unmasked(own, &flat, &together, edit),
            Some(mask) => {
                let [mut unmasked, mut masked] = [Edit::default(), Edit::default()];
                self.attend_unmasked(own, &flat, &named("unmasked"), &mut unmasked);
                match mask.is_bool {
                    true => self.attend_as_written(mask, &named, &mut masked),
                    false => self.attend(&flat, Some(&mask.bias()), &named("masked"), &mut masked),
                }
                unmasked.output(&named("unmasked"));
                masked.output(&named("masked"));
                let branches =
                    [Attribute::Graph("then_branch", &unmasked), Attribute::Graph("else_branch", &masked)];
                edit.node_with("If", "", &[&mask.masks_nothing()], &[&together], &branches);
            }
        }
        edit.node("Reshape", "", &[&together, &split], &self.joins[0].outputs);

        let mut kept = vec![self.queries.apart, self.keys.apart, self.values.apart];
        kept.extend(self.scores.mask.map(|mask| mask.name));
        kept.extend(self.scores.factors.iter().map(|(_, factor)| *factor));
        self.joins.iter().for_each(|node| edit.strike(node));
        edit.strike_with_sources(graph, &[self.scores.last], &kept);
    }

    /// The runtime's fused operator, from queries, keys and values to their mean, [batch, sequence, hidden] all.
    fn attend(&self, flat: &[String], bias: Option<&str>, mean: &str, edit: &mut Edit) {
        let mut inputs: Vec<&str> = flat.iter().map(String::as_str).collect();
        inputs.extend(bias.iter().flat_map(|bias| ["", "", bias]));
        edit.node_with("MultiHeadAttention", MICROSOFT, &inputs, &[mean], &self.attributes());
    }

    /// The same without a mask; `own`: with our operator.
    fn attend_unmasked(&self, own: Option<Products>, flat: &[String], mean: &str, edit: &mut Edit) {
        let Some(products) = own else { return self.attend(flat, None, mean, edit) };
        let inputs: Vec<&str> = flat.iter().map(String::as_str).collect();
        let mut attributes = self.attributes();
        attributes.push(Attribute::Integer("bfloat16", (products == Products::Bfloat16).into()));
        edit.node_with(EncoderAttention::NAME, CROSSMODAL, &inputs, &[mean], &attributes);
    }

    fn attributes(&self) -> Vec<Attribute<'static>> {
        let scale = self.scores.scale.map(|scale| Attribute::Float("scale", scale));
        [Attribute::Integer("num_heads", self.heads)].into_iter().chain(scale).collect()
    }

    /// The operator that the file has, with its transposes: gives `masked`, [batch, sequence, hidden].
    fn attend_as_written(&self, mask: &Mask, named: &impl Fn(&str) -> String, edit: &mut Edit) {
        let swap = |from: &str, into: &str, edit: &mut Edit| {
            edit.node_with("Transpose", "", &[from], &[into], &[Attribute::Integers("perm", &SWAPPED)]);
        };
        let [queries, keys, values, mean, apart] =
            ["q.heads", "k.heads", "v.heads", "mean", "mean.apart"].map(named);
        swap(self.queries.apart, &queries, edit);
        swap(self.keys.apart, &keys, edit);
        swap(self.values.apart, &values, edit);
        edit.copy(self.scores.last, &[&queries, &keys, &values, mask.name], &[&mean]);
        swap(&mean, &apart, edit);
        edit.node("Reshape", "", &[&apart, &named("joined")], &[&named("masked")]);
    }
}

/// The one node that reads what a node gives.
pub(super) fn the_reader<'a>(graph: &'a Graph<'a>, node: &Node) -> Option<&'a Node<'a>> {
    let &[name] = &node.outputs[..] else { return None };
    let mut readers = graph.consumers(name);
    readers.next().filter(|_| readers.next().is_none() && !graph.is_kept(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Operators of a vision encoder before and after, with how many there are of each.
    fn operators(file: &[u8], own: Option<Products>, wanted: &[&str]) -> [Vec<usize>; 2] {
        let mut bytes = file.to_vec();
        let count = |graph: &Graph| {
            let of = |operator: &&str| graph.nodes.iter().filter(|node| node.operator == *operator).count();
            wanted.iter().map(of).collect()
        };
        let graph = Graph::read(&bytes).unwrap();
        let before = count(&graph);
        let mut edit = Edit::default();
        fuse_with(own, &graph, &mut edit);
        edit.apply(&mut bytes).unwrap();
        [before, count(&Graph::read(&bytes).unwrap())]
    }

    #[test]
    fn only_graphs_that_quantize_round_anyway() {
        let whole = include_bytes!("../../../onnx/tiny-llava/onnx/vision_encoder.onnx");
        let quantized = include_bytes!("../../../onnx/tiny-llava/onnx/vision_encoder_int8.onnx");
        assert!(!Graph::read(whole).unwrap().quantizes_activations());
        assert!(Graph::read(quantized).unwrap().quantizes_activations());
    }

    #[test]
    fn floats_of_other_sizes_are_left_to_the_runtime() {
        let whole = include_bytes!("../../../onnx/tiny-llava/onnx/vision_encoder.onnx");
        let halves = include_bytes!("../../../tests/models/residuals/fp16.onnx");
        assert!(Graph::read(whole).unwrap().has_single_floats_only());
        assert!(!Graph::read(halves).unwrap().has_single_floats_only());
        let mut casting = whole.to_vec();
        let mut edit = Edit::default();
        edit.node_with("Cast", "", &["pixel_values"], &["half"], &[Attribute::Integer("to", 10)]);
        edit.apply(&mut casting).unwrap();
        assert!(!Graph::read(&casting).unwrap().has_single_floats_only());
    }

    #[test]
    fn each_way_to_write_attention_becomes_one_operator() {
        let wanted = ["Softmax", "Attention", "MultiHeadAttention", "If", EncoderAttention::NAME];
        for (name, file, before, after) in [
            (
                "operator",
                &include_bytes!("../../../tests/models/paligemma/onnx/vision_encoder.onnx")[..],
                [0, 2, 0, 0, 0],
                [0, 0, 2, 0, 0],
            ),
            (
                "masked operator",
                include_bytes!("../../../tests/models/smolvlm/onnx/vision_encoder.onnx"),
                [0, 2, 0, 0, 0],
                [0, 0, 0, 2, 0],
            ),
            (
                "between quantized products",
                include_bytes!("../../../onnx/tiny-llava/onnx/vision_encoder_int8.onnx"),
                [0, 4, 0, 0, 0],
                [0, 0, 4, 0, 0],
            ),
            (
                "torchscript",
                include_bytes!("../../../tests/models/attentions/torchscript.onnx"),
                [1, 0, 0, 0, 0],
                [0, 0, 0, 1, 0],
            ),
            (
                "eager",
                include_bytes!("../../../tests/models/attentions/eager.onnx"),
                [1, 0, 0, 0, 0],
                [0, 0, 1, 0, 0],
            ),
            (
                "masked keys",
                include_bytes!("../../../tests/models/attentions/masked_keys.onnx"),
                [1, 0, 0, 0, 0],
                [0, 0, 0, 1, 0],
            ),
        ] {
            let [found_before, found_after] = operators(file, None, &wanted);
            assert_eq!((&found_before[..], &found_after[..]), (&before[..], &after[..]), "{name}");
            let [_, with_own] = operators(file, Some(Products::Floats), &wanted);
            let [softmax, attention, runtimes, branches, _] = after;
            assert_eq!(with_own, [softmax, attention, 0, branches, runtimes], "{name}");
        }
    }
}
