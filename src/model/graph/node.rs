//! One operation of a graph, by names.

use super::Malformed;
use super::field;
use super::wire::{Body, Fields, put_field, text};

/// A node: its operator and the names that it reads and writes.
#[derive(Debug, Clone, Default)]
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

    /// The same node reading other tensors, as protobuf bytes.
    pub(super) fn reading(&self, inputs: &[&str]) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.body.len() + 32);
        inputs.iter().for_each(|name| put_field(field::NODE_INPUT, name.as_bytes(), &mut body));
        let mut fields = Fields(self.body);
        while let before = fields.0
            && let Some(Ok((number, _))) = fields.next()
        {
            if number != field::NODE_INPUT {
                body.extend_from_slice(&before[..before.len() - fields.0.len()]);
            }
        }
        body
    }
}
