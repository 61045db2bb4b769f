//! `crossmodal analyze`: a run's tables into figures with intervals.

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use crate::analysis::summary::{Analysis, Unparsed};
use crate::analysis::{
    self, AnalysisSettings, ConsistencySettings, FollowingSettings, LayersSettings, output, table,
};
use crate::record::atomic;

/// `crossmodal analyze`
#[derive(Debug, Args)]
pub(super) struct AnalyzeArguments {
    /// Directories of runs (or any folder with tables/table=outcomes/model=*/suite=*/*.parquet, and table=following for
    /// conflict cases); several are compared with each other
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// Print the analysis as JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Where analysis.json and the Parquet tables go [default: RUN/analysis of the first run]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    settings: AnalysisOptions,
}

/// The choices behind the figures.
#[derive(Debug, Clone, Args)]
pub(super) struct AnalysisOptions {
    /// Width of a bin of dH_rel
    #[arg(long, value_name = "X", default_value_t = FollowingSettings::default().bin_width, value_parser = bin_width)]
    bin_width: f64,
    /// Least number of cases for a bin to count
    #[arg(long, value_name = "N", default_value_t = FollowingSettings::default().min_bin_cases)]
    min_bin_cases: u64,
    /// Label shuffles of the permutation test
    #[arg(long, value_name = "N", default_value_t = FollowingSettings::default().permutations)]
    permutations: u32,
    /// How far from the balance point a case is ambiguous, in dH_rel (runs with --probe-layers)
    #[arg(long, value_name = "X", default_value_t = LayersSettings::default().ambiguous_width, value_parser = ambiguous_width)]
    ambiguous_width: f64,
    /// Least number of cases for a cell of layer x dH_rel to have a mean (runs with --probe-layers)
    #[arg(long, value_name = "N", default_value_t = LayersSettings::default().min_cell_cases)]
    min_cell_cases: u64,
    #[command(flatten)]
    resampling: ResamplingOptions,
}

/// The choices that every figure has.
#[derive(Debug, Clone, Args)]
pub(super) struct ResamplingOptions {
    /// Bootstrap resamples (by group)
    #[arg(long, value_name = "N", default_value_t = ConsistencySettings::default().bootstrap)]
    bootstrap: u32,
    /// Confidence of the intervals
    #[arg(long, value_name = "P", default_value_t = ConsistencySettings::default().confidence, value_parser = confidence)]
    confidence: f64,
    /// Whether two unparseable answers to the same content agree
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Unparsed::default())]
    unparsed: Unparsed,
    /// Seed of bootstrap and permutation
    #[arg(long = "analysis-seed", value_name = "N", default_value_t = ConsistencySettings::default().seed)]
    seed: u64,
}

fn bin_width(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|width| (0.01..=4.0).contains(width))
        .ok_or_else(|| "expected a number from 0.01 to 4".into())
}

fn ambiguous_width(text: &str) -> Result<f64, String> {
    let inside = |width: &f64| *width > 0.0 && *width <= 4.0;
    text.parse().ok().filter(inside).ok_or_else(|| "expected a number above 0, up to 4".into())
}

fn confidence(text: &str) -> Result<f64, String> {
    let inside = |share: &f64| *share > 0.0 && *share < 1.0;
    text.parse().ok().filter(inside).ok_or_else(|| "expected a number between 0 and 1, such as 0.95".into())
}

impl AnalysisOptions {
    pub fn settings(&self) -> AnalysisSettings {
        let Self { bin_width, min_bin_cases, permutations, ambiguous_width, min_cell_cases, ref resampling } =
            *self;
        let consistency = resampling.settings();
        let ConsistencySettings { bootstrap, confidence, seed, .. } = consistency;
        let following =
            FollowingSettings { bin_width, min_bin_cases, bootstrap, confidence, permutations, seed };
        let layers = LayersSettings { ambiguous_width, min_cell_cases };
        AnalysisSettings { following, consistency, layers }
    }
}

impl ResamplingOptions {
    pub fn settings(&self) -> ConsistencySettings {
        let Self { bootstrap, confidence, unparsed, seed } = *self;
        ConsistencySettings { unparsed, bootstrap, confidence, seed }
    }
}

/// Runs `crossmodal analyze`.
pub(super) fn run(arguments: &AnalyzeArguments) -> Result<(), CliError> {
    let analysis = analysis::analyze(&arguments.runs, &arguments.settings.settings())?;
    let folder = arguments.out.clone().unwrap_or_else(|| arguments.runs[0].join("analysis"));
    write(&analysis, &folder)?;
    if arguments.json {
        print!("{}", output::to_json(&analysis)?);
    } else {
        println!("{}", table::to_text(&analysis));
        println!("as JSON and Parquet: {}", folder.display());
    }
    Ok(())
}

/// Writes the analysis as JSON and Parquet into `folder`.
pub(super) fn write(analysis: &Analysis, folder: &Path) -> Result<(), CliError> {
    let at = |path: PathBuf| move |source| CliError::Write { path, source };
    std::fs::create_dir_all(folder).map_err(at(folder.into()))?;
    let json = ("analysis.json".to_string(), output::to_json(analysis)?.into_bytes());
    let tables = output::to_parquet(analysis)?;
    let tables = tables.into_iter().map(|(name, bytes)| (format!("{name}.parquet"), bytes));
    for (name, bytes) in std::iter::once(json).chain(tables) {
        let path = folder.join(name);
        atomic::write(&path, &bytes).map_err(at(path))?;
    }
    Ok(())
}
