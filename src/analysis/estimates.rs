//! Ratios of sums with an interval by group: the one form that every share, mean and quotient of this room has.
//!
//! An observation adds to the numerator and the denominator of each of `N` ratios. A resample draws whole groups, so that
//! both sums of a ratio are drawn together (CFR, MMC, tokens per right answer). A mean has the denominator 1 for each
//! value; a share is the mean of ones and zeros.

use super::statistics::bootstrap::{GroupBootstrap, number_groups};
use super::summary::{Estimate, Paired};

/// What one observation adds to a ratio: (numerator, denominator). (0, 0) adds nothing.
pub(super) type Part = (f64, f64);

/// What an observation adds to a mean, if it has a value.
pub(super) fn mean_part(value: Option<f64>) -> Part {
    value.map_or((0.0, 0.0), |value| (value, 1.0))
}

/// What an observation adds to a share, if it is known.
pub(super) fn share_part(yes: Option<bool>) -> Part {
    mean_part(yes.map(|yes| f64::from(u8::from(yes))))
}

/// Sums of `N` ratios by group and stratum.
pub(super) struct Ratios<const N: usize> {
    strata: usize,
    /// [group, stratum]
    sums: Vec<[Part; N]>,
}

impl<const N: usize> Ratios<N> {
    /// Sums observations: (group, parts).
    pub fn new<'a>(observations: impl Iterator<Item = (&'a str, [Part; N])> + Clone) -> Self {
        Self::stratified(1, observations.map(|(group, parts)| (group, 0, parts)))
    }

    /// Sums observations that fall into strata: (group, stratum, parts). A group may have observations in several.
    pub fn stratified<'a>(
        strata: usize,
        observations: impl Iterator<Item = (&'a str, usize, [Part; N])> + Clone,
    ) -> Self {
        let (numbers, groups) = number_groups(observations.clone().map(|(group, ..)| group));
        let mut sums = vec![[(0.0, 0.0); N]; groups * strata];
        for (group, (_, stratum, parts)) in numbers.into_iter().zip(observations) {
            add(&mut sums[group * strata + stratum], &parts, 1.0);
        }
        Self { strata, sums }
    }

    /// Each ratio over all strata together.
    pub fn pooled(&self, resampling: &GroupBootstrap) -> [Option<Estimate>; N] {
        self.derived(resampling, |strata| {
            let mut total = [(0.0, 0.0); N];
            strata.iter().for_each(|parts| add(&mut total, parts, 1.0));
            total.map(quotient)
        })
    }

    /// Each ratio in every stratum, averaged over the strata that have it: each stratum counts once, whatever its size.
    pub fn averaged(&self, resampling: &GroupBootstrap) -> [Option<Estimate>; N] {
        let whole = self.totals(|_| 1.0);
        self.derived(resampling, |strata| {
            std::array::from_fn(|which| {
                let with = (0..self.strata).filter(|&stratum| whole[stratum][which].1 > 0.0);
                let values: Option<Vec<f64>> = with.map(|stratum| quotient(strata[stratum][which])).collect();
                mean(&values?)
            })
        })
    }

    /// Each ratio in two strata (the reference run, the run) and its change, all on the same resamples.
    pub fn paired(&self, resampling: &GroupBootstrap) -> [Paired; N] {
        let figure = |of: fn([Option<f64>; 2]) -> Option<f64>| -> [Option<Estimate>; N] {
            self.derived(resampling, |strata| {
                std::array::from_fn(|which| of([quotient(strata[0][which]), quotient(strata[1][which])]))
            })
        };
        let reference = figure(|[reference, _]| reference);
        let run = figure(|[_, run]| run);
        let change = figure(|[reference, run]| Some(run? - reference?));
        std::array::from_fn(|which| Paired {
            reference: reference[which],
            run: run[which],
            change: change[which],
        })
    }

    /// Figures computed from the sums of every stratum, on the data and again on each resample.
    pub fn derived<const M: usize>(
        &self,
        resampling: &GroupBootstrap,
        compute: impl Fn(&[[Part; N]]) -> [Option<f64>; M] + Sync,
    ) -> [Option<Estimate>; M] {
        let values = compute(&self.totals(|_| 1.0));
        let intervals = resampling.intervals(self.sums.len() / self.strata, M, |times| {
            compute(&self.totals(|group| f64::from(times[group]))).to_vec()
        });
        std::array::from_fn(|which| values[which].map(|value| Estimate { value, interval: intervals[which] }))
    }

    /// The sums of each stratum, groups taken so many times.
    fn totals(&self, times: impl Fn(usize) -> f64) -> Vec<[Part; N]> {
        let mut totals = vec![[(0.0, 0.0); N]; self.strata];
        for (group, of_group) in self.sums.chunks_exact(self.strata).enumerate() {
            let times = times(group);
            if times > 0.0 {
                totals.iter_mut().zip(of_group).for_each(|(total, parts)| add(total, parts, times));
            }
        }
        totals
    }
}

fn add<const N: usize>(total: &mut [Part; N], parts: &[Part; N], times: f64) {
    for (sum, part) in total.iter_mut().zip(parts) {
        sum.0 += times * part.0;
        sum.1 += times * part.1;
    }
}

/// The ratio; `None` where its denominator is 0.
pub(super) fn quotient((numerator, denominator): Part) -> Option<f64> {
    (denominator > 0.0).then(|| numerator / denominator)
}

/// The mean; `None` of no values.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The mean of (group, value) pairs, every value counted once. `None` without values.
pub(super) fn mean_by_group(values: &[(&str, f64)], resampling: &GroupBootstrap) -> Option<Estimate> {
    let [mean] =
        Ratios::new(values.iter().map(|(group, value)| (*group, [(*value, 1.0)]))).pooled(resampling);
    mean
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESAMPLING: GroupBootstrap = GroupBootstrap { resamples: 500, confidence: 0.95, seed: 1 };

    #[test]
    fn numerator_and_denominator_are_drawn_together() {
        // In every group the numerator is half the denominator, so that the ratio cannot vary.
        let sizes: [f64; 5] = [2.0, 40.0, 6.0, 8.0, 1000.0];
        let names = ["a", "b", "c", "d", "e"];
        let parts = std::iter::zip(names, sizes).map(|(name, size)| (name, [(0.5 * size, size)]));
        let [ratio] = Ratios::new(parts).pooled(&RESAMPLING);
        assert_eq!(ratio, Some(Estimate { value: 0.5, interval: Some((0.5, 0.5)) }));
    }

    #[test]
    fn an_average_counts_every_stratum_once() {
        let observations = [("a", 0, [(1.0, 1.0)]), ("b", 1, [(0.0, 1.0)]), ("c", 1, [(0.0, 3.0)])];
        let ratios = Ratios::stratified(3, observations.into_iter());
        assert_eq!(ratios.pooled(&RESAMPLING)[0].unwrap().value, 0.2);
        assert_eq!(ratios.averaged(&RESAMPLING)[0].unwrap().value, 0.5, "the third stratum is empty");
    }

    #[test]
    fn a_ratio_without_observations_is_none() {
        assert_eq!(mean_by_group(&[], &RESAMPLING), None);
        let nothing = [("a", [(0.0, 0.0)]), ("b", [(0.0, 0.0)])];
        assert_eq!(Ratios::new(nothing.into_iter()).pooled(&RESAMPLING), [None]);
    }
}
