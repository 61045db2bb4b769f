//! `crossmodal run`: a suite to a model, tables out.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;

use super::error::CliError;
use super::model::{ModelArguments, SessionArguments, Threads};
use super::progress::{Progress, ProgressMode};
use super::suite::SuiteSelection;
use crate::engine::pipeline::{Ending, Pipeline, Units};
use crate::engine::{EvaluationSettings, UnitResult};
use crate::model::ModelDirectory;
use crate::prepare::Preparer;
use crate::record::{
    Fingerprints, Manifest, Profile, RecordError, RunDirectory, RunSettings, SCHEMA_VERSION, State, Table,
    UnitLog,
};
use crate::suite::seeding::hex_digest;
use crate::suite::{self, Suite, SuiteSpec};

/// `crossmodal run`
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct RunArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// A suite's name (color-recognition), or a .jsonl file with your own items
    #[arg(long, value_name = "NAME|FILE")]
    suite: String,
    #[command(flatten)]
    selection: SuiteSelection,
    /// Directory of the run; an interrupted one goes on where it stopped
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    recording: RecordingArguments,
}

const EXAMPLES: &str = "\
Examples:
  crossmodal run --model onnx/tiny-llava --suite color-recognition --limit 20 --out runs/first
  crossmodal run --model MODEL --suite my/suite.jsonl --out runs/mine --tables outcomes,following

The tables lie in DIR/tables/table=*/model=*/suite=*/part-*.parquet. The same model, suite and settings give the same bytes,
whatever the number of threads and however often the run was interrupted. Continue with
  crossmodal analyze DIR
  crossmodal report DIR";

/// What is kept, and how it is computed.
#[derive(Debug, Clone, Args)]
pub(super) struct RecordingArguments {
    /// Tables to write
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Table::ALL)]
    pub tables: Vec<Table>,
    /// Types of vector columns: lake reads everywhere, compact is half the size
    #[arg(long, value_enum, default_value_t = Profile::Lake)]
    pub profile: Profile,
    /// Logits kept a prompt: a number, or all
    #[arg(long, value_name = "K", default_value = "64", value_parser = top_k)]
    pub top_k: usize,
    /// Consecutive groups that make one unit of work (and one part file a table)
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = at_least_one)]
    pub groups_per_unit: usize,
    /// Tokens that one decoder call takes at most
    #[arg(long, value_name = "N", default_value_t = 2048, value_parser = at_least_one)]
    pub batch_tokens: usize,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t = ProgressMode::Auto)]
    pub progress: ProgressMode,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&number| number >= 1)
        .ok_or_else(|| "expected a whole number from 1".into())
}

fn top_k(text: &str) -> Result<usize, String> {
    if text == "all" {
        Ok(usize::MAX)
    } else {
        at_least_one(text).map_err(|error| format!("{error}, or all"))
    }
}

/// A run that has been checked: what `run` and `demo` share.
pub(super) struct Plan<'a> {
    pub model: &'a Path,
    pub session: &'a SessionArguments,
    pub suite: SuiteSpec,
    pub out: &'a Path,
    pub recording: &'a RecordingArguments,
    /// Whether a missing ONNX Runtime is installed.
    pub install_runtime: bool,
}

/// Runs `crossmodal run`.
pub(super) fn run(arguments: &RunArguments) -> Result<(), CliError> {
    let plan = Plan {
        model: &arguments.model.model,
        session: &arguments.model.session,
        suite: arguments.selection.spec(&arguments.suite)?,
        out: &arguments.out,
        recording: &arguments.recording,
        install_runtime: false,
    };
    plan.execute()?;
    if std::io::stderr().is_terminal() {
        let out = arguments.out.display();
        eprintln!("next: crossmodal analyze {out}   or   crossmodal report {out}");
    }
    Ok(())
}

