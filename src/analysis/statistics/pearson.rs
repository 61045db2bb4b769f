//! Pearson's correlation with its two-sided p-value (t with n - 2 degrees of freedom; both sides normal).

use super::student_t;

/// A correlation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// Pearson's r, in [-1, 1].
    pub r: f64,
    /// Two-sided p-value of "r is 0".
    pub p_value: f64,
}

/// The correlation of paired values; `None` under three pairs, or where a side is constant.
pub fn correlation(pairs: &[(f64, f64)]) -> Option<Correlation> {
    let constant = |side: fn(&(f64, f64)) -> f64| pairs.iter().all(|pair| side(pair) == side(&pairs[0]));
    if pairs.len() < 3 || constant(|pair| pair.0) || constant(|pair| pair.1) {
        return None;
    }
    let n = pairs.len() as f64;
    let (first, second) = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    let (mean_first, mean_second) = (first / n, second / n);
    let (mut across, mut within_first, mut within_second) = (0.0, 0.0, 0.0);
    for (one, other) in pairs {
        across += (one - mean_first) * (other - mean_second);
        within_first += (one - mean_first).powi(2);
        within_second += (other - mean_second).powi(2);
    }
    let r = (across / (within_first.sqrt() * within_second.sqrt())).clamp(-1.0, 1.0);
    let t = r * ((n - 2.0) / ((1.0 - r) * (1.0 + r))).sqrt();
    Some(Correlation { r, p_value: student_t::two_sided(t, n - 2.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_certain() {
        let line: Vec<(f64, f64)> = (0..8).map(|x| (f64::from(x), 3.0 - 0.5 * f64::from(x))).collect();
        let found = correlation(&line).unwrap();
        assert!((found.r + 1.0).abs() < 1e-12);
        assert!(found.p_value < 1e-12);
    }

    #[test]
    fn symmetric_values_do_not_correlate() {
        let found = correlation(&[(-1.0, 1.0), (0.0, 0.0), (1.0, 1.0)]).unwrap();
        assert_eq!((found.r, found.p_value), (0.0, 1.0));
    }

    #[test]
    fn two_points_or_a_constant_side_have_no_correlation() {
        assert_eq!(correlation(&[(0.0, 1.0), (1.0, 2.0)]), None);
        assert_eq!(correlation(&[(0.1, 1.0), (0.1, 2.0), (0.1, 3.0)]), None);
        assert_eq!(correlation(&[]), None);
    }
}
