//! The layer probe: what of the residual stream comes out of a decoder beside its logits, and how a graph is edited for it.

use std::collections::BTreeMap;

use ndarray::{Array2, Array3, Array4, ArrayD, Ix2};
use ort::value::DynValue;

use super::ModelError;
use super::graph::{Edit, Graph};
use super::names::DecoderNames;
use super::surgery::{
    Head, LENS_OUTPUTS, Refusal, Residual, SUMS, can_compute_asked_logits, compute_asked_logits, lens_rows,
    read_lens, sum_over_tokens,
};
use super::tensors::{failed, floats, three_axes, wrong};

/// What is wanted of the residual stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Probe {
    /// The logit lens after every layer.
    pub lens: bool,
    /// Sums over tokens.
    pub sums: Depths,
}

/// Where in a decoder sums over tokens are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Depths {
    /// Nowhere.
    #[default]
    None,
    /// After the final norm, where the LM head is found in the graph.
    Output,
    /// After every layer, and after the final norm.
    All,
}

impl Probe {
    /// Whether the layers of the graph must be found.
    fn wants_layers(self) -> bool {
        self.lens || self.sums == Depths::All
    }
}

/// What one call asks of a probe; of what the graph was not edited for nothing comes.
#[derive(Debug, Clone, Default)]
pub struct ProbeInput {
    /// Tokens that the lens is put on: (row, place among the new tokens).
    pub probed: Vec<(usize, usize)>,
    /// Tokens whose logits are wanted after every layer.
    pub options: Vec<u32>,
    /// Each sum's weight of each new token, [batch, sums, sequence]; empty for no sums.
    pub weights: Array3<f32>,
}

/// What a model would say of probed tokens if it ended after each of its layers.
#[derive(Debug, Clone, PartialEq)]
pub struct LensOutput {
    /// The best token, of equal ones the smaller id, [probed, layers].
    pub tokens: Array2<u32>,
    /// Its logit, [probed, layers].
    pub logits: Array2<f32>,
    /// Logits of the options, [probed, layers, options].
    pub options: Array3<f32>,
}

/// What an edited graph gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Probed {
    /// Layers that the lens sees; none without a lens.
    pub lens_layers: usize,
    /// Depths of sums over tokens: the layers where they are asked for, and the output.
    pub depths: usize,
}

/// Edits a decoder so that it gives the logits of the tokens that are asked for, and what the probe wants.
///
/// # Errors
/// When layers are wanted and are not found.
pub(super) fn edit_decoder(
    graph: &Graph,
    names: &DecoderNames,
    probe: Probe,
    edit: &mut Edit,
) -> Result<Probed, Refusal> {
    let head = Head::find(graph, &names.logits);
    if !probe.wants_layers() {
        let Some(head) = head else { return Ok(Probed::default()) };
        compute_asked_logits(graph, &head, &names.logits, None, edit);
        let depths = usize::from(probe.sums == Depths::Output);
        if depths > 0 {
            sum_over_tokens(&[head.hidden], edit);
        }
        return Ok(Probed { lens_layers: 0, depths });
    }
    let (head, residual) = layers(graph, names)?;
    let mut streams = residual.tensors(edit);
    let mut probed = Probed::default();
    let rows = probe.lens.then(|| lens_rows(&residual, &streams, edit));
    let logits = compute_asked_logits(graph, &head, &names.logits, rows, edit);
    if let Some(logits) = logits.filter(|_| probe.lens) {
        read_lens(logits, edit);
        probed.lens_layers = residual.layers();
    }
    if probe.sums != Depths::None {
        if probe.sums == Depths::Output {
            streams.clear();
        }
        streams.push(head.hidden);
        sum_over_tokens(&streams, edit);
        probed.depths = streams.len();
    }
    Ok(probed)
}

