//! One operation of a graph, by names.

use super::Malformed;
use super::field;
use super::wire::{Body, Fields, bytes_of, number_of, put_field, text, varints};

/// A node: its operator and the names that it reads and writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node<'a> {
    /// Operator, such as `MatMul`.
    pub operator: &'a str,
    /// The set of operators that it belongs to; empty for the standard ones.
    pub domain: &'a str,
    /// Names of its inputs; empty where an optional one is left out.
    pub inputs: Vec<&'a str>,
    /// Names of its outputs.
    pub outputs: Vec<&'a str>,
    /// Where its record starts in the file.
    pub(super) at: usize,
    body: &'a [u8],
}

impl<'a> Node<'a> {
    pub(super) fn read(body: &'a [u8], at: usize) -> Result<Self, Malformed> {
        let mut node = Self { at, body, ..Self::default() };
        for field in Fields(body) {
            let (number, Body::Bytes(bytes)) = field? else { continue };
            match number {
                field::NODE_INPUT => node.inputs.push(text(bytes)?),
                field::NODE_OUTPUT => node.outputs.push(text(bytes)?),
                field::NODE_OP_TYPE => node.operator = text(bytes)?,
                field::NODE_DOMAIN => node.domain = text(bytes)?,
                _ => {}
            }
        }
        Ok(node)
    }

    /// The input at a place; `None` where it is left out.
    pub fn input(&self, place: usize) -> Option<&'a str> {
        self.inputs.get(place).copied().filter(|name| !name.is_empty())
    }

    /// The `AttributeProto` bytes of an attribute.
    pub(super) fn attribute(&self, wanted: &str) -> Option<&'a [u8]> {
        Fields(self.body).find_map(|field| match field {
            Ok((field::NODE_ATTRIBUTE, Body::Bytes(body))) => {
                (bytes_of(body, field::ATTRIBUTE_NAME).ok()?? == wanted.as_bytes()).then_some(body)
            }
            _ => None,
        })
    }

    /// A whole-number attribute.
    pub fn integer(&self, name: &str) -> Option<i64> {
        Some(number_of(self.attribute(name)?, field::ATTRIBUTE_INTEGER).ok()??.cast_signed())
    }

    /// A number attribute.
    pub fn float(&self, name: &str) -> Option<f32> {
        Fields(self.attribute(name)?).find_map(|field| match field {
            Ok((field::ATTRIBUTE_FLOAT, Body::Fixed(bits))) => Some(f32::from_bits(bits)),
            _ => None,
        })
    }

    /// A text attribute.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        text(bytes_of(self.attribute(name)?, field::ATTRIBUTE_TEXT).ok()??).ok()
    }

    /// An attribute that lists whole numbers, such as the axes of a `Transpose`.
    pub fn integers(&self, name: &str) -> Option<Vec<i64>> {
        let mut numbers = Vec::new();
        for field in Fields(self.attribute(name)?) {
            match field.ok()? {
                (field::ATTRIBUTE_INTEGERS, Body::Number(number)) => numbers.push(number.cast_signed()),
                (field::ATTRIBUTE_INTEGERS, Body::Bytes(packed)) => numbers.extend(varints(packed)?),
                _ => {}
            }
        }
        Some(numbers)
    }

    /// The same operator reading and writing other tensors, as protobuf bytes; without the node's name, of which there is one in
    /// a graph.
    pub(super) fn between(&self, inputs: &[&str], outputs: &[&str]) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.body.len() + 32);
        inputs.iter().for_each(|name| put_field(field::NODE_INPUT, name.as_bytes(), &mut body));
        outputs.iter().for_each(|name| put_field(field::NODE_OUTPUT, name.as_bytes(), &mut body));
        let mut fields = Fields(self.body);
        while let Some(Ok((record, number, _))) = fields.next_record() {
            if ![field::NODE_INPUT, field::NODE_OUTPUT, field::NODE_NAME].contains(&number) {
                body.extend_from_slice(record);
            }
        }
        body
    }
}
