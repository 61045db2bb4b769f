//! Logits of the tokens that were asked for.

use ndarray::{Array2, ArrayView2};
use ort::value::DynValue;

use super::ModelError;
use super::past::axis;
use super::tensors::{Floats, wrong};

const STEP: &str = "decoder";

/// Logits, [asked, vocabulary].
pub struct Logits(Held);

enum Held {
    /// By the runtime, as 32-bit floats: [asked or more, vocabulary].
    There(DynValue, usize),
    Copied(Array2<f32>),
}

impl Logits {
    /// One row a token.
    pub fn rows(&self) -> ArrayView2<'_, f32> {
        match &self.0 {
            Held::There(value, asked) => {
                let vocabulary = axis(value, 1);
                let numbers = value.try_extract_tensor::<f32>().ok();
                let rows = numbers.and_then(|(_, numbers)| numbers.get(..asked * vocabulary));
                let rows = rows.and_then(|rows| ArrayView2::from_shape((*asked, vocabulary), rows).ok());
                rows.unwrap_or(ndarray::aview2::<f32, 0>(&[]))
            }
            Held::Copied(rows) => rows.view(),
        }
    }

    /// The logits of `asked` tokens; the graph gives those of all `length` new tokens of a row, or of the last one only.
    pub(super) fn picked(
        value: &DynValue,
        asked: &[(usize, usize)],
        length: usize,
    ) -> Result<Self, ModelError> {
        let (shape, all) = Floats::of(value, STEP)?;
        let &[batch, given, vocabulary] = shape.as_slice() else {
            return Err(wrong(STEP, &format!("logits have the shape {shape:?}, expected three axes")));
        };
        let skipped = length.checked_sub(given);
        let mut rows = Array2::zeros((asked.len(), vocabulary));
        for (mut row, &(sequence, place)) in rows.rows_mut().into_iter().zip(asked) {
            let place = skipped.and_then(|skipped| place.checked_sub(skipped)).filter(|_| sequence < batch);
            let Some(place) = place else {
                let reason = format!("logits of {batch} x {given} tokens came out, {length} went in");
                return Err(wrong(STEP, &reason));
            };
            let first = (sequence * given + place) * vocabulary;
            all.copy(first..first + vocabulary, row.as_slice_mut().unwrap_or_default());
        }
        Ok(Self(Held::Copied(rows)))
    }

    /// The logits of the tokens that the graph was asked for; one is asked for at least.
    pub(super) fn given(value: DynValue, asked: usize) -> Result<Self, ModelError> {
        let (shape, all) = Floats::of(&value, STEP)?;
        let &[given, vocabulary] = shape.as_slice() else {
            return Err(wrong(
                STEP,
                &format!("logits have the shape {shape:?}, expected [asked, vocabulary]"),
            ));
        };
        if given != asked.max(1) {
            return Err(wrong(STEP, &format!("logits of {given} tokens came out, {asked} were asked for")));
        }
        if let Floats::Single(_) = all {
            return Ok(Self(Held::There(value, asked)));
        }
        let mut rows = Array2::zeros((asked, vocabulary));
        all.copy(0..asked * vocabulary, rows.as_slice_mut().unwrap_or_default());
        Ok(Self(Held::Copied(rows)))
    }
}
