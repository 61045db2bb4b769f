//! Vector columns in the two profiles.

use std::sync::Arc;

use arrow_array::types::{Float16Type, Float32Type};
use arrow_array::{Array, ArrayRef, FixedSizeListArray, Int32Array, ListArray, PrimitiveArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, Field};
use half::f16;

use super::Profile;

/// Float vectors: `list<element: float>`, or a list of 16-bit floats of the fixed `size`.
pub(super) fn floats<'a>(
    profile: Profile,
    size: usize,
    vectors: impl Iterator<Item = Option<&'a [f32]>>,
) -> Result<ArrayRef, ArrowError> {
    let vectors: Vec<Option<&[f32]>> = vectors.collect();
    match profile {
        Profile::Lake => {
            let values = vectors.iter().flatten().flat_map(|vector| vector.iter().copied());
            let values = PrimitiveArray::<Float32Type>::from_iter_values(values);
            list(Arc::new(values), vectors.iter().map(|vector| vector.map(<[f32]>::len)))
        }
        Profile::Compact => {
            check_size(size, vectors.iter().map(|vector| vector.map(<[f32]>::len)))?;
            let padded = vectors.iter().flat_map(|vector| {
                let values = vector.unwrap_or(&[]).iter().copied();
                values.chain(std::iter::repeat(0.0)).take(size)
            });
            let values = PrimitiveArray::<Float16Type>::from_iter_values(padded.map(f16::from_f32));
            fixed(Arc::new(values), size, vectors.iter().map(Option::is_some))
        }
    }
}

/// Vectors of token ids: `list<element: int>`, or a list of the fixed `size`.
pub(super) fn token_ids(
    profile: Profile,
    size: usize,
    vectors: impl Iterator<Item = Option<Vec<i32>>>,
) -> Result<ArrayRef, ArrowError> {
    let vectors: Vec<Option<Vec<i32>>> = vectors.collect();
    let values = Arc::new(Int32Array::from_iter_values(vectors.iter().flatten().flatten().copied()));
    match profile {
        Profile::Lake => list(values, vectors.iter().map(|vector| vector.as_ref().map(Vec::len))),
        Profile::Compact => {
            check_size(size, vectors.iter().map(|vector| vector.as_ref().map(Vec::len)))?;
            let padded = vectors.iter().flat_map(|vector| {
                let values = vector.as_deref().unwrap_or(&[]).iter().copied();
                values.chain(std::iter::repeat(0)).take(size)
            });
            let values = Arc::new(Int32Array::from_iter_values(padded));
            fixed(values, size, vectors.iter().map(Option::is_some))
        }
    }
}

/// Every part of a table has one type, whatever its rows: the size is the run's, and vectors keep to it.
fn check_size(size: usize, lengths: impl Iterator<Item = Option<usize>>) -> Result<(), ArrowError> {
    match lengths.flatten().find(|length| *length != size) {
        None => Ok(()),
        Some(other) => Err(ArrowError::InvalidArgumentError(format!(
            "a vector has {other} elements where the run's have {size}; the compact profile needs one length"
        ))),
    }
}

fn element(data_type: &DataType) -> Arc<Field> {
    Arc::new(Field::new("element", data_type.clone(), false))
}

fn list(values: ArrayRef, lengths: impl Iterator<Item = Option<usize>>) -> Result<ArrayRef, ArrowError> {
    let lengths: Vec<Option<usize>> = lengths.collect();
    let nulls = NullBuffer::from(lengths.iter().map(Option::is_some).collect::<Vec<bool>>());
    let offsets = OffsetBuffer::from_lengths(lengths.into_iter().map(Option::unwrap_or_default));
    Ok(Arc::new(ListArray::try_new(element(values.data_type()), offsets, values, Some(nulls))?))
}

fn fixed(values: ArrayRef, size: usize, valid: impl Iterator<Item = bool>) -> Result<ArrayRef, ArrowError> {
    let nulls = NullBuffer::from(valid.collect::<Vec<bool>>());
    let array = FixedSizeListArray::try_new(element(values.data_type()), size as i32, values, Some(nulls))?;
    Ok(Arc::new(array))
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;

    use super::*;

    #[test]
    fn both_profiles_keep_values_and_nulls() {
        let vectors = [Some(&[1.0f32, 0.5][..]), None, Some(&[2.0, -1.0])];
        let lake = floats(Profile::Lake, 2, vectors.into_iter()).unwrap();
        assert_eq!(lake.as_list::<i32>().value(2).as_primitive::<Float32Type>().values(), &[2.0, -1.0]);
        assert!(lake.is_null(1) && lake.is_valid(0));
        let compact = floats(Profile::Compact, 2, vectors.into_iter()).unwrap();
        assert_eq!(
            compact.as_fixed_size_list().value(0).as_primitive::<Float16Type>().value(1),
            f16::from_f32(0.5)
        );
        assert!(compact.is_null(1));
    }

    #[test]
    fn a_part_without_any_vector_has_the_same_type() {
        let with = floats(Profile::Compact, 2, [Some(&[1.0f32, 0.5][..])].into_iter()).unwrap();
        let without = floats(Profile::Compact, 2, [None].into_iter()).unwrap();
        assert_eq!(with.data_type(), without.data_type());
    }

    #[test]
    fn compact_refuses_vectors_of_unlike_length() {
        let vectors = [Some(&[1.0f32, 0.5][..]), Some(&[2.0])];
        assert!(
            floats(Profile::Compact, 2, vectors.into_iter())
                .unwrap_err()
                .to_string()
                .contains("has 1 elements")
        );
    }
}
