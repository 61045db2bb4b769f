//! Queries, keys and values before heads and tokens change places, and before positions turn them.

use super::heads::{SWAPPED, swaps};
use crate::model::graph::{Graph, Node};

/// Where a tensor [batch, heads, tokens, head size] comes from.
pub(super) struct TokensFirst<'a> {
    /// [batch, tokens, heads, head size].
    pub apart: &'a str,
    /// Cosines and sines of the angles by which positions turn it, where they do.
    pub angles: Option<[&'a str; 2]>,
}

impl<'a> TokensFirst<'a> {
    /// `None` where anything else is done on the way.
    pub fn find(graph: &'a Graph<'a>, name: &'a str) -> Option<Self> {
        let rotation = graph.producer(name).filter(|node| is_plain_rotation(node));
        let (heads_first, angles) = match rotation.map(|node| &node.inputs[..]) {
            Some(&[heads_first, cosines, sines]) => (heads_first, Some([cosines, sines])),
            _ => (name, None),
        };
        let transpose = graph.producer(heads_first).filter(|node| swaps(node, &SWAPPED))?;
        Some(Self { apart: transpose.input(0)?, angles })
    }
}

/// The node that puts tokens before heads, if it alone reads what `node` gives.
pub(super) fn puts_tokens_first<'a>(graph: &'a Graph<'a>, node: &Node) -> Option<&'a Node<'a>> {
    super::attention::the_reader(graph, node).filter(|reader| swaps(reader, &SWAPPED))
}

/// The standard operator for whole heads, whose halves are side by side, with the angles of each token.
fn is_plain_rotation(node: &Node) -> bool {
    node.operator == "RotaryEmbedding"
        && node.domain.is_empty()
        && node.inputs.len() == 3
        && node.integer("interleaved").unwrap_or(0) == 0
        && node.integer("rotary_embedding_dim").unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::{Attribute, Edit, Interface};
    use crate::model::names::DecoderNames;
    use crate::model::surgery::{keep_in_blocks, strike_unread};

    #[test]
    fn attention_turns_and_keeps_keys_by_itself() {
        let mut bytes =
            include_bytes!("../../../tests/models/smolvlm/onnx/decoder_model_merged.onnx").to_vec();
        let mut edit = Edit::default();
        let interface = Interface::read(&bytes).unwrap();
        let found =
            keep_in_blocks(&Graph::read(&bytes).unwrap(), &interface, &DecoderNames::default(), &mut edit);
        assert_eq!(found.unwrap().layers.len(), 2);
        edit.apply(&mut bytes).unwrap();
        let mut edit = Edit::default();
        strike_unread(&Graph::read(&bytes).unwrap(), &mut edit);
        edit.apply(&mut bytes).unwrap();

        let graph = Graph::read(&bytes).unwrap();
        let left = |operator: &str| graph.nodes.iter().filter(|node| node.operator == operator).count();
        assert_eq!(["RotaryEmbedding", "Transpose", "Cos"].map(left), [0, 0, 4], "angles of each use");
        let attentions: Vec<&Node> =
            graph.nodes.iter().filter(|node| node.operator == "CachedAttention").collect();
        assert_eq!(attentions.len(), 2);
        for node in attentions {
            assert_eq!((node.inputs.len(), node.integer("tokens_first")), (8, Some(1)));
        }
        assert!(graph.is_output("logits") && !graph.is_output("present.0.key"));
    }

    /// Whether queries that are turned by an operator with these attributes are found.
    fn finds(angles: &[&str], attributes: &[Attribute], swapped: &[i64]) -> bool {
        let (mut bytes, mut edit) = (Vec::new(), Edit::default());
        edit.node_with("Transpose", "", &["apart"], &["heads"], &[Attribute::Integers("perm", swapped)]);
        edit.node_with("RotaryEmbedding", "", &[&["heads"], angles].concat(), &["turned"], attributes);
        edit.apply(&mut bytes).unwrap();
        let graph = Graph::read(&bytes).unwrap();
        let found = TokensFirst::find(&graph, "turned");
        assert!(
            found.as_ref().is_none_or(|found| (found.apart, found.angles) == ("apart", Some(["c", "s"])))
        );
        found.is_some()
    }

    #[test]
    fn other_turns_are_left_to_the_runtime() {
        let halves = [Attribute::Integer("interleaved", 0), Attribute::Integer("num_heads", 3)];
        assert!(finds(&["c", "s"], &halves, &SWAPPED));
        assert!(!finds(&["c", "s"], &[Attribute::Integer("interleaved", 1)], &SWAPPED));
        assert!(!finds(&["c", "s"], &[Attribute::Integer("rotary_embedding_dim", 8)], &SWAPPED));
        assert!(!finds(&["c", "s", "positions"], &halves, &SWAPPED), "angles of all positions");
        assert!(!finds(&["c", "s"], &halves, &[0, 1, 3, 2]));
    }
}
