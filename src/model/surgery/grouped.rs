//! Keys and values that several heads share stay shared.
//!
//! Exporters write out what PyTorch does: each head of keys and values is copied for each head of queries that attends to
//! it. The standard `Attention` shares them itself. With a long past the copies are a fifth of a step of a batch.

use crate::model::graph::{Edit, Graph, Node};

/// Lets `Attention` read heads of keys and values before they are repeated.
///
/// The products are the same, and so is every bit of the answer.
pub(in crate::model) fn share_keys_and_values(graph: &Graph, edit: &mut Edit) {
    for attention in graph.nodes.iter().filter(|node| node.operator == "Attention" && node.domain.is_empty())
    {
        let &[queries, keys, values, ref rest @ ..] = &attention.inputs[..] else { continue };
        // A past of its own has as many heads as its keys and values.
        let has_past = rest.iter().skip(1).any(|name| !name.is_empty());
        if let (Some(keys), Some(values)) = (Repeated::find(graph, keys), Repeated::find(graph, values))
            && !has_past
        {
            edit.rewire(attention, &[&[queries, keys.once, values.once], rest].concat());
            keys.strike_unread(graph, edit);
            values.strike_unread(graph, edit);
        }
    }
}

/// Heads [batch, heads, sequence, head size] that are repeated: each `n` times in a row, [batch, heads x n, sequence, head size].
struct Repeated<'a> {
    once: &'a str,
    /// What repeats them, from the last node to the first.
    nodes: [&'a Node<'a>; 3],
}

impl<'a> Repeated<'a> {
    fn find(graph: &'a Graph<'a>, name: &str) -> Option<Self> {
        let producer = |name: &str, operator| graph.producer(name).filter(|node| node.operator == operator);
        let reshape = producer(name, "Reshape")?;
        let expand = producer(reshape.input(0)?, "Expand")?;
        let unsqueeze = producer(expand.input(0)?, "Unsqueeze")?;
        // A new axis right after the heads, of what `Attention` takes with four axes: [batch, heads, n, sequence, head size].
        let after_heads = matches!(graph.integers(unsqueeze.input(1)?)?[..], [2 | -3]);
        let once = unsqueeze.input(0).filter(|_| after_heads)?;
        Some(Self { once, nodes: [reshape, expand, unsqueeze] })
    }

    /// Takes the repeating nodes away, as long as nothing else reads what they give.
    fn strike_unread(&self, graph: &Graph, edit: &mut Edit) {
        let is_unread = |node: &&&Node| {
            let read_once = |name: &&str| graph.consumers(name).count() == 1 && !graph.is_output(name);
            node.outputs.iter().all(read_once)
        };
        self.nodes.iter().take_while(is_unread).for_each(|node| edit.strike(node));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attention_reads_the_cache_itself() {
        let mut bytes =
            include_bytes!("../../../tests/models/smolvlm/onnx/decoder_model_merged.onnx").to_vec();
        let graph = Graph::read(&bytes).unwrap();
        let mut edit = Edit::default();
        share_keys_and_values(&graph, &mut edit);
        let repeats = graph.nodes.iter().filter(|node| node.operator == "Expand").count();
        edit.apply(&mut bytes).unwrap();

        let graph = Graph::read(&bytes).unwrap();
        let attentions: Vec<&Node> = graph.nodes.iter().filter(|node| node.operator == "Attention").collect();
        assert_eq!(attentions.len(), 2);
        for (layer, attention) in attentions.iter().enumerate() {
            assert_eq!(
                attention.inputs[1..3],
                ["key", "value"].map(|kind| format!("present.{layer}.{kind}"))
            );
            assert!(attention.input(3).is_some(), "the mask stays");
        }
        let left = graph.nodes.iter().filter(|node| node.operator == "Expand").count();
        assert_eq!(left, repeats - 4, "keys and values of two layers");
    }

    #[test]
    fn heads_in_another_order_are_left_alone() {
        // [batch, 1, heads, sequence, head size] repeats the sequence of heads, not each of them; here no constant says so.
        let mut bytes = Vec::new();
        let mut edit = Edit::default();
        for (kind, repeated) in [("k", "keys"), ("v", "values")] {
            let [wide, copied] = ["wide", "copied"].map(|name| format!("{kind}.{name}"));
            edit.node("Unsqueeze", "", &[kind, "axis"], &[&wide]);
            edit.node("Expand", "", &[&wide, "shape"], &[&copied]);
            edit.node("Reshape", "", &[&copied, "heads"], &[repeated]);
        }
        edit.node("Attention", "", &["q", "keys", "values"], &["y"]);
        edit.apply(&mut bytes).unwrap();
        let graph = Graph::read(&bytes).unwrap();
        let mut edit = Edit::default();
        share_keys_and_values(&graph, &mut edit);
        assert!(edit.is_empty());
    }
}
