//! The front door: arguments in, a validated plan, the rooms behind it called in order. One file a subcommand.

mod suite;

use clap::{Parser, Subcommand};

/// Batch evaluation of multimodal LLMs exported to ONNX: does a model treat the same content alike as text and as image,
/// and which modality does it follow when they disagree?
#[derive(Debug, Parser)]
#[command(name = "crossmodal", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// See what a suite asks, or write it as files
    Suite(suite::SuiteArguments),
}

/// Runs the program on the process' arguments and returns its exit code.
pub fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Suite(arguments) => suite::run(&arguments),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
