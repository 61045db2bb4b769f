//! The sessions of a model and their calls: images to features, token ids to embeddings, embeddings to logits.

use std::path::Path;

use ndarray::{Array2, Array3};
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::binding::CacheMemory;
use super::decoder::{Decoder, DecoderInput, DecoderOutput};
use super::embedding::{Embedding, ImageRows, scatter};
use super::family::Pixels;
use super::past::{Past, PastRow};
use super::placement::{Placement, RECORD_PLACEMENT};
use super::surgery::head_input;
use super::vision::{ImageFeatures, VisionEncoder};
use super::{GraphFile, ModelDirectory, ModelError, OnnxRuntime, Provider, ProviderOptions, graph};

/// How sessions are made.
#[derive(Debug, Clone, Copy)]
pub struct SessionSettings<'a> {
    /// Where they run.
    pub provider: Provider,
    /// What the provider is told.
    pub options: ProviderOptions<'a>,
    /// Threads inside one operator.
    pub intra_threads: usize,
    /// Whether the decoder also gives the residual stream after its final norm.
    pub hidden_states: bool,
}

impl Default for SessionSettings<'_> {
    /// The CPU provider on one thread.
    fn default() -> Self {
        Self {
            provider: Provider::Cpu,
            options: ProviderOptions::default(),
            intra_threads: 1,
            hidden_states: false,
        }
    }
}

/// A loaded model.
pub struct Model {
    placements: Vec<Placement>,
    vision: VisionEncoder,
    embedding: Embedding,
    decoder: Decoder,
}

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
        let names = directory.names();
        let mut placements = Vec::new();
        let mut open = |graph: GraphFile, path: &Path, edited: Option<&[u8]>| {
            let provider = settings.provider.of_graph(graph);
            let session = open(runtime, path, SessionSettings { provider, ..settings }, edited)?;
            placements.push(Placement::check(graph, provider, runtime, &session)?);
            Ok::<_, ModelError>(session)
        };
        let path = directory.graph(GraphFile::VisionEncoder);
        let plain = written_out(path, settings.provider)?;
        let vision = open(GraphFile::VisionEncoder, path, plain.as_deref())?;
        drop(plain);
        let vision = VisionEncoder::of(vision, path, &names.vision)?;
        let path = directory.graph(GraphFile::EmbedTokens);
        let embedding = open(GraphFile::EmbedTokens, path, None)?;
        let embedding = Embedding::of(embedding, path, names.embedding.clone())?;

        let path = directory.graph(GraphFile::Decoder);
        let (mut hidden_output, mut edited) = (None, None);
        let mut bytes = read(path)?;
        let groups_queries = graph::nodes(&bytes)
            .is_ok_and(|nodes| nodes.iter().any(|node| node.operator == "GroupQueryAttention"));
        if settings.hidden_states
            && let Some(name) = head_input(&bytes, &names.decoder.logits).map(String::from)
        {
            bytes.extend(graph::extra_outputs(&[&name]));
            edited = Some(bytes);
            hidden_output = Some(name);
        } else {
            drop(bytes);
        }
        let first = (open(GraphFile::Decoder, path, edited.as_deref())?, path);
        drop(edited);
        let next = match directory.decoder_with_past() {
            Some(path) => Some((open(GraphFile::Decoder, path, None)?, path)),
            None => None,
        };
        let mut decoder = Decoder::of(first, next, names.decoder.clone(), hidden_output, groups_queries)?;
        decoder.cache_memory = CacheMemory::of(settings.provider, settings.options);
        Ok(Self { placements, vision, embedding, decoder })
    }

    /// Which execution provider got which part of each graph.
    pub fn placements(&self) -> &[Placement] {
        &self.placements
    }

    /// Whether the decoder gives the residual stream after its final norm.
    pub fn gives_hidden_states(&self) -> bool {
        self.decoder.gives_hidden_states()
    }

    /// Whether sequences of unlike length may run together, padded on the left.
    pub fn pads(&self) -> bool {
        self.decoder.pads
    }

    /// Whether the decoder takes a past: without, it scores prompts and writes nothing.
    pub fn continues(&self) -> bool {
        self.decoder.continues()
    }

    /// Encodes images, in as many calls as memory asks for.
    ///
    /// # Errors
    /// When the runtime fails, or the features are not as many as the prompt expects.
    pub fn encode_images(&mut self, images: &[&Pixels]) -> Result<Vec<ImageFeatures>, ModelError> {
        self.vision.encode(images)
    }

    /// Looks up embeddings of `ids` [batch, sequence] and puts the images in their places: [batch, sequence, hidden].
    ///
    /// # Errors
    /// When the runtime fails (a token id beyond the vocabulary, for one), or features are of another width.
    pub fn embed(&mut self, ids: Array2<i64>, images: &[ImageRows]) -> Result<Array3<f32>, ModelError> {
        self.embedding.embed(ids, images)
    }

    /// Image features among zeros, [batch, sequence, hidden]: what deepstack adds to the residual stream.
    ///
    /// # Errors
    /// When features are of another width.
    pub fn among_zeros(
        shape: (usize, usize, usize),
        images: &[ImageRows],
    ) -> Result<Array3<f32>, ModelError> {
        let mut target = Array3::zeros(shape);
        scatter(&mut target, images)?;
        Ok(target)
    }

    /// Runs new tokens on top of a past. `hidden`: whether the residual stream is wanted.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn decode(
        &mut self,
        input: DecoderInput,
        past: Option<&Past>,
        hidden: bool,
    ) -> Result<DecoderOutput, ModelError> {
        self.decoder.run(input, past, hidden)
    }
}

impl Model {
    /// Copies the keys and values of sequences side by side, shorter ones padded on the left.
    ///
    /// # Errors
    /// When a row lies outside of its cache, or memory is short.
    pub fn gather(&self, rows: &[PastRow]) -> Result<Past, ModelError> {
        self.decoder.gather(rows)
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
    let mut builder = set_up().map_err(broken)?;
    if settings.provider != Provider::Cpu {
        let recorded = builder.with_config_entry(RECORD_PLACEMENT, "1");
        builder = recorded.map_err(|error| broken(error.to_string()))?;
    }
    let (options, threads) = (settings.options, settings.intra_threads);
    let mut builder = settings.provider.register(runtime, builder, options, threads)?;
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

/// The vision encoder's bytes for a provider that does not know attention of opset 23.
fn written_out(path: &Path, provider: Provider) -> Result<Option<Vec<u8>>, ModelError> {
    if provider != Provider::Openvino {
        return Ok(None);
    }
    let mut bytes = read(path)?;
    let malformed =
        |error: graph::Malformed| ModelError::File { path: path.into(), reason: error.to_string() };
    let changed = graph::write_out_attention(&mut bytes).map_err(malformed)?;
    Ok(Some(bytes).filter(|_| changed > 0))
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    std::fs::read(path).map_err(|error| ModelError::File { path: path.into(), reason: error.to_string() })
}
