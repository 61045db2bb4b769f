//! `crossmodal suite`: what a suite asks, as files.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::selection::SuiteSelection;
use crate::render::load::load;
use crate::suite::export::{ExportSettings, export};
use crate::suite::{self, PresentationKind, SuiteError};

/// `crossmodal suite`.
#[derive(Debug, Args)]
pub(super) struct SuiteArguments {
    #[command(subcommand)]
    command: SuiteCommand,
}

#[derive(Debug, Subcommand)]
enum SuiteCommand {
    /// Write a suite as `suite.jsonl` with its images beside it
    ///
    /// The files are in the format that `--suite FILE.jsonl` reads: export a suite, change rows or add your own, and run it.
    /// Each line holds item_id, group_id, presentation (vision-only, text-only, conflict), messages with text and image
    /// parts, options, answer, vision_answer, text_answer and tags.
    Export(ExportArguments),
}

#[derive(Debug, Args)]
struct ExportArguments {
    /// Which suite
    #[arg(value_name = "NAME")]
    name: String,
    /// Folder to write into
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    selection: SuiteSelection,
    /// Only these presentations
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    presentations: Vec<PresentationKind>,
    /// Resize images to this size (bicubic), e.g. 64x64
    #[arg(long, value_name = "WxH", value_parser = size)]
    resize: Option<(u32, u32)>,
}

/// Parses WIDTHxHEIGHT.
pub(super) fn size(text: &str) -> Result<(u32, u32), String> {
    let parse = |part: &str| part.parse().ok().filter(|&side| (1..=20_000).contains(&side));
    let (width, height) = text.split_once('x').ok_or("expected WIDTHxHEIGHT, e.g. 64x64")?;
    parse(width).zip(parse(height)).ok_or_else(|| "sides must be whole numbers from 1 to 20000".into())
}

/// Runs `crossmodal suite`.
pub(super) fn run(arguments: &SuiteArguments) -> Result<(), SuiteError> {
    let SuiteCommand::Export(arguments) = &arguments.command;
    let spec = arguments.selection.spec(&arguments.name)?;
    let suite = suite::open(&spec)?;
    let settings =
        ExportSettings { presentations: arguments.presentations.clone(), resize: arguments.resize };
    let rows = export(&*suite, &arguments.out, &settings, &|source| {
        load(source).map_err(|error| error.to_string())
    })?;
    println!(
        "{rows} rows of {} groups in {}",
        suite.group_count(),
        arguments.out.join("suite.jsonl").display()
    );
    Ok(())
}
