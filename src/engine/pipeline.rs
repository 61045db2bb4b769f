//! Preparation ahead of the model: one thread feeds prepared units into a bounded queue, workers with a model each take them, and
//! the caller's thread receives results as they come.
//!
//! Memory is bounded by the queues; the order of completion is free, because a unit's result depends on the unit alone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, bounded};

use super::preparation::Preparation;
use super::{EvaluationSettings, UnitResult, evaluate};
use crate::model::Model;
use crate::prepare::PreparedUnit;
use crate::suite::SuiteError;

/// How a pipeline ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every unit was run.
    Complete,
    /// Stopped on request; the units that were done are done.
    Interrupted,
}

/// A worker's time with a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Took {
    /// Without work, until the unit was prepared.
    pub waited: Duration,
    /// With the unit.
    pub worked: Duration,
}

/// What ends a pipeline early.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError<E: std::error::Error> {
    /// The suite could not give a group.
    #[error(transparent)]
    Suite(#[from] SuiteError),
    /// The receiver of results failed (a full disk, for one).
    #[error(transparent)]
    Sink(E),
}

/// Tells the other threads to stop, however the receiving one ends.
struct HaltOnDrop<'a>(&'a AtomicBool);

impl Drop for HaltOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The pipeline's parts.
pub struct Pipeline<'a> {
    /// What is prepared.
    pub preparation: Preparation<'a>,
    /// What is computed.
    pub settings: EvaluationSettings,
    /// Set to stop after the units that are running.
    pub stop: &'a AtomicBool,
}

impl Pipeline<'_> {
    /// Runs the units in `wanted` on the workers' models and hands each result to `sink`, on the calling thread. Those of them
    /// that were prepared `ahead`, by this preparation, are not prepared again.
    /// `idle` is called about ten times a second while nothing comes.
    ///
    /// # Errors
    /// When the suite or the sink fails; nothing more is started then.
    pub fn run<E: std::error::Error + Send>(
        &self,
        wanted: &[usize],
        mut ahead: Vec<PreparedUnit>,
        models: &mut [Model],
        mut sink: impl FnMut(UnitResult, Took) -> Result<(), E>,
        mut idle: impl FnMut(),
    ) -> Result<Ending, PipelineError<E>> {
        // With the one that waits to be sent, one for each model.
        let (send_prepared, receive_prepared) = bounded::<PreparedUnit>(models.len().saturating_sub(1));
        let (send_result, receive_result) =
            bounded::<Result<(UnitResult, Took), PipelineError<E>>>(models.len());
        ahead.retain(|prepared| wanted.contains(&prepared.index));
        let halt = AtomicBool::new(false);
        let halted = || halt.load(Ordering::Relaxed) || self.stop.load(Ordering::Relaxed);
        std::thread::scope(|scope| {
            // Both live in here: when this thread panics, they go first, and with them whatever the others wait for.
            let receive_result = receive_result;
            let _halt = HaltOnDrop(&halt);
            let send_error = send_result.clone();
            let feeder_halted = &halted;
            scope.spawn(move || {
                for &unit in wanted {
                    if feeder_halted() {
                        return;
                    }
                    let prepared = ahead.iter().position(|prepared| prepared.index == unit);
                    let prepared = prepared.map(|place| Ok(ahead.swap_remove(place)));
                    match prepared.unwrap_or_else(|| self.preparation.prepare(unit)) {
                        Ok(prepared) => {
                            if send_prepared.send(prepared).is_err() {
                                return;
                            }
                        }
                        Err(error) => {
                            let _ = send_error.send(Err(error.into()));
                            return;
                        }
                    }
                }
            });
            for model in models {
                let (receive, send) = (receive_prepared.clone(), send_result.clone());
                let worker_halted = &halted;
                scope.spawn(move || {
                    let mut free = Instant::now();
                    for unit in receive {
                        if worker_halted() {
                            return;
                        }
                        let start = Instant::now();
                        let result = evaluate(model, self.preparation.preparer, unit, &self.settings);
                        let took = Took { waited: start - free, worked: start.elapsed() };
                        if send.send(Ok((result, took))).is_err() {
                            return;
                        }
                        free = Instant::now();
                    }
                });
            }
            drop((send_result, receive_prepared));
            let mut outcome = Ok(());
            loop {
                match receive_result.recv_timeout(Duration::from_millis(100)) {
                    Ok(received) if outcome.is_ok() => {
                        outcome = received
                            .and_then(|(result, took)| sink(result, took).map_err(PipelineError::Sink));
                        if outcome.is_err() {
                            halt.store(true, Ordering::Relaxed);
                        }
                    }
                    Ok(_) => {} // draining after an error
                    Err(RecvTimeoutError::Timeout) => idle(),
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            outcome.map(|()| {
                if self.stop.load(Ordering::Relaxed) { Ending::Interrupted } else { Ending::Complete }
            })
        })
    }
}
