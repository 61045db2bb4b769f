//! The manifest: what a run is, and, once it is complete, every part it consists of.

use serde::{Deserialize, Serialize};

use super::{Profile, RecordError, SCHEMA_VERSION, Table};
use crate::suite::seeding::hex_digest;
use crate::suite::{Suite, SuiteSpec};

/// Digests (SHA-256, hex) of what determines the tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// Graphs, configuration, tokenizer, template.
    pub model: String,
    /// The suite's content.
    pub suite: String,
    /// [`RunSettings`].
    pub settings: String,
}

/// Settings that shape the tables. Threads, sessions and the like do not, and are not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSettings {
    /// Weights' number format.
    pub precision: String,
    /// Execution provider.
    pub provider: String,
    /// Version of ONNX Runtime: another one may round otherwise.
    pub onnxruntime: String,
    /// Groups that are run.
    pub groups: usize,
    /// Groups of one unit.
    pub groups_per_unit: usize,
    /// Tokens of one pass over prompts at most.
    pub batch_tokens: usize,
    /// Whether prompts that begin alike share what is computed of their beginning.
    #[serde(default)]
    pub sharing: bool,
    /// Logits kept a prompt.
    pub top_k: usize,
    /// Tables written.
    pub tables: Vec<Table>,
    /// Whether the table `embeddings` has rows of every layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub layer_embeddings: bool,
    /// Column types.
    pub profile: Profile,
}

/// A file of the run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Part {
    /// Path below the run directory.
    pub path: String,
    /// Its rows.
    pub rows: usize,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, hex.
    pub sha256: String,
}

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the tables' schema.
    pub schema_version: u32,
    /// Version of the program.
    pub crossmodal: String,
    /// The `run` column: the model's name and the head of a digest over all the fingerprints.
    pub run: String,
    /// The model's name.
    pub model: String,
    /// The suite's name.
    pub suite: String,
    /// How to open the suite again.
    pub suite_spec: SuiteSpec,
    /// What the suite left out, and why.
    #[serde(default)]
    pub suite_notes: Vec<String>,
    /// Settings that shape the tables.
    pub settings: RunSettings,
    /// Digests.
    pub fingerprints: Fingerprints,
    /// Number of units.
    pub units: usize,
    /// Whether every unit is done.
    pub complete: bool,
    /// Prompts in all; known when complete.
    pub prompts: Option<usize>,
    /// Prompts that failed (rows whose status is `error`); known when complete.
    pub failed_rows: Option<usize>,
    /// Every part, by path; known when complete.
    pub parts: Vec<Part>,
}

impl Manifest {
    /// A run that has yet to begin, of a model (its name and the digest of its files) on a suite.
    ///
    /// # Errors
    /// Never with the settings of this program: they can be written as JSON.
    pub fn new(
        (model, model_fingerprint): (String, String),
        suite: &dyn Suite,
        suite_spec: SuiteSpec,
        settings: RunSettings,
    ) -> Result<Self, RecordError> {
        let text = serde_json::to_string(&settings).map_err(|error| RecordError::Broken {
            path: "manifest.json".into(),
            reason: error.to_string(),
        })?;
        let fingerprints =
            Fingerprints { model: model_fingerprint, suite: suite.fingerprint(), settings: hex_digest(text) };
        let version = env!("CARGO_PKG_VERSION");
        let identity = format!(
            "{version} {SCHEMA_VERSION} {} {} {}",
            fingerprints.model, fingerprints.suite, fingerprints.settings
        );
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            crossmodal: version.into(),
            run: format!("{model}-{}", &hex_digest(identity)[..12]),
            model,
            suite: suite.name().into(),
            suite_spec,
            suite_notes: suite.notes(),
            fingerprints,
            units: settings.groups.div_ceil(settings.groups_per_unit),
            settings,
            complete: false,
            prompts: None,
            failed_rows: None,
            parts: Vec::new(),
        })
    }

    /// What differs between two runs' identities, for people; `None` when they are the same run.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let pairs = [
            ("program version", &self.crossmodal, &other.crossmodal),
            ("model", &self.model, &other.model),
            ("model files", &self.fingerprints.model, &other.fingerprints.model),
            ("suite", &self.suite, &other.suite),
            ("suite content", &self.fingerprints.suite, &other.fingerprints.suite),
        ];
        let short = |text: &str| text.chars().take(24).collect::<String>();
        if let Some((what, here, there)) = pairs.into_iter().find(|(_, here, there)| here != there) {
            return Some(format!("its {what} is {}, this one's is {}", short(here), short(there)));
        }
        if self.settings != other.settings {
            let fields = |settings: &RunSettings| serde_json::to_value(settings).unwrap_or_default();
            let (here, there) = (fields(&self.settings), fields(&other.settings));
            let differing =
                here.as_object().into_iter().flatten().find(|(key, value)| there.get(key) != Some(value));
            return Some(match differing {
                Some((key, value)) => format!("its {key} is {value}, this one's is {}", there[key]),
                None => "its settings differ".into(),
            });
        }
        None
    }
}
