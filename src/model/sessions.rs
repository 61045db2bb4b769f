//! The sessions of a model and their calls: images to features, token ids to embeddings, embeddings to logits.

use std::path::Path;
use std::sync::Arc;

use ndarray::{Array2, Array3};
use ort::session::Session;

use super::binding::CacheMemory;
use super::decoder::{Decoder, DecoderGraph, DecoderInput, DecoderOutput, LogitPositions};
use super::embedding::{Embedding, ImageRows, scatter};
use super::family::Pixels;
use super::graph::{Edit, Graph, Interface};
use super::kernels;
use super::names::DecoderNames;
use super::open::{Edited, edited, edited_vision, open, read};
use super::placement::Placement;
use super::probe::{Probe, ProbeInput, Probed, edit_decoder};
use super::seen::Seen;
use super::surgery::{keep_in_blocks, share_keys_and_values};
use super::vision::{ImageFeatures, VisionEncoder};
use super::{GraphFile, ModelDirectory, ModelError, OnnxRuntime, Provider, ProviderOptions};

/// How sessions are made.
#[derive(Debug, Clone, Copy)]
pub struct SessionSettings<'a> {
    /// Where they run.
    pub provider: Provider,
    /// What the provider is told.
    pub options: ProviderOptions<'a>,
    /// Threads inside one operator.
    pub intra_threads: usize,
    /// What of the decoder's residual stream comes out.
    pub probe: Probe,
    /// How graphs are rewritten where the same can be computed faster.
    pub graphs: Graphs,
}

/// What becomes of graphs on the CPU provider, beside the edits that evaluation needs. Numbers differ by rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Graphs {
    /// Rewritten with crossmodal's own operators on processors with AVX-512, else with ONNX Runtime's.
    #[default]
    Own,
    /// Rewritten with ONNX Runtime's operators only.
    Runtime,
    /// As they were exported.
    Exported,
}

impl Graphs {
    /// The name on the command line and in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Runtime => "runtime",
            Self::Exported => "exported",
        }
    }
}

impl SessionSettings<'_> {
    /// The rewritten graphs were measured on the CPU; other providers have kernels of their own.
    pub(super) fn rewrites(self, graph: GraphFile) -> bool {
        self.graphs != Graphs::Exported && self.provider.of_graph(graph) == Provider::Cpu
    }

    /// Whether our own operators are put into a graph.
    pub(super) fn has_own_operators(self, graph: GraphFile) -> bool {
        self.graphs == Graphs::Own && self.rewrites(graph) && kernels::pay()
    }
}

