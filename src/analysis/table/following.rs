//! Which modality is followed, for the terminal.
//!
//! One section a question, in the order in which a researcher asks: how much data, which modality wins, where the balance
//! point lies, what the curve looks like, how hard each modality was, and whether the result holds in halves and controls.

use std::fmt::Write;

use super::cell::{bar, count, estimate, interval, left, percent, right, signed};
use super::{in_percent, joined, layers, line, title};
use crate::analysis::summary::{
    BalancePoint, ControlRow, Curve, CurveBin, Estimate, FollowingAnalysis, TierRow,
};

/// Width of a bar of the curve.
const BAR_CELLS: usize = 20;

/// The whole summary of one analysis, with a line feed after every line.
pub fn following(of: &FollowingAnalysis) -> String {
    joined([
        title(&of.model, &of.suite, &of.run),
        cases(of),
        ratios(of),
        of.curve.as_ref().map(|curve| fits(of, curve)).unwrap_or_default(),
        of.curve.as_ref().map(|curve| bins(of, curve)).unwrap_or_default(),
        tiers("Image alone, by visual difficulty", "dv", &of.vision_tiers),
        tiers("Text alone, by text difficulty", "dt", &of.text_tiers),
        cells(of),
        splits(of),
        controls(&of.controls),
        inside(of),
    ])
}

/// Layer by layer, or how to see it.
fn inside(of: &FollowingAnalysis) -> String {
    match &of.layers {
        Some(layers) => layers::layers(layers),
        None if of.counts.analysed > 0 => layers::HINT.to_owned(),
        None => String::new(),
    }
}

fn cases(of: &FollowingAnalysis) -> String {
    let counts = &of.counts;
    let share = |part: u64| match counts.cases {
        0 => String::new(),
        cases => format!(" ({})", percent(part as f64 / cases as f64).trim_start()),
    };
    let mut text = String::from("Conflict cases\n");
    line(&mut text, "cases", &count(counts.cases));
    line(&mut text, "failed", &format!("{}{}", count(counts.failed), share(counts.failed)));
    let analysed = format!("{}{}", count(counts.analysed), share(counts.analysed));
    line(&mut text, "analysed", &format!("{analysed}: both unimodal answers are the designed ones"));
    text
}

fn ratios(of: &FollowingAnalysis) -> String {
    let Some(tfr) = of.tfr else {
        return String::from(
            "Following\n  no analysed case follows the text or the image: there is nothing to compare\n",
        );
    };
    let confidence = in_percent(of.settings.confidence);
    let mut text = format!(
        "Following, with {confidence} % intervals ({} resamples by group)\n",
        count(of.settings.bootstrap.into())
    );
    let row = |value: Option<Estimate>, cases: u64| {
        format!(
            "{}   {} cases",
            left(value.map(|value| estimate(value, percent)).unwrap_or_default(), 26),
            count(cases)
        )
    };
    line(&mut text, "text (TFR)", &row(Some(tfr), of.counts.text));
    line(&mut text, "image (VFR)", &row(Some(tfr.complement()), of.counts.vision));
    line(&mut text, "other", &row(of.other_rate, of.counts.other));
    line(&mut text, "", "TFR + VFR = 1; other is a share of all analysed cases");
    text
}

fn fits(of: &FollowingAnalysis, curve: &Curve) -> String {
    let mut text = String::from("Balance point: the dH_rel at which both modalities win equally often\n");
    line(&mut text, "isotonic fit", &balance_point(curve.balance_point));
    let unsure = matches!(curve.balance_point, BalancePoint::Crossing(at) if at.interval.is_none());
    let note = if unsure { " (no interval)" } else { "" };
    line(&mut text, "", &format!("{}{note}", reading(curve.balance_point)));
    match curve.logistic {
        Some(fit) => {
            let at = fit
                .balance_point
                .map_or_else(|| "no crossing inside [-2, 2]".into(), |at| estimate(at, signed));
            line(&mut text, "logistic fit", &at);
            let sign = if fit.slope < 0.0 { '-' } else { '+' };
            let slope = fit.slope.abs();
            line(&mut text, "", &format!("log-odds of text = {:.3} {sign} {slope:.3} dH_rel", fit.intercept));
        }
        None => line(
            &mut text,
            "logistic fit",
            "none: one modality always wins, or dH_rel separates them, or is constant",
        ),
    }
    match curve.monotonicity {
        Some(test) => {
            let rho = test.spearman_rho.map_or_else(|| "none".into(), |rho| format!("{rho:+.3}"));
            let found =
                format!("distance {:.4} from a falling curve, p = {:.4}", test.distance, test.p_value);
            line(&mut text, "monotonicity", &format!("{found}; Spearman's rho {rho}"));
        }
        None => {
            let least = count(of.settings.min_bin_cases);
            line(&mut text, "monotonicity", &format!("not tested: fewer than two bins hold {least} cases"));
        }
    }
    text
}

