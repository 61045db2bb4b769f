//! The three sessions of a model and their calls: images to features, token ids to embeddings, embeddings to logits.

use std::path::Path;

use half::f16;
use ndarray::{Array2, Array3, ArrayD, Ix3, s};
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, Tensor, TensorElementType};

use super::contract::{check_inputs, check_output, check_type, dimensions, element_type};
use super::surgery::head_input;
use super::{GraphFile, ModelDirectory, ModelError, OnnxRuntime, Provider};

/// How sessions are made.
#[derive(Debug, Clone, Copy)]
pub struct SessionSettings {
    /// Where they run.
    pub provider: Provider,
    /// Threads inside one operator.
    pub intra_threads: usize,
    /// Whether the decoder also gives the residual stream after its final norm.
    pub hidden_states: bool,
}

/// What a decoder says about the prompts of one batch.
pub struct Prefill {
    /// Logits at the last position, [batch, vocabulary].
    pub logits: Array2<f32>,
    /// The residual stream after the final norm, [batch, sequence, hidden]; where the graph gives it.
    pub hidden: Option<Array3<f32>>,
}

/// A loaded model.
pub struct Model {
    vision: Session,
    embed: Session,
    decoder: Session,
    image_features: String,
    past: Vec<PastInput>,
    hidden_output: Option<String>,
}

/// One key or value tensor of the cache: [batch, heads, past, head size].
struct PastInput {
    name: String,
    heads: usize,
    head_size: usize,
    element: TensorElementType,
}

const FLOATS: [TensorElementType; 2] = [TensorElementType::Float32, TensorElementType::Float16];
const LOGITS: &str = "logits";

impl Model {
    /// Loads the graphs and checks that they are what the layout says.
    ///
    /// # Errors
    /// When a graph is broken, lacks an input or output, has one of another type, or the provider is not there.
    pub fn load(
        runtime: &OnnxRuntime,
        directory: &ModelDirectory,
        settings: SessionSettings,
    ) -> Result<Self, ModelError> {
        let vision_path = directory.graph(GraphFile::VisionEncoder);
        let vision = open(runtime, vision_path, settings, None)?;
        check_inputs(&vision, vision_path, &["pixel_values"], |_| false)?;
        check_type(&vision, vision_path, "pixel_values", &FLOATS)?;
        let image_features = vision.outputs()[0].name().to_string();

        let embed_path = directory.graph(GraphFile::EmbedTokens);
        let embed = open(runtime, embed_path, settings, None)?;
        check_inputs(&embed, embed_path, &["input_ids"], |_| false)?;
        check_type(&embed, embed_path, "input_ids", &[TensorElementType::Int64])?;

        let decoder_path = directory.graph(GraphFile::Decoder);
        let mut hidden_output = None;
        let mut edited = None;
        if settings.hidden_states {
            let mut bytes = read(decoder_path)?;
            if let Some(name) = head_input(&bytes, LOGITS).map(String::from) {
                bytes.extend(super::graph::extra_outputs(&[&name]));
                edited = Some(bytes);
                hidden_output = Some(name);
            }
        }
        let decoder = open(runtime, decoder_path, settings, edited.as_deref())?;
        check_inputs(&decoder, decoder_path, &["inputs_embeds", "attention_mask"], |name| {
            name.starts_with("past_key_values.")
                || ["position_ids", "num_logits_to_keep", "use_cache_branch"].contains(&name)
        })?;
        check_type(&decoder, decoder_path, "inputs_embeds", &FLOATS)?;
        check_type(&decoder, decoder_path, "attention_mask", &[TensorElementType::Int64])?;
        check_output(&decoder, decoder_path, LOGITS)?;
        let past = past_inputs(&decoder, decoder_path)?;
        Ok(Self { vision, embed, decoder, image_features, past, hidden_output })
    }

    /// Whether the decoder gives the residual stream after its final norm.
    pub fn gives_hidden_states(&self) -> bool {
        self.hidden_output.is_some()
    }

    /// Encodes images: `pixel_values` with images along the first axis, to features [images, tokens, hidden].
    ///
    /// # Errors
    /// When the runtime fails, or the features are not of that shape.
    pub fn encode_images(&mut self, pixels: ArrayD<f32>) -> Result<Array3<f32>, ModelError> {
        let step = "vision encoder";
        let element =
            self.vision.inputs().iter().find(|input| input.name() == "pixel_values").and_then(element_type);
        let value = float_value(pixels, element, step)?;
        let outputs = self
            .vision
            .run(vec![("pixel_values", SessionInputValue::from(value))])
            .map_err(|error| failed(step, error))?;
        let features = floats(&outputs[self.image_features.as_str()], step)?;
        three_axes(features, step)
    }

    /// Looks up embeddings: token ids [batch, sequence] to [batch, sequence, hidden].
    ///
    /// # Errors
    /// When the runtime fails (a token id beyond the vocabulary, for one).
    pub fn embed_tokens(&mut self, ids: Array2<i64>) -> Result<Array3<f32>, ModelError> {
        let step = "token embedding";
        let ids = Tensor::from_array(ids).map_err(|error| failed(step, error))?;
        let outputs =
            self.embed.run(ort::inputs!["input_ids" => ids]).map_err(|error| failed(step, error))?;
        three_axes(floats(&outputs[0], step)?, step)
    }

