//! The arguments that say which suite, which part of it, and how it is made: what `run` and `suite` share.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::suite::catalogue::is_known;
use crate::suite::own::is_suite_path;
use crate::suite::rest::{RestSpec, SHIPPED_PROMPTS};
use crate::suite::{PresentationKind, SuiteError, SuiteSpec, soebench};

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
    /// Where the suite's items are, for suites that are read from files [default: questions that ship with the program]
    ///
    /// Of rest and rest-plus: published files (.parquet, .jsonl, .json), folders of them or patterns, of the tasks mmlu, arc and
    /// gsm-symbolic (GSM8K too); which task is seen by the columns when it is not said. `soebench` stands for generated items.
    #[arg(long, value_name = "[TASK=]PATH")]
    pub data: Vec<String>,
    /// Where the images of those items are
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,
    /// Wordings of your own (start from a copy of the suite's file in data/prompts/), or of rest: `rest`, `rest-brief`
    #[arg(long, value_name = "FILE")]
    pub prompts: Option<PathBuf>,
    /// Only these presentations
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub presentations: Vec<PresentationKind>,
    #[command(flatten)]
    rest: RestArguments,
}

/// Heading of the arguments that only these suites take.
const OF_REST: &str = "Suites rest, rest-plus, soebench";

/// How the suites `rest`, `rest-plus` and `soebench` are made.
#[derive(Debug, Clone, Args)]
struct RestArguments {
    /// Only these renderings: dpi=50,200 font=dejavu-sans color=black (or colored); all must hold
    #[arg(help_heading = OF_REST, long, value_name = "NAME=VALUES", num_args = 1..)]
    variants: Vec<String>,
    /// Width of the page, inches
    #[arg(help_heading = OF_REST, long, value_name = "IN")]
    page_width: Option<f32>,
    /// Margin of the page, inches
    #[arg(help_heading = OF_REST, long, value_name = "IN")]
    margin: Option<f32>,
    /// Size of the text, points
    #[arg(help_heading = OF_REST, long, value_name = "PT")]
    point_size: Option<f32>,
    /// Tokens that the model writes at most [default: as the prompts say]
    #[arg(help_heading = OF_REST, long, value_name = "N")]
    max_new_tokens: Option<usize>,
    /// Drop items that are longer [default: 800]
    #[arg(help_heading = OF_REST, long, value_name = "N")]
    max_characters: Option<usize>,
    /// Keep items with LaTeX
    #[arg(help_heading = OF_REST, long)]
    keep_latex: bool,
    /// Unknowns of generated systems of equations: a number, or fewest..most [default: 2..3]
    #[arg(help_heading = OF_REST, long, value_name = "N[..N]", value_parser = unknowns)]
    unknowns: Option<(usize, usize)>,
    /// Largest coefficient of generated systems of equations [default: 9]
    #[arg(help_heading = OF_REST, long, value_name = "N")]
    coefficients: Option<u32>,
}

/// Parses N or N..M.
fn unknowns(text: &str) -> Result<(usize, usize), String> {
    let (fewest, most) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| text.trim_start_matches('=').parse().ok();
    number(fewest).zip(number(most)).ok_or_else(|| "expected a number or a range, e.g. 2..5".into())
}

impl RestArguments {
    fn spec(&self) -> RestSpec {
        RestSpec {
            variants: self.variants.clone(),
            page_width_in: self.page_width,
            margin_in: self.margin,
            point_size: self.point_size,
            max_new_tokens: self.max_new_tokens,
            max_characters: self.max_characters,
            keep_latex: self.keep_latex,
            unknowns: self.unknowns,
            coefficients: self.coefficients,
        }
    }
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
            _ if data == soebench::NAME => Ok(data.clone()),
            Some((task, path)) if !Path::new(data).exists() => {
                Ok(format!("{task}={}", absolute(Path::new(path))?.display()))
            }
            _ => Ok(absolute(Path::new(data))?.display().to_string()),
        };
        let shipped = |path: &Path| SHIPPED_PROMPTS.iter().any(|(known, _)| path == Path::new(known));
        let prompts = |path: &Path| if shipped(path) { Ok(path.into()) } else { absolute(path) };
        Ok(SuiteSpec {
            name: if is_path { absolute(Path::new(name))?.display().to_string() } else { name.into() },
            groups: self.groups,
            limit: self.limit,
            seed: self.seed,
            controls: !self.no_controls,
            data: self.data.iter().map(located).collect::<Result<_, SuiteError>>()?,
            images: self.images.as_deref().map(absolute).transpose()?,
            prompts: self.prompts.as_deref().map(prompts).transpose()?,
            presentations: self.presentations.clone(),
            rest: self.rest.spec(),
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
