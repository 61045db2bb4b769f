//! A run that has been checked: what `run` and `demo` share.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::error::CliError;
use super::model::{SessionArguments, Threads};
use super::progress::Progress;
use super::run::RecordingArguments;
use crate::engine::pipeline::{Ending, Pipeline, Units};
use crate::engine::{EvaluationSettings, UnitResult};
use crate::model::ModelDirectory;
use crate::prepare::Preparer;
use crate::record::{
    Fingerprints, Manifest, RecordError, RunDirectory, RunSettings, SCHEMA_VERSION, State, Table, UnitLog,
};
use crate::suite::seeding::hex_digest;
use crate::suite::{self, Suite, SuiteSpec};

/// What is run, on what, and where it goes.
pub(super) struct Plan<'a> {
    pub model: &'a Path,
    pub session: &'a SessionArguments,
    pub suite: SuiteSpec,
    pub out: &'a Path,
    pub recording: &'a RecordingArguments,
    /// Whether a missing ONNX Runtime is installed.
    pub install_runtime: bool,
}

impl Plan<'_> {
    /// Checks everything, then runs what is missing. What makes all samples fail is found before the first.
    pub fn execute(&self) -> Result<(), CliError> {
        let suite = suite::open(&self.suite)?;
        let directory = ModelDirectory::open(self.model, self.session.precision)?;
        let preparer = Preparer::open(&directory)?;
        preparer.option_tokens(&suite.group(0)?.options).map_err(CliError::Arguments)?;
        let claimed = RunDirectory::claim(self.out)?;
        let runtime = self.session.open_runtime(self.install_runtime)?;
        let threads = self.session.threads(directory.graph_bytes());
        // Setting the pool fails only when another plan of this process has set it; its size shapes speed only.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.total).build_global();

        let embeddings = self.recording.tables.contains(&Table::Embeddings);
        let mut models = self.session.load(runtime, &directory, threads, embeddings)?;
        let units = Units { groups: suite.group_count(), groups_per_unit: self.recording.groups_per_unit };
        let mut run = claimed.begin(self.manifest(&directory, &*suite, units)?)?;
        let wanted = match run.state() {
            State::Complete => {
                eprintln!("{} is complete already: nothing to do", self.out.display());
                return Ok(());
            }
            State::Fresh => (0..units.count()).collect(),
            State::Missing(missing) => {
                eprintln!("going on: {} of {} units are done", units.count() - missing.len(), units.count());
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
            let left = if let State::Missing(left) = run.state() { left.len() } else { units.count() };
            return Err(CliError::Interrupted { done: units.count() - left, units: units.count() });
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
        let host =
            std::fs::read_to_string("/etc/hostname").map(|name| name.trim().to_string()).unwrap_or_default();
        Self {
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
            self.first_failure = result.answers.iter().find_map(|answer| answer.as_ref().err().cloned());
        }
        run.log(&UnitLog {
            unit: result.unit.index,
            unix_secs: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()),
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
        let tables = out.join("tables");
        eprintln!(
            "{} prompts in {secs:.1} s ({rate:.0} prompts/s); tables in {}",
            self.prompts,
            tables.display()
        );
        match self.first_failure {
            Some(first) if self.whole_run && self.failed == self.prompts => {
                Err(CliError::AllFailed { rows: self.failed, first })
            }
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
