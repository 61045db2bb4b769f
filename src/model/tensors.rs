//! Between ndarray and the runtime's values, in the element type that a graph declares.

use half::f16;
use ndarray::{Array2, Array3, ArrayD, Ix3};
use ort::value::{DynValue, Tensor, TensorElementType};

use super::ModelError;

/// Element types in which graphs take and give floats.
pub(super) const FLOATS: [TensorElementType; 2] = [TensorElementType::Float32, TensorElementType::Float16];

/// Element types in which graphs take whole numbers.
pub(super) const INTEGERS: [TensorElementType; 2] = [TensorElementType::Int64, TensorElementType::Int32];

pub(super) fn float_value(
    array: ArrayD<f32>,
    element: Option<TensorElementType>,
    step: &'static str,
) -> Result<DynValue, ModelError> {
    let value = match element {
        Some(TensorElementType::Float16) => {
            Tensor::from_array(array.mapv(f16::from_f32)).map(Tensor::into_dyn)
        }
        _ => Tensor::from_array(array).map(Tensor::into_dyn),
    };
    value.map_err(|error| failed(step, error))
}

pub(super) fn int_value(
    array: ArrayD<i64>,
    element: Option<TensorElementType>,
    step: &'static str,
) -> Result<DynValue, ModelError> {
    let value = match element {
        Some(TensorElementType::Int32) => {
            Tensor::from_array(array.mapv(|value| value as i32)).map(Tensor::into_dyn)
        }
        _ => Tensor::from_array(array).map(Tensor::into_dyn),
    };
    value.map_err(|error| failed(step, error))
}

/// A mask as booleans, numbers or floats, whichever the graph declares.
pub(super) fn mask_value(
    array: ArrayD<bool>,
    element: Option<TensorElementType>,
    step: &'static str,
) -> Result<DynValue, ModelError> {
    match element {
        Some(TensorElementType::Bool) => {
            Tensor::from_array(array).map(Tensor::into_dyn).map_err(|error| failed(step, error))
        }
        Some(element) if INTEGERS.contains(&element) => int_value(array.mapv(i64::from), Some(element), step),
        element => float_value(array.mapv(|value| f32::from(u8::from(value))), element, step),
    }
}

pub(super) fn floats(value: &DynValue, step: &'static str) -> Result<ArrayD<f32>, ModelError> {
    if let Ok(array) = value.try_extract_array::<f32>() {
        return Ok(array.to_owned());
    }
    let halves = value.try_extract_array::<f16>().map_err(|error| failed(step, error))?;
    Ok(halves.mapv(f16::to_f32))
}

/// Floats where the runtime holds them.
pub(super) enum Floats<'v> {
    Single(&'v [f32]),
    Half(&'v [f16]),
}

impl<'v> Floats<'v> {
    /// With their shape.
    pub fn of(value: &'v DynValue, step: &'static str) -> Result<(Vec<usize>, Self), ModelError> {
        let sizes = |shape: &[i64]| shape.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect();
        if let Ok((shape, values)) = value.try_extract_tensor::<f32>() {
            return Ok((sizes(shape), Self::Single(values)));
        }
        let (shape, values) = value.try_extract_tensor::<f16>().map_err(|error| failed(step, error))?;
        Ok((sizes(shape), Self::Half(values)))
    }

    /// Copies a range, which must lie within, into `target` of the same length.
    pub fn copy(&self, range: std::ops::Range<usize>, target: &mut [f32]) {
        match self {
            Self::Single(values) => target.copy_from_slice(&values[range]),
            Self::Half(values) => {
                target.iter_mut().zip(&values[range]).for_each(|(to, from)| *to = from.to_f32());
            }
        }
    }
}

pub(super) fn three_axes(array: ArrayD<f32>, step: &'static str) -> Result<Array3<f32>, ModelError> {
    let found = format!("an output has the shape {:?}, expected three axes", array.shape());
    array.into_dimensionality::<Ix3>().map_err(|_| wrong(step, &found))
}

/// All leading axes as one: [rows, hidden].
pub(super) fn as_rows(array: ArrayD<f32>, step: &'static str) -> Result<Array2<f32>, ModelError> {
    let found = format!("an output has the shape {:?}, expected [.., hidden]", array.shape());
    let hidden = *array.shape().last().filter(|_| array.ndim() >= 2).ok_or_else(|| wrong(step, &found))?;
    let rows = array.len().checked_div(hidden).unwrap_or(0);
    array.into_shape_with_order((rows, hidden)).map_err(|_| wrong(step, &found))
}

pub(super) fn failed(step: &'static str, error: ort::Error) -> ModelError {
    wrong(step, &error.to_string())
}

pub(super) fn wrong(step: &'static str, reason: &str) -> ModelError {
    ModelError::Run { step, reason: reason.to_string() }
}
