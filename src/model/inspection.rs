//! What a model directory holds, read from its files without loading the model.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::decoder::{LogitPositions, NUMBER_TO_KEEP};
use super::graph::{Graph, Interface};
use super::probe;
use super::surgery::{Head, can_compute_asked_logits};
use super::{GraphFile, ModelDirectory, ModelError, Precision};

/// A model directory, described.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// The model's name in tables.
    pub name: String,
    /// Its family.
    pub model_type: String,
    /// Whose layout the directory has.
    pub layout: &'static str,
    /// The precision that is described.
    pub precision: &'static str,
    /// All that the directory has.
    pub precisions: Vec<&'static str>,
    /// The decoder's sizes.
    pub decoder: DecoderSizes,
    /// The graphs.
    pub graphs: Vec<GraphDescription>,
    /// What the evaluator can do with them.
    pub features: Features,
}

/// The decoder's sizes; what no file says is missing.
#[derive(Debug, Clone, Serialize)]
pub struct DecoderSizes {
    /// Layers.
    pub layers: Option<u64>,
    /// Attention heads.
    pub attention_heads: Option<u64>,
    /// Heads of keys and values.
    pub key_value_heads: Option<u64>,
    /// Width of one head.
    pub head_size: Option<u64>,
    /// Width of embeddings and hidden states.
    pub hidden_size: Option<u64>,
    /// Tokens in the vocabulary.
    pub vocabulary: Option<u64>,
    /// Most positions.
    pub context_length: Option<usize>,
}

/// One graph file.
#[derive(Debug, Clone, Serialize)]
pub struct GraphDescription {
    /// What it is for.
    pub role: &'static str,
    /// The file, from the directory on.
    pub file: String,
    /// Bytes of the file and of its external data.
    pub bytes: u64,
    /// Inputs and outputs.
    #[serde(flatten)]
    pub interface: Interface,
}

/// What the evaluator can do with a decoder.
#[derive(Debug, Clone, Serialize)]
pub struct Features {
    /// Tokens whose logits are computed.
    pub logit_positions: LogitPositions,
    /// The tensor that the LM head reads, from which hidden states are taken; missing when the head was not found.
    pub hidden_states: Option<String>,
    /// How many layers can be probed, or why none can.
    pub layer_probe: Result<usize, String>,
    /// Whether keys and values are given out and taken again.
    pub kv_reuse: bool,
    /// Whether prompts of unlike length may run together, padded.
    pub padding: bool,
}

impl Inspection {
    /// Describes a directory.
    ///
    /// # Errors
    /// When a graph file cannot be read or is no ONNX file.
    pub fn of(directory: &ModelDirectory) -> Result<Self, ModelError> {
        let decoder_path = directory.graph(GraphFile::Decoder);
        let mut files = vec![
            ("vision encoder", directory.graph(GraphFile::VisionEncoder)),
            ("token embedding", directory.graph(GraphFile::EmbedTokens)),
            ("decoder", decoder_path),
        ];
        files.extend(directory.decoder_with_past().map(|path| ("decoder with past", path)));
        let mut graphs = Vec::new();
        let mut features = None;
        for (role, path) in files {
            let bytes = read(path)?;
            let interface = Interface::read(&bytes).map_err(|error| file_error(path, &error))?;
            if path == decoder_path {
                features = Some(Features::of(&bytes, &interface, directory, path)?);
            }
            let file = path.strip_prefix(&directory.path).unwrap_or(path).display().to_string();
            graphs.push(GraphDescription { role, file, bytes: size_with_data(path), interface });
        }
        let features = features.ok_or_else(|| file_error(decoder_path, &"there is no decoder"))?;
        let text = |value: &Value| value.as_str().map(String::from);
        Ok(Self {
            name: directory.name.clone(),
            model_type: directory.config.get("model_type").and_then(text).unwrap_or_default(),
            layout: directory.layout().as_str(),
            precision: directory.precision_name(),
            precisions: directory.precisions().into_iter().map(Precision::as_str).collect(),
            decoder: DecoderSizes::of(directory, &graphs[2].interface),
            graphs,
            features,
        })
    }
}

impl Features {
    fn of(
        bytes: &[u8],
        interface: &Interface,
        directory: &ModelDirectory,
        path: &Path,
    ) -> Result<Self, ModelError> {
        let names = &directory.names().decoder;
        let graph = Graph::read(bytes).map_err(|error| file_error(path, &error))?;
        let head = Head::find(&graph, &names.logits);
        let asks = |head: &Head| can_compute_asked_logits(&graph, head, &names.logits);
        let layers = probe::layers(&graph, names).map(|(_, residual)| residual.layers());
        let counts = interface.input(NUMBER_TO_KEEP).is_some();
        Ok(Self {
            logit_positions: LogitPositions::of(head.as_ref().is_some_and(asks), counts),
            hidden_states: head.map(|head| head.hidden.to_string()),
            layer_probe: layers.map_err(|refusal| refusal.to_string()),
            kv_reuse: interface.inputs.iter().any(|input| names.present_of(&input.name).is_some())
                || directory.decoder_with_past().is_some(),
            padding: interface.input(&names.position_ids).is_some() && !graph.has("GroupQueryAttention"),
        })
    }
}

impl DecoderSizes {
    /// From the graph where its shapes are fixed, else from the configuration.
    fn of(directory: &ModelDirectory, graph: &Interface) -> Self {
        let names = &directory.names().decoder;
        let past: Vec<_> =
            graph.inputs.iter().filter(|input| names.present_of(&input.name).is_some()).collect();
        let axis = |shape: Option<&Vec<String>>, axis: usize| shape?.get(axis)?.parse::<u64>().ok();
        let past_shape = past.first().map(|input| &input.shape);
        let embeds = graph.input(&names.inputs_embeds).map(|input| &input.shape);
        let logits = graph.outputs.iter().find(|output| output.name == names.logits);
        let text = directory.config.get("text_config");
        let configured = |key: &str| {
            text.and_then(|text| text.get(key)).or_else(|| directory.config.get(key)).and_then(Value::as_u64)
        };
        Self {
            layers: Some(past.len() as u64 / 2)
                .filter(|layers| *layers > 0)
                .or(configured("num_hidden_layers")),
            attention_heads: configured("num_attention_heads"),
            key_value_heads: axis(past_shape, 1).or_else(|| configured("num_key_value_heads")),
            head_size: axis(past_shape, 3)
                .or(names.head_size.map(|size| size as u64))
                .or_else(|| configured("head_dim")),
            hidden_size: axis(embeds, 2).or_else(|| configured("hidden_size")),
            vocabulary: axis(logits.map(|output| &output.shape), 2).or_else(|| configured("vocab_size")),
            context_length: directory.context_length(),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    std::fs::read(path).map_err(|error| file_error(path, &error))
}

fn file_error(path: &Path, reason: &dyn std::fmt::Display) -> ModelError {
    ModelError::File { path: path.into(), reason: reason.to_string() }
}

/// A graph file with the external data that lies beside it under its name.
fn size_with_data(path: &Path) -> u64 {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&name))
        .filter_map(|entry| entry.metadata().ok())
        .map(|metadata| metadata.len())
        .sum()
}
