//! `crossmodal run`: a suite to a model, tables out.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::explain;
use super::model::ModelArguments;
use super::plan::Plan;
use super::progress::ProgressMode;
use super::selection::SuiteSelection;
use crate::model::{Depths, Probe};
use crate::record::{Profile, Shard, Table};

/// `crossmodal run`
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct RunArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// A suite's name (see `crossmodal suite list`), or a .jsonl or .parquet file with your own items
    #[arg(long, value_name = "NAME|FILE")]
    suite: String,
    #[command(flatten)]
    selection: SuiteSelection,
    /// Directory of the run; an interrupted one goes on where it stopped
    #[arg(long, value_name = "DIR", required_unless_present = "explain")]
    out: Option<PathBuf>,
    /// Run every N-th unit only, from the K-th on: N processes with the same DIR make one run
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Say what would be computed, and what is saved by sharing and drafts; run nothing
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    recording: RecordingArguments,
}

const EXAMPLES: &str = "\
Examples:
  crossmodal run --model onnx/tiny-llava --suite color-recognition --limit 20 --out runs/first
  crossmodal run --model MODEL --suite my/suite.jsonl --out runs/mine --tables outcomes,following
  crossmodal run --model MODEL --suite rest-plus --data 'arc=ARC-Challenge/test-*.parquet' --variants dpi=50,200 --out runs/arc
  crossmodal run --model MODEL --suite color-recognition --probe-layers --out runs/layers

The tables lie in DIR/tables/table=*/model=*/suite=*/part-*.parquet. The same model, suite and settings give the same bytes,
whatever the number of threads and however often the run was interrupted. Continue with
  crossmodal analyze DIR
  crossmodal report DIR";

/// What is kept, and how it is computed.
#[derive(Debug, Clone, Args)]
pub(super) struct RecordingArguments {
    /// Tables to write
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Table::DEFAULT)]
    pub tables: Vec<Table>,
    /// Also write the table layers: the answer after every decoder layer, by the logit lens
    ///
    /// The residual stream at the answer position goes through the model's own final norm and vocabulary after each layer.
    /// The decoder's graph is edited for it as it is loaded; `crossmodal inspect` says whether it can be. It costs one row of
    /// the LM head a layer and prompt, less than a tenth of the time on the models that were measured, and nothing while answers
    /// are written. Fewer prompts run together, so that numbers may differ from those of a run without it by rounding.
    #[arg(long)]
    pub probe_layers: bool,
    /// Also keep mean and last tokens after every decoder layer in the table embeddings
    ///
    /// Depths are input, layer-01, layer-02, ..., output. It costs next to no time, but the table has as many rows a prompt
    /// as the model has layers, and grows with them.
    #[arg(long)]
    pub layer_embeddings: bool,
    /// Types of vector columns: lake reads everywhere, compact is half the size
    #[arg(long, value_enum, default_value_t = Profile::Lake)]
    pub profile: Profile,
    /// Logits kept a prompt: a number, or all
    #[arg(long, value_name = "K", default_value = "64", value_parser = top_k)]
    pub top_k: usize,
    /// Consecutive groups that make one unit of work (and one part file a table): by default as many as have some 80 prompts, 4 to
    /// 16, and no more than 8 or an eighth of the suite, whichever is more. Prompts of a unit share what they have in common and are
    /// written together; a unit runs on one copy of the model in one shard, and a killed run loses the unit it was at
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub groups_per_unit: Option<usize>,
    /// Tokens that one pass over prompts takes at most, those it goes on from included; passes that write answers go on from
    /// eight times as many
    #[arg(long, value_name = "N", default_value_t = 2048, value_parser = at_least_one)]
    pub batch_tokens: usize,
    /// Write answers token by token, without drafts: the same tokens in more passes
    #[arg(long)]
    pub no_drafts: bool,
    /// Run every prompt from its first token, even where others begin alike: the same numbers up to rounding, in more time
    #[arg(long)]
    pub no_sharing: bool,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t = ProgressMode::Auto)]
    pub progress: ProgressMode,
}

impl RecordingArguments {
    /// The tables to write, sorted.
    pub fn tables(&self) -> Vec<Table> {
        let layers = [Table::Layers].into_iter().filter(|_| self.probe_layers);
        let mut tables: Vec<Table> = self.tables.iter().copied().chain(layers).collect();
        tables.sort_unstable();
        tables.dedup();
        tables
    }

    /// What the decoder must give for them.
    pub fn probe(&self) -> Result<Probe, CliError> {
        let tables = self.tables();
        let sums = match (tables.contains(&Table::Embeddings), self.layer_embeddings) {
            (true, true) => Depths::All,
            (true, false) => Depths::Output,
            (false, false) => Depths::None,
            (false, true) => {
                return Err(CliError::Arguments(
                    "--layer-embeddings is for the table embeddings, which --tables leaves out\n  name it there, or leave out --layer-embeddings".into(),
                ));
            }
        };
        Ok(Probe { lens: tables.contains(&Table::Layers), sums })
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&number| number >= 1).ok_or_else(|| "expected a whole number from 1".into())
}

fn top_k(text: &str) -> Result<usize, String> {
    if text == "all" {
        Ok(usize::MAX)
    } else {
        at_least_one(text).map_err(|error| format!("{error}, or all"))
    }
}

/// Runs `crossmodal run`.
pub(super) fn run(arguments: &RunArguments) -> Result<(), CliError> {
    let suite = arguments.selection.spec(&arguments.suite)?;
    let Some(out) = arguments.out.as_deref().filter(|_| !arguments.explain) else {
        return explain::run(&arguments.model, &suite, arguments.recording.groups_per_unit);
    };
    let plan = Plan {
        model: &arguments.model.model,
        session: &arguments.model.session,
        suite,
        out,
        shard: arguments.shard,
        recording: &arguments.recording,
        install_runtime: false,
    };
    plan.execute()?;
    if std::io::stderr().is_terminal() {
        let out = out.display();
        eprintln!("next: crossmodal analyze {out}   or   crossmodal report {out}");
    }
    Ok(())
}
