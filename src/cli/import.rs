//! `crossmodal import`: answers that were given elsewhere become a run's tables.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::error::CliError;
use super::selection::SuiteSelection;
use crate::engine::preparation::Units;
use crate::engine::{Predictions, Sizes, UnitResult};
use crate::record::{Manifest, Profile, RunDirectory, RunSettings, State, Table};
use crate::suite;
use crate::suite::prediction::Prediction;
use crate::suite::seeding::hex_digest;

/// `crossmodal import`
#[derive(Debug, Args)]
#[command(after_long_help = FORMAT)]
pub(super) struct ImportArguments {
    /// The answers: a .jsonl or .parquet file, or a folder of them
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What they become
    #[arg(long = "as", value_enum, default_value_t = ImportedTable::Outcomes)]
    _table: ImportedTable,
    /// The model's name in tables
    #[arg(long, value_name = "NAME", value_parser = file_name)]
    model: String,
    /// The suite that was put to it: a name, or a file with your own items
    #[arg(long, value_name = "NAME|FILE")]
    suite: String,
    #[command(flatten)]
    selection: SuiteSelection,
    /// Directory of the run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// What a file can be imported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ImportedTable {
    /// One row a prompt; conflict suites get their table `following` with it
    Outcomes,
}

const FORMAT: &str = "\
One row an answer:
  item_id, presentation   as `crossmodal suite export` writes them
  variant                 which rendering was shown, where there is one (dejavu-sans-200, ...)
  raw_text                what the model wrote; the answer is read from it as from any other model's text
  answer                  the answer itself, where you have read it already
  option_logprobs         {\"red\": -0.1, \"blue\": -2.4}, or a list in the order of the options: ln p of each, where you have them
  entropy                 nats, over the whole vocabulary at the first token of the answer, where you have it
  text_tokens, vision_tokens, generated_tokens
  error                   why there is no answer
Of these item_id, presentation and one of raw_text, answer, error are needed; other fields are ignored.

Example, for a model behind an API:
  crossmodal suite export rest --out asked        the prompts and pictures to send
  crossmodal import answers.jsonl --as outcomes --model some-api-model --suite rest --out runs/api
  crossmodal analyze runs/api runs/mine";

/// Groups of one part file: answers are small.
const GROUPS_PER_UNIT: usize = 1000;

/// A name that can stand in a path.
fn file_name(text: &str) -> Result<String, String> {
    let sound = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    match !text.is_empty() && !text.starts_with('.') && text.chars().all(sound) {
        true => Ok(text.into()),
        false => Err("it becomes a folder's name: use letters, digits, `-`, `_` and `.`".into()),
    }
}

/// Runs `crossmodal import`.
pub(super) fn run(arguments: &ImportArguments) -> Result<(), CliError> {
    let spec = arguments.selection.spec(&arguments.suite)?;
    let suite = suite::open(&spec)?;
    let units = Units { groups: suite.group_count(), groups_per_unit: GROUPS_PER_UNIT };
    let given = Prediction::read(&arguments.file)?;
    let digest = hex_digest(format!("{given:?}"));
    let mut predictions = Predictions::of(given)
        .map_err(|reason| CliError::Arguments(format!("{}: {reason}", arguments.file.display())))?;
    let count = predictions.count();
    let results: Vec<UnitResult> = (0..units.count())
        .map(|unit| Ok(predictions.answer(unit, units.groups_of(&*suite, unit)?)))
        .collect::<Result<_, CliError>>()?;
    if let Some((item, kind, variant)) = predictions.left_over().next() {
        return Err(CliError::Arguments(format!(
            "{}: {} of {count} rows are none of the suite {}, the first: item_id {item:?}, presentation {kind}, variant {variant}\n  see `crossmodal suite show {}` for its rows",
            arguments.file.display(),
            predictions.left_over().count(),
            suite.name(),
            arguments.suite
        )));
    }
    let cases = results.iter().any(|result| result.unit.groups.iter().any(|group| !group.cases.is_empty()));
    let tables = if cases { vec![Table::Outcomes, Table::Following] } else { vec![Table::Outcomes] };
    let settings = RunSettings {
        precision: "imported".into(),
        provider: "imported".into(),
        onnxruntime: "none".into(),
        groups: units.groups,
        groups_per_unit: units.groups_per_unit,
        batch_tokens: 0,
        sharing: false,
        top_k: 0,
        tables,
        layer_embeddings: false,
        profile: Profile::Lake,
    };
    let manifest = Manifest::new((arguments.model.clone(), digest), &*suite, spec, settings)?;
    let mut run = RunDirectory::claim(&arguments.out, None)?.begin(manifest)?;
    if run.state() != State::Complete {
        for result in &results {
            run.write_unit(result, Sizes { hidden: 0, vocabulary: 0 })?;
        }
        run.complete()?;
    }
    let (rows, failed) = run.rows();
    println!(
        "{rows} rows, {failed} of them without an answer; tables in {}",
        arguments.out.join("tables").display()
    );
    Ok(())
}
