//! Constants in a file: small ones, such as axes, shapes and scales, and where large ones are.

use super::skeleton::EXTERNAL;
use super::wire::{Body, Fields, bytes_of, number_of, offset, text, varints};
use super::{FLOAT, INT64, field};

/// Where a tensor's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored<'a> {
    /// Relative to the model's folder; `None` for the model's own file.
    pub file: Option<&'a str>,
    /// Of the first byte.
    pub offset: u64,
}

/// Where the 32-bit floats of a `TensorProto` in `model` are, if they are stored as bytes and as many as its sizes say.
pub(super) fn stored_floats<'a>(model: &[u8], tensor: &'a [u8]) -> Option<Stored<'a>> {
    if number_of(tensor, field::TENSOR_DATA_TYPE).ok()?? != FLOAT {
        return None;
    }
    let bytes =
        sizes(tensor)?.iter().try_fold(4u64, |bytes, size| bytes.checked_mul(u64::try_from(*size).ok()?))?;
    if number_of(tensor, field::TENSOR_DATA_LOCATION).ok()? != Some(EXTERNAL) {
        let raw = bytes_of(tensor, field::TENSOR_RAW_DATA).ok()??;
        let stored = Stored { file: None, offset: offset(model, raw) as u64 };
        return (raw.len() as u64 == bytes).then_some(stored);
    }
    let (mut file, mut offset, mut length) = (None, 0, None);
    for entry in Fields(tensor) {
        if let (field::TENSOR_EXTERNAL_DATA, Body::Bytes(entry)) = entry.ok()? {
            let value = text(bytes_of(entry, field::ENTRY_VALUE).ok()??).ok()?;
            match bytes_of(entry, field::ENTRY_KEY).ok()?? {
                b"location" => file = Some(value),
                b"offset" => offset = value.parse().ok()?,
                b"length" => length = Some(value.parse::<u64>().ok()?),
                _ => {}
            }
        }
    }
    length.is_none_or(|length| length == bytes).then_some(Stored { file: Some(file?), offset })
}

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
