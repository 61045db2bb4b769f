//! The vision encoder: pixels to image features, in calls that fit into memory.

use std::ops::Range;
use std::path::Path;

use ndarray::{Array2, Axis, concatenate, s};
use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, TensorElementType};

use super::contract::{check_inputs, check_type, dimensions, element_type};
use super::family::{ImageTensor, Pixels};
use super::names::VisionNames;
use super::tensors::{FLOATS, INTEGERS, as_rows, failed, float_value, floats, int_value, mask_value, wrong};
use super::{ModelError, Provider};

/// Elements of `pixel_values` that one call on a processor takes at most: a tile of 512 x 512, or six of 224 x 224. Encoders need
/// some hundred times as much for their activations: one such tile at a time is 12 % faster than five.
const ELEMENTS_PER_CALL: usize = 1 << 20;

/// The same on other devices, which need more work at a time.
const ELEMENTS_PER_DEVICE_CALL: usize = 16 << 20;

/// Views that one call takes at most.
const MAX_VIEWS_PER_CALL: usize = 16;

const STEP: &str = "vision encoder";

/// An image as the decoder takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageFeatures {
    /// [placeholders, hidden].
    pub rows: Array2<f32>,
    /// What is added to the residual stream after the first layers (Qwen3-VL's deepstack), [placeholders, hidden] each.
    pub deepstack: Vec<Array2<f32>>,
}

pub(super) struct VisionEncoder {
    session: Session,
    inputs: Vec<VisionInput>,
    features: String,
    deepstack: Vec<String>,
    newline: Option<Vec<f32>>,
    /// Elements of `pixel_values` that one call takes at most.
    most_elements: usize,
}

struct VisionInput {
    name: String,
    /// The name under which families give it.
    role: &'static str,
    element: Option<TensorElementType>,
    rank: usize,
}

/// Views of one image that are encoded in one call.
struct Part<'a> {
    image: usize,
    pixels: &'a Pixels,
    views: Range<usize>,
}

impl VisionEncoder {
    pub fn of(
        session: Session,
        path: &Path,
        names: &VisionNames,
        provider: Provider,
    ) -> Result<Self, ModelError> {
        let pixel_values = names.graph_name("pixel_values");
        check_inputs(&session, path, &[&pixel_values], |name| names.role(name).is_some())?;
        let mut inputs = Vec::new();
        for input in session.inputs() {
            let Some(role) = names.role(input.name()) else { continue };
            match role {
                "pixel_values" => check_type(&session, path, input.name(), &FLOATS)?,
                "image_grid_thw" | "image_sizes" => check_type(&session, path, input.name(), &INTEGERS)?,
                _ => {
                    let masks: Vec<_> =
                        [TensorElementType::Bool].into_iter().chain(INTEGERS).chain(FLOATS).collect();
                    check_type(&session, path, input.name(), &masks)?;
                }
            }
            inputs.push(VisionInput {
                name: input.name().to_string(),
                role,
                element: element_type(input),
                rank: dimensions(input).len(),
            });
        }
        let outputs: Vec<&str> = session.outputs().iter().map(|output| output.name()).collect();
        let features = names.features.as_deref().filter(|name| outputs.contains(name));
        let features = features.unwrap_or(outputs[0]).to_string();
        let mut deepstack: Vec<String> = outputs
            .iter()
            .filter(|name| name.starts_with("deepstack_features."))
            .map(ToString::to_string)
            .collect();
        deepstack.sort_by_key(|name| name.rsplit('.').next().and_then(|index| index.parse::<usize>().ok()));
        let most_elements =
            if provider.is_processor() { ELEMENTS_PER_CALL } else { ELEMENTS_PER_DEVICE_CALL };
        Ok(Self { session, inputs, features, deepstack, newline: None, most_elements })
    }

    /// Encodes images, in as many calls as memory asks for.
    pub fn encode(&mut self, images: &[&Pixels]) -> Result<Vec<ImageFeatures>, ModelError> {
        let mut encoded: Vec<Vec<Vec<Array2<f32>>>> = vec![Vec::new(); images.len()];
        for call in calls(images, self.most_elements) {
            let outputs = self.call(&call)?;
            let mut taken = 0;
            for part in &call {
                let rows = part.rows();
                let layers =
                    outputs.iter().map(|output| output.slice(s![taken..taken + rows, ..]).to_owned());
                encoded[part.image].push(layers.collect());
                taken += rows;
            }
        }
        let newline = self.newline.as_deref();
        images
            .iter()
            .zip(encoded)
            .map(|(pixels, parts)| {
                let mut layers = (0..=self.deepstack.len()).map(|layer| {
                    let views: Vec<_> = parts.iter().map(|part| part[layer].view()).collect();
                    let rows =
                        concatenate(Axis(0), &views).map_err(|error| wrong(STEP, &error.to_string()))?;
                    pixels.packing.lay_out(rows, newline).map_err(|reason| wrong(STEP, &reason))
                });
                let rows = layers.next().ok_or_else(|| wrong(STEP, "no features came out"))??;
                Ok(ImageFeatures { rows, deepstack: layers.collect::<Result<_, _>>()? })
            })
            .collect()
    }