pub(super) fn balance_point(point: BalancePoint) -> String {
    match point {
        BalancePoint::Crossing(at) => estimate(at, signed),
        BalancePoint::AlwaysText | BalancePoint::AlwaysVision => "no crossing".into(),
    }
}

/// What a balance point says of the model, in words.
fn reading(point: BalancePoint) -> &'static str {
    match point {
        BalancePoint::AlwaysText => "text wins over the whole observed range",
        BalancePoint::AlwaysVision => "the image wins over the whole observed range",
        BalancePoint::Crossing(Estimate { interval: Some((low, high)), .. }) if low <= 0.0 && high >= 0.0 => {
            "no clear preference: the interval includes 0"
        }
        BalancePoint::Crossing(Estimate { value, .. }) if value < 0.0 => "inherent vision preference",
        BalancePoint::Crossing(Estimate { value, .. }) if value > 0.0 => "inherent text preference",
        BalancePoint::Crossing(_) => "no preference",
    }
}

fn bins(of: &FollowingAnalysis, curve: &Curve) -> String {
    let mut text = String::from("P(text following | dH_rel); dH_rel < 0: the text is the easier one\n");
    let _ = writeln!(text, "  {}  {}  {}", left("dH_rel", 16), right("cases", 7), right("P(text)", 7));
    for bin in curve.bins.iter().filter(|bin| bin.cases > 0) {
        let closing = if curve.bins.last() == Some(bin) { ']' } else { ')' };
        let range = format!("[{:+.2}, {:+.2}{closing}", bin.low, bin.high);
        let _ = writeln!(text, "  {}  {}  {}", left(range, 16), right(count(bin.cases), 7), share(bin, of));
    }
    text
}

fn share(bin: &CurveBin, of: &FollowingAnalysis) -> String {
    match bin.text_following {
        Some(share) => {
            let drawn =
                format!("{}  {}", left(interval(share.interval, percent), 17), bar(share.value, BAR_CELLS));
            format!("{}  {}", percent(share.value), drawn.trim_end())
        }
        None => format!("(fewer than {})", of.settings.min_bin_cases),
    }
}

fn tiers(heading: &str, tier: &str, rows: &[TierRow]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let nats = |value: f64| format!("{value:.3}");
    let with_entropy = rows.iter().any(|row| row.entropy.is_some());
    let mut text = format!("{heading}\n");
    let entropy_cell = |cell: String| if with_entropy { left(cell, 24) } else { String::new() };
    let heading = entropy_cell("entropy (nats)".into());
    let _ = writeln!(text, "  {}  {}  {heading}accuracy", right(tier, 4), right("prompts", 7));
    for row in rows {
        let entropy = entropy_cell(row.entropy.map_or_else(|| "-".into(), |entropy| estimate(entropy, nats)));
        let accuracy = estimate(row.accuracy, percent);
        let prompts = right(count(row.prompts), 7);
        let _ = writeln!(text, "  {}  {prompts}  {entropy}{accuracy}", right(row.tier, 4));
    }
    text
}

fn cells(of: &FollowingAnalysis) -> String {
    if of.cells.is_empty() {
        return String::new();
    }
    let mut text = String::from("By visual x text difficulty\n");
    let _ = writeln!(text, "    dv    dt  analysed     text    image    other  TFR      mean dH_rel");
    for cell in &of.cells {
        let numbers =
            [cell.analysed, cell.text, cell.vision, cell.other].map(|n| right(count(n), 7)).join("  ");
        let decided = cell.text + cell.vision;
        let tfr = if decided == 0 { "-".into() } else { percent(cell.text as f64 / decided as f64) };
        let dh_rel = cell.mean_dh_rel.map_or_else(|| "-".into(), signed);
        let _ = writeln!(
            text,
            "  {}  {}   {numbers}  {}  {dh_rel}",
            right(cell.dv, 4),
            right(cell.dt, 4),
            left(tfr, 7)
        );
    }
    text
}

fn splits(of: &FollowingAnalysis) -> String {
    if of.splits.is_empty() {
        return String::new();
    }
    let mut text = String::from("Below (low) and above (high) the median total entropy Ht + Hv\n");
    for split in &of.splits {
        let curve = &split.curve;
        let point = match curve.balance_point {
            BalancePoint::Crossing(at) => format!("balance point {}", estimate(at, signed)),
            BalancePoint::AlwaysText | BalancePoint::AlwaysVision => "no crossing".into(),
        };
        line(&mut text, &split.name, &format!("{} cases, {point}", count(curve.cases)));
        line(&mut text, "", reading(curve.balance_point));
    }
    text
}

fn controls(rows: &[ControlRow]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = String::from("Controls: what the answer to both modalities together agrees with\n");
    for row in rows {
        let counts = [("text", row.designed_text), ("image", row.designed_vision), ("other", row.other)];
        let counts = counts.map(|(name, n)| format!("{name} {}", count(n))).join(", ");
        line(&mut text, &row.control, &format!("{} cases: {counts}", count(row.cases)));
    }
    text
}