impl Plan<'_> {
    /// Checks everything, then runs what is missing. What makes all samples fail is found before the first.
    pub fn execute(&self) -> Result<(), CliError> {
        let suite = suite::open(&self.suite)?;
        let directory = ModelDirectory::open(self.model, self.session.precision)?;
        let preparer = Preparer::open(&directory)?;
        preparer
            .option_tokens(&suite.group(0)?.options)
            .map_err(CliError::Arguments)?;
        let claimed = RunDirectory::claim(self.out)?;
        let runtime = self.session.open_runtime(self.install_runtime)?;
        let threads = self.session.threads(directory.graph_bytes());
        // Setting the pool fails only when another plan of this process has set it; its size shapes speed only.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.total)
            .build_global();

        let embeddings = self.recording.tables.contains(&Table::Embeddings);
        let mut models = self.session.load(runtime, &directory, threads, embeddings)?;
        let units = Units {
            groups: suite.group_count(),
            groups_per_unit: self.recording.groups_per_unit,
        };
        let mut run = claimed.begin(self.manifest(&directory, &*suite, units)?)?;
        let wanted = match run.state() {
            State::Complete => {
                eprintln!("{} is complete already: nothing to do", self.out.display());
                return Ok(());
            }
            State::Fresh => (0..units.count()).collect(),
            State::Missing(missing) => {
                eprintln!(
                    "going on: {} of {} units are done",
                    units.count() - missing.len(),
                    units.count()
                );
                missing
            }
        };

        let stop = stop_on_signal();
        let pipeline = Pipeline {
            suite: &*suite,
            units,
            preparer: &preparer,
            settings: EvaluationSettings {
                batch_tokens: self.recording.batch_tokens,
                top_k: self.recording.top_k,
                embeddings,
            },
            stop,
        };
        let mut tally = Tally::new(self, units.count(), wanted.len(), threads);
        let progress = std::cell::RefCell::new(Progress::new(
            self.recording.progress,
            units.count(),
            units.count() - wanted.len(),
        ));
        let ending = pipeline.run(
            &wanted,
            &mut models,
            |result, took| {
                let failed = tally.keep(&mut run, &preparer, &result, took)?;
                progress.borrow_mut().advance(failed, tally.prompts);
                Ok::<(), RecordError>(())
            },
            || progress.borrow().tick(),
        );
        progress.borrow().finish();
        if ending? == Ending::Interrupted
            && !matches!(run.state(), State::Missing(ref left) if left.is_empty())
        {
            let left = if let State::Missing(left) = run.state() {
                left.len()
            } else {
                units.count()
            };
            return Err(CliError::Interrupted {
                done: units.count() - left,
                units: units.count(),
            });
        }
        let failed = run.complete()?;
        tally.finish(self.out, failed)
    }

    fn manifest(
        &self,
        directory: &ModelDirectory,
        suite: &dyn Suite,
        units: Units,
    ) -> Result<Manifest, CliError> {
        let mut tables = self.recording.tables.clone();
        tables.sort();
        tables.dedup();
        let settings = RunSettings {
            precision: directory.precision.as_str().into(),
            provider: self.session.ep.as_str().into(),
            groups: units.groups,
            groups_per_unit: units.groups_per_unit,
            batch_tokens: self.recording.batch_tokens,
            top_k: self.recording.top_k,
            tables,
            profile: self.recording.profile,
        };
        let text =
            serde_json::to_string(&settings).map_err(|error| CliError::Arguments(error.to_string()))?;
        let fingerprints = Fingerprints {
            model: directory.fingerprint()?,
            suite: suite.fingerprint(),
            settings: hex_digest(text),
        };
        let version = env!("CARGO_PKG_VERSION");
        let identity = format!(
            "{version} {SCHEMA_VERSION} {} {} {}",
            fingerprints.model, fingerprints.suite, fingerprints.settings
        );
        Ok(Manifest {
            schema_version: SCHEMA_VERSION,
            crossmodal: version.into(),
            run: format!("{}-{}", directory.name, &hex_digest(identity)[..12]),
            model: directory.name.clone(),
            suite: suite.name().into(),
            suite_spec: self.suite.clone(),
            settings,
            fingerprints,
            units: units.count(),
            complete: false,
            failed_rows: None,
            parts: Vec::new(),
        })
    }
}

/// Counts what comes, and keeps it.
struct Tally {
    units: usize,
    threads: Threads,
    provider: &'static str,
    host: String,
    start: Instant,
    prompts: usize,
    failed: usize,
    first_failure: Option<String>,
    whole_run: bool,
}

impl Tally {
    fn new(plan: &Plan, units: usize, wanted: usize, threads: Threads) -> Self {
        let host = std::fs::read_to_string("/etc/hostname")
            .map(|name| name.trim().to_string())
            .unwrap_or_default();
        Self {
            units,
            threads,
            provider: plan.session.ep.as_str(),
            host: std::env::var("HOSTNAME").unwrap_or(host),
            start: Instant::now(),
            prompts: 0,
            failed: 0,
            first_failure: None,
            whole_run: wanted == units,
        }
    }

    fn keep(
        &mut self,
        run: &mut RunDirectory,
        preparer: &Preparer,
        result: &UnitResult,
        took: Duration,
    ) -> Result<usize, RecordError> {
        let writing = Instant::now();
        let failed = run.write_unit(result, &|token| preparer.token_text(token))?;
        self.prompts += result.answers.len();
        self.failed += failed;
        if self.first_failure.is_none() {
            self.first_failure = result
                .answers
                .iter()
                .find_map(|answer| answer.as_ref().err().cloned());
        }
        run.log(&UnitLog {
            unit: result.unit.index,
            unix_secs: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0.0, |since| since.as_secs_f64()),
            prompts: result.answers.len(),
            failed,
            worker_secs: took.as_secs_f64(),
            vision_secs: result.seconds.vision,
            decoder_secs: result.seconds.decoder,
            scoring_secs: result.seconds.scoring,
            write_secs: writing.elapsed().as_secs_f64(),
            sessions: self.threads.sessions,
            intra_threads: self.threads.intra,
            provider: self.provider,
            host: self.host.clone(),
        })?;
        Ok(failed)
    }

    fn finish(self, out: &Path, failed_rows: usize) -> Result<(), CliError> {
        let secs = self.start.elapsed().as_secs_f64();
        let rate = self.prompts as f64 / secs.max(1e-9);
        eprintln!(
            "{} units: {} prompts in {secs:.1} s ({rate:.0} prompts/s); tables in {}",
            self.units,
            self.prompts,
            out.join("tables").display()
        );
        match self.first_failure {
            Some(first) if self.whole_run && self.failed == self.prompts => Err(CliError::AllFailed {
                rows: self.failed,
                first,
            }),
            Some(first) => {
                eprintln!(
                    "warning: {failed_rows} prompts failed (rows with status = error in outcomes); the first: {first}"
                );
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// A flag that SIGINT and SIGTERM set; a second signal ends the process at once.
fn stop_on_signal() -> &'static AtomicBool {
    static STOP: AtomicBool = AtomicBool::new(false);
    // Fails only when a handler is set already, by an earlier plan of this process.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("stopping after the units that are running; once more to stop at once");
    });
    &STOP
}
