//! The arguments that say which suite, which part of it, and how it is made: what `run` and `suite` share.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::suite::{PresentationKind, SuiteError, SuiteSpec};

/// Which part of a suite, and how it is generated.
#[derive(Debug, Clone, Args)]
pub(super) struct SuiteSelection {
    /// Number of groups that are generated [default: 400, the paper's]
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
    /// Wordings of your own (start from a copy of data/prompts/color-recognition.toml)
    #[arg(long, value_name = "FILE")]
    pub prompts: Option<PathBuf>,
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
        let is_file = Path::new(name).is_file();
        Ok(SuiteSpec {
            name: if is_file { absolute(Path::new(name))?.display().to_string() } else { name.into() },
            groups: self.groups,
            limit: self.limit,
            seed: self.seed,
            controls: !self.no_controls,
            data: self.data.clone(),
            prompts: self.prompts.as_deref().map(absolute).transpose()?,
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
