//! The arguments that say which suite, which part of it, and how it is made: what `run` and `suite` share.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::suite::catalogue::is_known;
use crate::suite::own::is_suite_path;
use crate::suite::{PresentationKind, SuiteError, SuiteSpec};

/// Which part of a suite, and how it is generated.
#[derive(Debug, Clone, Args)]
pub(super) struct SuiteSelection {
    /// Number of groups that are generated [default: the paper's, see `crossmodal suite list`]
    #[arg(long, value_name = "N")]
    pub groups: Option<usize>,
    /// Only the first N groups
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Seed of everything that is drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Leave the controls out
    #[arg(long)]
    pub no_controls: bool,
    /// Where the suite's items are, for suites that are read from files
    #[arg(long, value_name = "[TASK=]PATH")]
    pub data: Vec<String>,
    /// Where the images of those items are
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,
    /// Wordings of your own (start from a copy of the suite's file in data/prompts/)
    #[arg(long, value_name = "FILE")]
    pub prompts: Option<PathBuf>,
    /// Only these presentations
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub presentations: Vec<PresentationKind>,
}

impl SuiteSelection {
    /// The suite `name` with this selection.
    pub fn spec(&self, name: &str) -> Result<SuiteSpec, SuiteError> {
        // A run keeps the spec and may be read from elsewhere: paths are kept whole.
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|source| SuiteError::Io {
                action: "find",
                path: path.into(),
                source,
            })
        };
        let is_path = !is_known(name) && is_suite_path(name);
        // Of `TASK=PATH` the path; a file may have such a name, too.
        let located = |data: &String| match data.split_once('=') {
            Some((task, path)) if !Path::new(data).exists() => {
                Ok(format!("{task}={}", absolute(Path::new(path))?.display()))
            }
            _ => Ok(absolute(Path::new(data))?.display().to_string()),
        };
        Ok(SuiteSpec {
            name: if is_path { absolute(Path::new(name))?.display().to_string() } else { name.into() },
            groups: self.groups,
            limit: self.limit,
            seed: self.seed,
            controls: !self.no_controls,
            data: self.data.iter().map(located).collect::<Result<_, SuiteError>>()?,
            images: self.images.as_deref().map(absolute).transpose()?,
            prompts: self.prompts.as_deref().map(absolute).transpose()?,
            presentations: self.presentations.clone(),
        })
    }
}

impl clap::ValueEnum for PresentationKind {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.as_str()))
    }
}
