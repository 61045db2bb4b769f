//! What nothing reads, which the runtime would compute all the same.
//!
//! The shapes of keys and values that were repeated for each head are computed in six nodes a layer and part; a step of
//! decoding is so little work that a third of a graph's nodes counts.

use std::collections::HashMap;

use crate::model::graph::{Edit, Graph, Node};

/// Takes away nodes whose outputs nothing reads, and then those that only they read.
pub(in crate::model) fn strike_unread(graph: &Graph, edit: &mut Edit) {
    let mut readers: HashMap<&str, usize> = HashMap::new();
    for name in graph.nodes.iter().flat_map(|node| &node.inputs) {
        *readers.entry(name).or_default() += 1;
    }
    let is_unread = |node: &&Node, readers: &HashMap<&str, usize>| {
        let is_read = |name: &&str| readers.get(name).is_some_and(|count| *count > 0) || graph.is_kept(name);
        !node.outputs.iter().filter(|name| !name.is_empty()).any(is_read)
    };
    let mut open: Vec<&Node> = graph.nodes.iter().filter(|node| is_unread(node, &readers)).collect();
    while let Some(node) = open.pop() {
        edit.strike(node);
        for name in &node.inputs {
            let Some(count) = readers.get_mut(name) else { continue };
            *count -= 1;
            // The last reader is gone: once for each of a node's outputs, of which the last to go takes it along.
            if *count == 0
                && let Some(source) = graph.producer(name).filter(|source| is_unread(source, &readers))
            {
                open.push(source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::Attribute;

    /// Operators that are left.
    fn left(edit: Edit) -> Vec<String> {
        let mut bytes = Vec::new();
        edit.apply(&mut bytes).unwrap();
        let graph = Graph::read(&bytes).unwrap();
        let mut edit = Edit::default();
        strike_unread(&graph, &mut edit);
        let mut bytes = bytes.clone();
        edit.apply(&mut bytes).unwrap();
        Graph::read(&bytes).unwrap().nodes.iter().map(|node| node.operator.to_string()).collect()
    }

    #[test]
    fn sources_go_with_their_last_reader() {
        let mut edit = Edit::default();
        edit.node("Shape", "", &["x"], &["sizes"]);
        edit.node("Split", "", &["sizes"], &["batch", "tokens"]);
        edit.node("Concat", "", &["batch", "batch"], &["shape"]);
        edit.node("Mul", "", &["tokens", "batch"], &["rows"]);
        edit.node("Dropout", "", &["rows"], &["thinned", ""]);
        edit.node("Clip", "", &["x", "", "most"], &["y"]);
        edit.output("y");
        assert_eq!(left(edit), ["Clip"]);
    }

    #[test]
    fn what_an_output_or_a_branch_needs_stays() {
        let (mut edit, mut branch) = (Edit::default(), Edit::default());
        branch.node("Relu", "", &["inside"], &["in_branch"]);
        edit.node("Split", "", &["x"], &["unread", "kept"]);
        edit.node("Abs", "", &["x"], &["inside"]);
        edit.node_with("If", "", &["kept"], &["y"], &[Attribute::Graph("then_branch", &branch)]);
        edit.node("Neg", "", &["unread"], &["z"]);
        edit.output("y");
        assert_eq!(left(edit), ["Split", "Abs", "If"]);
    }
}
