//! Spearman's rank correlation: Pearson's correlation of ranks, ties given the mean of the ranks they take.

/// Rho of paired values; `None` where a side is constant or there are fewer than two pairs.
pub fn rho(pairs: &[(f64, f64)]) -> Option<f64> {
    let first = ranks(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
    let second = ranks(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    // Ranks always have the mean (n + 1) / 2.
    let mean = 0.5 * (pairs.len() as f64 + 1.0);
    let (mut across, mut within_first, mut within_second) = (0.0, 0.0, 0.0);
    for (one, other) in first.iter().zip(&second) {
        across += (one - mean) * (other - mean);
        within_first += (one - mean).powi(2);
        within_second += (other - mean).powi(2);
    }
    let norm = (within_first * within_second).sqrt();
    (norm > 0.0).then(|| across / norm)
}

/// Ranks from 1, in the order of the values given.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&one, &other| values[one].total_cmp(&values[other]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for tie in order.chunk_by(|&one, &other| values[one] == values[other]) {
        let mean_rank = start as f64 + 0.5 * (tie.len() as f64 + 1.0);
        for &place in tie {
            ranks[place] = mean_rank;
        }
        start += tie.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_the_mean_rank() {
        assert_eq!(ranks(&[2.0, 1.0, 2.0, 3.0, 2.0]), [3.0, 1.0, 3.0, 5.0, 3.0]);
    }

    #[test]
    fn any_falling_relation_is_minus_one() {
        let pairs: Vec<_> = (1..9).map(|i| (f64::from(i), (-f64::from(i)).exp())).collect();
        assert!((rho(&pairs).unwrap() + 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_constant_side_has_no_rho() {
        assert_eq!(rho(&[(0.0, 1.0), (1.0, 1.0)]), None);
        assert_eq!(rho(&[(0.0, 1.0)]), None);
        assert_eq!(rho(&[]), None);
    }
}
