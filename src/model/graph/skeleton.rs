//! A model without its weights, which the runtime finds in the file itself.
//!
//! ONNX Runtime needs more than twice a model's size again to load it from memory. What it is given here is a few hundred
//! kilobytes: large weights are declared as external data at the place where they are in the file, and are mapped from there.

use super::wire::{Body, Fields, bytes_of, number_of, offset, put_field, put_number};
use super::{Malformed, field};

/// Weights of fewer bytes stay: shapes and axes are needed early, and each mapping has a cost.
const LEAST_BYTES: usize = 16 << 10;

/// `TensorProto.DataLocation.EXTERNAL`.
pub(super) const EXTERNAL: u64 = 1;

/// The bytes of a model whose large weights are in `file`, at the places where `model` has them; `None` where weights are in other
/// files already.
///
/// # Errors
/// When the bytes are malformed.
pub fn without_weights(model: &[u8], file: &str) -> Result<Option<Vec<u8>>, Malformed> {
    let mut skeleton = Vec::new();
    let mut records = Fields(model);
    while let Some(record) = records.next_record() {
        match record? {
            (_, field::MODEL_GRAPH, Body::Bytes(graph)) => {
                let Some(graph) = graph_without_weights(model, graph, file)? else { return Ok(None) };
                put_field(field::MODEL_GRAPH, &graph, &mut skeleton);
            }
            (record, ..) => skeleton.extend_from_slice(record),
        }
    }
    Ok(Some(skeleton))
}

fn graph_without_weights(model: &[u8], graph: &[u8], file: &str) -> Result<Option<Vec<u8>>, Malformed> {
    let mut skeleton = Vec::new();
    let mut records = Fields(graph);
    while let Some(record) = records.next_record() {
        match record? {
            (record, field::GRAPH_INITIALIZER, Body::Bytes(tensor)) => {
                if number_of(tensor, field::TENSOR_DATA_LOCATION)? == Some(EXTERNAL) {
                    return Ok(None);
                }
                match bytes_of(tensor, field::TENSOR_RAW_DATA)?.filter(|raw| raw.len() >= LEAST_BYTES) {
                    Some(raw) => {
                        let outside = tensor_outside(tensor, file, offset(model, raw), raw.len())?;
                        put_field(field::GRAPH_INITIALIZER, &outside, &mut skeleton);
                    }
                    None => skeleton.extend_from_slice(record),
                }
            }
            (record, ..) => skeleton.extend_from_slice(record),
        }
    }
    Ok(Some(skeleton))
}

/// A tensor whose data is in `file`.
fn tensor_outside(tensor: &[u8], file: &str, offset: usize, length: usize) -> Result<Vec<u8>, Malformed> {
    let mut outside = Vec::new();
    let mut records = Fields(tensor);
    while let Some(record) = records.next_record() {
        let (record, number, _) = record?;
        if number != field::TENSOR_RAW_DATA {
            outside.extend_from_slice(record);
        }
    }
    let (offset, length) = (offset.to_string(), length.to_string());
    for (key, value) in [("location", file), ("offset", &offset), ("length", &length)] {
        let mut entry = Vec::new();
        put_field(field::ENTRY_KEY, key.as_bytes(), &mut entry);
        put_field(field::ENTRY_VALUE, value.as_bytes(), &mut entry);
        put_field(field::TENSOR_EXTERNAL_DATA, &entry, &mut outside);
    }
    put_number(field::TENSOR_DATA_LOCATION, EXTERNAL, &mut outside);
    Ok(outside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::Graph;

    #[test]
    fn weights_are_where_the_skeleton_says() {
        let model = include_bytes!("../../../tests/models/smolvlm/onnx/decoder_model_merged.onnx");
        let skeleton = without_weights(model, "decoder.onnx").unwrap().unwrap();
        assert!(skeleton.len() < model.len() - (40 << 10), "{} of {} bytes", skeleton.len(), model.len());

        let (whole, without) = (Graph::read(model).unwrap(), Graph::read(&skeleton).unwrap());
        assert_eq!(whole.nodes.len(), without.nodes.len());
        let mut outside = 0;
        for (name, tensor) in &without.weights {
            assert_eq!(whole.sizes(name), without.sizes(name), "{name}");
            let entries = Fields(tensor).filter_map(|field| match field.unwrap() {
                (field::TENSOR_EXTERNAL_DATA, Body::Bytes(entry)) => {
                    Some(bytes_of(entry, field::ENTRY_VALUE).unwrap().unwrap())
                }
                _ => None,
            });
            let entries: Vec<&str> = entries.map(|value| std::str::from_utf8(value).unwrap()).collect();
            let raw = bytes_of(whole.weights[name], field::TENSOR_RAW_DATA).unwrap().unwrap_or_default();
            if let [file, offset, length] = entries[..] {
                let (offset, length): (usize, usize) = (offset.parse().unwrap(), length.parse().unwrap());
                assert_eq!((file, &model[offset..offset + length]), ("decoder.onnx", raw), "{name}");
                let (inside, stored) = (whole.stored(name), without.stored(name));
                assert_eq!(inside.map(|inside| inside.offset), stored.map(|stored| stored.offset), "{name}");
                assert!(stored.is_none_or(|stored| stored.file == Some("decoder.onnx")), "{name}");
                outside += 1;
            } else {
                assert!(raw.len() < LEAST_BYTES, "{name}");
            }
        }
        assert!(outside > 0);
        // What refers to its own file cannot refer to two.
        assert_eq!(without_weights(&skeleton, "decoder.onnx"), Ok(None));
    }
}
