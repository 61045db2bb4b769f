//! A model is a directory: which files it must have, and what its configuration says.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::ModelError;
use super::family::{self, Family};
use super::genai;
use super::layout::{Layout, LayoutKind};
use super::names::Names;

/// The number format of the graphs' weights, as the files' suffix says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Precision {
    /// 32-bit floats (no suffix).
    Fp32,
    /// 16-bit floats (`_fp16`).
    Fp16,
    /// 8-bit integers (`_int8`).
    Int8,
    /// 8-bit, as transformers.js' default quantization writes it (`_quantized`).
    Quantized,
    /// 8-bit unsigned integers (`_uint8`).
    Uint8,
    /// 4-bit blocks (`_q4`).
    Q4,
    /// 4-bit blocks with 16-bit activations (`_q4f16`).
    Q4f16,
    /// bitsandbytes 4-bit (`_bnb4`).
    Bnb4,
}

impl Precision {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Fp32, Self::Fp16, Self::Int8, Self::Quantized, Self::Uint8, Self::Q4, Self::Q4f16, Self::Bnb4];

    /// Its name on the command line and in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            _ => &self.suffix()[1..],
        }
    }

    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Fp32 => "",
            Self::Fp16 => "_fp16",
            Self::Int8 => "_int8",
            Self::Quantized => "_quantized",
            Self::Uint8 => "_uint8",
            Self::Q4 => "_q4",
            Self::Q4f16 => "_q4f16",
            Self::Bnb4 => "_bnb4",
        }
    }
}

/// One of the three graphs of the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GraphFile {
    /// `vision_encoder`: pixels to image features.
    VisionEncoder,
    /// `embed_tokens`: token ids to embeddings.
    EmbedTokens,
    /// `decoder_model_merged`: embeddings and past to logits and present.
    Decoder,
}

/// A checked model directory.
#[derive(Debug, Clone)]
pub struct ModelDirectory {
    /// Where it is.
    pub path: PathBuf,
    /// The folder's name, which is the model's name in tables.
    pub name: String,
    /// `config.json`.
    pub config: Value,
    /// Which weights are used.
    pub precision: Precision,
    layout: Layout,
    genai: Option<Value>,
}

