//! Student's t: the two-sided p-value, and the paired test.
//!
//! The distribution is the regularised incomplete beta function, by its continued fraction (DLMF 8.17.22, evaluated by
//! Lentz's method).

/// A paired t-test of "the mean difference is 0".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedTest {
    /// `mean / (standard deviation / sqrt(n))`, with n - 1 in the standard deviation.
    pub t: f64,
    /// Two-sided p-value at n - 1 degrees of freedom.
    pub p_value: f64,
}

/// Tests the differences of pairs; `None` with fewer than two, or where all are the same: there is no variance then.
pub fn paired_test(differences: &[f64]) -> Option<PairedTest> {
    let (first, rest) = differences.split_first()?;
    if rest.iter().all(|difference| difference == first) {
        return None;
    }
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|difference| (difference - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let t = mean / (variance / n).sqrt();
    Some(PairedTest { t, p_value: two_sided(t, n - 1.0) })
}

/// P(|T| >= |t|) for Student's t with these degrees of freedom (at least 1).
pub fn two_sided(t: f64, degrees_of_freedom: f64) -> f64 {
    let square = t * t;
    let whole = degrees_of_freedom + square;
    if whole.is_infinite() {
        return 0.0;
    }
    incomplete_beta(0.5 * degrees_of_freedom, 0.5, degrees_of_freedom / whole, square / whole)
}

/// The regularised incomplete beta function I_x(a, b), with `rest` = 1 - x given apart, so that no digits are lost where
/// x is close to 1.
fn incomplete_beta(a: f64, b: f64, x: f64, rest: f64) -> f64 {
    if x <= 0.0 || rest <= 0.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    // The fraction converges quickly below the mean; above it the function is mirrored.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, rest, x);
    }
    let log_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    (a * x.ln() + b * rest.ln() - log_beta).exp() / (a * fraction(a, b, x))
}

/// The continued fraction 1 + d_1 / (1 + d_2 / (1 + ...)).
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const STEPS: usize = 10_000;
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let coefficient = |step: usize| {
        let m = (step / 2) as f64;
        if step.is_multiple_of(2) {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        }
    };
    let (mut value, mut numerator, mut denominator) = (1.0, 1.0, 0.0);
    for step in 1..STEPS {
        let next = coefficient(step);
        denominator = 1.0 / away_from_zero(1.0 + next * denominator);
        numerator = away_from_zero(1.0 + next / numerator);
        let change: f64 = numerator * denominator;
        value *= change;
        if (change - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_degree_of_freedom_is_the_cauchy_distribution() {
        for t in [0.0_f64, 0.3, 1.0, -4.0, 50.0] {
            let expected = 1.0 - 2.0 * t.abs().atan() / std::f64::consts::PI;
            assert!((two_sided(t, 1.0) - expected).abs() < 1e-13, "{t}");
        }
    }

    #[test]
    fn two_degrees_of_freedom_have_a_closed_form() {
        for t in [0.1_f64, 1.0, 7.5] {
            assert!((two_sided(t, 2.0) - (1.0 - t / (2.0 + t * t).sqrt())).abs() < 1e-13, "{t}");
        }
    }

    #[test]
    fn tables_of_the_distribution() {
        // Critical values as printed in tables, to the digits that they have.
        for (t, degrees_of_freedom, p) in [(2.228, 10.0, 0.05), (2.750, 30.0, 0.01), (1.960, 1e6, 0.05)] {
            assert!((two_sided(t, degrees_of_freedom) - p).abs() < 1e-4, "{t}");
        }
    }

    #[test]
    fn differences_without_variance_are_not_tested() {
        assert_eq!(paired_test(&[]), None);
        assert_eq!(paired_test(&[0.4]), None);
        assert_eq!(paired_test(&[1.0 / 3.0; 7]), None);
    }

    #[test]
    fn differences_that_cancel_have_no_t() {
        assert_eq!(paired_test(&[1.0, -1.0]), Some(PairedTest { t: 0.0, p_value: 1.0 }));
    }
}
