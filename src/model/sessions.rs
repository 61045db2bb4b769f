//! The sessions of a model and their calls: images to features, token ids to embeddings, embeddings to logits.

use std::ffi::OsStr;
use std::fmt::Display;
use std::path::Path;

use ndarray::{Array2, Array3};
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::decoder::{Decoder, DecoderGraph, DecoderInput, DecoderOutput, LogitPositions};
use super::embedding::{Embedding, ImageRows, scatter};
use super::family::Pixels;
use super::graph::{Edit, Graph, without_weights};
use super::names::DecoderNames;
use super::past::{Past, PastRow};
use super::surgery::{Head, compute_asked_logits, fuse_attention, share_keys_and_values};
use super::vision::{ImageFeatures, VisionEncoder};
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
    /// Whether graphs are rewritten where the same can be computed faster.
    pub rewrite_graphs: bool,
}

impl SessionSettings {
    /// The rewritten graphs were measured on the CPU; other providers have kernels of their own.
    fn rewrites(self) -> bool {
        self.rewrite_graphs && self.provider == Provider::Cpu
    }
}

/// A loaded model.
pub struct Model {
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
        let path = directory.graph(GraphFile::VisionEncoder);
        let vision = VisionEncoder::of(open_vision(runtime, path, settings)?, path, &names.vision)?;
        let path = directory.graph(GraphFile::EmbedTokens);
        let embedding = Embedding::of(open(runtime, path, settings, None)?, path, names.embedding.clone())?;

        let decoder = |path| DecoderGraph::open(runtime, path, settings, &names.decoder);
        let first = decoder(directory.graph(GraphFile::Decoder))?;
        let next = directory.decoder_with_past().map(decoder).transpose()?;
        let decoder = Decoder::of(first, next, names.decoder.clone())?;
        Ok(Self { vision, embedding, decoder })
    }

    /// Tokens whose logits the decoder computes.
    pub fn logit_positions(&self) -> LogitPositions {
        self.decoder.logit_positions()
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

impl<'p> DecoderGraph<'p> {
    /// Opens a graph with the edits that it allows.
    fn open(
        runtime: &OnnxRuntime,
        path: &'p Path,
        settings: SessionSettings,
        names: &DecoderNames,
    ) -> Result<Self, ModelError> {
        let bytes = read(path)?;
        let mut edit = Edit::default();
        let (mut hidden_output, mut groups_queries) = (None, false);
        // What is no graph is left to the runtime, which says more about it.
        if let Ok(graph) = Graph::read(&bytes) {
            groups_queries = graph.has("GroupQueryAttention");
            if let Some(head) = Head::find(&graph, &names.logits) {
                compute_asked_logits(&graph, &head, &names.logits, &mut edit);
                if settings.hidden_states {
                    edit.output(head.hidden);
                    hidden_output = Some(head.hidden.to_string());
                }
            }
            if settings.rewrites() {
                share_keys_and_values(&graph, &mut edit);
            }
        }
        let session = open_edited(runtime, path, settings, bytes, edit)?;
        Ok(Self { session, path, hidden_output, groups_queries })
    }
}

fn open_vision(runtime: &OnnxRuntime, path: &Path, settings: SessionSettings) -> Result<Session, ModelError> {
    if !settings.rewrites() {
        return open(runtime, path, settings, None);
    }
    let bytes = read(path)?;
    let mut edit = Edit::default();
    if let Ok(graph) = Graph::read(&bytes) {
        fuse_attention(&graph, &mut edit);
    }
    open_edited(runtime, path, settings, bytes, edit)
}

/// Opens a graph of which `edit` changes the bytes; its file, where nothing is to be changed.
fn open_edited(
    runtime: &OnnxRuntime,
    path: &Path,
    settings: SessionSettings,
    mut bytes: Vec<u8>,
    edit: Edit,
) -> Result<Session, ModelError> {
    if edit.is_empty() {
        drop(bytes);
        return open(runtime, path, settings, None);
    }
    let broken = |error: &dyn Display| ModelError::File { path: path.into(), reason: error.to_string() };
    edit.apply(&mut bytes).map_err(|error| broken(&error))?;
    // Behind links, such as those of the Hugging Face cache, is another folder; ONNX Runtime follows none out of a folder.
    let file = path.canonicalize().map_err(|error| broken(&error))?;
    let name = file.file_name().and_then(OsStr::to_str).filter(|_| settings.provider == Provider::Cpu);
    let skeleton =
        name.map(|name| without_weights(&bytes, name)).transpose().map_err(|error| broken(&error))?;
    let edited = match skeleton.flatten() {
        Some(skeleton) => {
            drop(bytes);
            Edited { bytes: skeleton, folder: folder_of(&file) }
        }
        None => Edited { bytes, folder: folder_of(path) },
    };
    open(runtime, path, settings, Some(edited))
}

/// A model in memory.
struct Edited {
    bytes: Vec<u8>,
    /// Where the files are that hold its weights.
    folder: String,
}

fn folder_of(path: &Path) -> String {
    path.parent().unwrap_or(Path::new(".")).to_string_lossy().into_owned()
}

fn open(
    runtime: &OnnxRuntime,
    path: &Path,
    settings: SessionSettings,
    edited: Option<Edited>,
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
        Some(Edited { bytes, folder }) => builder
            .with_config_entry("session.model_external_initializers_file_folder_path", folder)
            .map_err(|error| broken(error.to_string()))?
            .commit_from_memory(&bytes),
        None => builder.commit_from_file(path),
    };
    session.map_err(|error| broken(error.to_string()))
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    std::fs::read(path).map_err(|error| ModelError::File { path: path.into(), reason: error.to_string() })
}