impl ModelDirectory {
    /// Checks that everything is there. Where vision encoder or embedding don't exist in `precision`, their fp32 files are
    /// used (published models often keep the embedding in fp32 only); the decoder must exist in it.
    ///
    /// # Errors
    /// When the directory, a configuration file or a graph is missing or does not parse.
    pub fn open(path: &Path, precision: Precision) -> Result<Self, ModelError> {
        let missing = |reason: String| ModelError::Directory { directory: path.into(), reason };
        if !path.is_dir() {
            let reason = if path.exists() { "it is a file" } else { "it does not exist" };
            return Err(missing(reason.into()));
        }
        let genai = read_json(&path.join("genai_config.json"))?;
        let config = match read_json(&path.join("config.json"))? {
            Some(config) => config,
            None => {
                genai.as_ref().map(genai::config).ok_or_else(|| missing("config.json is missing".into()))?
            }
        };
        if !path.join("tokenizer.json").is_file() {
            return Err(missing("tokenizer.json is missing".into()));
        }
        let layout = Layout::find(path, precision, genai.as_ref())?;
        let absolute = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let name =
            absolute.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned());
        Ok(Self { path: path.to_path_buf(), name, config, precision, layout, genai })
    }

    /// The file of one graph.
    pub fn graph(&self, graph: GraphFile) -> &Path {
        &self.layout.graphs[graph as usize]
    }

    /// The graph for tokens with a past, where the decoder is in two halves.
    pub fn decoder_with_past(&self) -> Option<&Path> {
        self.layout.with_past.as_deref()
    }

    /// Whose layout it is.
    pub fn layout(&self) -> LayoutKind {
        self.layout.kind
    }

    /// The precision's name in tables; onnxruntime-genai's layout holds one, and does not say which.
    pub fn precision_name(&self) -> &'static str {
        match self.layout.kind {
            LayoutKind::Genai => "genai",
            _ => self.precision.as_str(),
        }
    }

    /// Precisions that the directory has; none where the layout doesn't say.
    pub fn precisions(&self) -> Vec<Precision> {
        self.layout.precisions()
    }

    pub(super) fn names(&self) -> &Names {
        &self.layout.names
    }

    /// The model's family, set up from its configuration files.
    ///
    /// # Errors
    /// When `model_type` is none of ours, or a field that the family needs is missing.
    pub fn family(&self) -> Result<Box<dyn Family>, ModelError> {
        family::of(self)
    }

    /// A whole number of the configuration, by the path of its keys.
    ///
    /// # Errors
    /// When it is not there.
    pub fn number(&self, keys: &[&str]) -> Result<usize, ModelError> {
        let value = keys.iter().try_fold(&self.config, |value, key| value.get(key)).and_then(Value::as_u64);
        value.map(|value| value as usize).ok_or_else(|| ModelError::File {
            path: self.path.join("config.json"),
            reason: format!("`{}` is missing or no whole number", keys.join(".")),
        })
    }

    /// Most positions that the decoder takes: `max_position_embeddings` of the text part, or what `genai_config.json` says.
    pub fn context_length(&self) -> Option<usize> {
        let of = |value: &Value| value.get("max_position_embeddings").and_then(Value::as_u64);
        let genai = || self.genai.as_ref()?.get("model")?.get("context_length")?.as_u64();
        let found = self.config.get("text_config").and_then(of).or_else(|| of(&self.config)).or_else(genai);
        found.map(|length| length as usize)
    }

    /// Tokens that end an answer: `eos_token_id` of `generation_config.json`, as `generate` of transformers takes them, or else
    /// of the configuration. None where no file says.
    ///
    /// # Errors
    /// When `generation_config.json` does not parse.
    pub fn stop_tokens(&self) -> Result<Vec<u32>, ModelError> {
        let generation = read_json(&self.path.join("generation_config.json"))?;
        let configs = [
            generation.as_ref(),
            self.config.get("text_config"),
            Some(&self.config),
            self.genai.as_ref().and_then(|genai| genai.get("model")),
        ];
        let ids = |value: &Value| -> Vec<u32> {
            let one = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
            match value {
                Value::Array(ids) => ids.iter().filter_map(one).collect(),
                id => one(id).into_iter().collect(),
            }
        };
        let mut found =
            configs.into_iter().flatten().filter_map(|config| config.get("eos_token_id")).map(ids);
        Ok(found.find(|ids| !ids.is_empty()).unwrap_or_default())
    }

    /// The image processor's settings: `preprocessor_config.json`, or the image processor inside `processor_config.json`.
    ///
    /// # Errors
    /// When neither is there, or one does not parse.
    pub fn image_processor_config(&self) -> Result<Value, ModelError> {
        if let Some(config) = read_json(&self.path.join("preprocessor_config.json"))? {
            return Ok(config);
        }
        for file in ["processor_config.json", "vision_processor.json"] {
            let Some(mut config) = read_json(&self.path.join(file))? else { continue };
            if let Some(nested) = config.get_mut("image_processor") {
                return Ok(nested.take());
            }
            // onnxruntime-genai's file of that name lists operations with their attributes.
            if let Some(operations) = config.pointer("/processor/transforms").and_then(Value::as_array) {
                return Ok(genai::attributes(operations));
            }
        }
        Err(ModelError::Directory {
            directory: self.path.clone(),
            reason:
                "preprocessor_config.json is missing, and processor_config.json holds no `image_processor`"
                    .into(),
        })
    }

    /// `processor_config.json`, or null.
    ///
    /// # Errors
    /// When it does not parse.
    pub fn processor_config(&self) -> Result<Value, ModelError> {
        Ok(read_json(&self.path.join("processor_config.json"))?.unwrap_or(Value::Null))
    }

    /// The chat template: `chat_template.jinja`, `chat_template.json`, or inside `tokenizer_config.json`.
    ///
    /// # Errors
    /// When there is none.
    pub fn chat_template(&self) -> Result<String, ModelError> {
        let jinja = self.path.join("chat_template.jinja");
        if jinja.is_file() {
            return fs::read_to_string(&jinja)
                .map_err(|error| ModelError::File { path: jinja, reason: error.to_string() });
        }
        for file in ["chat_template.json", "processor_config.json", "tokenizer_config.json"] {
            let config = read_json(&self.path.join(file))?;
            if let Some(template) = config.as_ref().and_then(|config| config.get("chat_template")?.as_str()) {
                return Ok(template.to_string());
            }
        }
        Err(ModelError::Directory {
            directory: self.path.clone(),
            reason:
                "there is no chat template (chat_template.jinja, or `chat_template` in tokenizer_config.json)"
                    .into(),
        })
    }

    /// `tokenizer_config.json`, or null.
    ///
    /// # Errors
    /// When it does not parse.
    pub fn tokenizer_config(&self) -> Result<Value, ModelError> {
        Ok(read_json(&self.path.join("tokenizer_config.json"))?.unwrap_or(Value::Null))
    }

    /// SHA-256 (hex) of everything that determines what the model computes: the graphs with their external data, and the
    /// configuration, tokenizer and template files.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn fingerprint(&self) -> Result<String, ModelError> {
        let mut files: Vec<PathBuf> = self.layout.files();
        let folder = self.layout.folder().to_path_buf();
        let io = |path: &Path, error: std::io::Error| ModelError::File {
            path: path.into(),
            reason: error.to_string(),
        };
        for entry in fs::read_dir(&folder).map_err(|error| io(&folder, error))? {
            let path = entry.map_err(|error| io(&folder, error))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // External data may have any name; other graphs, and their data by the usual names, are not ours.
            let is_graph = |name: &str| name.ends_with(".onnx");
            let data_of = name.split_once(".onnx").map(|(stem, _)| format!("{stem}.onnx"));
            let of_other = data_of.as_ref().is_some_and(|graph| !files.contains(&folder.join(graph)));
            // Beside config.json also lie files that no graph reads.
            let unrelated = folder == self.path && data_of.is_none() && !name.ends_with(".data");
            if path.is_file() && !is_graph(&name) && !of_other && !unrelated {
                files.push(path);
            }
        }
        let settings = [
            "config.json",
            "genai_config.json",
            "generation_config.json",
            "preprocessor_config.json",
            "processor_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "chat_template.jinja",
            "chat_template.json",
            "vision_processor.json",
        ];
        files.extend(settings.iter().map(|file| self.path.join(file)).filter(|path| path.is_file()));
        files.sort();
        files.dedup();
        let mut hasher = Sha256::new();
        for path in files {
            let relative = path.strip_prefix(&self.path).unwrap_or(&path);
            hasher.update(relative.to_string_lossy().as_bytes());
            let mut file = fs::File::open(&path).map_err(|error| io(&path, error))?;
            let length = file.metadata().map_err(|error| io(&path, error))?.len();
            hasher.update(length.to_le_bytes());
            std::io::copy(&mut file, &mut HashWriter(&mut hasher)).map_err(|error| io(&path, error))?;
        }
        Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Bytes of all graph files, for choosing how many sessions fit into memory.
    pub fn graph_bytes(&self) -> u64 {
        let graphs = self.layout.files();
        let stems: Vec<String> = graphs
            .iter()
            .filter_map(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()))
            .collect();
        let entries = fs::read_dir(self.layout.folder()).into_iter().flatten().flatten();
        entries
            .filter(|entry| {
                stems.iter().any(|stem| entry.file_name().to_string_lossy().starts_with(stem.as_str()))
            })
            .filter_map(|entry| entry.metadata().ok())
            .map(|metadata| metadata.len())
            .sum()
    }
}

struct HashWriter<'a>(&'a mut Sha256);

impl std::io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn read_json(path: &Path) -> Result<Option<Value>, ModelError> {
    let wrong = |reason: String| ModelError::File { path: path.into(), reason };
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| wrong(format!("not valid JSON: {error}"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(error.to_string())),
    }
}