    /// Runs prompts of one length without padding and without a past.
    ///
    /// `embeds`: [batch, sequence, hidden]; `positions`: [batch, sequence].
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn prefill(&mut self, embeds: Array3<f32>, positions: Array2<i64>) -> Result<Prefill, ModelError> {
        let step = "decoder";
        let (batch, length, _) = embeds.dim();
        let run_failed = |error| failed(step, error);
        let mut inputs: Vec<(String, SessionInputValue)> = Vec::with_capacity(self.decoder.inputs().len());
        for input in self.decoder.inputs() {
            let value: DynValue = match input.name() {
                "inputs_embeds" => float_value(embeds.clone().into_dyn(), element_type(input), step)?,
                "attention_mask" => {
                    Tensor::from_array(Array2::<i64>::ones((batch, length))).map_err(run_failed)?.into_dyn()
                }
                "position_ids" => Tensor::from_array(positions.clone()).map_err(run_failed)?.into_dyn(),
                "num_logits_to_keep" => {
                    Tensor::from_array(ndarray::arr0(i64::from(self.hidden_output.is_none())).into_dyn())
                        .map_err(run_failed)?
                        .into_dyn()
                }
                "use_cache_branch" => {
                    Tensor::from_array(ndarray::arr1(&[false])).map_err(run_failed)?.into_dyn()
                }
                _ => continue, // the past, below
            };
            inputs.push((input.name().to_string(), value.into()));
        }
        for past in &self.past {
            let empty = ArrayD::<f32>::zeros(vec![batch, past.heads, 0, past.head_size]);
            inputs.push((past.name.clone(), float_value(empty, Some(past.element), step)?.into()));
        }
        let outputs = self.decoder.run(inputs).map_err(run_failed)?;
        let logits = three_axes(floats(&outputs[LOGITS], step)?, step)?;
        let last = logits.dim().1.checked_sub(1).ok_or_else(|| wrong(step, "no logits came out"))?;
        let hidden = match &self.hidden_output {
            Some(name) => Some(three_axes(floats(&outputs[name.as_str()], step)?, step)?),
            None => None,
        };
        if let Some(hidden) =
            hidden.as_ref().filter(|hidden| hidden.dim().0 != batch || hidden.dim().1 != length)
        {
            return Err(wrong(
                step,
                &format!("hidden states of {:?} for {batch} prompts of {length}", hidden.dim()),
            ));
        }
        Ok(Prefill { logits: logits.slice(s![.., last, ..]).to_owned(), hidden })
    }
}

fn open(
    runtime: &OnnxRuntime,
    path: &Path,
    settings: SessionSettings,
    edited: Option<&[u8]>,
) -> Result<Session, ModelError> {
    let broken = |error: String| ModelError::File {
        path: path.into(),
        reason: format!("ONNX Runtime cannot load this graph; is the file whole? {error}"),
    };
    let text = |error: ort::Error<SessionBuilder>| error.to_string();
    let set_up = || -> Result<SessionBuilder, String> {
        let builder = Session::builder(&runtime.environment).map_err(|error| error.to_string())?;
        let builder = builder.with_optimization_level(GraphOptimizationLevel::Level3).map_err(text)?;
        let builder = builder.with_intra_threads(settings.intra_threads).map_err(text)?;
        let builder = builder.with_inter_threads(1).map_err(text)?;
        let builder = builder.with_intra_op_spinning(settings.intra_threads > 1).map_err(text)?;
        builder.with_deterministic_compute(true).map_err(text)
    };
    let builder = set_up().map_err(broken)?;
    let mut builder = settings.provider.register(runtime, builder)?;
    let session = match edited {
        Some(bytes) => {
            // Weights outside the file are looked for beside it.
            let folder = path.parent().unwrap_or(Path::new(".")).to_string_lossy().into_owned();
            let key = "session.model_external_initializers_file_folder_path";
            builder
                .with_config_entry(key, folder)
                .map_err(|error| broken(error.to_string()))?
                .commit_from_memory(bytes)
        }
        None => builder.commit_from_file(path),
    };
    session.map_err(|error| broken(error.to_string()))
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    std::fs::read(path).map_err(|error| ModelError::File { path: path.into(), reason: error.to_string() })
}

fn past_inputs(decoder: &Session, path: &Path) -> Result<Vec<PastInput>, ModelError> {
    let past = decoder.inputs().iter().filter(|input| input.name().starts_with("past_key_values."));
    past.map(|input| {
        let name = input.name().to_string();
        let dimensions = dimensions(input);
        let fixed = |axis: usize| dimensions.get(axis).copied().and_then(|size| usize::try_from(size).ok());
        let element = element_type(input).filter(|element| FLOATS.contains(element));
        match (fixed(1), fixed(3), element) {
            (Some(heads), Some(head_size), Some(element)) => Ok(PastInput { name, heads, head_size, element }),
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

fn float_value(
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

fn floats(value: &DynValue, step: &'static str) -> Result<ArrayD<f32>, ModelError> {
    if let Ok(array) = value.try_extract_array::<f32>() {
        return Ok(array.to_owned());
    }
    let halves = value.try_extract_array::<f16>().map_err(|error| failed(step, error))?;
    Ok(halves.mapv(f16::to_f32))
}

fn three_axes(array: ArrayD<f32>, step: &'static str) -> Result<Array3<f32>, ModelError> {
    let found = format!("an output has the shape {:?}, expected three axes", array.shape());
    array.into_dimensionality::<Ix3>().map_err(|_| wrong(step, &found))
}

fn failed(step: &'static str, error: ort::Error) -> ModelError {
    wrong(step, &error.to_string())
}

fn wrong(step: &'static str, reason: &str) -> ModelError {
    ModelError::Run { step, reason: reason.to_string() }
}
