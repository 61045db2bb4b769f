//! The keys and values of tokens that a decoder has seen, and how those of several sequences are put side by side.

use half::f16;
use ort::memory::Allocator;
use ort::value::{DynValue, PrimitiveTensorElementType, Tensor, TensorElementType};

use super::ModelError;
use super::binding::on_host;
use super::tensors::{failed, wrong};

const STEP: &str = "KV cache";

/// The keys and values of all layers, as the runtime holds them: [batch, heads, tokens, head size] each.
pub(super) struct Past {
    /// In the order of the decoder's inputs.
    pub(super) values: Vec<DynValue>,
}

/// Consecutive tokens of one sequence in a [`Past`].
#[derive(Clone, Copy)]
pub(super) struct PastRow<'a> {
    /// Where they are.
    pub past: &'a Past,
    /// The sequence's row.
    pub row: usize,
    /// The first of the tokens.
    pub start: usize,
    /// Their number.
    pub length: usize,
}

impl Past {
    /// Tokens of a row, with padding.
    pub fn tokens(&self) -> usize {
        self.values.first().map_or(0, |value| axis(value, 2))
    }

    /// Sequences.
    pub fn batch(&self) -> usize {
        self.values.first().map_or(0, |value| axis(value, 0))
    }

    /// Copies rows, shorter ones padded on the left to the longest.
    pub(super) fn gather(rows: &[PastRow], allocator: &Allocator) -> Result<Self, ModelError> {
        let layers = rows.first().map_or(0, |row| row.past.values.len());
        let longest = rows.iter().map(|row| row.length).max().unwrap_or(0);
        let layer = |layer: usize| {
            let values: Vec<&DynValue> = rows.iter().map(|row| &row.past.values[layer]).collect();
            match values.first().map(|value| value.dtype().tensor_type()) {
                Some(Some(TensorElementType::Float16)) => {
                    side_by_side::<f16>(rows, &values, longest, allocator)
                }
                _ => side_by_side::<f32>(rows, &values, longest, allocator),
            }
        };
        Ok(Self { values: (0..layers).map(layer).collect::<Result<_, _>>()? })
    }
}

/// A size of a tensor; 0 where it has no such axis.
pub(super) fn axis(value: &DynValue, axis: usize) -> usize {
    let size = value.dtype().tensor_shape().and_then(|shape| shape.get(axis).copied());
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or(0)
}

/// One layer's keys or values of `rows`, [rows, heads, longest, head size].
fn side_by_side<T: PrimitiveTensorElementType + Copy + Default + std::fmt::Debug + 'static>(
    rows: &[PastRow],
    values: &[&DynValue],
    longest: usize,
    allocator: &Allocator,
) -> Result<DynValue, ModelError> {
    let (heads, size) = values.first().map_or((0, 0), |value| (axis(value, 1), axis(value, 3)));
    let mut joined = Tensor::<T>::new(allocator, [rows.len(), heads, longest, size])
        .map_err(|error| failed(STEP, error))?;
    let (_, target) = joined.extract_tensor_mut();
    let mut targets = target.chunks_exact_mut((longest * size).max(1));
    for (row, value) in rows.iter().zip(values) {
        let copied = on_host(value).map_err(|error| failed(STEP, error))?;
        let value = copied.as_ref().unwrap_or(value);
        let (_, source) = value.try_extract_tensor::<T>().map_err(|error| failed(STEP, error))?;
        let stored = axis(value, 2);
        for head in 0..heads {
            let first = ((row.row * heads + head) * stored + row.start) * size;
            let source = source.get(first..first + row.length * size);
            let (Some(source), Some(target)) = (source, targets.next()) else {
                return Err(wrong(STEP, "a row lies outside of its cache"));
            };
            let (padding, kept) = target.split_at_mut((longest - row.length) * size);
            padding.fill(T::default());
            kept.copy_from_slice(source);
        }
    }
    Ok(joined.into_dyn())
}
