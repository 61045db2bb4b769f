//! `crossmodal suite`: which suites there are, what one asks, and a suite as files.

mod export;
mod list;
mod show;

use clap::{Args, Subcommand};

use super::error::CliError;
pub(super) use export::size;

/// `crossmodal suite`.
#[derive(Debug, Args)]
pub(super) struct SuiteArguments {
    #[command(subcommand)]
    command: SuiteCommand,
}

#[derive(Debug, Subcommand)]
enum SuiteCommand {
    /// Name the suites, their sizes, and what they need
    List(list::ListArguments),
    /// Show an item as the model gets it: messages, images, options, expected answers
    Show(show::ShowArguments),
    /// Write a suite as JSON Lines or Parquet with its images
    ///
    /// The files are in the format that `--suite` reads: export a suite, change rows or add your own, and run it.
    ///
    /// A row is what is asked once. It has item_id; group_id (rows of a group share images and are resampled together);
    /// presentation (vision-only, text-only, conflict, ocr, text, image, mixed, ocr-first); messages, each with a role and
    /// content parts {"type": "text", "text": ...}, {"type": "image", "image": ...} or {"type": "written", "written":
    /// "ocr"} for what the model wrote for that presentation; options (names, or {"name", "spellings"}); answer,
    /// vision_answer and text_answer; and tags.
    ///
    /// An image is a path below the file's folder, a data URL, or in Parquet a struct of bytes and path, as the Image
    /// feature of Hugging Face datasets has it. Tags may be dv, dt, control, target, task, variant, font, dpi, color, reading
    /// (option-token, choice, number, word, transcript), max_new_tokens, and on a conflict row vision_item and text_item.
    Export(export::ExportArguments),
}

/// Runs `crossmodal suite`.
pub(super) fn run(arguments: &SuiteArguments) -> Result<(), CliError> {
    match &arguments.command {
        SuiteCommand::List(arguments) => list::run(arguments),
        SuiteCommand::Show(arguments) => show::run(arguments),
        SuiteCommand::Export(arguments) => export::run(arguments),
    }
}

fn print_json(value: &impl serde::Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CliError::Arguments(error.to_string()))?;
    println!("{text}");
    Ok(())
}
