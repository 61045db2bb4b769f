//! `Attention` of opset 23 written out as the products and the softmax that it stands for. OpenVINO's provider takes it for
//! the older operator of that name in another domain, and then cannot compile the graph.
//!
//! The nodes are changed in the bytes of the file: a record is taken away by renumbering it to a field that onnx.proto
//! reserves, and others are added by an append, which protobuf parsers merge. Weights are neither parsed nor copied.

use std::collections::HashMap;

use super::field::*;
use super::wire::{Body, Fields, bytes_of, number_of, offset, put_field, put_number, text};
use super::{BOOL, Malformed};

// More field numbers of onnx.proto.
const NODE_ATTRIBUTE: u64 = 5;
const ATTRIBUTE_NAME: u64 = 1;
const ATTRIBUTE_INT: u64 = 3;
const ATTRIBUTE_TENSOR: u64 = 5;
const ATTRIBUTE_INTS: u64 = 8;
const ATTRIBUTE_TYPE: u64 = 20;
const KIND_INT: u64 = 2;
const KIND_TENSOR: u64 = 4;
const KIND_INTS: u64 = 7;
const TENSOR_TYPE: u64 = 2;
const TENSOR_RAW: u64 = 9;
/// Element types of `TensorProto.DataType`.
const FLOAT: u64 = 1;
/// The tag of `AttributeProto.f`, before its four bytes.
const ATTRIBUTE_FLOAT_TAG: u8 = 2 << 3 | 5;
/// The tag of a node in a graph, and that of a record with bytes under field 3 of a graph, which is reserved.
const NODE_TAG: u8 = (GRAPH_NODE << 3 | 2) as u8;
const STRUCK_TAG: u8 = 3 << 3 | 2;

/// `MatMul(Softmax(MatMul(query * scale, key^T) + mask), value)`, by names; all of [batch, heads, tokens, head size].
struct Attention<'a> {
    /// Where the record starts in the file.
    at: usize,
    query: &'a str,
    key: &'a str,
    value: &'a str,
    mask: Option<Mask<'a>>,
    scale: f32,
    output: &'a str,
}

/// [batch, heads or 1, tokens, tokens].
struct Mask<'a> {
    name: &'a str,
    /// Whether it says which keys are seen, and is not added as it is.
    is_bool: bool,
}

/// Writes out the f32 attention nodes of a model's graph that have a scale, no past, no cap and no causal flag; others stay.
/// Returns how many were written out.
///
/// # Errors
/// When the bytes are malformed.
pub fn write_out_attention(model: &mut Vec<u8>) -> Result<usize, Malformed> {
    let found = find(model)?;
    let mut added = Vec::new();
    found.iter().for_each(|attention| attention.write_out(&mut added));
    let places: Vec<usize> = found.iter().map(|attention| attention.at).collect();
    for &at in &places {
        *model.get_mut(at).filter(|tag| **tag == NODE_TAG).ok_or(Malformed)? = STRUCK_TAG;
    }
    if !places.is_empty() {
        put_field(MODEL_GRAPH, &added, model);
    }
    Ok(places.len())
}

fn find(model: &[u8]) -> Result<Vec<Attention<'_>>, Malformed> {
    let (mut types, mut nodes) = (HashMap::new(), Vec::new());
    for field in Fields(model) {
        let (MODEL_GRAPH, Body::Bytes(graph)) = field? else { continue };
        let mut fields = Fields(graph);
        while let rest = fields.0
            && let Some(field) = fields.next()
        {
            match field? {
                (GRAPH_NODE, Body::Bytes(body)) => {
                    nodes.push((offset(model, rest), body));
                }
                (GRAPH_VALUE_INFO, Body::Bytes(value)) => types.extend(element(value)?),
                _ => {}
            }
        }
    }
    let read = |(at, body)| Attention::read(at, body, &types).transpose();
    nodes.into_iter().filter_map(read).collect()
}

