//! `crossmodal suite export`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::error::CliError;
use crate::cli::progress::note;
use crate::cli::selection::SuiteSelection;
use crate::render::load::load;
use crate::suite;
use crate::suite::export::{ExportFormat, ExportSettings, export};

/// `crossmodal suite export`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct ExportArguments {
    /// Which suite: a name (see `crossmodal suite list`), or files of your own
    #[arg(value_name = "NAME|FILE")]
    name: String,
    /// Folder to write into
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The rows' format
    #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
    format: ExportFormat,
    #[command(flatten)]
    selection: SuiteSelection,
    /// Resize images to this size (bicubic), e.g. 64x64
    #[arg(long, value_name = "WxH", value_parser = size)]
    resize: Option<(u32, u32)>,
}

const EXAMPLES: &str = "\
Examples:
  crossmodal suite export color-recognition --limit 10 --out my
  crossmodal run --model MODEL --suite my/suite.jsonl --out runs/mine

  crossmodal suite export color-recognition --format parquet --out my
  crossmodal run --model MODEL --suite my/suite.parquet --out runs/mine

In Python, with the images decoded:
  datasets.load_dataset(\"parquet\", data_files=\"my/suite.parquet\")

A row of your own (as one line of a .jsonl file):
  {\"item_id\": \"sky\", \"group_id\": \"sky\", \"presentation\": \"vision-only\",
   \"options\": [\"blue\", \"gray\"], \"answer\": \"blue\",
   \"messages\": [{\"role\": \"user\", \"content\": [
     {\"type\": \"image\", \"image\": \"sky.jpg\"},
     {\"type\": \"text\", \"text\": \"What color is the sky? Answer in one word.\"}]}]}";

/// Parses WIDTHxHEIGHT.
pub(in crate::cli) fn size(text: &str) -> Result<(u32, u32), String> {
    let parse = |part: &str| part.parse().ok().filter(|&side| (1..=20_000).contains(&side));
    let (width, height) = text.split_once('x').ok_or("expected WIDTHxHEIGHT, e.g. 64x64")?;
    parse(width).zip(parse(height)).ok_or_else(|| "sides must be whole numbers from 1 to 20000".into())
}

/// Runs `crossmodal suite export`.
pub(super) fn run(arguments: &ExportArguments) -> Result<(), CliError> {
    let suite = suite::open(&arguments.selection.spec(&arguments.name)?)?;
    suite.notes().iter().for_each(|line| note(&format!("note: {line}")));
    let settings = ExportSettings { format: arguments.format, resize: arguments.resize };
    let exported = export(&*suite, &arguments.out, &settings, &|source| {
        load(source).map_err(|error| error.to_string())
    })?;
    println!("{} rows of {} groups in {}", exported.rows, suite.group_count(), exported.path.display());
    Ok(())
}
