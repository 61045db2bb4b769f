//! How numbers are written on the page: true minus signs, thousands separated, intervals in brackets, never "NaN".
//!
//! What belongs together (an interval, a percentage) is held together by no-break spaces.

use crate::analysis::summary::Estimate;

/// What stands where there is no number.
pub const ABSENT: &str = "n/a";

/// A number with a fixed count of decimals.
#[must_use]
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return ABSENT.to_string();
    }
    let digits = format!("{:.decimals$}", value.abs());
    let vanishes = digits.chars().all(|digit| matches!(digit, '0' | '.'));
    if value < 0.0 && !vanishes { format!("\u{2212}{digits}") } else { digits }
}

/// A number that may be absent.
#[must_use]
pub fn optional(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| ABSENT.to_string(), |value| fixed(value, decimals))
}

/// A count, thousands separated by commas.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A part of a whole, in percent without decimals.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { ABSENT.to_string() } else { format!("{}\u{a0}%", fixed(share(part, whole) * 100.0, 0)) }
}

/// A part of a whole in [0, 1]; 0 of nothing is 0.
#[must_use]
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// `0.41 [0.38, 0.44]`.
#[must_use]
pub fn estimate(estimate: &Estimate, decimals: usize) -> String {
    let value = fixed(estimate.value, decimals);
    match interval(estimate) {
        Some(ends) => format!("{value} {}", brackets(ends, decimals)),
        None => value,
    }
}

/// A share in percent: `41 % [38, 44]`.
#[must_use]
pub fn percent_estimate(of: &Estimate) -> String {
    if !of.value.is_finite() {
        return ABSENT.to_string();
    }
    let percent = format!("{}\u{a0}%", fixed(100.0 * of.value, 0));
    match interval(of) {
        Some((low, high)) => format!("{percent} {}", brackets((100.0 * low, 100.0 * high), 0)),
        None => percent,
    }
}

/// An estimate that may be absent.
#[must_use]
pub fn optional_estimate(of: Option<Estimate>, decimals: usize) -> String {
    of.map_or_else(|| ABSENT.to_string(), |of| estimate(&of, decimals))
}

/// A difference with its sign and interval: `+0.14 [0.05, 0.23]`.
#[must_use]
pub fn difference(of: Option<Estimate>, decimals: usize) -> String {
    let plus = if of.is_some_and(|of| of.value > 0.0) { "+" } else { "" };
    format!("{plus}{}", optional_estimate(of, decimals))
}

/// `[0.38, 0.44]`.
#[must_use]
pub fn brackets((low, high): (f64, f64), decimals: usize) -> String {
    format!("[{},\u{a0}{}]", fixed(low, decimals), fixed(high, decimals))
}

/// The interval of an estimate, where it has one with two finite ends.
#[must_use]
pub fn interval(estimate: &Estimate) -> Option<(f64, f64)> {
    estimate.interval.filter(|(low, high)| low.is_finite() && high.is_finite())
}

/// A p-value out of so many shuffles: never "0", but below what the shuffles can resolve.
#[must_use]
pub fn p_value(value: f64, permutations: u32) -> String {
    let resolution = 1.0 / f64::from(permutations.max(1));
    if value < resolution {
        format!("<\u{a0}{}", fixed(resolution, 4))
    } else {
        format!("=\u{a0}{}", fixed(value, 4))
    }
}

/// A p-value of a distribution that is known: never "0".
#[must_use]
pub fn exact_p_value(value: f64) -> String {
    if value < 0.0001 { "<\u{a0}0.0001".to_string() } else { format!("=\u{a0}{}", fixed(value, 4)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minus_is_a_minus_and_zero_has_no_sign() {
        assert_eq!(fixed(-0.125, 2), "\u{2212}0.12");
        assert_eq!(fixed(-0.001, 2), "0.00");
    }

    #[test]
    fn what_is_not_a_number_is_said_to_be_absent() {
        assert_eq!(fixed(f64::NAN, 2), ABSENT);
        assert_eq!(fixed(f64::INFINITY, 2), ABSENT);
        assert_eq!(percent(1, 0), ABSENT);
        assert_eq!(estimate(&Estimate { value: 0.5, interval: Some((f64::NAN, 1.0)) }, 2), "0.50");
    }

    #[test]
    fn a_share_in_percent_has_its_interval_in_percent() {
        let share = Estimate { value: 0.414, interval: Some((0.376, 0.44)) };
        assert_eq!(percent_estimate(&share), "41\u{a0}% [38,\u{a0}44]");
        assert_eq!(percent_estimate(&Estimate { value: f64::NAN, interval: None }), ABSENT);
    }

    #[test]
    fn differences_have_a_sign() {
        let plain = |value| Some(Estimate { value, interval: None });
        assert_eq!(difference(plain(0.125), 2), "+0.12");
        assert_eq!(difference(plain(-0.125), 2), "\u{2212}0.12");
        assert_eq!(difference(None, 2), ABSENT);
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!(count(7), "7");
        assert_eq!(count(16_800), "16,800");
        assert_eq!(count(1_000_000), "1,000,000");
    }

    #[test]
    fn a_p_value_is_never_zero() {
        assert_eq!(p_value(0.0, 2000), "<\u{a0}0.0005");
        assert_eq!(p_value(0.25, 2000), "=\u{a0}0.2500");
    }
}
