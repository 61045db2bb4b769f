//! A run that has been checked: what `run` and `demo` share.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use signal_hook::consts::{SIGINT, SIGTERM};

use super::error::CliError;
use super::explain;
use super::model::{SessionArguments, Threads};
use super::progress::{Progress, note};
use super::run::RecordingArguments;
use crate::engine::pipeline::{Ending, Pipeline, Took};
use crate::engine::preparation::{Ahead, Preparation, Units};
use crate::engine::{EvaluationSettings, Sizes, UnitResult, Work, prompts_a_pass, rehearse};
use crate::model::{Depths, LogitPositions, ModelDirectory};
use crate::prepare::Preparer;
use crate::record::{Manifest, RecordError, RunDirectory, RunSettings, Shard, State, UnitLog};
use crate::suite::{self, Ask, Suite, SuiteSpec};

/// What is run, on what, and where it goes.
pub(super) struct Plan<'a> {
    pub model: &'a Path,
    pub session: &'a SessionArguments,
    pub suite: SuiteSpec,
    pub out: &'a Path,
    /// The part of it that is this process'.
    pub shard: Option<Shard>,
    pub recording: &'a RecordingArguments,
    /// Whether a missing ONNX Runtime is installed.
    pub install_runtime: bool,
}

impl Plan<'_> {
    /// Checks everything, then runs what is missing. What makes all samples fail is found before the first.
    pub fn execute(&self) -> Result<(), CliError> {
        let probe = self.recording.probe()?;
        let suite = suite::open(&self.suite)?;
        suite.notes().iter().for_each(|told| note(&format!("note: {told}")));
        let directory = ModelDirectory::open(self.model, self.session.precision)?;
        let preparer = Preparer::open(&directory)?;
        let first = suite.group(0)?;
        if let Some(row) = first.presentations.iter().find(|row| row.ask == Ask::NextToken) {
            preparer.option_tokens(&row.options).map_err(CliError::Arguments)?;
        }
        let generates = first.presentations.iter().any(|row| row.ask != Ask::NextToken);
        if generates && preparer.stop_tokens().is_empty() {
            note(
                "note: neither generation_config.json nor config.json names an `eos_token_id`: every answer goes on to its last token",
            );
        }
        let claimed = RunDirectory::claim(self.out, self.shard)?;
        let (runtime, version) = self.session.open_runtime(self.install_runtime)?;
        let units = Units::of(&*suite, self.recording.groups_per_unit);
        let is_ours = |unit: &usize| self.shard.is_none_or(|shard| shard.has(*unit));
        let our_units = || (0..units.count()).filter(is_ours);
        let ours = our_units().count();
        let threads = self.session.threads(directory.graph_bytes(), ours)?;
        // Setting the pool fails only when another plan of this process has set it; its size shapes speed only.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.preparing).build_global();

        let preparation = Preparation { suite: &*suite, units, preparer: &preparer };
        let load = || self.session.load(runtime, &directory, threads, probe);
        let (models, ahead) = Ahead::meanwhile(preparation, our_units().take(threads.sessions), load);
        let mut models = models?;
        let sizes = rehearse(&mut models[0], preparer.family())?;
        if generates && !models[0].continues() {
            return Err(CliError::Arguments(format!(
                "the decoder of {} takes no past, so that it can score prompts but write no answers, and {} asks for written ones\n  export it with its KV cache (`decoder_model_merged`)",
                self.model.display(),
                suite.name()
            )));
        }
        if probe.sums != Depths::None && models[0].sum_depths() == 0 {
            note("note: the LM head was not found in this decoder: embeddings have rows of depth input only");
        }
        if models[0].logit_positions() == LogitPositions::All {
            note(
                "note: the LM head was not found in this decoder: it computes the logits of all tokens, not only of those that are asked for",
            );
        }
        let exact = !models[0].scales_together();
        if generates && !exact && !self.recording.no_drafts {
            note(
                "note: this decoder quantizes the activations of a pass on one scale: answers are written without drafts, which could change a token",
            );
        }
        let manifest = self.manifest(&directory, &*suite, units, version)?;
        let mut run = claimed.begin(manifest)?;
        let mut wanted = match run.state() {
            State::Complete => {
                note(&format!("{} is complete already: nothing to do", self.out.display()));
                return self.judge(&run, None);
            }
            State::Fresh => (0..units.count()).collect(),
            State::Missing(missing) => {
                let done = units.count() - missing.len();
                note(&format!("going on: {done} of {} units are done", units.count()));
                missing
            }
        };
        wanted.retain(is_ours);

        let stop = stop_on_signal();
        let pipeline = Pipeline {
            preparation,
            settings: EvaluationSettings {
                batch_tokens: self.recording.batch_tokens,
                top_k: self.recording.top_k,
                embeddings: probe.sums != Depths::None,
                probed: probe.lens.then(|| prompts_a_pass(models[0].lens_layers(), sizes.vocabulary)),
                drafts: exact && !self.recording.no_drafts,
                sharing: !self.recording.no_sharing,
            },
            stop: &stop,
        };
        let mut tally = Tally::new(self, threads, &ahead);
        let progress = RefCell::new(Progress::new(self.recording.progress, ours, ours - wanted.len()));
        let told = Cell::new(false);
        let ending = pipeline.run(
            &wanted,
            ahead.units,
            &mut models,
            |result, took| {
                let failed = tally.keep(&mut run, sizes, &result, took)?;
                progress.borrow_mut().advance(failed, tally.prompts);
                Ok::<(), RecordError>(())
            },
            || {
                progress.borrow().tick();
                if stop.load(Ordering::Relaxed) && !told.replace(true) {
                    note("stopping after the units that are running; a second signal stops at once");
                }
            },
        );
        progress.borrow().finish();
        let ending = ending?;
        run.refresh()?;
        let (done, units) = (run.units_done(), units.count());
        if ending == Ending::Interrupted && tally.units < wanted.len() {
            return Err(CliError::Interrupted { done, units });
        }
        tally.report(self.out);
        match self.shard {
            Some(shard) if done < units => note(&format!(
                "shard {shard} is done; the run is complete when the others are ({done} of {units} units so far)"
            )),
            _ => run.complete()?,
        }
        self.judge(&run, tally.first_failure.as_deref())
    }

    /// Failed prompts are a warning; when there is nothing else, an error, whichever process ran them.
    fn judge(&self, run: &RunDirectory, first: Option<&str>) -> Result<(), CliError> {
        let (prompts, failed) = run.rows();
        let first = first.unwrap_or("see the column `error` of the table outcomes").to_string();
        if failed > 0 && failed == prompts {
            return Err(CliError::AllFailed { rows: failed, first });
        }
        if failed > 0 {
            note(&format!(
                "warning: {failed} of {prompts} prompts failed (status = error in outcomes); the first: {first}"
            ));
        }
        Ok(())
    }

    fn manifest(
        &self,
        directory: &ModelDirectory,
        suite: &dyn Suite,
        units: Units,
        onnxruntime: String,
    ) -> Result<Manifest, CliError> {
        let settings = RunSettings {
            precision: directory.precision_name().into(),
            provider: self.session.provider_name(),
            onnxruntime,
            groups: units.groups,
            groups_per_unit: units.groups_per_unit,
            batch_tokens: self.recording.batch_tokens,
            sharing: !self.recording.no_sharing,
            top_k: self.recording.top_k,
            tables: self.recording.tables(),
            layer_embeddings: self.recording.layer_embeddings,
            profile: self.recording.profile,
        };
        let model = (directory.name.clone(), directory.fingerprint()?);
        Ok(Manifest::new(model, suite, self.suite.clone(), settings)?)
    }
}

