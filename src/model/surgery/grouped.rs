//! Keys and values that several heads share stay shared.
//!
//! Exporters write out what PyTorch does: each head of keys and values is copied for each head of queries that attends to
//! it. The standard `Attention` shares them itself. With a long past the copies are a fifth of a step of a batch.

use super::side_by_side::SideBySide;
use crate::model::graph::{Edit, Graph, Node};

/// Lets `Attention` read heads of keys and values before they are repeated, and the heads that share them at once.
///
/// The products are the same, and so is the answer, up to the order of sums.
pub(in crate::model) fn share_keys_and_values<'a>(graph: &'a Graph<'a>, edit: &mut Edit) {
    let mut beside = SideBySide::default();
    for attention in graph.nodes.iter().filter(|node| node.operator == "Attention" && node.domain.is_empty())
    {
        let &[queries, keys, values, ref rest @ ..] = &attention.inputs[..] else { continue };
        // A past of its own has as many heads as its keys and values.
        let has_past = rest.iter().skip(1).any(|name| !name.is_empty());
        if let (Some(keys), Some(values)) = (Repeated::find(graph, keys), Repeated::find(graph, values))
            && !has_past
        {
            let group = keys.times.filter(|times| values.times == Some(*times));
            let once = [keys.once, values.once];
            if !group.is_some_and(|group| beside.rewrite(graph, attention, once, group, edit)) {
                edit.rewire(attention, &[&[queries], &once[..], rest].concat());
            }
            keys.strike_unread(graph, edit);
            values.strike_unread(graph, edit);
        }
    }
}

/// Heads [batch, heads, sequence, head size] that are repeated: each `n` times in a row, [batch, heads x n, sequence, head size].
pub(super) struct Repeated<'a> {
    pub once: &'a str,
    /// How often, where the file says so.
    times: Option<i64>,
    /// What repeats them, from the last node to the first.
    nodes: [&'a Node<'a>; 3],
}

impl<'a> Repeated<'a> {
    pub fn find(graph: &'a Graph<'a>, name: &str) -> Option<Self> {
        let producer = |name: &str, operator| graph.producer(name).filter(|node| node.operator == operator);
        let reshape = producer(name, "Reshape")?;
        let expand = producer(reshape.input(0)?, "Expand")?;
        let unsqueeze = producer(expand.input(0)?, "Unsqueeze")?;
        // A new axis right after the heads, of what `Attention` takes with four axes: [batch, heads, n, sequence, head size].
        let after_heads = matches!(graph.integers(unsqueeze.input(1)?)?[..], [2 | -3]);
        let once = unsqueeze.input(0).filter(|_| after_heads)?;
        // Sizes of the five axes.
        let times = producer(expand.input(1)?, "Concat").filter(|sizes| sizes.inputs.len() == 5);
        let times = times.and_then(|sizes| graph.integers(sizes.inputs[2])).filter(|times| times.len() == 1);
        let times = times.map(|times| times[0]).filter(|times| *times > 1);
        Some(Self { once, times, nodes: [reshape, expand, unsqueeze] })
    }

    /// The node that reads them before they are repeated.
    pub fn first(&self) -> &'a Node<'a> {
        self.nodes[2]
    }

    /// Whether one node alone reads them repeated.
    pub fn is_read_once(&self, graph: &Graph) -> bool {
        self.nodes.iter().all(|node| is_read_once(graph, node))
    }

    /// Takes the repeating nodes away, as long as nothing else reads what they give.
    pub fn strike_unread(&self, graph: &Graph, edit: &mut Edit) {
        let unread = self.nodes.iter().take_while(|node| is_read_once(graph, node));
        unread.for_each(|node| edit.strike(node));
    }
}

fn is_read_once(graph: &Graph, node: &Node) -> bool {
    node.outputs.iter().all(|name| graph.consumers(name).count() == 1 && !graph.is_output(name))
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
        assert_eq!(left, repeats - 4 + 1, "without keys and values of two layers, with the mask of all");
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
