//! Reading and changing an ONNX file as protobuf bytes, without touching its weights.
//!
//! [`Graph`] reads names: nodes with their inputs and outputs, declared types, weights. [`Edit`] changes nodes in place.

mod branches;
mod domains;
mod edit;
mod interface;
mod node;
mod skeleton;
mod tensor;
mod wire;

use std::collections::{HashMap, HashSet};

pub use domains::names_operators;
pub use edit::{Attribute, Edit};
pub use interface::{Interface, Outlet};
pub use node::Node;
pub use skeleton::without_weights;
pub use tensor::Stored;
use wire::{Body, Fields, offset};

/// The bytes are no ONNX model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a whole ONNX file: the protobuf data is malformed or cut off")]
pub struct Malformed;

/// The set of operators that ONNX Runtime adds to the standard ones.
pub const MICROSOFT: &str = "com.microsoft";

/// Element type of 32-bit floats in `TensorProto.DataType`.
pub const FLOAT: u64 = 1;

/// Element type of 64-bit integers in `TensorProto.DataType`.
pub const INT64: u64 = 7;

/// Those of halves, doubles and bfloat16.
const OTHER_FLOATS: [u64; 3] = [10, 11, 16];

/// That of truth values.
const BOOL: u64 = 9;

/// Field numbers of onnx.proto.
mod field {
    pub const MODEL_GRAPH: u64 = 7;
    pub const MODEL_OPSET: u64 = 8;
    pub const OPSET_DOMAIN: u64 = 1;
    pub const OPSET_VERSION: u64 = 2;
    pub const GRAPH_NODE: u64 = 1;
    pub const GRAPH_NAME: u64 = 2;
    pub const GRAPH_INITIALIZER: u64 = 5;
    pub const GRAPH_INPUT: u64 = 11;
    pub const GRAPH_OUTPUT: u64 = 12;
    pub const GRAPH_VALUE_INFO: u64 = 13;
    pub const NODE_INPUT: u64 = 1;
    pub const NODE_OUTPUT: u64 = 2;
    pub const NODE_NAME: u64 = 3;
    pub const NODE_OP_TYPE: u64 = 4;
    pub const NODE_ATTRIBUTE: u64 = 5;
    pub const NODE_DOMAIN: u64 = 7;
    pub const ATTRIBUTE_NAME: u64 = 1;
    pub const ATTRIBUTE_FLOAT: u64 = 2;
    pub const ATTRIBUTE_INTEGER: u64 = 3;
    pub const ATTRIBUTE_TEXT: u64 = 4;
    pub const ATTRIBUTE_TENSOR: u64 = 5;
    pub const ATTRIBUTE_GRAPH: u64 = 6;
    pub const ATTRIBUTE_INTEGERS: u64 = 8;
    pub const ATTRIBUTE_TYPE: u64 = 20;
    pub const INITIALIZER_NAME: u64 = 8;
    pub const TENSOR_DIMENSIONS: u64 = 1;
    pub const TENSOR_DATA_TYPE: u64 = 2;
    pub const TENSOR_INTEGERS: u64 = 7;
    pub const TENSOR_RAW_DATA: u64 = 9;
    pub const TENSOR_EXTERNAL_DATA: u64 = 13;
    pub const TENSOR_DATA_LOCATION: u64 = 14;
    pub const ENTRY_KEY: u64 = 1;
    pub const ENTRY_VALUE: u64 = 2;
    pub const VALUE_NAME: u64 = 1;
    pub const VALUE_TYPE: u64 = 2;
    pub const TYPE_TENSOR: u64 = 1;
    pub const TENSOR_ELEMENT: u64 = 1;
    pub const TENSOR_SHAPE: u64 = 2;
    pub const SHAPE_DIM: u64 = 1;
    pub const DIM_VALUE: u64 = 1;
    pub const DIM_PARAM: u64 = 2;
}

/// A model's graph, by names.
#[derive(Debug, Default)]
pub struct Graph<'a> {
    /// The file's bytes.
    file: &'a [u8],
    /// Version of the standard operators.
    pub opset: u64,
    /// Nodes in file order, which is topological until the file is edited.
    pub nodes: Vec<Node<'a>>,
    /// Declared types of outputs and of tensors inside.
    types: Vec<DeclaredType<'a>>,
    /// `TensorProto` bytes of the tensors that the file holds.
    weights: HashMap<&'a str, &'a [u8]>,
    /// Which node computes a tensor.
    producers: HashMap<&'a str, usize>,
    /// What branches read.
    read_inside: HashSet<&'a str>,
}

