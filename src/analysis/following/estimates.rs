//! Means with an interval by group.

use crate::analysis::statistics::bootstrap::{GroupBootstrap, number_groups};
use crate::analysis::summary::Estimate;

/// The mean of (group, value) pairs, every value counted once; a share is the mean of ones and zeros. `None` without
/// values.
pub(super) fn mean_by_group(values: &[(&str, f64)], resampling: &GroupBootstrap) -> Option<Estimate> {
    if values.is_empty() {
        return None;
    }
    let (numbers, groups) = number_groups(values.iter().map(|(group, _)| *group));
    let mut sums = vec![(0.0, 0.0); groups];
    for (group, (_, value)) in numbers.into_iter().zip(values) {
        sums[group].0 += value;
        sums[group].1 += 1.0;
    }
    let mean_of = |times: &dyn Fn(usize) -> f64| {
        let (mut sum, mut count) = (0.0, 0.0);
        for (group, (group_sum, group_count)) in sums.iter().enumerate() {
            sum += times(group) * group_sum;
            count += times(group) * group_count;
        }
        sum / count
    };
    let interval =
        resampling.intervals(groups, 1, |times| vec![Some(mean_of(&|group| f64::from(times[group])))])[0];
    Some(Estimate { value: mean_of(&|_| 1.0), interval })
}
