//! `crossmodal analyze`: a run's tables into figures with intervals.

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use crate::analysis::summary::{FollowingAnalysis, FollowingSettings};
use crate::analysis::{self, output, table};
use crate::record::atomic;

/// `crossmodal analyze`
#[derive(Debug, Args)]
pub(super) struct AnalyzeArguments {
    /// Directory of a run (or any folder with tables/table=outcomes/model=*/suite=*/*.parquet and table=following)
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Print the analysis as JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Where analysis.json and the Parquet tables go [default: RUN/analysis]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    settings: AnalysisSettings,
}

/// The choices behind the figures.
#[derive(Debug, Clone, Args)]
pub(super) struct AnalysisSettings {
    /// Width of a bin of dH_rel
    #[arg(long, value_name = "X", default_value_t = FollowingSettings::default().bin_width, value_parser = bin_width)]
    bin_width: f64,
    /// Least number of cases for a bin to count
    #[arg(long, value_name = "N", default_value_t = FollowingSettings::default().min_bin_cases)]
    min_bin_cases: u64,
    /// Bootstrap resamples (by group)
    #[arg(long, value_name = "N", default_value_t = FollowingSettings::default().bootstrap)]
    bootstrap: u32,
    /// Confidence of the intervals
    #[arg(long, value_name = "P", default_value_t = FollowingSettings::default().confidence, value_parser = confidence)]
    confidence: f64,
    /// Label shuffles of the permutation test
    #[arg(long, value_name = "N", default_value_t = FollowingSettings::default().permutations)]
    permutations: u32,
    /// Seed of bootstrap and permutation
    #[arg(long = "analysis-seed", value_name = "N", default_value_t = FollowingSettings::default().seed)]
    seed: u64,
}

fn bin_width(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|width| (0.01..=4.0).contains(width))
        .ok_or_else(|| "expected a number from 0.01 to 4".into())
}

fn confidence(text: &str) -> Result<f64, String> {
    let inside = |share: &f64| *share > 0.0 && *share < 1.0;
    text.parse().ok().filter(inside).ok_or_else(|| "expected a number between 0 and 1, such as 0.95".into())
}

impl AnalysisSettings {
    pub fn settings(&self) -> FollowingSettings {
        FollowingSettings {
            bin_width: self.bin_width,
            min_bin_cases: self.min_bin_cases,
            bootstrap: self.bootstrap,
            confidence: self.confidence,
            permutations: self.permutations,
            seed: self.seed,
        }
    }
}

/// Runs `crossmodal analyze`.
pub(super) fn run(arguments: &AnalyzeArguments) -> Result<(), CliError> {
    let analyses = analysis::analyze(&arguments.run, &arguments.settings.settings())?;
    let folder = arguments.out.clone().unwrap_or_else(|| arguments.run.join("analysis"));
    write(&analyses, &folder)?;
    if arguments.json {
        print!("{}", output::to_json(&analyses)?);
    } else {
        analyses.iter().for_each(|one| println!("{}", table::to_text(one)));
        println!("as JSON and Parquet: {}", folder.display());
    }
    Ok(())
}

/// Writes the analyses as JSON and Parquet into `folder`.
pub(super) fn write(analyses: &[FollowingAnalysis], folder: &Path) -> Result<(), CliError> {
    let at = |path: PathBuf| move |source| CliError::Write { path, source };
    std::fs::create_dir_all(folder).map_err(at(folder.into()))?;
    let files = [
        ("analysis.json".to_string(), output::to_json(analyses)?.into_bytes()),
        (format!("{}.parquet", output::CURVE_TABLE), output::curve_parquet(analyses)?),
        (format!("{}.parquet", output::SUMMARY_TABLE), output::summary_parquet(analyses)?),
    ];
    for (name, bytes) in files {
        let path = folder.join(name);
        atomic::write(&path, &bytes).map_err(at(path))?;
    }
    Ok(())
}
