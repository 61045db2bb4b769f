//! Reading and extending an ONNX file as protobuf bytes, without touching its weights.
//!
//! Only names and types are read: nodes with their inputs and outputs. Adding is an append: protobuf parsers merge repeated
//! occurrences of a message field, so the bytes of a second `ModelProto` with a few outputs *add* those outputs.

mod interface;
mod plain_attention;
mod wire;

pub use interface::{Interface, Outlet};
pub use plain_attention::write_out_attention;
use wire::{Body, Fields, put_field};

/// A node: its operator and the names that it reads and writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node<'a> {
    /// Operator, such as `MatMul`.
    pub operator: &'a str,
    /// Names of its inputs.
    pub inputs: Vec<&'a str>,
    /// Names of its outputs.
    pub outputs: Vec<&'a str>,
}

/// The bytes are no ONNX model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a whole ONNX file: the protobuf data is malformed or cut off")]
pub struct Malformed;

// Field numbers of onnx.proto.
const MODEL_GRAPH: u64 = 7;
const GRAPH_NODE: u64 = 1;
const GRAPH_OUTPUT: u64 = 12;
const NODE_INPUT: u64 = 1;
const NODE_OUTPUT: u64 = 2;
const NODE_OP_TYPE: u64 = 4;
const VALUE_INFO_NAME: u64 = 1;

/// The nodes of the model's graph, in file (topological) order.
///
/// # Errors
/// When the bytes are malformed, or hold no graph.
pub fn nodes(model: &[u8]) -> Result<Vec<Node<'_>>, Malformed> {
    let mut nodes = Vec::new();
    let mut has_graph = false;
    for field in Fields(model) {
        let (MODEL_GRAPH, Body::Bytes(graph)) = field? else {
            continue;
        };
        has_graph = true;
        for field in Fields(graph) {
            let (GRAPH_NODE, Body::Bytes(body)) = field? else {
                continue;
            };
            let mut node = Node::default();
            for field in Fields(body) {
                let (number, Body::Bytes(bytes)) = field? else { continue };
                let text = || std::str::from_utf8(bytes).map_err(|_| Malformed);
                match number {
                    NODE_INPUT => node.inputs.push(text()?),
                    NODE_OUTPUT => node.outputs.push(text()?),
                    NODE_OP_TYPE => node.operator = text()?,
                    _ => {}
                }
            }
            nodes.push(node);
        }
    }
    if has_graph { Ok(nodes) } else { Err(Malformed) }
}

/// Bytes that, appended to a model's, declare further outputs of its graph (the runtime infers their types).
pub fn extra_outputs(names: &[&str]) -> Vec<u8> {
    let mut graph = Vec::new();
    for name in names {
        let mut value = Vec::new();
        put_field(VALUE_INFO_NAME, name.as_bytes(), &mut value);
        put_field(GRAPH_OUTPUT, &value, &mut graph);
    }
    let mut model = Vec::new();
    put_field(MODEL_GRAPH, &graph, &mut model);
    model
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model(nodes: &[(&str, &[&str], &[&str])]) -> Vec<u8> {
        let mut graph = Vec::new();
        for (operator, inputs, outputs) in nodes {
            let mut node = Vec::new();
            inputs.iter().for_each(|name| put_field(NODE_INPUT, name.as_bytes(), &mut node));
            outputs.iter().for_each(|name| put_field(NODE_OUTPUT, name.as_bytes(), &mut node));
            put_field(NODE_OP_TYPE, operator.as_bytes(), &mut node);
            put_field(GRAPH_NODE, &node, &mut graph);
        }
        let mut model = Vec::new();
        put_field(MODEL_GRAPH, &graph, &mut model);
        model
    }

    #[test]
    fn nodes_come_back_and_an_append_adds_none() {
        let mut bytes = model(&[("MatMul", &["x", "w"], &["y"]), ("Relu", &["y"], &["z"])]);
        bytes.extend(extra_outputs(&["y"]));
        let nodes = nodes(&bytes).unwrap();
        assert_eq!(nodes.len(), 2);
        assert_eq!(nodes[0], Node { operator: "MatMul", inputs: vec!["x", "w"], outputs: vec!["y"] });
    }

    #[test]
    fn a_cut_file_is_malformed() {
        let bytes = model(&[("MatMul", &["x", "w"], &["y"])]);
        for length in 0..bytes.len() {
            assert_eq!(nodes(&bytes[..length]), Err(Malformed), "cut at {length}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = nodes(&bytes);
        }
    }
}
