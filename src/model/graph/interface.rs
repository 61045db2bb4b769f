//! A graph's inputs and outputs, read from the file without a runtime.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Malformed;
use super::field::*;
use super::wire::{Body, Fields, bytes_of, number_of};

/// What a graph takes and gives.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Interface {
    /// Version of the standard operators.
    pub opset: u64,
    /// What the caller gives (weights are not among them).
    pub inputs: Vec<Outlet>,
    /// What comes out.
    pub outputs: Vec<Outlet>,
}

/// An input or an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outlet {
    /// Its name.
    pub name: String,
    /// Its element type, such as `float32`; empty where the file does not say.
    pub element: &'static str,
    /// Its axes: a number, or a name where it is free.
    pub shape: Vec<String>,
}

impl Interface {
    /// Reads a model file's bytes.
    ///
    /// # Errors
    /// When they are malformed.
    pub fn read(model: &[u8]) -> Result<Self, Malformed> {
        let mut found = Self::default();
        let mut initializers = BTreeSet::new();
        for field in Fields(model) {
            match field? {
                (MODEL_OPSET, Body::Bytes(opset)) => {
                    let domain = bytes_of(opset, OPSET_DOMAIN)?.unwrap_or_default();
                    if domain.is_empty() || domain == b"ai.onnx" {
                        found.opset = number_of(opset, OPSET_VERSION)?.unwrap_or(0);
                    }
                }
                (MODEL_GRAPH, Body::Bytes(graph)) => {
                    for field in Fields(graph) {
                        match field? {
                            (GRAPH_INPUT, Body::Bytes(value)) => found.inputs.push(outlet(value)?),
                            (GRAPH_OUTPUT, Body::Bytes(value)) => found.outputs.push(outlet(value)?),
                            (GRAPH_INITIALIZER, Body::Bytes(tensor)) => {
                                initializers.extend(bytes_of(tensor, INITIALIZER_NAME)?);
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        found.inputs.retain(|input| !initializers.contains(input.name.as_bytes()));
        Ok(found)
    }

    /// The input of that name.
    pub fn input(&self, name: &str) -> Option<&Outlet> {
        self.inputs.iter().find(|input| input.name == name)
    }
}

fn outlet(value: &[u8]) -> Result<Outlet, Malformed> {
    let name = String::from_utf8_lossy(bytes_of(value, VALUE_NAME)?.unwrap_or_default()).into_owned();
    let tensor = match bytes_of(value, VALUE_TYPE)? {
        Some(body) => bytes_of(body, TYPE_TENSOR)?.unwrap_or_default(),
        None => &[],
    };
    let element = element_name(number_of(tensor, TENSOR_ELEMENT)?.unwrap_or(0));
    let mut shape = Vec::new();
    for field in Fields(bytes_of(tensor, TENSOR_SHAPE)?.unwrap_or_default()) {
        let (SHAPE_DIM, Body::Bytes(dimension)) = field? else { continue };
        shape.push(match (number_of(dimension, DIM_VALUE)?, bytes_of(dimension, DIM_PARAM)?) {
            (Some(size), _) => size.to_string(),
            (None, Some(name)) => String::from_utf8_lossy(name).into_owned(),
            (None, None) => "?".into(),
        });
    }
    Ok(Outlet { name, element, shape })
}

/// Names of `TensorProto.DataType`.
fn element_name(number: u64) -> &'static str {
    match number {
        1 => "float32",
        2 => "uint8",
        3 => "int8",
        6 => "int32",
        7 => "int64",
        9 => "bool",
        10 => "float16",
        11 => "float64",
        16 => "bfloat16",
        0 => "",
        _ => "other",
    }
}
