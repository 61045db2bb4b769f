//! The front door: arguments in, a validated plan, the rooms behind it called in order. One file a subcommand.

mod analyze;
mod cases;
mod compare;
mod cores;
mod demo;
mod error;
mod explain;
mod import;
mod inspect;
mod memory;
mod model;
mod plan;
mod progress;
mod report;
mod run;
pub mod runtime;
mod selection;
mod suite;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Parser, Subcommand};
use signal_hook::consts::SIGPIPE;
use signal_hook::flag;

use error::CliError;

/// Batch evaluation of multimodal LLMs exported to ONNX
///
/// Does a model treat the same content alike as text and as image, and which modality does it follow when they disagree?
/// `run` puts a suite to a model and writes Parquet tables; `analyze` turns the tables into figures with confidence
/// intervals; `report` draws them as one HTML page; `compare` says what another precision changes. `demo` does all of it with what ships with the program.
#[derive(Debug, Parser)]
#[command(name = "crossmodal", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done (samples that failed are rows with status = error, and a warning says how many); 1 failed, or every sample did (the message says what to do); 2 wrong arguments; 75 interrupted, and the same command goes on.";

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole way once, on what ships: run, analyze, report
    Demo(demo::DemoArguments),
    /// Put a suite to a model and write tables
    Run(run::RunArguments),
    /// Turn a run's tables into figures with intervals
    Analyze(analyze::AnalyzeArguments),
    /// Hold a run against a reference run of the same suite: is int8 as good as fp32?
    Compare(compare::CompareArguments),
    /// Draw a run as one self-contained HTML page
    Report(report::ReportArguments),
    /// Take in answers that were given elsewhere, as a run
    Import(import::ImportArguments),
    /// Show what a model directory holds, and what can be done with it
    Inspect(inspect::InspectArguments),
    /// See what a suite asks, or write it as files
    Suite(suite::SuiteArguments),
    /// Show which ONNX Runtime is used, or install one
    Runtime(runtime::RuntimeArgs),
}

/// Runs the program on the process' arguments and returns its exit code.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // `crossmodal analyze RUN --json | head` ends when `head` has seen enough, as other programs do; a run goes on though
    // nobody reads its progress. Where the handler cannot be set, the former ends with a complaint.
    if !matches!(arguments.command, Command::Run(_) | Command::Demo(_)) {
        let _ = flag::register_conditional_default(SIGPIPE, Arc::new(AtomicBool::new(true)));
    }
    let outcome = match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Analyze(arguments) => analyze::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Suite(arguments) => suite::run(&arguments),
        Command::Runtime(arguments) => {
            runtime::run(arguments, model::describe_library).map_err(CliError::from)
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            error.exit_code()
        }
    }
}