/// A declaration `name: type`.
#[derive(Debug, Clone, Copy)]
struct DeclaredType<'a> {
    name: &'a str,
    is_output: bool,
    /// Its element type in `TensorProto.DataType`, where the file says it.
    element: Option<u64>,
    /// Where its record starts in the file.
    at: usize,
}

impl<'a> Graph<'a> {
    /// Reads a model file's bytes.
    ///
    /// # Errors
    /// When they are malformed, or hold no graph.
    pub fn read(model: &'a [u8]) -> Result<Self, Malformed> {
        let mut read = Self { file: model, ..Self::default() };
        let mut has_graph = false;
        for field in Fields(model) {
            match field? {
                (field::MODEL_OPSET, Body::Bytes(opset)) => read.opset(opset)?,
                (field::MODEL_GRAPH, Body::Bytes(graph)) => {
                    has_graph = true;
                    read.records(model, graph)?;
                }
                _ => {}
            }
        }
        if has_graph { Ok(read) } else { Err(Malformed) }
    }

    fn opset(&mut self, opset: &[u8]) -> Result<(), Malformed> {
        let domain = wire::bytes_of(opset, field::OPSET_DOMAIN)?.unwrap_or_default();
        if domain.is_empty() || domain == b"ai.onnx" {
            self.opset = wire::number_of(opset, field::OPSET_VERSION)?.unwrap_or(0);
        }
        Ok(())
    }

    fn records(&mut self, model: &'a [u8], graph: &'a [u8]) -> Result<(), Malformed> {
        let mut fields = Fields(graph);
        while let Some(record) = fields.next_record() {
            let (record, number, body) = record?;
            let at = offset(model, record);
            match (number, body) {
                (field::GRAPH_NODE, Body::Bytes(body)) => {
                    let node = Node::read(body, at)?;
                    branches::names_read(body, &mut self.read_inside)?;
                    let computed = node.outputs.iter().filter(|name| !name.is_empty());
                    self.producers.extend(computed.map(|name| (*name, self.nodes.len())));
                    self.nodes.push(node);
                }
                (number @ (field::GRAPH_OUTPUT | field::GRAPH_VALUE_INFO), Body::Bytes(body)) => {
                    let name = wire::text(wire::bytes_of(body, field::VALUE_NAME)?.unwrap_or_default())?;
                    let is_output = number == field::GRAPH_OUTPUT;
                    let element = element(body)?;
                    self.types.push(DeclaredType { name, is_output, element, at });
                }
                (field::GRAPH_INITIALIZER, Body::Bytes(body)) => {
                    let name = wire::bytes_of(body, field::INITIALIZER_NAME)?.unwrap_or_default();
                    self.weights.insert(wire::text(name)?, body);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a tensor is in the file.
    pub fn is_weight(&self, name: &str) -> bool {
        self.weights.contains_key(name)
    }

    /// A constant's 64-bit integers, such as axes; `None` where they are computed, of another type or elsewhere.
    pub fn integers(&self, name: &str) -> Option<Vec<i64>> {
        tensor::integers(self.constant(name)?)
    }

    /// A constant's sizes.
    pub fn sizes(&self, name: &str) -> Option<Vec<i64>> {
        tensor::sizes(self.constant(name)?)
    }

    /// Where a weight's 32-bit floats are; `None` where it is computed, of another type or not stored as bytes.
    pub fn stored(&self, name: &str) -> Option<Stored<'a>> {
        let weight = self.weights.get(name).filter(|_| self.producer(name).is_none())?;
        tensor::stored_floats(self.file, weight)
    }

    /// `TensorProto` bytes of a weight, or of what a `Constant` node gives.
    fn constant(&self, name: &str) -> Option<&'a [u8]> {
        match self.producer(name) {
            Some(node) if node.operator == "Constant" => {
                wire::bytes_of(node.attribute("value")?, field::ATTRIBUTE_TENSOR).ok()?
            }
            Some(_) => None,
            None => self.weights.get(name).copied(),
        }
    }

    /// The node that computes a tensor; none computes inputs and weights.
    pub fn producer(&self, name: &str) -> Option<&Node<'a>> {
        self.nodes.get(*self.producers.get(name)?)
    }

    /// The nodes that read a tensor.
    pub fn consumers(&self, name: &str) -> impl Iterator<Item = &Node<'a>> {
        self.nodes.iter().filter(move |node| node.inputs.contains(&name))
    }

