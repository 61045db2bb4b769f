//! What can be wrong with a model: found before the first sample is run, and said with what to do.

use std::path::PathBuf;

/// A model that cannot be used, or a call of it that failed.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The directory lacks something.
    #[error(
        "{directory} is no model directory: {reason}\n  expected: config.json, tokenizer.json, preprocessor_config.json or processor_config.json, a chat template, and onnx/ with\n  vision_encoder.onnx, embed_tokens.onnx and decoder_model_merged.onnx, as onnx-community publishes models\n  or `python export_scripts/export.py` writes them"
    )]
    Directory {
        /// What was given.
        directory: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// A file of the model is broken or says something unexpected.
    #[error("{path}: {reason}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What was expected and found.
        reason: String,
    },
    /// The model is of a family that we don't know.
    #[error("{path}: `model_type` is {found:?}; known families: {known}")]
    Family {
        /// The config file.
        path: PathBuf,
        /// The type found.
        found: String,
        /// The known ones.
        known: String,
    },
    /// A graph's inputs or outputs are not what the layout says.
    #[error("{path}: {reason}\n  found {what}: {found}")]
    Contract {
        /// The graph file.
        path: PathBuf,
        /// What was expected.
        reason: String,
        /// "inputs" or "outputs".
        what: &'static str,
        /// What the graph has.
        found: String,
    },
    /// The decoder's layers are to be probed, and its graph is not understood.
    #[error(
        "{path}: the layers of this decoder cannot be probed\n  {reason}\n  all else works: run without --probe-layers and --layer-embeddings"
    )]
    Probe {
        /// The graph file.
        path: PathBuf,
        /// Where in the graph, what was expected there, and what was found.
        reason: String,
    },
    /// The runtime library could not be used.
    #[error("ONNX Runtime at {path} cannot be used: {reason}")]
    Runtime {
        /// The library.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The execution provider that was asked for is not there.
    #[error(
        "the execution provider `{asked}` is not available: {reason}\n  this ONNX Runtime ({library}) offers: {offered}\n  {advice}"
    )]
    Provider {
        /// What was asked for.
        asked: &'static str,
        /// Why it can't be had.
        reason: String,
        /// The library in use.
        library: PathBuf,
        /// What the library offers.
        offered: String,
        /// What to do.
        advice: String,
    },
    /// A session failed while running.
    #[error("{step} failed: {reason}")]
    Run {
        /// "vision encoder", "decoder", ...
        step: &'static str,
        /// ONNX Runtime's message.
        reason: String,
    },
}
