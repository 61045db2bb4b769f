//! `crossmodal compare`: a run against a reference run of the same suite.

use std::path::{Path, PathBuf};

use clap::Args;

use super::analyze::ResamplingOptions;
use super::error::CliError;
use crate::analysis::summary::Comparison;
use crate::analysis::{self, ConsistencySettings, output, table};
use crate::record::{atomic, read_manifest};
use crate::report;

/// `crossmodal compare`
#[derive(Debug, Args)]
pub(super) struct CompareArguments {
    /// Directory of the reference run (fp32, for one)
    #[arg(value_name = "RUN_A")]
    reference: PathBuf,
    /// Directory of the run that is held against it (int8, for one); changes are this one minus the reference
    #[arg(value_name = "RUN_B")]
    run: PathBuf,
    /// Print the comparison as JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Write comparison.json and the page comparison.html into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    resampling: ResamplingOptions,
}

/// Runs `crossmodal compare`.
pub(super) fn run(arguments: &CompareArguments) -> Result<(), CliError> {
    let CompareArguments { reference, run, json, out, resampling } = arguments;
    let comparison = compare(reference, run, &resampling.settings())?;
    let encoded = output::to_json(&comparison)?;
    let pages = match out {
        Some(folder) => write(&comparison, &encoded, folder)?,
        None => Vec::new(),
    };
    if *json {
        print!("{encoded}");
        return Ok(());
    }
    println!("{}", table::comparison(&comparison));
    pages.iter().for_each(|path| println!("{}", path.display()));
    Ok(())
}

/// Compares a run with a reference run; precisions are those of the manifests, where there are such.
pub(super) fn compare(
    reference: &Path,
    run: &Path,
    settings: &ConsistencySettings,
) -> Result<Comparison, CliError> {
    let mut comparison = analysis::compare(reference, run, settings)?;
    for (folder, side) in [(reference, &mut comparison.reference), (run, &mut comparison.run)] {
        side.precision = read_manifest(folder)?.map(|manifest| manifest.settings.precision);
    }
    Ok(comparison)
}

/// Writes the comparison as JSON and as a page into `folder`, and says where they are.
fn write(comparison: &Comparison, encoded: &str, folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| CliError::Write { path, source }
    };
    std::fs::create_dir_all(folder).map_err(at(folder))?;
    let page = report::render_comparison(comparison);
    let files = [("comparison.json", encoded), ("comparison.html", page.as_str())];
    let write = |(name, text): (&str, &str)| {
        let path = folder.join(name);
        atomic::write(&path, text.as_bytes()).map_err(at(&path))?;
        Ok(path)
    };
    files.into_iter().map(write).collect()
}
