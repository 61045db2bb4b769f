//! The token embedding: token ids to the decoder's input, image features in their places.

use std::path::Path;

use ndarray::{Array2, Array3, ArrayView2, Axis, concatenate, s};
use ort::session::{Session, SessionInputValue};
use ort::value::TensorElementType;

use super::ModelError;
use super::contract::{check_inputs, check_type, dimensions, element_type};
use super::names::EmbeddingNames;
use super::tensors::{FLOATS, INTEGERS, failed, float_value, floats, int_value, three_axes};

const STEP: &str = "token embedding";

/// Features of one run of image tokens.
#[derive(Debug, Clone, Copy)]
pub struct ImageRows<'a> {
    /// Row of the batch.
    pub row: usize,
    /// First token.
    pub start: usize,
    /// [tokens, hidden].
    pub features: ArrayView2<'a, f32>,
}

pub(super) struct Embedding {
    session: Session,
    names: EmbeddingNames,
    /// Type and width of the image features, when the graph puts them in their places itself.
    scatters: Option<Features>,
    /// The same of the audio features, which are always none.
    audio: Option<Features>,
    ids: Option<TensorElementType>,
}

#[derive(Clone, Copy)]
struct Features {
    element: Option<TensorElementType>,
    rank: usize,
    hidden: usize,
}

impl Embedding {
    pub fn of(session: Session, path: &Path, names: EmbeddingNames) -> Result<Self, ModelError> {
        let optional =
            |name: &str| [&names.image_features, &names.audio_features].iter().any(|known| *known == name);
        check_inputs(&session, path, &[&names.input_ids], optional)?;
        check_type(&session, path, &names.input_ids, &INTEGERS)?;
        let input = |name: &str| session.inputs().iter().find(|input| input.name() == name);
        let features = |name: &str| -> Result<Option<Features>, ModelError> {
            let Some(input) = input(name) else { return Ok(None) };
            check_type(&session, path, name, &FLOATS)?;
            let dimensions = dimensions(input);
            let hidden = dimensions.last().and_then(|size| usize::try_from(*size).ok()).unwrap_or(0);
            Ok(Some(Features { element: element_type(input), rank: dimensions.len(), hidden }))
        };
        let (scatters, audio) = (features(&names.image_features)?, features(&names.audio_features)?);
        let ids = input(&names.input_ids).and_then(element_type);
        Ok(Self { session, names, scatters, audio, ids })
    }

    /// Looks up `ids` [batch, sequence] and puts the images in their places: [batch, sequence, hidden].
    pub fn embed(&mut self, mut ids: Array2<i64>, images: &[ImageRows]) -> Result<Array3<f32>, ModelError> {
        let mut inputs: Vec<(String, SessionInputValue)> = Vec::with_capacity(3);
        if let Some(wanted) = self.scatters {
            let views: Vec<_> = images.iter().map(|image| image.features).collect();
            let rows = if views.is_empty() {
                Array2::zeros((0, wanted.hidden))
            } else {
                concatenate(Axis(0), &views)
                    .map_err(|error| super::tensors::wrong(STEP, &error.to_string()))?
            };
            inputs.push((self.names.image_features.clone(), wanted.value(rows)?.into()));
        } else {
            // What stands there is replaced below, and need not be in the vocabulary (PaliGemma's is not).
            for image in images {
                ids.slice_mut(s![image.row, image.start..image.start + image.features.nrows()]).fill(0);
            }
        }
        if let Some(audio) = self.audio {
            let none = audio.value(Array2::zeros((0, audio.hidden)))?;
            inputs.push((self.names.audio_features.clone(), none.into()));
        }
        let ids = int_value(ids.into_dyn(), self.ids, STEP)?;
        inputs.push((self.names.input_ids.clone(), ids.into()));
        let outputs = self.session.run(inputs).map_err(|error| failed(STEP, error))?;
        let mut embeds = three_axes(floats(&outputs[0], STEP)?, STEP)?;
        if self.scatters.is_none() {
            scatter(&mut embeds, images)?;
        }
        Ok(embeds)
    }
}

/// Puts image features into `target` [batch, sequence, hidden].
pub(super) fn scatter(target: &mut Array3<f32>, images: &[ImageRows]) -> Result<(), ModelError> {
    let hidden = target.len_of(Axis(2));
    for image in images {
        if image.features.ncols() != hidden {
            let reason =
                format!("token embeddings are {hidden} wide, image features {}", image.features.ncols());
            return Err(super::tensors::wrong(STEP, &reason));
        }
        let end = image.start + image.features.nrows();
        target.slice_mut(s![image.row, image.start..end, ..]).assign(&image.features);
    }
    Ok(())
}

impl Features {
    fn value(self, rows: Array2<f32>) -> Result<ort::value::DynValue, ModelError> {
        let rows = rows.into_dyn();
        let rows = if self.rank == 3 { rows.insert_axis(Axis(0)) } else { rows };
        float_value(rows, self.element, STEP)
    }
}
