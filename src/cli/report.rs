//! `crossmodal report`: a run as one HTML page.

use std::path::{Path, PathBuf};

use clap::Args;

use super::analyze::AnalysisOptions;
use super::cases;
use super::compare;
use super::error::CliError;
use crate::analysis::summary::Comparison;
use crate::analysis::tables::{Partition, read_outcomes};
use crate::analysis::{self, Analysis, AnalysisSettings};
use crate::record::{Manifest, RecordError, atomic, read_manifest};
use crate::report::{About, Page, render};

/// `crossmodal report`
#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// Directory of the run that the page is about; further ones are compared with it
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// Where the page goes [default: RUN/report.html of the first run]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Conflict cases, and items with all their renderings, that the page shows [default: 36 cases, 12 items]
    #[arg(long, value_name = "N")]
    cases: Option<usize>,
    /// A reference run of the same suite (fp32, for one): the page says how faithful the first RUN is to it
    #[arg(long, value_name = "REFERENCE_RUN")]
    against: Option<PathBuf>,
    #[command(flatten)]
    settings: AnalysisOptions,
}

/// Conflict cases in a page: a picture each.
const DEFAULT_CASES: usize = 36;
/// Items in a page: up to ten pictures each.
const DEFAULT_ITEMS: usize = 12;

/// Runs `crossmodal report`.
pub(super) fn run(arguments: &ReportArguments) -> Result<(), CliError> {
    let first = &arguments.runs[0];
    let path = arguments.out.clone().unwrap_or_else(|| first.join("report.html"));
    let settings = arguments.settings.settings();
    let analysis = analysis::analyze(&arguments.runs, &settings)?;
    let against = arguments.against.as_deref();
    let fidelity =
        against.map(|reference| compare::compare(reference, first, &settings.consistency)).transpose()?;
    write(first, &analysis, fidelity.as_ref(), &settings, arguments.cases, &path)?;
    println!("{}", path.display());
    Ok(())
}

/// Writes the page of a run; `analysis` may hold others to compare it with, `fidelity` is against a reference run.
pub(super) fn write(
    run: &Path,
    analysis: &Analysis,
    fidelity: Option<&Comparison>,
    settings: &AnalysisSettings,
    cases: Option<usize>,
    path: &Path,
) -> Result<(), CliError> {
    let manifest = read_manifest(run)?.ok_or_else(|| RecordError::NotARun { path: run.into() })?;
    let partition = Partition { model: manifest.model.clone(), suite: manifest.suite.clone() };
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
    let suite = cases::reopened(&manifest);
    let conflicts = analysis.following.iter().any(|of| of.run == manifest.run);
    let same_content = analysis.consistency.iter().any(|of| of.run == manifest.run);
    let page = Page {
        about: &about,
        analysis,
        fidelity,
        cases: &match conflicts {
            true => {
                let (count, named) = (cases.unwrap_or(DEFAULT_CASES), examples(analysis, &manifest));
                cases::sample(run, &partition, suite.as_deref(), count, &named)?
            }
            false => Vec::new(),
        },
        items: &match same_content {
            true => cases::items::sample(run, &partition, suite.as_deref(), cases.unwrap_or(DEFAULT_ITEMS))?,
            false => Vec::new(),
        },
    };
    let page = render(&page);
    atomic::write(path, page.as_bytes()).map_err(|source| CliError::Write { path: path.into(), source })
}

/// The cases that a figure of this run shows by name: its readers want to see them.
fn examples<'a>(analysis: &'a Analysis, manifest: &Manifest) -> Vec<&'a str> {
    let of_run =
        analysis.following.iter().filter(|of| (&of.run, &of.suite) == (&manifest.run, &manifest.suite));
    let drawn = of_run.filter_map(|of| of.layers.as_ref()?.trajectories.as_ref());
    drawn.flat_map(|example| &example.cases).map(|case| case.item_id.as_str()).collect()
}

fn described(manifest: &Manifest, analysis: &AnalysisSettings) -> Vec<(String, String)> {
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
    settings.push(("bootstrap resamples".into(), analysis.consistency.bootstrap.to_string()));
    settings.push(("confidence".into(), analysis.consistency.confidence.to_string()));
    settings
}
