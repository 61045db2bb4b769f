//! Small constants in a file: axes, shapes.

use super::wire::{Fields, bytes_of, number_of};
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
    let mut packed = Fields(bytes_of(tensor, field::TENSOR_INTEGERS).ok()??);
    let mut numbers = Vec::new();
    while !packed.0.is_empty() {
        numbers.push(packed.varint()?.cast_signed());
    }
    Some(numbers)
}
