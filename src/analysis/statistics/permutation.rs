//! A permutation test of monotone decrease: is the binned curve closer to a falling one than chance would put it?

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::isotonic::{DecreasingFit, Point};

/// One bin of the curve, in the order of x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelledBin {
    /// Cases in the bin, at least one.
    pub cases: u64,
    /// Those of them that carry the label.
    pub labelled: u64,
}

/// What the test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MonotoneTest {
    /// `sum_b n_b |share_b - g_b| / sum_b n_b`, with g the decreasing isotonic fit of the bins' shares by their cases.
    pub distance: f64,
    /// `(1 + number of shuffles with a distance as small or smaller) / (1 + shuffles)`: the data count as one of the
    /// shuffles, so that it is never 0 (Phipson and Smyth, 2010).
    pub p_value: f64,
}

/// Distances closer than this are equal: what is left is rounding.
const TIE: f64 = 1e-12;

/// Shuffles the labels among the cases of all bins, the bins' sizes kept. Shuffle `i` draws from stream `i` of the seed.
/// `None` with fewer than two bins, where nothing can rise or fall.
pub fn test_decrease(bins: &[LabelledBin], shuffles: u32, seed: u64) -> Option<MonotoneTest> {
    if bins.len() < 2 {
        return None;
    }
    let observed = distance(bins);
    let labels: Vec<bool> =
        bins.iter().flat_map(|bin| (0..bin.cases).map(|case| case < bin.labelled)).collect();
    let as_small = (0..shuffles)
        .into_par_iter()
        .filter(|&shuffle| distance(&shuffled(bins, labels.clone(), seed, shuffle)) <= observed + TIE)
        .count();
    Some(MonotoneTest { distance: observed, p_value: (1 + as_small) as f64 / (1.0 + f64::from(shuffles)) })
}

fn shuffled(bins: &[LabelledBin], mut labels: Vec<bool>, seed: u64, shuffle: u32) -> Vec<LabelledBin> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(u64::from(shuffle));
    labels.shuffle(&mut random);
    let mut rest = labels.into_iter();
    bins.iter()
        .map(|&LabelledBin { cases, .. }| LabelledBin {
            cases,
            labelled: rest.by_ref().take(cases as usize).filter(|label| *label).count() as u64,
        })
        .collect()
}

fn distance(bins: &[LabelledBin]) -> f64 {
    let points = bins.iter().enumerate().map(|(place, bin)| Point {
        x: place as f64,
        y: bin.labelled as f64 / bin.cases as f64,
        weight: bin.cases as f64,
    });
    let Some(fit) = DecreasingFit::new(points.clone()) else {
        return 0.0;
    };
    let total: f64 = points.clone().map(|point| point.weight).sum();
    let block_of = |x: f64| fit.blocks().partition_point(|block| block.last < x);
    let apart: f64 =
        points.map(|point| point.weight * (point.y - fit.blocks()[block_of(point.x)].value()).abs()).sum();
    apart / total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins(labelled: &[u64]) -> Vec<LabelledBin> {
        labelled.iter().map(|&labelled| LabelledBin { cases: 40, labelled }).collect()
    }

    #[test]
    fn a_falling_curve_has_no_distance_and_a_small_p() {
        let found = test_decrease(&bins(&[39, 35, 28, 20, 11, 6, 2, 1]), 999, 3).unwrap();
        assert_eq!(found.distance, 0.0);
        assert!(found.p_value < 0.02, "{found:?}");
    }

    #[test]
    fn a_rising_curve_is_further_from_falling_than_chance() {
        let found = test_decrease(&bins(&[5, 15, 25, 35]), 999, 3).unwrap();
        // The fit is flat at one half; the shares are 3/8, 1/8, 1/8 and 3/8 away from it.
        assert!((found.distance - 0.25).abs() < 1e-12);
        assert_eq!(found.p_value, 1.0);
    }

    #[test]
    fn bins_weigh_by_their_cases() {
        let found = test_decrease(
            &[LabelledBin { cases: 30, labelled: 0 }, LabelledBin { cases: 10, labelled: 10 }],
            0,
            0,
        )
        .unwrap();
        // Pooled at 10/40: (30 * 0.25 + 10 * 0.75) / 40.
        assert!((found.distance - 0.375).abs() < 1e-12);
        assert_eq!(found.p_value, 1.0);
    }

    #[test]
    fn p_value_is_that_of_all_arrangements() {
        // Two bins of two cases, two labels: 6 arrangements; the share falls or stays level in 5, so 5/6 have distance 0.
        let small = [LabelledBin { cases: 2, labelled: 2 }, LabelledBin { cases: 2, labelled: 0 }];
        let found = test_decrease(&small, 20_000, 1).unwrap();
        assert!((found.p_value - 5.0 / 6.0).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn one_bin_cannot_be_tested() {
        assert_eq!(test_decrease(&bins(&[3]), 100, 0), None);
    }
}