/// Counts what comes, and keeps it.
struct Tally {
    threads: Threads,
    provider: &'static str,
    host: String,
    start: Instant,
    /// What was prepared before the start, in seconds: part of a run's time, as the rest of preparation is.
    before: f64,
    units: usize,
    prompts: usize,
    work: Work,
    took: Took,
    first_failure: Option<String>,
}

impl Tally {
    fn new(plan: &Plan, threads: Threads, ahead: &Ahead) -> Self {
        let host =
            std::fs::read_to_string("/etc/hostname").map(|name| name.trim().to_string()).unwrap_or_default();
        Self {
            threads,
            provider: plan.session.ep.as_str(),
            host: std::env::var("HOSTNAME").unwrap_or(host),
            start: Instant::now(),
            before: ahead.took.as_secs_f64(),
            units: 0,
            prompts: 0,
            work: Work::default(),
            took: Took { waited: ahead.longer * threads.sessions as u32, worked: Duration::ZERO },
            first_failure: None,
        }
    }

    fn keep(
        &mut self,
        run: &mut RunDirectory,
        sizes: Sizes,
        result: &UnitResult,
        took: Took,
    ) -> Result<usize, RecordError> {
        let writing = Instant::now();
        let failed = run.write_unit(result, sizes)?;
        self.units += 1;
        self.prompts += result.answers.len();
        self.work += result.work;
        self.took.waited += took.waited;
        self.took.worked += took.worked;
        if self.first_failure.is_none() {
            self.first_failure = result.answers.iter().find_map(|answer| answer.as_ref().err().cloned());
        }
        run.log(&UnitLog {
            unit: result.unit.index,
            unix_secs: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()),
            prompts: result.answers.len(),
            failed,
            worker_secs: took.worked.as_secs_f64(),
            idle_secs: took.waited.as_secs_f64(),
            vision_secs: result.seconds.vision,
            decoder_secs: result.seconds.decoder,
            generation_secs: result.seconds.generation,
            scoring_secs: result.seconds.scoring,
            write_secs: writing.elapsed().as_secs_f64(),
            work: result.work,
            sessions: self.threads.sessions,
            intra_threads: self.threads.intra,
            provider: self.provider,
            host: self.host.clone(),
        })?;
        Ok(failed)
    }

    fn report(&self, out: &Path) {
        let secs = self.before + self.start.elapsed().as_secs_f64();
        let rate = self.prompts as f64 / secs.max(1e-9);
        let tables = out.join("tables");
        note(&format!(
            "{} prompts in {secs:.1} s ({rate:.0} prompts/s); tables in {}",
            self.prompts,
            tables.display()
        ));
        note(&explain::done(&self.work, self.took));
    }
}

/// A flag that SIGINT and SIGTERM set; a second signal ends the process at once.
fn stop_on_signal() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag unset, and sets it. Refused only for signals that cannot be
        // caught, and these can.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop));
        let _ = signal_hook::flag::register(signal, Arc::clone(&stop));
    }
    stop
}