    /// One call: features and deepstack features, [rows of all parts, hidden] each.
    fn call(&mut self, parts: &[Part]) -> Result<Vec<Array2<f32>>, ModelError> {
        let mut inputs: Vec<(String, SessionInputValue)> = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let tensors: Option<Vec<_>> = parts
                .iter()
                .map(|part| {
                    let (_, tensor) = part.pixels.inputs.iter().find(|(role, _)| *role == input.role)?;
                    let views = part.pixels.views.map_or(0..tensor.shape()[0], |_| part.views.clone());
                    Some((tensor, views))
                })
                .collect();
            let tensor = tensors.as_deref().and_then(ImageTensor::join).ok_or_else(|| {
                wrong(STEP, &format!("this family gives nothing for the input `{}`", input.name))
            })?;
            inputs.push((input.name.clone(), input.value(tensor)?.into()));
        }
        let outputs = self.session.run(inputs).map_err(|error| failed(STEP, error))?;
        let expected: usize = parts.iter().map(Part::rows).sum();
        let names = std::iter::once(&self.features).chain(&self.deepstack);
        let layers: Vec<Array2<f32>> = names
            .map(|name| {
                let rows = as_rows(floats(&outputs[name.as_str()], STEP)?, STEP)?;
                if rows.nrows() != expected {
                    return Err(wrong(
                        STEP,
                        &format!(
                            "`{name}` has {} rows, where the prompt expects {expected} image features",
                            rows.nrows()
                        ),
                    ));
                }
                Ok(rows)
            })
            .collect::<Result<_, _>>()?;
        if self.newline.is_none()
            && let Some(newline) = outputs.get("image_newline")
        {
            self.newline = Some(floats(newline, STEP)?.into_iter().collect());
        }
        Ok(layers)
    }
}

impl VisionInput {
    /// The value in the declared type, with the batch axis that the graph has in front of the views, where it has one.
    fn value(&self, tensor: ImageTensor) -> Result<DynValue, ModelError> {
        let batched = self.rank == tensor.shape().len() + 1;
        match tensor {
            ImageTensor::Float(array) => {
                let array = if batched { array.insert_axis(Axis(0)) } else { array };
                float_value(array, self.element, STEP)
            }
            ImageTensor::Int(array) => {
                let array = if batched { array.insert_axis(Axis(0)) } else { array };
                int_value(array, self.element, STEP)
            }
            ImageTensor::Bool(array) => {
                let array = if batched { array.insert_axis(Axis(0)) } else { array };
                mask_value(array, self.element, STEP)
            }
        }
    }
}

impl Part<'_> {
    /// Features that the encoder gives for these views.
    fn rows(&self) -> usize {
        match self.pixels.views {
            Some(all) => self.pixels.features / all.max(1) * self.views.len(),
            None => self.pixels.features,
        }
    }
}

/// Cuts images into calls: whole ones by themselves, views of one shape together as far as memory allows.
fn calls<'a>(images: &[&'a Pixels], most_elements: usize) -> Vec<Vec<Part<'a>>> {
    let mut calls: Vec<Vec<Part>> = Vec::new();
    let mut open: Option<(Vec<usize>, usize)> = None; // shape of the last call's views, views that it still takes
    for (image, &pixels) in images.iter().enumerate() {
        let Some(views) = pixels.views else {
            calls.push(vec![Part { image, pixels, views: 0..1 }]);
            open = None;
            continue;
        };
        let shape = pixels.inputs.first().map(|(_, tensor)| tensor.shape()[1..].to_vec()).unwrap_or_default();
        let most = (most_elements / (pixels.elements() / views.max(1)).max(1)).clamp(1, MAX_VIEWS_PER_CALL);
        let mut next = 0;
        while next < views {
            let room = match &open {
                Some((last, room)) if *last == shape && *room > 0 => *room,
                _ => {
                    calls.push(Vec::new());
                    most
                }
            };
            let taken = room.min(views - next);
            if let Some(call) = calls.last_mut() {
                call.push(Part { image, pixels, views: next..next + taken });
            }
            open = Some((shape.clone(), room - taken));
            next += taken;
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use ndarray::ArrayD;

    use super::*;

    fn cut(images: &[&Pixels]) -> Vec<Vec<(usize, Range<usize>)>> {
        let calls = calls(images, 4 << 20);
        calls.iter().map(|call| call.iter().map(|part| (part.image, part.views.clone())).collect()).collect()
    }

    #[test]
    fn views_of_one_shape_share_calls_and_many_are_encoded_in_slices() {
        let large = Pixels::views(ArrayD::zeros(vec![7, 3, 512, 512]), 4, String::new());
        let small = Pixels::views(ArrayD::zeros(vec![2, 3, 8, 8]), 1, String::new());
        assert_eq!(
            cut(&[&large, &large, &small]),
            [vec![(0, 0..5)], vec![(0, 5..7), (1, 0..3)], vec![(1, 3..7)], vec![(2, 0..2)]]
        );
    }

    #[test]
    fn whole_images_are_encoded_by_themselves() {
        let mut whole = Pixels::views(ArrayD::zeros(vec![24, 12]), 1, String::new());
        whole.views = None;
        assert_eq!(cut(&[&whole, &whole]), [[(0, 0..1)], [(1, 0..1)]]);
    }
}
