//! Which files a directory keeps its graphs in, and what they call their inputs and outputs.
//!
//! Three layouts are read as they are published: transformers.js / onnx-community (`onnx/`, a suffix for each precision),
//! optimum (the same names beside `config.json`), and onnxruntime-genai (`genai_config.json` names everything).

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::names::Names;
use super::{ModelError, Precision};

/// Whose layout a directory has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayoutKind {
    /// `onnx/{vision_encoder,embed_tokens,decoder_model_merged}{suffix}.onnx`.
    TransformersJs,
    /// The same files beside `config.json`.
    Optimum,
    /// `genai_config.json` and the files that it names.
    Genai,
}

impl LayoutKind {
    /// Its name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TransformersJs => "transformers.js (onnx-community)",
            Self::Optimum => "optimum",
            Self::Genai => "onnxruntime-genai",
        }
    }
}

/// The graph files of a directory.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub kind: LayoutKind,
    /// Vision encoder, token embedding, decoder.
    pub graphs: [PathBuf; 3],
    /// The decoder's other half, for tokens with a past, where it is not merged.
    pub with_past: Option<PathBuf>,
    pub names: Names,
}

const VISION: &[&str] = &["vision_encoder"];
const EMBEDDING: &[&str] = &["embed_tokens"];
/// The merged decoder is preferred to two halves.
const DECODER: &[&str] = &["decoder_model_merged", "decoder_model"];
const WITH_PAST: &str = "decoder_with_past_model";

/// The precisions in which a folder has a decoder.
fn precisions(folder: &Path) -> Vec<Precision> {
    let has = |precision: &Precision| {
        let file = |stem: &&str| folder.join(format!("{stem}{}.onnx", precision.suffix()));
        DECODER.iter().any(|stem| file(stem).is_file())
    };
    Precision::ALL.into_iter().filter(has).collect()
}

impl Layout {
    /// Precisions that the directory has; of onnxruntime-genai's, which says nothing of it, none.
    pub fn precisions(&self) -> Vec<Precision> {
        if self.kind == LayoutKind::Genai { Vec::new() } else { precisions(self.folder()) }
    }

    /// Finds the graphs. Where vision encoder or embedding don't exist in `precision`, their fp32 file is used (published
    /// models often keep the embedding in fp32 only); the decoder must exist in it.
    pub fn find(path: &Path, precision: Precision, genai: Option<&Value>) -> Result<Self, ModelError> {
        if let Some(config) = genai {
            return Self::genai(path, precision, config);
        }
        let missing = |reason: String| ModelError::Directory { directory: path.into(), reason };
        let (kind, folder) = if path.join("onnx").is_dir() {
            (LayoutKind::TransformersJs, path.join("onnx"))
        } else {
            (LayoutKind::Optimum, path.to_path_buf())
        };
        let file =
            |stem: &str, precision: Precision| folder.join(format!("{stem}{}.onnx", precision.suffix()));
        let graph = |stems: &[&str], fallback: bool| {
            let wanted = stems.iter().map(|stem| file(stem, precision));
            let others = stems.iter().map(|stem| file(stem, Precision::Fp32)).filter(|_| fallback);
            wanted.chain(others).find(|path| path.is_file()).ok_or_else(|| {
                let name = format!("onnx/{}{}.onnx is missing", stems[0], precision.suffix());
                let there = precisions(&folder);
                if fallback || there.is_empty() {
                    return missing(name);
                }
                let there: Vec<&str> = there.into_iter().map(Precision::as_str).collect();
                missing(format!("{name}; --precision may be {}", there.join(", ")))
            })
        };
        let graphs = [graph(VISION, true)?, graph(EMBEDDING, true)?, graph(DECODER, false)?];
        let halves = graphs[2] == file("decoder_model", precision);
        let with_past = Some(file(WITH_PAST, precision)).filter(|path| halves && path.is_file());
        Ok(Self { kind, graphs, with_past, names: Names::default() })
    }

    fn genai(path: &Path, precision: Precision, config: &Value) -> Result<Self, ModelError> {
        let missing = |reason: String| ModelError::Directory { directory: path.into(), reason };
        if precision != Precision::Fp32 {
            return Err(missing(
                "the layout of onnxruntime-genai holds one precision: leave --precision out".into(),
            ));
        }
        // Without it the decoder would answer as the text model that it was before.
        if let Some(adapter) = config.pointer("/model/vision/adapter_filename").and_then(Value::as_str) {
            return Err(missing(format!(
                "genai_config.json names the adapter {adapter}, which must be folded into the weights: `python export_scripts/export.py` does that"
            )));
        }
        let graph = |part: &str| {
            let name = config["model"][part]["filename"]
                .as_str()
                .ok_or_else(|| missing(format!("genai_config.json names no `model.{part}.filename`")))?;
            if Path::new(name).components().count() != 1 {
                return Err(missing(format!("genai_config.json names {name:?}, which is outside of it")));
            }
            Some(path.join(name))
                .filter(|path| path.is_file())
                .ok_or_else(|| missing(format!("{name}, which genai_config.json names, is missing")))
        };
        let graphs = [graph("vision")?, graph("embedding")?, graph("decoder")?];
        Ok(Self { kind: LayoutKind::Genai, graphs, with_past: None, names: Names::from_genai(config) })
    }

    /// All graph files.
    pub fn files(&self) -> Vec<PathBuf> {
        self.graphs.iter().chain(&self.with_past).cloned().collect()
    }

    /// The folder that holds them, with their external data.
    pub fn folder(&self) -> &Path {
        self.graphs[0].parent().unwrap_or(Path::new("."))
    }
}
