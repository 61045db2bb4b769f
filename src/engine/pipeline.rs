//! Preparation ahead of the model: the first units while models are loaded; then one thread feeds prepared units into a bounded
//! queue, workers with a model each take them, and the caller's thread receives results as they come.
//!
//! Memory is bounded by the queues; the order of completion is free, because a unit's result depends on the unit alone.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, bounded};

use super::{EvaluationSettings, UnitResult, evaluate};
use crate::model::Model;
use crate::prepare::{PreparedUnit, Preparer};
use crate::suite::{Group, Suite, SuiteError};

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

/// How a suite is cut into units: fixed runs of consecutive groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Units {
    /// Groups of the suite.
    pub groups: usize,
    /// Groups of one unit.
    pub groups_per_unit: usize,
}

/// Prompts of a unit, where it is left to the program how many groups that is: so many fill the passes of a decoder.
const PROMPTS_PER_UNIT: usize = 80;

/// Groups of a unit, where it is left to the program: a killed run loses the units it was at, and all images of a unit are in
/// memory.
const GROUPS_PER_UNIT: RangeInclusive<usize> = 4..=16;

/// Units of a suite, where it is left to the program: fewer leave cores idle at the end...
const UNITS: usize = 8;

/// ... but small ones leave passes of the decoder half empty: no suite is cut finer than into units of so many groups (or of those
/// that fill them).
const UNCUT_GROUPS: usize = 8;

impl Units {
    /// Of a suite; without a number of groups a unit has 4 to 16, by the suite's size and the prompts of its first group.
    pub fn of(suite: &dyn Suite, groups_per_unit: Option<usize>) -> Self {
        let by_size = || {
            let prompts = suite.group(0).map_or(1, |group| group.presentations.len().max(1));
            let fill = (PROMPTS_PER_UNIT / prompts).clamp(*GROUPS_PER_UNIT.start(), *GROUPS_PER_UNIT.end());
            fill.min((suite.group_count() / UNITS).max(UNCUT_GROUPS))
        };
        Self { groups: suite.group_count(), groups_per_unit: groups_per_unit.unwrap_or_else(by_size) }
    }

    /// Number of units.
    pub fn count(self) -> usize {
        self.groups.div_ceil(self.groups_per_unit)
    }

    /// The groups of a unit.
    pub fn groups_of(self, unit: usize) -> std::ops::Range<usize> {
        let start = unit * self.groups_per_unit;
        start..(start + self.groups_per_unit).min(self.groups)
    }
}

/// Tells the other threads to stop, however the receiving one ends.
struct HaltOnDrop<'a>(&'a AtomicBool);

impl Drop for HaltOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Where prepared units come from.
#[derive(Clone, Copy)]
pub struct Preparation<'a> {
    /// What is asked.
    pub suite: &'a dyn Suite,
    /// How it is cut.
    pub units: Units,
    /// Makes prompts and pixels.
    pub preparer: &'a Preparer,
}

impl Preparation<'_> {
    /// Prepares `units`, as far as the suite can give them: what models that are still being loaded will run first. Where it
    /// cannot, [`Pipeline::run`] will say so.
    pub fn ahead(&self, units: impl Iterator<Item = usize>) -> Vec<PreparedUnit> {
        units.map_while(|unit| self.prepare(unit).ok()).collect()
    }

    /// Prepares every unit, in order.
    ///
    /// # Errors
    /// Of a unit, when the suite fails.
    pub fn all(&self) -> impl Iterator<Item = Result<PreparedUnit, SuiteError>> {
        (0..self.units.count()).map(|unit| self.prepare(unit))
    }

    fn prepare(&self, unit: usize) -> Result<PreparedUnit, SuiteError> {
        let groups: Vec<Group> =
            self.units.groups_of(unit).map(|index| self.suite.group(index)).collect::<Result<_, _>>()?;
        Ok(self.preparer.prepare(unit, groups))
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
    /// that were prepared `ahead` are not prepared again.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::{SuiteSpec, open};

    #[test]
    fn units_hold_some_80_prompts_where_the_suite_makes_enough_of_them() {
        let groups_per_unit = |name: &str, groups: usize, asked: Option<usize>| {
            let spec = SuiteSpec { name: name.into(), groups: Some(groups), ..SuiteSpec::default() };
            Units::of(&*open(&spec).unwrap(), asked).groups_per_unit
        };
        // Five prompts a system of equations, over a hundred a group of colors.
        assert_eq!(groups_per_unit("soebench", 500, None), 16);
        assert_eq!(groups_per_unit("soebench", 80, None), 10, "eight units");
        assert_eq!(groups_per_unit("soebench", 24, None), 8);
        assert_eq!(groups_per_unit("soebench", 8, None), 8);
        assert_eq!(groups_per_unit("color-recognition", 400, None), 4);
        assert_eq!(groups_per_unit("color-recognition", 400, Some(1)), 1);
    }
}
