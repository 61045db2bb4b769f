//! Changes of a graph in the bytes of its file, in place: gigabytes of weights are neither parsed nor copied.
//!
//! *Adding* is an append: protobuf parsers merge repeated occurrences of a message field, so that the bytes of a second
//! `ModelProto` add their nodes, inputs and outputs to those of the first. *Taking away* renumbers a record to a field that
//! onnx.proto reserves, which parsers skip. ONNX Runtime sorts nodes itself, so that their order does not matter.

use std::collections::BTreeSet;

use super::wire::{Body, Fields, bytes_of, put_field, put_fixed, put_number};
use super::{FLOAT, Graph, INT64, Malformed, Node, field};

/// The tag of a record with bytes under field 3 of `GraphProto`, which is reserved.
const STRUCK: u8 = 3 << 3 | 2;

/// An attribute of a node that is added.
#[derive(Debug, Clone, Copy)]
pub enum Attribute<'a> {
    /// A whole number.
    Integer(&'static str, i64),
    /// Whole numbers.
    Integers(&'static str, &'a [i64]),
    /// A number.
    Float(&'static str, f32),
    /// Text.
    Text(&'static str, &'a str),
    /// A branch: the nodes and outputs that are added to an edit of its own. It may read what is outside.
    Graph(&'static str, &'a Edit),
}

/// Changes that are gathered while a graph is read, then applied to its bytes.
#[derive(Debug, Default)]
pub struct Edit {
    struck: BTreeSet<usize>,
    added: Vec<u8>,
    /// Sets of operators beyond the standard ones.
    domains: BTreeSet<String>,
}

impl Edit {
    /// Adds a node without attributes.
    pub fn node(&mut self, operator: &str, domain: &str, inputs: &[&str], outputs: &[&str]) {
        self.node_with(operator, domain, inputs, outputs, &[]);
    }

    /// Adds a node.
    pub fn node_with(
        &mut self,
        operator: &str,
        domain: &str,
        inputs: &[&str],
        outputs: &[&str],
        attributes: &[Attribute],
    ) {
        let mut node = Vec::new();
        inputs.iter().for_each(|name| put_field(field::NODE_INPUT, name.as_bytes(), &mut node));
        outputs.iter().for_each(|name| put_field(field::NODE_OUTPUT, name.as_bytes(), &mut node));
        put_field(field::NODE_OP_TYPE, operator.as_bytes(), &mut node);
        put_field(field::NODE_DOMAIN, domain.as_bytes(), &mut node);
        attributes.iter().for_each(|attribute| attribute.put(&mut node));
        put_field(field::GRAPH_NODE, &node, &mut self.added);
        let of_branches = attributes.iter().filter_map(|attribute| match attribute {
            Attribute::Graph(_, branch) => Some(&branch.domains),
            _ => None,
        });
        self.domains.extend(of_branches.flatten().cloned());
        self.domains.extend(Some(domain).filter(|domain| !domain.is_empty()).map(str::to_string));
    }

    /// Adds a constant of 64-bit integers, [count].
    pub fn integers(&mut self, name: &str, numbers: &[i64]) {
        let mut tensor = Vec::new();
        put_number(field::TENSOR_DIMENSIONS, numbers.len() as u64, &mut tensor);
        put_number(field::TENSOR_DATA_TYPE, INT64, &mut tensor);
        put_field(field::INITIALIZER_NAME, name.as_bytes(), &mut tensor);
        let raw: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        put_field(field::TENSOR_RAW_DATA, &raw, &mut tensor);
        put_field(field::GRAPH_INITIALIZER, &tensor, &mut self.added);
    }

    /// Adds a constant of one 32-bit float, [1].
    pub fn float(&mut self, name: &str, number: f32) {
        let mut tensor = Vec::new();
        put_number(field::TENSOR_DIMENSIONS, 1, &mut tensor);
        put_number(field::TENSOR_DATA_TYPE, FLOAT, &mut tensor);
        put_field(field::INITIALIZER_NAME, name.as_bytes(), &mut tensor);
        put_field(field::TENSOR_RAW_DATA, &number.to_le_bytes(), &mut tensor);
        put_field(field::GRAPH_INITIALIZER, &tensor, &mut self.added);
    }

    /// Takes a node away.
    pub fn strike(&mut self, node: &Node) {
        self.struck.insert(node.at);
    }

    /// Takes nodes away, and with them what only they read, but not what computes the `kept` tensors.
    pub fn strike_with_sources(&mut self, graph: &Graph, nodes: &[&Node], kept: &[&str]) {
        nodes.iter().for_each(|node| self.strike(node));
        let mut sources: Vec<&Node> = nodes.to_vec();
        while let Some(node) = sources.pop() {
            for source in node.inputs.iter().filter_map(|name| graph.producer(name)) {
                let is_unread = source.outputs.iter().all(|name| {
                    let unread = graph.consumers(name).all(|reader| self.struck.contains(&reader.at));
                    unread && !kept.contains(name) && !graph.is_kept(name)
                });
                if is_unread && self.struck.insert(source.at) {
                    sources.push(source);
                }
            }
        }
    }

    /// Lets a node read other tensors.
    pub fn rewire(&mut self, node: &Node, inputs: &[&str]) {
        self.rewrite(node, inputs, &node.outputs);
    }

    /// Lets a node read and write other tensors.
    pub fn rewrite(&mut self, node: &Node, inputs: &[&str], outputs: &[&str]) {
        self.strike(node);
        self.copy(node, inputs, outputs);
    }

    /// Adds a node with the operator and the attributes of another one.
    pub fn copy(&mut self, node: &Node, inputs: &[&str], outputs: &[&str]) {
        put_field(field::GRAPH_NODE, &node.between(inputs, outputs), &mut self.added);
    }

    /// Lets a tensor be no output any more.
    pub fn strike_output(&mut self, graph: &Graph, name: &str) {
        let declared = graph.types.iter().filter(|declared| declared.name == name && declared.is_output);
        self.struck.extend(declared.map(|declared| declared.at));
    }

    /// Takes away what the file says about the type and shape of a tensor, so that the runtime infers them.
    pub fn forget_type(&mut self, graph: &Graph, name: &str) {
        for declared in graph.types.iter().filter(|declared| declared.name == name) {
            self.struck.insert(declared.at);
            if declared.is_output {
                self.output(name);
            }
        }
    }

    /// Adds an input with elements of a type of `TensorProto.DataType`; axes without a size are free.
    pub fn input(&mut self, name: &str, element: u64, shape: &[Option<u64>]) {
        let (mut axes, mut tensor, mut kind, mut value) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for size in shape {
            let mut axis = Vec::new();
            size.iter().for_each(|size| put_number(field::DIM_VALUE, *size, &mut axis));
            put_field(field::SHAPE_DIM, &axis, &mut axes);
        }
        put_number(field::TENSOR_ELEMENT, element, &mut tensor);
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

    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        self.struck.is_empty() && self.added.is_empty()
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
        for domain in self.domains {
            if imports(model, &domain)? {
                continue;
            }
            let mut opset = Vec::new();
            put_field(field::OPSET_DOMAIN, domain.as_bytes(), &mut opset);
            put_number(field::OPSET_VERSION, 1, &mut opset);
            put_field(field::MODEL_OPSET, &opset, model);
        }
        Ok(())
    }
}

/// Whether a model declares a set of operators.
fn imports(model: &[u8], domain: &str) -> Result<bool, Malformed> {
    for field in Fields(model) {
        if let (field::MODEL_OPSET, Body::Bytes(opset)) = field?
            && bytes_of(opset, field::OPSET_DOMAIN)? == Some(domain.as_bytes())
        {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Attribute<'_> {
    fn put(self, node: &mut Vec<u8>) {
        // Of `AttributeProto.AttributeType`.
        const FLOAT: u64 = 1;
        const INT: u64 = 2;
        const STRING: u64 = 3;
        const GRAPH: u64 = 5;
        const INTS: u64 = 7;
        let mut body = Vec::new();
        let mut put_head = |name: &str, kind| {
            put_field(field::ATTRIBUTE_NAME, name.as_bytes(), &mut body);
            put_number(field::ATTRIBUTE_TYPE, kind, &mut body);
        };
        match self {
            Self::Integer(name, number) => {
                put_head(name, INT);
                put_number(field::ATTRIBUTE_INTEGER, number.cast_unsigned(), &mut body);
            }
            Self::Integers(name, numbers) => {
                put_head(name, INTS);
                for number in numbers {
                    put_number(field::ATTRIBUTE_INTEGERS, number.cast_unsigned(), &mut body);
                }
            }
            Self::Float(name, number) => {
                put_head(name, FLOAT);
                put_fixed(field::ATTRIBUTE_FLOAT, number.to_le_bytes(), &mut body);
            }
            Self::Text(name, text) => {
                put_head(name, STRING);
                put_field(field::ATTRIBUTE_TEXT, text.as_bytes(), &mut body);
            }
            Self::Graph(name, branch) => {
                put_head(name, GRAPH);
                let mut graph = branch.added.clone();
                put_field(field::GRAPH_NAME, name.as_bytes(), &mut graph);
                put_field(field::ATTRIBUTE_GRAPH, &graph, &mut body);
            }
        }
        put_field(field::NODE_ATTRIBUTE, &body, node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::MICROSOFT;
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
    fn branches_are_graphs() {
        let mut branch = Edit::default();
        branch.node("MultiHeadAttention", MICROSOFT, &["x"], &["y"]);
        branch.output("y");
        let mut edit = Edit::default();
        let branches = [Attribute::Graph("then_branch", &branch)];
        edit.node_with("If", "", &["condition"], &["z"], &branches);
        let mut bytes = Vec::new();
        edit.apply(&mut bytes).unwrap();
        assert_eq!(imports(&bytes, MICROSOFT), Ok(true));

        let graph = Graph::read(&bytes).unwrap();
        let attribute = graph.nodes[0].attribute("then_branch").unwrap();
        let mut model = Vec::new();
        put_field(
            field::MODEL_GRAPH,
            bytes_of(attribute, field::ATTRIBUTE_GRAPH).unwrap().unwrap(),
            &mut model,
        );
        let inside = Graph::read(&model).unwrap();
        assert_eq!(inside.producer("y").unwrap().operator, "MultiHeadAttention");
        assert!(inside.is_output("y") && graph.producer("y").is_none());
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