impl Default for SessionSettings<'_> {
    /// The CPU provider on one thread.
    fn default() -> Self {
        Self {
            provider: Provider::Cpu,
            options: ProviderOptions::default(),
            intra_threads: 1,
            probe: Probe::default(),
            graphs: Graphs::Own,
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
    /// When a graph is broken, lacks an input or output, has one of another type, or the provider is not there; when its
    /// layers are to be probed and are not found.
    pub fn load(
        runtime: &OnnxRuntime,
        directory: &ModelDirectory,
        settings: SessionSettings,
    ) -> Result<Self, ModelError> {
        let names = directory.names();
        let mut placements = Vec::new();
        let mut open = |graph: GraphFile, path: &Path, edited: Option<Edited>| {
            let settings = SessionSettings { provider: settings.provider.of_graph(graph), ..settings };
            let session = open(runtime, graph, path, settings, edited)?;
            placements.push(Placement::check(graph, settings.provider, runtime, &session)?);
            Ok::<_, ModelError>(session)
        };
        let path = directory.graph(GraphFile::VisionEncoder);
        let edited = edited_vision(path, settings)?;
        let vision = VisionEncoder::of(
            open(GraphFile::VisionEncoder, path, edited)?,
            path,
            &names.vision,
            settings.provider,
        )?;
        let path = directory.graph(GraphFile::EmbedTokens);
        let embedding =
            Embedding::of(open(GraphFile::EmbedTokens, path, None)?, path, names.embedding.clone())?;

        let mut open = |path: &Path, edited| open(GraphFile::Decoder, path, edited);
        let next = directory.decoder_with_past();
        let one = next.is_none();
        let mut decoder = |path| DecoderGraph::open(path, settings, &names.decoder, one, &mut open);
        let first = decoder(directory.graph(GraphFile::Decoder))?;
        let next = next.map(decoder).transpose()?;
        let mut decoder = Decoder::of(first, next, names.decoder.clone())?;
        decoder.cache_memory = CacheMemory::of(settings.provider, settings.options);
        Ok(Self { placements, vision, embedding, decoder })
    }

    /// Which execution provider got which part of each graph.
    pub fn placements(&self) -> &[Placement] {
        &self.placements
    }

    /// Tokens whose logits the decoder computes.
    pub fn logit_positions(&self) -> LogitPositions {
        self.decoder.logit_positions()
    }

    /// Depths at which the decoder gives sums over tokens: every layer where they were asked for, and the output, after the
    /// final norm. None where they were not asked for, or the LM head was not found.
    pub fn sum_depths(&self) -> usize {
        self.decoder.probed().depths
    }

    /// Layers that the logit lens sees; none where it was not asked for.
    pub fn lens_layers(&self) -> usize {
        self.decoder.probed().lens_layers
    }

    /// Whether sequences of unlike length may run together, padded on the left.
    pub fn pads(&self) -> bool {
        self.decoder.pads
    }

    /// Whether a token's numbers depend on the other tokens of its pass: activations are quantized on one scale.
    pub fn scales_together(&self) -> bool {
        self.decoder.scales_together
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

    /// Runs new tokens on top of what their sequences have `seen`, all of them or none, and adds them to it.
    ///
    /// # Errors
    /// When the runtime fails; `seen` is as it was then.
    pub fn decode(
        &mut self,
        input: DecoderInput,
        seen: &mut [&mut Seen],
        probe: &ProbeInput,
    ) -> Result<DecoderOutput, ModelError> {
        self.decoder.run(input, seen, probe)
    }
}

impl<'p> DecoderGraph<'p> {
    /// Opens a graph with the edits that it allows; `open` takes the bytes of an edited one. `one`: whether it runs all passes, those
    /// without a past and those with one.
    fn open(
        path: &'p Path,
        settings: SessionSettings,
        names: &DecoderNames,
        one: bool,
        open: &mut impl FnMut(&Path, Option<Edited>) -> Result<Session, ModelError>,
    ) -> Result<Self, ModelError> {
        let bytes = read(path)?;
        let mut edit = Edit::default();
        let mut probed = Probed::default();
        let (mut groups_queries, mut scales_together) = (false, false);
        let mut blocks = None;
        // What is no graph is left to the runtime, which says more about it.
        if let (Ok(graph), Ok(interface)) = (Graph::read(&bytes), Interface::read(&bytes)) {
            groups_queries = graph.has("GroupQueryAttention");
            scales_together = graph.quantizes_activations();
            probed = edit_decoder(&graph, names, settings.probe, &mut edit)
                .map_err(|refusal| ModelError::Probe { path: path.into(), reason: refusal.to_string() })?;
            if settings.rewrites(GraphFile::Decoder) {
                if one && settings.has_own_operators(GraphFile::Decoder) {
                    blocks = keep_in_blocks(&graph, &interface, names, &mut edit);
                }
                if blocks.is_none() {
                    share_keys_and_values(&graph, &mut edit);
                }
            }
        }
        let edited = edited(path, bytes, edit, settings, GraphFile::Decoder)?;
        let pass = edited.as_ref().map(|edited| edited.pass.clone());
        let session = open(path, edited)?;
        let blocks = blocks.zip(pass).map(|(shape, pass)| (Arc::new(shape), pass));
        Ok(Self { session, path, probed, groups_queries, scales_together, blocks })
    }
}