    /// Whether a tensor is an output of the graph.
    pub fn is_output(&self, name: &str) -> bool {
        self.output(name).is_some()
    }

    /// Whether a tensor is needed beside the nodes that read it: as an output of the graph, or in a branch.
    pub fn is_kept(&self, name: &str) -> bool {
        self.is_output(name) || self.read_inside.contains(name)
    }

    /// The output of that name, by the name in the file.
    pub fn output(&self, name: &str) -> Option<&'a str> {
        self.types.iter().find(|declared| declared.is_output && declared.name == name).map(|found| found.name)
    }

    /// Whether a tensor that is computed is declared as truth values.
    pub fn is_bool(&self, name: &str) -> bool {
        self.is_declared(name, BOOL)
    }

    /// Whether a tensor that is computed is declared as 32-bit floats.
    pub fn is_f32(&self, name: &str) -> bool {
        self.is_declared(name, FLOAT)
    }

    fn is_declared(&self, name: &str, element: u64) -> bool {
        self.types.iter().any(|declared| declared.name == name && declared.element == Some(element))
    }

    /// Whether no floats but those of 32 bits are in the file, or made where it runs.
    pub fn has_single_floats_only(&self) -> bool {
        let other = |element: u64| OTHER_FLOATS.contains(&element);
        let stores = |tensor: &&[u8]| {
            wire::number_of(tensor, field::TENSOR_DATA_TYPE).ok().flatten().is_some_and(other)
        };
        let casts = |node: &Node| {
            node.operator == "Cast" && node.integer("to").is_some_and(|to| other(to.cast_unsigned()))
        };
        !self.weights.values().any(stores) && !self.nodes.iter().any(casts)
    }

    /// Whether activations are rounded to integers where the graph runs, on a scale that is found there.
    pub fn quantizes_activations(&self) -> bool {
        self.has("DynamicQuantizeLinear") || self.has("DynamicQuantizeMatMul")
    }

    /// Whether a node of that operator is in the graph.
    pub fn has(&self, operator: &str) -> bool {
        self.nodes.iter().any(|node| node.operator == operator)
    }
}

/// The element type of a `ValueInfoProto`.
fn element(value: &[u8]) -> Result<Option<u64>, Malformed> {
    let kind = wire::bytes_of(value, field::VALUE_TYPE)?.unwrap_or_default();
    wire::number_of(wire::bytes_of(kind, field::TYPE_TENSOR)?.unwrap_or_default(), field::TENSOR_ELEMENT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A model of nodes (operator, inputs, outputs), with outputs.
    pub(super) fn model(nodes: &[(&str, &[&str], &[&str])], outputs: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut edit = Edit::default();
        nodes.iter().for_each(|(operator, inputs, outputs)| edit.node(operator, "", inputs, outputs));
        outputs.iter().for_each(|name| edit.output(name));
        edit.apply(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn names_come_back() {
        let bytes = model(&[("MatMul", &["x", "w"], &["y"]), ("Relu", &["y"], &["z"])], &["z"]);
        let graph = Graph::read(&bytes).unwrap();
        assert_eq!(graph.nodes.len(), 2);
        let product = graph.producer("y").unwrap();
        assert_eq!((product.operator, &product.inputs[..]), ("MatMul", &["x", "w"][..]));
        assert!(graph.consumers("y").map(|node| node.operator).eq(["Relu"]));
        assert!(graph.is_output("z") && !graph.is_output("y") && graph.producer("x").is_none());
    }

    #[test]
    fn a_cut_file_is_malformed() {
        let bytes = model(&[("MatMul", &["x", "w"], &["y"])], &[]);
        for length in 0..bytes.len() {
            assert!(Graph::read(&bytes[..length]).is_err(), "cut at {length}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Graph::read(&bytes);
        }
    }
}
