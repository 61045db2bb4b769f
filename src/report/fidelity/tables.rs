//! The tables of a comparison; empty where there is nothing to say.

use crate::analysis::summary::{
    BalancePoint, Comparison, Distance, Estimate, FollowingFidelity, Paired, PromptFidelity,
};
use crate::report::number;
use crate::report::table::Table;

/// All prompts, then each presentation where there are several.
fn rows(comparison: &Comparison) -> Vec<(String, &PromptFidelity)> {
    let kinds = comparison.by_presentation.iter().map(|of| (of.name(), &of.fidelity));
    let rows: Vec<_> = std::iter::once(("all".to_string(), &comparison.prompts)).chain(kinds).collect();
    if rows.len() == 2 { rows[1..].to_vec() } else { rows }
}

/// Agreement by presentation.
pub fn answers(comparison: &Comparison) -> String {
    let mut table =
        Table::new(&["presentation", "compared", "answers that differ", "same answer", "same first token"]);
    for (name, of) in rows(comparison) {
        table.row([
            name,
            number::count(of.compared),
            number::count(of.compared - of.same_answers),
            number::optional_estimate(of.answer_agreement, 3),
            number::optional_estimate(of.top1_agreement, 3),
        ]);
    }
    table.finish()
}

/// Right answers by presentation.
pub fn accuracy(comparison: &Comparison) -> String {
    let rows: Vec<_> = rows(comparison).into_iter().filter(|(_, of)| of.scored > 0).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["presentation", "scored", "reference", "run", "change"]);
    for (name, of) in rows {
        let [reference, run, change] = paired(&of.accuracy);
        table.row([name, number::count(of.scored), reference, run, change]);
    }
    table.finish()
}

/// How far probabilities and entropies lie apart, by presentation.
pub fn distances(comparison: &Comparison) -> String {
    let rows: Vec<_> =
        rows(comparison).into_iter().filter(|(_, of)| of.option_logprob.or(of.entropy).is_some()).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        "presentation",
        "log <i>p</i>: mean",
        "95\u{a0}% below",
        "largest",
        "<i>H</i>: mean",
        "95\u{a0}% below",
        "largest",
    ]);
    for (name, of) in rows {
        let cell = |of: Option<Distance>, pick: fn(Distance) -> f64| number::optional(of.map(pick), 4);
        let (option, entropy) = (of.option_logprob, of.entropy);
        table.row([
            name,
            cell(option, |of| of.mean),
            cell(option, |of| of.p95),
            cell(option, |of| of.max),
            cell(entropy, |of| of.mean),
            cell(entropy, |of| of.p95),
            cell(entropy, |of| of.max),
        ]);
    }
    table.finish()
}

/// How alike written texts are, by presentation.
pub fn texts(comparison: &Comparison) -> String {
    let rows: Vec<_> =
        rows(comparison).into_iter().filter_map(|(name, of)| Some((name, of.texts?))).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["presentation", "texts", "the same", "edits a character"]);
    for (name, of) in rows {
        table.row([
            name,
            number::count(of.texts),
            number::optional_estimate(of.same, 3),
            number::optional_estimate(of.distance, 4),
        ]);
    }
    table.finish()
}

/// The figures of following and consistency in both runs.
pub fn figures(comparison: &Comparison) -> String {
    let mut table = Table::new(&["figure", "over", "reference", "run", "change"]);
    let mut row = |name: &str, over: String, [reference, run, change]: [String; 3]| {
        table.row([name.to_string(), over, reference, run, change]);
    };
    if let Some(of) = &comparison.following {
        let analysed = over(of.analysed_reference, of.analysed_run, "cases");
        row("TFR", analysed.clone(), paired(&of.tfr));
        let point = |point: Option<BalancePoint>| match point {
            Some(BalancePoint::Crossing(at)) => number::estimate(&at, 3),
            Some(BalancePoint::AlwaysText) => "none, text throughout".to_string(),
            Some(BalancePoint::AlwaysVision) => "none, image throughout".to_string(),
            None => number::ABSENT.to_string(),
        };
        let shift = number::difference(of.balance_shift, 3);
        row("balance point", analysed, [point(of.balance_reference), point(of.balance_run), shift]);
    }
    if let Some(of) = &comparison.consistency {
        for (subset, rates) in [("", &of.all), (", OCR-correct", &of.ocr_correct)] {
            let over = over(rates.comparisons_reference, rates.comparisons_run, "comparisons");
            for (rate, of) in [("RER", &rates.rer), ("MMC", &rates.mmc), ("CFR", &rates.cfr)] {
                row(&format!("{rate}{subset}"), over.clone(), paired(of));
            }
        }
    }
    match (&comparison.following, &comparison.consistency) {
        (None, None) => String::new(),
        (following, _) => {
            format!("{}{}", following.as_ref().map(agreement).unwrap_or_default(), table.finish())
        }
    }
}

fn agreement(of: &FollowingFidelity) -> String {
    let share =
        of.agreement.map_or_else(|| number::ABSENT.to_string(), |share| number::percent_estimate(&share));
    format!(
        "<p>Both runs follow the same (text, image or other) in {share} of the {} conflict cases in which either has a \
         conflict to resolve.</p>",
        number::count(of.decided)
    )
}

/// How many there are; of each run where they differ.
fn over(reference: u64, run: u64, what: &str) -> String {
    match reference == run {
        true => format!("{} {what}", number::count(run)),
        false => format!("{} / {} {what}", number::count(reference), number::count(run)),
    }
}

fn paired(of: &Paired) -> [String; 3] {
    let value = |of: Option<Estimate>| number::optional(of.map(|of| of.value), 3);
    [value(of.reference), value(of.run), number::difference(of.change, 3)]
}
