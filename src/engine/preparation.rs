//! How a suite is cut into units of work, and their preparation: the first ones while models are loaded, others as the
//! [pipeline](super::pipeline) asks for them.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::prepare::{PreparedUnit, Preparer};
use crate::suite::{Group, Suite, SuiteError};

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

    /// The suite's groups in a unit.
    ///
    /// # Errors
    /// When the suite cannot give one.
    pub fn groups_of(self, suite: &dyn Suite, unit: usize) -> Result<Vec<Group>, SuiteError> {
        let start = unit * self.groups_per_unit;
        (start..(start + self.groups_per_unit).min(self.groups)).map(|index| suite.group(index)).collect()
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
    /// Prepares `units`, which models that are still being loaded will run first, up to one that the suite cannot give:
    /// the [pipeline](super::pipeline::Pipeline::run) will say so.
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

    pub(super) fn prepare(&self, unit: usize) -> Result<PreparedUnit, SuiteError> {
        Ok(self.preparer.prepare(unit, self.units.groups_of(self.suite, unit)?))
    }
}

/// Units that were prepared while models were loaded.
#[derive(Default)]
pub struct Ahead {
    /// In order.
    pub units: Vec<PreparedUnit>,
    /// Time that it took.
    pub took: Duration,
    /// How much longer than loading.
    pub longer: Duration,
}

impl Ahead {
    /// Prepares units while `load` loads; none is begun after that. (A run that goes on may have others to run first; it
    /// prepares those as it comes to them.)
    pub fn meanwhile<T>(
        preparation: Preparation,
        units: impl Iterator<Item = usize> + Send,
        load: impl FnOnce() -> T,
    ) -> (T, Self) {
        let is_loaded = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let ahead = scope.spawn(|| {
                let start = Instant::now();
                (preparation.ahead(units.take_while(|_| !is_loaded.load(Ordering::Relaxed))), start.elapsed())
            });
            let loaded = load();
            is_loaded.store(true, Ordering::Relaxed);
            let waiting = Instant::now();
            // What panics here does so again where it is needed.
            let (units, took) = ahead.join().unwrap_or_default();
            (loaded, Self { units, took, longer: waiting.elapsed() })
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
