//! Opening a graph: its file as it is, or its edited bytes with the weights left where they are.

use std::ffi::OsStr;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::graph::{Edit, Graph, names_operators, without_weights};
use super::operators::{CROSSMODAL, Pass};
use super::placement::RECORD_PLACEMENT;
use super::sessions::SessionSettings;
use super::surgery::{fuse_attention, own_linear_layers, strike_unread, write_out_attention};
use super::{GraphFile, ModelError, OnnxRuntime, Provider, operators};

/// A graph's bytes with its edit, and then with operators of our own where they pay; `None` where nothing is to be changed, and
/// the file can be opened as it is.
pub(super) fn edited(
    path: &Path,
    mut bytes: Vec<u8>,
    edit: Edit,
    settings: SessionSettings,
    graph: GraphFile,
) -> Result<Option<Edited>, ModelError> {
    let broken = |error: &dyn Display| ModelError::File { path: path.into(), reason: error.to_string() };
    // What is malformed is the runtime's to refuse, which says more about it.
    if names_operators(&bytes, CROSSMODAL) == Ok(true) {
        let reason = "the graph has operators of the set `crossmodal`, which only crossmodal itself puts into graphs as it loads them\n  use the model as it was exported";
        return Err(broken(&reason));
    }
    let mut is_edited = !edit.is_empty();
    if is_edited {
        edit.apply(&mut bytes).map_err(|error| broken(&error))?;
    }
    if settings.has_own_operators(graph) {
        let mut own = Edit::default();
        if let Ok(graph) = Graph::read(&bytes) {
            own_linear_layers(&graph, path, &mut own);
        }
        if !own.is_empty() {
            is_edited = true;
            own.apply(&mut bytes).map_err(|error| broken(&error))?;
        }
    }
    if !is_edited {
        return Ok(None);
    }
    let mut unread = Edit::default();
    if let Ok(graph) = Graph::read(&bytes) {
        strike_unread(&graph, &mut unread);
    }
    unread.apply(&mut bytes).map_err(|error| broken(&error))?;
    let has_own = names_operators(&bytes, CROSSMODAL) == Ok(true);
    let provider = settings.provider.of_graph(graph);
    // Behind links, such as those of the Hugging Face cache, is another folder; ONNX Runtime follows none out of a folder.
    let file = path.canonicalize().map_err(|error| broken(&error))?;
    let name = file.file_name().and_then(OsStr::to_str).filter(|_| provider == Provider::Cpu);
    let skeleton =
        name.map(|name| without_weights(&bytes, name)).transpose().map_err(|error| broken(&error))?;
    let pass = Arc::default();
    Ok(Some(match skeleton.flatten() {
        Some(skeleton) => {
            drop(bytes);
            Edited { bytes: skeleton, folder: folder_of(&file), has_own, pass }
        }
        None => Edited { bytes, folder: folder_of(path), has_own, pass },
    }))
}

/// A model in memory.
pub(super) struct Edited {
    bytes: Vec<u8>,
    /// Where the files are that hold its weights.
    folder: String,
    /// Whether operators of our own are among its nodes.
    has_own: bool,
    /// What they are told of a pass.
    pub pass: Arc<Pass>,
}

fn folder_of(path: &Path) -> String {
    path.parent().unwrap_or(Path::new(".")).to_string_lossy().into_owned()
}

/// A session for a graph: its file, or what is `edited` of it.
pub(super) fn open(
    runtime: &OnnxRuntime,
    graph: GraphFile,
    path: &Path,
    settings: SessionSettings,
    edited: Option<Edited>,
) -> Result<Session, ModelError> {
    let broken = |error: String| ModelError::File {
        path: path.into(),
        reason: format!("ONNX Runtime cannot load this graph; is the file whole? {error}"),
    };
    let text = |error: ort::Error<SessionBuilder>| error.to_string();
    // Threads would gain nothing by looking rows up, and would go on spinning on the cores of the decoder's pass that follows.
    let intra_threads = if graph == GraphFile::EmbedTokens { 1 } else { settings.intra_threads };
    let set_up = || -> Result<SessionBuilder, String> {
        let builder = Session::builder(&runtime.environment).map_err(|error| error.to_string())?;
        let builder = builder.with_optimization_level(GraphOptimizationLevel::Level3).map_err(text)?;
        let builder = builder.with_intra_threads(intra_threads).map_err(text)?;
        let builder = builder.with_inter_threads(1).map_err(text)?;
        let builder = builder.with_intra_op_spinning(intra_threads > 1).map_err(text)?;
        // A prompt's length is another one with each call: the runtime would plan its buffers for each, in one piece, and keep all
        // plans. Pictures have few shapes in most families, and encoders are 2 to 3 % faster by a plan.
        let plans = settings.provider != Provider::Cpu || graph == GraphFile::VisionEncoder;
        let builder = builder.with_memory_pattern(plans).map_err(text)?;
        builder.with_deterministic_compute(true).map_err(text)
    };
    let mut builder = set_up().map_err(broken)?;
    if settings.provider != Provider::Cpu {
        let recorded = builder.with_config_entry(RECORD_PLACEMENT, "1");
        builder = recorded.map_err(|error| broken(error.to_string()))?;
    }
    if let Some(edited) = edited.as_ref().filter(|edited| edited.has_own) {
        let own = operators::domain(&edited.pass, &runtime.weights);
        let own = own.map_err(|error| broken(error.to_string()))?;
        builder = builder.with_operators(own).map_err(|error| broken(text(error)))?;
    }
    let mut builder = settings.provider.register(runtime, builder, settings.options, intra_threads)?;
    let session = match edited {
        Some(Edited { bytes, folder, .. }) => builder
            .with_config_entry("session.model_external_initializers_file_folder_path", folder)
            .map_err(|error| broken(error.to_string()))?
            .commit_from_memory(&bytes),
        None => builder.commit_from_file(path),
    };
    session.map_err(|error| broken(error.to_string()))
}

/// The vision encoder's bytes as its provider is best at them; `None` for the file as it is.
pub(super) fn edited_vision(path: &Path, settings: SessionSettings) -> Result<Option<Edited>, ModelError> {
    let vision = GraphFile::VisionEncoder;
    let writes_out = settings.provider == Provider::Openvino;
    if !writes_out && !settings.rewrites(vision) {
        return Ok(None);
    }
    let bytes = read(path)?;
    let mut edit = Edit::default();
    // What is no graph is left to the runtime, which says more about it.
    match Graph::read(&bytes) {
        Ok(graph) if writes_out => write_out_attention(&graph, &mut edit),
        Ok(graph) => fuse_attention(&graph, settings.has_own_operators(vision), &mut edit),
        Err(_) => {}
    }
    edited(path, bytes, edit, settings, vision)
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    std::fs::read(path).map_err(|error| ModelError::File { path: path.into(), reason: error.to_string() })
}
