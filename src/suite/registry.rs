//! From a name and settings to a suite.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::attribute_recognition::{Attribute, AttributeRecognition};
use super::catalogue;
use super::color_recognition::{self, ColorRecognition};
use super::mc2::{self, Mc2};
use super::own::{self, OwnSuite};
use super::prompts::Prompts;
use super::rest::{self, Rest, RestSpec};
use super::selected::Selected;
use super::{PresentationKind, Suite, SuiteError};

/// Everything that says which suite, in a form that a run can keep and open again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuiteSpec {
    /// The name of a suite of ours (see [`super::catalogue`]), or a path: see [`OwnSuite::open`].
    pub name: String,
    /// Number of groups the suite has; the suite's own default when `None`.
    pub groups: Option<usize>,
    /// Keeps only the first groups of the suite.
    pub limit: Option<usize>,
    /// Seed of generated suites.
    pub seed: u64,
    /// Whether controls are asked.
    pub controls: bool,
    /// Where the items are, for suites that are read from files: paths, or `TASK=PATH`.
    #[serde(default)]
    pub data: Vec<String>,
    /// Where the images of such items are, for suites that need to be told.
    #[serde(default)]
    pub images: Option<PathBuf>,
    /// A prompt file of the user's, or the name of a shipped one.
    pub prompts: Option<PathBuf>,
    /// Which presentations are asked; all when empty.
    #[serde(default)]
    pub presentations: Vec<PresentationKind>,
    /// Settings of `rest`, `rest-plus` and `soebench`.
    #[serde(default)]
    pub rest: RestSpec,
}

impl Default for SuiteSpec {
    fn default() -> Self {
        Self {
            name: color_recognition::NAME.into(),
            groups: None,
            limit: None,
            seed: 0,
            controls: true,
            data: Vec::new(),
            images: None,
            prompts: None,
            presentations: Vec::new(),
            rest: RestSpec::default(),
        }
    }
}

/// Opens the suite that `spec` describes.
///
/// # Errors
/// When there is no such suite, or its file or prompts are wrong.
pub fn open(spec: &SuiteSpec) -> Result<Box<dyn Suite>, SuiteError> {
    if spec.groups == Some(0) || spec.limit == Some(0) {
        return Err(SuiteError::Setting(
            "a suite needs at least one group: --groups and --limit start at 1".into(),
        ));
    }
    let mut suite = whole(spec)?;
    if !spec.presentations.is_empty() {
        suite = Box::new(Selected::new(suite, spec.presentations.clone())?);
    }
    Ok(match spec.limit {
        Some(limit) => Box::new(Limited { suite, limit }),
        None => suite,
    })
}

/// The suite with all its groups and presentations.
fn whole(spec: &SuiteSpec) -> Result<Box<dyn Suite>, SuiteError> {
    if rest::NAMES.contains(&spec.name.as_str()) {
        return Ok(Box::new(Rest::open(spec)?));
    }
    if spec.rest != RestSpec::default() {
        return Err(SuiteError::Setting(format!(
            "--variants, --page-width, --margin, --point-size, --max-new-tokens, --max-characters, --keep-latex, \
             --unknowns and --coefficients are for the suites {}",
            rest::NAMES.join(", ")
        )));
    }
    if spec.name == color_recognition::NAME {
        takes_no_files(spec)?;
        let prompts = match &spec.prompts {
            Some(path) => Prompts::read(path)?,
            None => Prompts::built_in()?,
        };
        let settings = color_recognition::Settings {
            groups: spec.groups.unwrap_or(color_recognition::DEFAULT_GROUPS),
            seed: spec.seed,
            controls: spec.controls,
        };
        return Ok(Box::new(ColorRecognition::new(settings, prompts)?));
    }
    if let Some(attribute) = Attribute::of_suite(&spec.name) {
        return Ok(Box::new(AttributeRecognition::open(attribute, spec)?));
    }
    if spec.name == mc2::NAME {
        return Ok(Box::new(Mc2::open(spec)?));
    }
    if own::is_suite_path(&spec.name) {
        takes_no_files(spec)?;
        let path = PathBuf::from(&spec.name);
        let generated = spec.groups.is_some() || spec.seed != 0 || !spec.controls || spec.prompts.is_some();
        if generated {
            return Err(SuiteError::Setting(format!(
                "--groups, --seed, --no-controls and --prompts are for suites that are generated; {} is your own, of which --limit takes the first groups",
                path.display()
            )));
        }
        return Ok(Box::new(OwnSuite::open(&path, spec.limit)?));
    }
    Err(SuiteError::Unknown { name: spec.name.clone(), known: catalogue::names() })
}

fn takes_no_files(spec: &SuiteSpec) -> Result<(), SuiteError> {
    if spec.data.is_empty() && spec.images.is_none() {
        return Ok(());
    }
    Err(SuiteError::Setting(format!(
        "--data and --images are for suites that are read from published files (see `crossmodal suite list`); {} is none of them",
        spec.name
    )))
}

/// The first groups of a suite. The groups are those of the whole suite: a limit only leaves the rest out, so its
/// fingerprint is the whole suite's.
struct Limited {
    suite: Box<dyn Suite>,
    limit: usize,
}

impl Suite for Limited {
    fn name(&self) -> &str {
        self.suite.name()
    }

    fn fingerprint(&self) -> String {
        self.suite.fingerprint()
    }

    fn group_count(&self) -> usize {
        self.suite.group_count().min(self.limit)
    }

    fn notes(&self) -> Vec<String> {
        self.suite.notes()
    }

    fn group(&self, index: usize) -> Result<super::Group, SuiteError> {
        self.suite.group(index)
    }
}