impl<'a> Attention<'a> {
    /// `None` where the node is another one, or does more than what is written out.
    fn read(at: usize, body: &'a [u8], types: &HashMap<&str, u64>) -> Result<Option<Self>, Malformed> {
        let (mut operator, mut domain) = ("", "");
        let (mut inputs, mut outputs, mut scale, mut plain) = (Vec::new(), Vec::new(), None, true);
        for field in Fields(body) {
            let (number, Body::Bytes(bytes)) = field? else { continue };
            match number {
                NODE_INPUT => inputs.push(text(bytes)?),
                NODE_OUTPUT => outputs.push(text(bytes)?),
                NODE_OP_TYPE => operator = text(bytes)?,
                NODE_DOMAIN => domain = text(bytes)?,
                NODE_ATTRIBUTE => match attribute(bytes)? {
                    ("scale", Value::Float(value)) => scale = Some(value),
                    // It concerns an output that must be left out.
                    ("qk_matmul_output_mode", _) => {}
                    (_, Value::Float(value)) => plain &= value == 0.0,
                    (_, Value::Int(value)) => plain &= value == 0,
                    (_, Value::Other) => plain = false,
                },
                _ => {}
            }
        }
        while inputs.last() == Some(&"") {
            inputs.pop();
        }
        let element = |name: &str| types.get(name).copied();
        let mask = match inputs.get(3).filter(|name| !name.is_empty()) {
            None => None,
            Some(name) => match element(name) {
                Some(FLOAT) => Some(Mask { name, is_bool: false }),
                Some(BOOL) => Some(Mask { name, is_bool: true }),
                _ => return Ok(None),
            },
        };
        let one_output = outputs.iter().skip(1).all(|name| name.is_empty());
        let (Some(scale), [query, key, value, ..], true) = (scale, &inputs[..], one_output && plain) else {
            return Ok(None);
        };
        let known = operator == "Attention" && domain.is_empty() && inputs.len() <= 4;
        if !known || element(query) != Some(FLOAT) || outputs.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { at, query, key, value, mask, scale, output: outputs[0] }))
    }

    fn write_out(&self, graph: &mut Vec<u8>) {
        let named = |part: &str| format!("crossmodal.{}.{part}", self.output);
        let [scale, scaled, turned, mut scores] = ["scale", "scaled", "turned", "scores"].map(named);
        node(graph, "Constant", &[], &scale, &[constant(self.scale)]);
        node(graph, "Mul", &[self.query, &scale], &scaled, &[]);
        node(graph, "Transpose", &[self.key], &turned, &[permutation(&[0, 1, 3, 2])]);
        node(graph, "MatMul", &[&scaled, &turned], &scores, &[]);
        if let Some(mask) = &self.mask {
            let masked = named("masked");
            let mut bias = mask.name.to_string();
            if mask.is_bool {
                let [seen, hidden] = ["seen", "hidden"].map(named);
                bias = named("bias");
                node(graph, "Constant", &[], &seen, &[constant(0.0)]);
                // As ONNX Runtime's own attention: a row that sees nothing sees all alike, and is not NaN.
                node(graph, "Constant", &[], &hidden, &[constant(f32::MIN)]);
                node(graph, "Where", &[mask.name, &seen, &hidden], &bias, &[]);
            }
            node(graph, "Add", &[&scores, &bias], &masked, &[]);
            scores = masked;
        }
        let weights = named("weights");
        node(graph, "Softmax", &[&scores], &weights, &[]);
        node(graph, "MatMul", &[&weights, self.value], self.output, &[]);
    }
}

fn node(graph: &mut Vec<u8>, operator: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) {
    let mut node = Vec::new();
    inputs.iter().for_each(|name| put_field(NODE_INPUT, name.as_bytes(), &mut node));
    put_field(NODE_OUTPUT, output.as_bytes(), &mut node);
    put_field(NODE_OP_TYPE, operator.as_bytes(), &mut node);
    attributes.iter().for_each(|attribute| put_field(NODE_ATTRIBUTE, attribute, &mut node));
    put_field(GRAPH_NODE, &node, graph);
}

/// The attribute `value` of a `Constant`: a scalar.
fn constant(value: f32) -> Vec<u8> {
    let (mut tensor, mut attribute) = (Vec::new(), Vec::new());
    put_number(TENSOR_TYPE, FLOAT, &mut tensor);
    put_field(TENSOR_RAW, &value.to_le_bytes(), &mut tensor);
    put_field(ATTRIBUTE_NAME, b"value", &mut attribute);
    put_field(ATTRIBUTE_TENSOR, &tensor, &mut attribute);
    put_number(ATTRIBUTE_TYPE, KIND_TENSOR, &mut attribute);
    attribute
}

/// The attribute `perm` of a `Transpose`.
fn permutation(axes: &[u64]) -> Vec<u8> {
    let mut attribute = Vec::new();
    put_field(ATTRIBUTE_NAME, b"perm", &mut attribute);
    axes.iter().for_each(|&axis| put_number(ATTRIBUTE_INTS, axis, &mut attribute));
    put_number(ATTRIBUTE_TYPE, KIND_INTS, &mut attribute);
    attribute
}

enum Value {
    Float(f32),
    Int(u64),
    Other,
}

fn attribute(body: &[u8]) -> Result<(&str, Value), Malformed> {
    let (mut name, mut kind, mut float, mut int) = ("", 0, 0.0, 0);
    let mut fields = Fields(body);
    while let rest = fields.0
        && let Some(field) = fields.next()
    {
        match (field?, rest) {
            ((ATTRIBUTE_NAME, Body::Bytes(bytes)), _) => name = text(bytes)?,
            ((ATTRIBUTE_TYPE, Body::Number(value)), _) => kind = value,
            ((ATTRIBUTE_INT, Body::Number(value)), _) => int = value,
            (_, &[ATTRIBUTE_FLOAT_TAG, a, b, c, d, ..]) => float = f32::from_le_bytes([a, b, c, d]),
            _ => {}
        }
    }
    Ok(match kind {
        1 => (name, Value::Float(float)),
        KIND_INT => (name, Value::Int(int)),
        _ => (name, Value::Other),
    })
}

/// Name and element type of a declared tensor.
fn element(value: &[u8]) -> Result<Option<(&str, u64)>, Malformed> {
    let name = text(bytes_of(value, VALUE_NAME)?.unwrap_or_default())?;
    let kind = bytes_of(value, VALUE_TYPE)?.unwrap_or_default();
    let tensor = bytes_of(kind, TYPE_TENSOR)?.unwrap_or_default();
    Ok(number_of(tensor, TENSOR_ELEMENT)?.map(|element| (name, element)))
}

#[cfg(test)]
#[path = "plain_attention_tests.rs"]
mod tests;
