//! Percentile bootstrap by group (Efron; the cluster bootstrap): whole groups are drawn with replacement, because the
//! cases of a group share an image, a text or both and are no independent evidence.
//!
//! Resample `r` draws from stream `r` of ChaCha8, so that an interval depends on the seed and the data alone.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Lower and upper end.
pub type Interval = (f64, f64);

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupBootstrap {
    /// Number of resamples.
    pub resamples: u32,
    /// Confidence of the intervals, in (0, 1).
    pub confidence: f64,
    /// Seed of the draws.
    pub seed: u64,
}

impl GroupBootstrap {
    /// Intervals of several statistics, computed together on every resample.
    ///
    /// `compute` gets how often each of the `groups` groups was drawn and returns one value a statistic, always in the
    /// same order; `None` where a resample has none. A statistic with values in fewer than half of the resamples has no
    /// interval, and with fewer than two groups nothing has one.
    pub fn intervals<F>(&self, groups: usize, statistics: usize, compute: F) -> Vec<Option<Interval>>
    where
        F: Fn(&[u32]) -> Vec<Option<f64>> + Sync,
    {
        if groups < 2 || self.resamples == 0 {
            return vec![None; statistics];
        }
        let values: Vec<Vec<Option<f64>>> = (0..self.resamples)
            .into_par_iter()
            .map(|resample| compute(&self.draw(groups, resample)))
            .collect();
        (0..statistics)
            .map(|which| self.interval(values.iter().filter_map(|row| row[which]).collect()))
            .collect()
    }

    /// How often each group occurs in one resample.
    fn draw(&self, groups: usize, resample: u32) -> Vec<u32> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(u64::from(resample));
        let mut times = vec![0; groups];
        for _ in 0..groups {
            times[random.random_range(0..groups)] += 1;
        }
        times
    }

    fn interval(&self, mut values: Vec<f64>) -> Option<Interval> {
        if values.is_empty() || 2 * values.len() < self.resamples as usize {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let tail = 0.5 * (1.0 - self.confidence);
        Some((quantile(&values, tail), quantile(&values, 1.0 - tail)))
    }
}

/// Quantile of sorted, non-empty values by linear interpolation (Hyndman and Fan's type 7, numpy's default).
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (place - place.floor()) * (sorted[above] - sorted[below])
}

/// Numbers group names from 0 in alphabetical order: one number for each name given, and how many groups there are.
pub fn number_groups<'a>(names: impl Iterator<Item = &'a str> + Clone) -> (Vec<usize>, usize) {
    let distinct: std::collections::BTreeSet<&str> = names.clone().collect();
    let numbers: std::collections::BTreeMap<&str, usize> =
        distinct.iter().enumerate().map(|(number, name)| (*name, number)).collect();
    (names.map(|name| numbers[name]).collect(), distinct.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOTSTRAP: GroupBootstrap = GroupBootstrap { resamples: 2000, confidence: 0.95, seed: 7 };

    fn mean_interval(bootstrap: GroupBootstrap, values: &[f64]) -> Option<Interval> {
        bootstrap.intervals(values.len(), 1, |times| {
            let drawn: f64 = times.iter().zip(values).map(|(&n, value)| f64::from(n) * value).sum();
            vec![Some(drawn / values.len() as f64)]
        })[0]
    }

    #[test]
    fn interval_of_a_mean_is_the_normal_one_on_many_groups() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 2)).collect();
        let (low, high) = mean_interval(BOOTSTRAP, &values).unwrap();
        let half_width = 1.96 * 0.5 / 400f64.sqrt();
        assert!((low - (0.5 - half_width)).abs() < 0.005, "{low}");
        assert!((high - (0.5 + half_width)).abs() < 0.005, "{high}");
    }

    #[test]
    fn interval_does_not_depend_on_the_number_of_threads() {
        let values: Vec<f64> = (0..50).map(|i| (f64::from(i) * 0.7).sin()).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| mean_interval(BOOTSTRAP, &values))
        };
        assert_eq!(on(1), on(4));
        assert_ne!(
            on(1),
            mean_interval(GroupBootstrap { seed: 8, ..BOOTSTRAP }, &values),
            "the seed matters"
        );
    }

    #[test]
    fn values_in_fewer_than_half_of_the_resamples_give_no_interval() {
        // Group 0 is drawn at least once in about 1 - 1/e of the resamples.
        let drawn = |times: &[u32]| (times[0] > 0).then_some(1.0);
        let absent = |times: &[u32]| (times[0] == 0).then_some(1.0);
        let found = BOOTSTRAP.intervals(30, 2, |times| vec![drawn(times), absent(times)]);
        assert_eq!(found, [Some((1.0, 1.0)), None]);
    }

    #[test]
    fn one_group_has_no_interval() {
        assert_eq!(mean_interval(BOOTSTRAP, &[0.4]), None);
    }

    #[test]
    fn quantiles_interpolate() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(quantile(&[5.0], 0.025), 5.0);
    }

    #[test]
    fn groups_are_numbered_by_name() {
        assert_eq!(number_groups(["b", "a", "b"].into_iter()), (vec![1, 0, 1], 2));
    }
}
