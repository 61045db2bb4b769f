//! The key figures of one analysis, as a row of tiles.

use super::figure::DH_REL;
use super::finding::inherent_preference;
use super::number;
use crate::analysis::summary::{BalancePoint, Estimate, FollowingAnalysis};

struct Tile {
    name: String,
    value: String,
    note: String,
}

/// The tiles as a description list.
#[must_use]
pub fn tiles(analysis: &FollowingAnalysis) -> String {
    let tiles: String = [
        following(analysis),
        balance(analysis),
        monotone(analysis),
        spearman(analysis),
        analysed(analysis),
        failed(analysis),
    ]
    .iter()
    .map(|Tile { name, value, note }| {
        format!("<div><dt>{name}</dt><dd class=\"value\">{value}</dd><dd class=\"note\">{note}</dd></div>")
    })
    .collect();
    format!("<dl class=\"tiles\">{tiles}</dl>")
}

fn following(analysis: &FollowingAnalysis) -> Tile {
    let other =
        analysis.other_rate.map(|rate| format!("; other {}", number::estimate(&rate, 2))).unwrap_or_default();
    Tile {
        name: "Text-following ratio".to_string(),
        value: optional(analysis.tfr.as_ref(), 2),
        note: format!("{}{other}", interval_words(analysis.tfr.as_ref(), 2)),
    }
}

fn balance(analysis: &FollowingAnalysis) -> Tile {
    let (value, note) = match analysis.curve.as_ref().map(|curve| curve.balance_point) {
        Some(BalancePoint::Crossing(at)) => (
            number::fixed(at.value, 2),
            format!("{}; {}", interval_words(Some(&at), 2), inherent_preference(&at)),
        ),
        Some(BalancePoint::AlwaysText) => ("none".to_string(), "the text wins throughout".to_string()),
        Some(BalancePoint::AlwaysVision) => ("none".to_string(), "the image wins throughout".to_string()),
        None => (number::ABSENT.to_string(), "no curve".to_string()),
    };
    Tile { name: format!("Balance point, {DH_REL}"), value, note }
}

fn monotone(analysis: &FollowingAnalysis) -> Tile {
    let monotonicity = analysis.curve.as_ref().and_then(|curve| curve.monotonicity);
    let (value, note) = monotonicity.map_or_else(
        || (number::ABSENT.to_string(), "fewer than two filled bins".to_string()),
        |monotonicity| {
            let p = number::p_value(monotonicity.p_value, analysis.settings.permutations);
            let p = super::escape::html(&p);
            (
                number::fixed(monotonicity.distance, 3),
                format!("mean distance to a falling curve, <i>p</i>\u{a0}{p}"),
            )
        },
    );
    Tile { name: "Departure from monotone".to_string(), value, note }
}

fn spearman(analysis: &FollowingAnalysis) -> Tile {
    let rho = analysis.curve.as_ref().and_then(|curve| curve.monotonicity).and_then(|it| it.spearman_rho);
    Tile {
        name: "Spearman ρ".to_string(),
        value: number::optional(rho, 2),
        note: format!("{DH_REL} against text following, over cases"),
    }
}

fn analysed(analysis: &FollowingAnalysis) -> Tile {
    let counts = &analysis.counts;
    Tile {
        name: "Analysed cases".to_string(),
        value: number::count(counts.analysed),
        note: format!(
            "of {} ({})",
            number::count(counts.cases),
            number::percent(counts.analysed, counts.cases)
        ),
    }
}

fn failed(analysis: &FollowingAnalysis) -> Tile {
    let counts = &analysis.counts;
    Tile {
        name: "Failed cases".to_string(),
        value: number::count(counts.failed),
        note: if counts.failed == 0 {
            "every presentation ran".to_string()
        } else {
            format!("{} of all cases", percent_fine(counts.failed, counts.cases))
        },
    }
}

/// Failures are few: one decimal more than elsewhere.
fn percent_fine(part: u64, whole: u64) -> String {
    format!("{}\u{a0}%", number::fixed(number::share(part, whole) * 100.0, 1))
}

fn optional(estimate: Option<&Estimate>, decimals: usize) -> String {
    number::optional(estimate.map(|estimate| estimate.value), decimals)
}

fn interval_words(estimate: Option<&Estimate>, decimals: usize) -> String {
    estimate
        .and_then(number::interval)
        .map_or_else(|| "no interval".to_string(), |ends| number::brackets(ends, decimals))
}
