//! A run against a reference run, for the terminal: the verdict first.

use super::cell::{count, estimate, percent, signed};
use super::consistency::{change, share};
use super::following::balance_point;
use super::rows::section;
use super::{WIDTH, in_percent, joined, line};
use crate::analysis::summary::{
    ComparedRun, Comparison, ConsistencyFidelity, Distance, Estimate, FollowingFidelity, Paired,
    PromptFidelity, RatesFidelity,
};

/// The whole comparison, with a line feed after every line.
pub fn comparison(of: &Comparison) -> String {
    let rows: Vec<Row> = std::iter::once(("all".to_owned(), &of.prompts))
        .chain(of.by_presentation.iter().map(|of| (of.name(), &of.fidelity)))
        .collect();
    // One presentation is all there is.
    let rows = if rows.len() == 2 { &rows[1..] } else { &rows[..] };
    joined([
        heading(of),
        answers(rows),
        distances("Log-probabilities of the options, |difference| in nats", rows, |of| of.option_logprob),
        distances("Entropy at the answer token, |difference| in nats", rows, |of| of.entropy),
        texts(rows),
        accuracy(rows),
        of.following.as_ref().map(following).unwrap_or_default(),
        of.consistency.as_ref().map(consistency).unwrap_or_default(),
    ])
}

fn heading(of: &Comparison) -> String {
    let mut text = format!("{}\n{}\n", of.verdict.words(count), "─".repeat(WIDTH));
    let prompts = &of.prompts;
    let name = |of: &ComparedRun| format!("{}, {}", of.name(), of.run);
    line(&mut text, "run", &name(&of.run));
    line(&mut text, "reference", &name(&of.reference));
    line(&mut text, "suite", &of.suite);
    line(&mut text, "joined", &format!("{} prompts", count(prompts.joined)));
    let mut note = |number: u64, words: &str| {
        if number > 0 {
            line(&mut text, "", &format!("{} {words}", count(number)));
        }
    };
    note(prompts.only_reference, "more are in the reference alone");
    note(prompts.only_run, "more are in the run alone");
    note(prompts.failed_reference, "failed in the reference");
    note(prompts.failed_run, "failed in the run");
    note(
        prompts.both_unparsed,
        "are answered in neither run, as far as can be read: counted as the same answer",
    );
    note(prompts.other_prompt, "are not the same prompt in both runs (other tokens or another image)");
    let (confidence, resamples) = (in_percent(of.settings.confidence), count(of.settings.bootstrap.into()));
    line(&mut text, "intervals", &format!("{confidence} % ({resamples} resamples by group)"));
    text
}

/// A kind of prompts and its figures.
type Row<'a> = (String, &'a PromptFidelity);

fn answers(rows: &[Row]) -> String {
    let row = |(name, of): &Row| {
        [
            name.clone(),
            count(of.compared),
            count(of.compared - of.same_answers),
            share(of.answer_agreement),
            share(of.top1_agreement),
        ]
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    section("Answers", ["", "compared", "differ", "same answer", "same first token"], &rows)
}

fn distances(heading: &str, rows: &[Row], pick: fn(&PromptFidelity) -> Option<Distance>) -> String {
    let row = |(name, of): &Row| {
        let Distance { values, mean, p95, max, mean_change } = pick(of)?;
        let nats = |value: f64| format!("{value:.4}");
        Some([name.clone(), count(values), nats(mean), nats(p95), nats(max), signed_nats(mean_change)])
    };
    let rows: Vec<_> = rows.iter().filter_map(row).collect();
    section(heading, ["", "values", "mean", "95 % below", "largest", "mean change"], &rows)
}

/// With its sign, where four decimals have one.
fn signed_nats(value: f64) -> String {
    let text = format!("{value:+.4}");
    if text == "-0.0000" { "+0.0000".into() } else { text }
}

fn texts(rows: &[Row]) -> String {
    let row = |(name, of): &Row| {
        let of = of.texts?;
        let distance =
            of.distance.map_or_else(|| "-".into(), |of| estimate(of, |value| format!("{value:.4}")));
        Some([name.clone(), count(of.texts), share(of.same), distance])
    };
    let rows: Vec<_> = rows.iter().filter_map(row).collect();
    section("Written texts", ["", "texts", "the same", "edits / character"], &rows)
}

fn accuracy(rows: &[Row]) -> String {
    let row = |(name, of): &Row| {
        let [reference, run, change] = paired(&of.accuracy);
        (of.scored > 0).then(|| [name.clone(), count(of.scored), reference, run, change])
    };
    let rows: Vec<_> = rows.iter().filter_map(row).collect();
    section("Accuracy", ["", "scored", "reference", "run", "change"], &rows)
}

/// Reference and run in percent, and the change with its interval.
fn paired(of: &Paired) -> [String; 3] {
    let value =
        |of: Option<Estimate>| of.map_or_else(|| "-".into(), |of| percent(of.value).trim_start().to_owned());
    [value(of.reference), value(of.run), change(of.change)]
}

fn following(of: &FollowingFidelity) -> String {
    let mut text = String::from("Following, over the conflict cases of both runs\n");
    let agreement = format!("{} of {} cases", share(of.agreement), count(of.decided));
    line(&mut text, "follow the same", &agreement);
    if of.decided < of.cases {
        let undecided = count(of.cases - of.decided);
        line(
            &mut text,
            "",
            &format!(
                "{undecided} more have no conflict in either run: an answer is no option, or both are the same"
            ),
        );
    }
    let analysed =
        format!("{} in the reference, {} in the run", count(of.analysed_reference), count(of.analysed_run));
    line(&mut text, "analysed", &analysed);
    let [reference, run, change] = paired(&of.tfr);
    line(&mut text, "TFR", &format!("{reference} in the reference, {run} in the run: {change}"));
    let point = |point| match point {
        Some(point) => balance_point(point),
        None => "no curve".into(),
    };
    line(&mut text, "balance point", &format!("{} in the reference", point(of.balance_reference)));
    line(&mut text, "", &format!("{} in the run", point(of.balance_run)));
    let shift = match of.balance_shift {
        Some(shift) => format!("shifted by {}", estimate(shift, signed)),
        None => "no shift: it takes a crossing in both runs".into(),
    };
    line(&mut text, "", &shift);
    text
}

fn consistency(of: &ConsistencyFidelity) -> String {
    let rows = |name: &str, of: &RatesFidelity| {
        [("RER", &of.rer), ("MMC", &of.mmc), ("CFR", &of.cfr)].map(|(rate, paired_rate)| {
            let [reference, run, change] = paired(paired_rate);
            let comparisons = match (of.comparisons_reference, of.comparisons_run) {
                (one, other) if one == other => count(one),
                (one, other) => format!("{} / {}", count(one), count(other)),
            };
            [format!("{rate}, {name}"), comparisons, reference, run, change]
        })
    };
    let rows = [rows("all", &of.all), rows("OCR-correct", &of.ocr_correct)].concat();
    section("Consistency", ["", "comparisons", "reference", "run", "change"], &rows)
}
