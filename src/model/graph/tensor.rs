//! Small constants in a file: axes, shapes, scales.

use super::wire::{Body, Fields, bytes_of, number_of, varints};
use super::{INT64, field};

/// The 64-bit integers of a `TensorProto`.
pub(super) fn integers(tensor: &[u8]) -> Option<Vec<i64>> {
    if number_of(tensor, field::TENSOR_DATA_TYPE).ok()?? != INT64 {
        return None;
    }
    if let Some(raw) = bytes_of(tensor, field::TENSOR_RAW_DATA).ok()? {
        let (numbers, rest) = raw.as_chunks::<8>();
        return rest.is_empty().then(|| numbers.iter().map(|number| i64::from_le_bytes(*number)).collect());
    }
    varints(bytes_of(tensor, field::TENSOR_INTEGERS).ok()??)
}

/// The sizes of a `TensorProto`.
pub(super) fn sizes(tensor: &[u8]) -> Option<Vec<i64>> {
    let mut sizes = Vec::new();
    for field in Fields(tensor) {
        match field.ok()? {
            (field::TENSOR_DIMENSIONS, Body::Number(size)) => sizes.push(size.cast_signed()),
            (field::TENSOR_DIMENSIONS, Body::Bytes(packed)) => sizes.extend(varints(packed)?),
            _ => {}
        }
    }
    Some(sizes)
}