/// The LM head and the residual stream of a decoder whose layers can be probed.
///
/// # Errors
/// Why they cannot.
pub(super) fn layers<'a>(
    graph: &'a Graph<'a>,
    names: &DecoderNames,
) -> Result<(Head<'a>, Residual<'a>), Refusal> {
    let place = || format!("before `{}`", names.logits);
    let head = Head::find(graph, &names.logits).ok_or_else(|| Refusal {
        place: place(),
        expected: "a product of all tokens' states with the vocabulary's weights",
        found: "another pattern".into(),
    })?;
    let residual = Residual::find(graph, names, &head)?;
    let places_of_bias = [("DynamicQuantizeMatMul", 4), ("MatMulIntegerToFloat", 6)];
    if places_of_bias
        .iter()
        .any(|(operator, place)| head.product.operator == *operator && head.product.input(*place).is_some())
    {
        return Err(Refusal {
            place: place(),
            expected: "a quantized product that adds its bias apart",
            found: format!("{} with a bias", head.product.operator),
        });
    }
    if !can_compute_asked_logits(graph, &head, &names.logits) {
        return Err(Refusal {
            place: place(),
            expected: "an LM head of operator set 11 or later that nothing else reads from",
            found: format!("operator set {} and {}", graph.opset, head.product.operator),
        });
    }
    Ok((head, residual))
}

impl Probed {
    /// The outputs that are read when something is probed.
    pub fn outputs(self, lens: bool, sums: bool) -> Vec<&'static str> {
        let lens = LENS_OUTPUTS.into_iter().filter(|_| lens && self.lens_layers > 0);
        lens.chain([SUMS].into_iter().filter(|_| sums && self.depths > 0)).collect()
    }

    /// What the lens shows of `probed` tokens, whose rows follow `asked` ones.
    pub fn lens(
        self,
        outputs: &BTreeMap<String, DynValue>,
        asked: usize,
        probed: usize,
    ) -> Result<Option<LensOutput>, ModelError> {
        let layers = self.lens_layers;
        if layers == 0 || probed == 0 {
            return Ok(None);
        }
        let [best, token, options] = LENS_OUTPUTS;
        let shaped = |name: &str, found: ArrayD<f32>| {
            let reason = format!(
                "`{name}` has the shape {:?}, expected {asked} + {probed} x {layers} rows",
                found.shape()
            );
            let found = found
                .into_dimensionality::<Ix2>()
                .ok()
                .filter(|found| found.nrows() == asked + probed * layers);
            let found = found.ok_or_else(|| wrong(STEP, &reason))?;
            let wide = found.ncols();
            let of_lens = found.iter().skip(asked * wide).copied().collect();
            Array3::from_shape_vec((probed, layers, wide), of_lens).map_err(|_| wrong(STEP, &reason))
        };
        let read = |name: &str| shaped(name, floats(&outputs[name], STEP)?);
        let tokens = outputs[token].try_extract_array::<i64>().map_err(|error| failed(STEP, error))?;
        let tokens = tokens.iter().skip(asked).map(|&id| u32::try_from(id).unwrap_or(u32::MAX)).collect();
        Ok(Some(LensOutput {
            tokens: Array2::from_shape_vec((probed, layers), tokens)
                .map_err(|error| wrong(STEP, &error.to_string()))?,
            logits: read(best)?.index_axis_move(ndarray::Axis(2), 0),
            options: read(options)?,
        }))
    }

    /// Sums over tokens, [batch, sums, depths, hidden].
    pub fn sums(self, outputs: &BTreeMap<String, DynValue>) -> Result<Option<Array4<f32>>, ModelError> {
        let Some(value) = outputs.get(SUMS).filter(|_| self.depths > 0) else { return Ok(None) };
        let found = three_axes(floats(value, STEP)?, STEP)?;
        let (batch, sums, wide) = found.dim();
        let shape = (batch, sums, self.depths, wide / self.depths);
        found.into_shape_with_order(shape).map(Some).map_err(|error| wrong(STEP, &error.to_string()))
    }
}

const STEP: &str = "layer probe";
