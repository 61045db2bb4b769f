//! The inputs of a decoder that take what was seen.

use std::path::Path;

use ndarray::ArrayD;
use ort::session::{Session, SessionInputValue};
use ort::value::{TensorElementType, TensorRef};

use super::ModelError;
use super::contract::{dimensions, element_type};
use super::names::DecoderNames;
use super::seen::Side;
use super::tensors::{FLOATS, failed, float_value};

const STEP: &str = "decoder";

/// One key or value tensor of the cache: [batch, heads, past, head size].
pub(super) struct PastInput {
    pub name: String,
    pub present: String,
    pub heads: usize,
    pub head_size: usize,
    pub element: TensorElementType,
}

/// The inputs of a decoder that take its past, in its order.
pub(super) fn past_inputs(
    decoder: &Session,
    path: &Path,
    names: &DecoderNames,
) -> Result<Vec<PastInput>, ModelError> {
    let past = decoder.inputs().iter().filter_map(|input| Some((input, names.present_of(input.name())?)));
    past.map(|(input, present)| {
        let name = input.name().to_string();
        let dimensions = dimensions(input);
        let fixed = |axis: usize| dimensions.get(axis).copied().and_then(|size| usize::try_from(size).ok());
        let element = element_type(input).filter(|element| FLOATS.contains(element));
        match (fixed(1), fixed(3).or(names.head_size), element) {
            (Some(heads), Some(head_size), Some(element)) => {
                Ok(PastInput { name, present, heads, head_size, element })
            }
            _ => Err(ModelError::Contract {
                path: path.into(),
                reason: format!("the input `{name}` must be a float tensor [batch, heads, past, head size] with fixed heads and head size"),
                what: "inputs",
                found: format!("{name} {dimensions:?}"),
            }),
        }
    })
    .collect()
}

/// The past, empty where there is none; where it is in blocks, as much of what is `unread`.
pub(super) fn past_of<'v>(
    inputs: &[PastInput],
    kept: &'v Side,
    unread: &'v [f32],
    batch: usize,
    tokens: usize,
) -> Result<Vec<(String, SessionInputValue<'v>)>, ModelError> {
    let value = |(index, declared): (usize, &PastInput)| {
        let &PastInput { heads, head_size, element, .. } = declared;
        let value = match kept {
            Side::Together(past) => past.values[index].view().into(),
            Side::Apart(_) if tokens > 0 => {
                let sizes = [batch, heads, tokens, head_size];
                let view = TensorRef::from_array_view((sizes, &unread[..sizes.iter().product()]));
                view.map_err(|error| failed(STEP, error))?.into()
            }
            Side::Apart(_) | Side::Nothing => {
                let empty = ArrayD::<f32>::zeros(vec![batch, heads, 0, head_size]);
                float_value(empty, Some(element), STEP)?.into()
            }
        };
        Ok((declared.name.clone(), value))
    };
    inputs.iter().enumerate().map(value).collect()
}
