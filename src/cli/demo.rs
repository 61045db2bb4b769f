//! `crossmodal demo`: the whole way once, on what ships.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::error::CliError;
use super::model::SessionArguments;
use super::plan::Plan;
use super::run::RecordingArguments;
use super::{analyze, report};
use crate::analysis::{self, AnalysisSettings, table};
use crate::suite::SuiteSpec;

/// `crossmodal demo`
#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// The model that ships with the program [default: onnx/tiny-llava beside or above this directory or the program]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Directory of the run
    #[arg(long, value_name = "DIR", default_value = "runs/demo")]
    out: PathBuf,
    /// Groups of the color recognition suite to ask; the whole has 400
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    session: SessionArguments,
    #[command(flatten)]
    recording: RecordingArguments,
}

const SHIPPED_MODEL: &str = "onnx/tiny-llava";

/// Runs `crossmodal demo`.
pub(super) fn run(arguments: &DemoArguments) -> Result<(), CliError> {
    let start = Instant::now();
    let model = match &arguments.model {
        Some(model) => model.clone(),
        None => shipped_model()?,
    };
    let out = &arguments.out;
    eprintln!("1/3  run: {} on {} groups of color-recognition", model.display(), arguments.limit);
    let suite = SuiteSpec { limit: Some(arguments.limit), ..SuiteSpec::default() };
    // The whole way, inside of the model too.
    let recording = RecordingArguments { probe_layers: true, ..arguments.recording.clone() };
    let plan = Plan {
        model: &model,
        session: &arguments.session,
        suite,
        out,
        shard: None,
        recording: &recording,
        install_runtime: true,
    };
    plan.execute()?;
    eprintln!("2/3  analyze");
    let settings = AnalysisSettings::default();
    let analysis = analysis::analyze(&[out], &settings)?;
    analyze::write(&analysis, &out.join("analysis"))?;
    println!("{}", table::to_text(&analysis));
    eprintln!("3/3  report");
    let page = out.join("report.html");
    report::write(out, &analysis, None, &settings, None, &page)?;
    println!("tables    {}", out.join("tables").display());
    println!("analysis  {}", out.join("analysis").display());
    println!("report    {}   ({:.0} s in all)", page.display(), start.elapsed().as_secs_f64());
    Ok(())
}

/// The shipped model: in this directory or one above it, or above the program's own place.
fn shipped_model() -> Result<PathBuf, CliError> {
    let here = std::env::current_dir().unwrap_or_default();
    let program = std::env::current_exe().unwrap_or_default();
    let above = |place: &Path| place.ancestors().map(|folder| folder.join(SHIPPED_MODEL)).collect::<Vec<_>>();
    let mut places = above(&here).into_iter().chain(above(&program));
    places.find(|place| place.join("config.json").is_file()).ok_or_else(|| {
        CliError::Arguments(format!(
            "the shipped model {SHIPPED_MODEL} is neither above {} nor above the program: run this in a clone of the repository, or give --model DIR",
            here.display()
        ))
    })
}
