//! Changes of a graph in the bytes of its file, in place: gigabytes of weights are neither parsed nor copied.
//!
//! *Adding* is an append: protobuf parsers merge repeated occurrences of a message field, so that the bytes of a second
//! `ModelProto` add their nodes, inputs and outputs to those of the first. *Taking away* renumbers a record to a field that
//! onnx.proto reserves, which parsers skip. ONNX Runtime sorts nodes itself, so that their order does not matter.

use super::wire::{put_field, put_number};
use super::{Graph, Malformed, Node, field};

/// Element type of 64-bit integers in `TensorProto.DataType`.
const INT64: u64 = 7;

/// The tag of a record with bytes under field 3 of `GraphProto`, which is reserved.
const STRUCK: u8 = 3 << 3 | 2;

/// Changes that are gathered while a graph is read, then applied to its bytes.
#[derive(Debug, Default)]
pub struct Edit {
    struck: Vec<usize>,
    added: Vec<u8>,
}

impl Edit {
    /// Adds a node without attributes.
    pub fn node(&mut self, operator: &str, domain: &str, inputs: &[&str], outputs: &[&str]) {
        let mut node = Vec::new();
        inputs.iter().for_each(|name| put_field(field::NODE_INPUT, name.as_bytes(), &mut node));
        outputs.iter().for_each(|name| put_field(field::NODE_OUTPUT, name.as_bytes(), &mut node));
        put_field(field::NODE_OP_TYPE, operator.as_bytes(), &mut node);
        put_field(field::NODE_DOMAIN, domain.as_bytes(), &mut node);
        put_field(field::GRAPH_NODE, &node, &mut self.added);
    }

    /// Takes a node away.
    pub fn strike(&mut self, node: &Node) {
        self.struck.push(node.at);
    }

    /// Lets a node read other tensors.
    pub fn rewire(&mut self, node: &Node, inputs: &[&str]) {
        self.strike(node);
        put_field(field::GRAPH_NODE, &node.reading(inputs), &mut self.added);
    }

    /// Takes away what the file says about the type and shape of a tensor, so that the runtime infers them.
    pub fn forget_type(&mut self, graph: &Graph, name: &str) {
        for declared in graph.types.iter().filter(|declared| declared.name == name) {
            self.struck.push(declared.at);
            if declared.is_output {
                self.output(name);
            }
        }
    }

    /// Adds an input of 64-bit integers; axes without a size are free.
    pub fn integer_input(&mut self, name: &str, shape: &[Option<u64>]) {
        let (mut axes, mut tensor, mut kind, mut value) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for size in shape {
            let mut axis = Vec::new();
            size.iter().for_each(|size| put_number(field::DIM_VALUE, *size, &mut axis));
            put_field(field::SHAPE_DIM, &axis, &mut axes);
        }
        put_number(field::TENSOR_ELEMENT, INT64, &mut tensor);
        put_field(field::TENSOR_SHAPE, &axes, &mut tensor);
        put_field(field::TYPE_TENSOR, &tensor, &mut kind);
        put_field(field::VALUE_NAME, name.as_bytes(), &mut value);
        put_field(field::VALUE_TYPE, &kind, &mut value);
        put_field(field::GRAPH_INPUT, &value, &mut self.added);
    }

    /// Makes a tensor an output (the runtime infers its type).
    pub fn output(&mut self, name: &str) {
        let mut value = Vec::new();
        put_field(field::VALUE_NAME, name.as_bytes(), &mut value);
        put_field(field::GRAPH_OUTPUT, &value, &mut self.added);
    }

    /// Changes the bytes that the graph was read from.
    ///
    /// # Errors
    /// When they are others.
    pub fn apply(self, model: &mut Vec<u8>) -> Result<(), Malformed> {
        for at in self.struck {
            // Tags of the records that are struck have one byte.
            *model.get_mut(at).filter(|tag| **tag < 0x80).ok_or(Malformed)? = STRUCK;
        }
        put_field(field::MODEL_GRAPH, &self.added, model);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::tests::model;

    #[test]
    fn a_node_reads_another_tensor() {
        let mut bytes = model(&[("MatMul", &["x", "w"], &["y"]), ("Relu", &["y"], &["z"])], &["z", "y"]);
        let graph = Graph::read(&bytes).unwrap();
        let mut edit = Edit::default();
        edit.node("GatherND", "", &["x", "asked"], &["rows"]);
        edit.rewire(graph.producer("y").unwrap(), &["rows", "w"]);
        edit.strike(graph.producer("z").unwrap());
        edit.forget_type(&graph, "y");
        edit.apply(&mut bytes).unwrap();
        let graph = Graph::read(&bytes).unwrap();
        let product = graph.producer("y").unwrap();
        assert_eq!((product.operator, &product.inputs[..]), ("MatMul", &["rows", "w"][..]));
        assert_eq!(graph.producer("rows").unwrap().operator, "GatherND");
        assert!(graph.producer("z").is_none() && graph.is_output("y"));
        assert_eq!(graph.types.len(), 2);
    }

    #[test]
    fn other_bytes_are_refused() {
        let bytes = model(&[("MatMul", &["x", "w"], &["y"])], &[]);
        let graph = Graph::read(&bytes).unwrap();
        let mut edit = Edit::default();
        edit.strike(&graph.nodes[0]);
        assert_eq!(edit.apply(&mut Vec::new()), Err(Malformed));
    }
}
