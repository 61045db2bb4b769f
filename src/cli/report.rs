//! `crossmodal report`: a run as one HTML page.

use std::path::{Path, PathBuf};

use clap::Args;

use super::analyze::AnalysisSettings;
use super::cases::sample;
use super::error::CliError;
use crate::analysis::tables::{partitions, read_outcomes};
use crate::analysis::{self, FollowingAnalysis, FollowingSettings};
use crate::record::{Manifest, RecordError, atomic, read_manifest};
use crate::report::{About, render};

/// `crossmodal report`
#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// Directory of a run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Where the page goes [default: RUN/report.html]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Cases that can be browsed in the page
    #[arg(long, value_name = "N", default_value_t = DEFAULT_CASES)]
    cases: usize,
    #[command(flatten)]
    settings: AnalysisSettings,
}

pub(super) const DEFAULT_CASES: usize = 36;

/// Runs `crossmodal report`.
pub(super) fn run(arguments: &ReportArguments) -> Result<(), CliError> {
    let path = arguments.out.clone().unwrap_or_else(|| arguments.run.join("report.html"));
    let settings = arguments.settings.settings();
    let analysis = analysis::analyze(&[&arguments.run], &settings)?;
    write(&arguments.run, &analysis.following, &settings.following, arguments.cases, &path)?;
    println!("{}", path.display());
    Ok(())
}

/// Writes the page of a run.
pub(super) fn write(
    run: &Path,
    analyses: &[FollowingAnalysis],
    settings: &FollowingSettings,
    cases: usize,
    path: &Path,
) -> Result<(), CliError> {
    let manifest = read_manifest(run)?.ok_or_else(|| RecordError::NotARun { path: run.into() })?;
    let partition = partitions(run, "following")?
        .into_iter()
        .find(|partition| partition.model == manifest.model && partition.suite == manifest.suite)
        .ok_or_else(|| {
            CliError::Arguments(format!("{} has no following table of its own run", run.display()))
        })?;
    let outcomes = read_outcomes(run, &partition)?;
    let about = About {
        run: manifest.run.clone(),
        model: manifest.model.clone(),
        suite: manifest.suite.clone(),
        created_by: format!("crossmodal {}", manifest.crossmodal),
        settings: described(&manifest, settings),
        prompts: outcomes.len() as u64,
        failed: outcomes.iter().filter(|row| row.failed).count() as u64,
    };
    let views = sample(run, &partition, &manifest, cases)?;
    let page = render(&about, analyses, &views);
    atomic::write(path, page.as_bytes()).map_err(|source| CliError::Write { path: path.into(), source })
}

fn described(manifest: &Manifest, analysis: &FollowingSettings) -> Vec<(String, String)> {
    let run = serde_json::to_value(&manifest.settings).unwrap_or_default();
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(values) => {
            values.iter().map(|value| value.as_str().unwrap_or_default()).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    let mut settings: Vec<(String, String)> = run
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.replace('_', " "), text(value)))
        .collect();
    settings.push(("suite seed".into(), manifest.suite_spec.seed.to_string()));
    settings.push(("model fingerprint".into(), manifest.fingerprints.model.clone()));
    settings.push(("suite fingerprint".into(), manifest.fingerprints.suite.clone()));
    settings.push(("bootstrap resamples".into(), analysis.bootstrap.to_string()));
    settings.push(("confidence".into(), analysis.confidence.to_string()));
    settings
}
