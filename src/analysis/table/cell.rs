//! One cell of a text table: numbers, intervals and bars at fixed widths.

use std::fmt::Display;

use crate::analysis::summary::Estimate;

/// Flush left.
pub(super) fn left(value: impl Display, width: usize) -> String {
    format!("{:<width$}", value.to_string())
}

/// Flush right.
pub(super) fn right(value: impl Display, width: usize) -> String {
    format!("{:>width$}", value.to_string())
}

/// A count with a comma before every third digit from the right.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A share in percent, as wide as 100 %.
pub(super) fn percent(share: f64) -> String {
    format!("{:>5.1} %", 100.0 * share)
}

/// A number with its sign.
pub(super) fn signed(value: f64) -> String {
    format!("{value:+.3}")
}

/// An interval in brackets; nothing where there is none.
pub(super) fn interval(ends: Option<(f64, f64)>, format: impl Fn(f64) -> String) -> String {
    ends.map(|(low, high)| format!("[{}, {}]", format(low).trim_start(), format(high).trim_start()))
        .unwrap_or_default()
}

/// A value and its interval.
pub(super) fn estimate(of: Estimate, format: impl Fn(f64) -> String) -> String {
    let ends = interval(of.interval, &format);
    format!("{}  {ends}", format(of.value)).trim_end().to_owned()
}

/// A bar for a share, in eighths of a cell.
pub(super) fn bar(share: f64, cells: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * (8 * cells) as f64).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!([7, 999, 16_800, 1_234_567].map(count), ["7", "999", "16,800", "1,234,567"]);
    }

    #[test]
    fn bars_are_drawn_in_eighths() {
        assert_eq!([0.0, 0.5, 0.53125, 1.0].map(|share| bar(share, 4)), ["", "██", "██▏", "████"]);
    }

    #[test]
    fn an_estimate_without_interval_is_its_value() {
        assert_eq!(estimate(Estimate { value: -0.5, interval: None }, signed), "-0.500");
        let with = Estimate { value: 0.5, interval: Some((0.05, 1.0)) };
        assert_eq!(estimate(with, percent), " 50.0 %  [5.0 %, 100.0 %]");
    }
}
