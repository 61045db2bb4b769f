//! A run against a reference run: a section of the run's page, and a page of its own.

mod tables;
#[cfg(test)]
pub(super) mod tests;

use super::document::document;
use super::figure::entropies;
use super::part::{Part, sections};
use super::{escape, number};
use crate::analysis::summary::Comparison;

/// The comparison as one self-contained HTML page, the same bytes for the same input.
#[must_use]
pub fn render_comparison(comparison: &Comparison) -> String {
    let (run, reference) = (&comparison.run, &comparison.reference);
    let [model, other, suite] =
        [&run.name(), &reference.name(), &comparison.suite].map(|name| escape::html(name));
    let parts = parts(comparison);
    let contents: String =
        parts.iter().map(|part| format!("<a href=\"#fidelity-{}\">{}</a>", part.key, part.title)).collect();
    let body = format!(
        "<header class=\"masthead\"><p class=\"kicker\">Does it still answer the same?</p>\
         <h1>{model} <span class=\"times\">against</span> {other}</h1><p class=\"finding\">{}</p>\
         <p class=\"byline\">on {suite} · run <code>{}</code> against <code>{}</code></p>\
         <nav aria-label=\"Contents\">{contents}</nav></header>\n<main>\n<p class=\"intro\">{}</p>{}\n</main>\n\
         <footer><p>Made from the tables of both runs; {}.</p></footer>",
        verdict(comparison),
        escape::html(&run.run),
        escape::html(&reference.run),
        compared(comparison),
        sections("fidelity", false, parts),
        settings(comparison),
    );
    document(&format!("{model} against {other} × {suite}"), &body)
}

/// The section of the run's page.
#[must_use]
pub fn section(comparison: &Comparison) -> String {
    format!(
        "<section id=\"fidelity\"><h2>Fidelity</h2><p class=\"intro\">Against the reference run <code>{}</code> of {}: <strong>{}</strong>. \
         {}</p>{}</section>",
        escape::html(&comparison.reference.run),
        escape::html(&comparison.reference.name()),
        verdict(comparison),
        compared(comparison),
        sections("fidelity", true, parts(comparison)),
    )
}

fn verdict(comparison: &Comparison) -> String {
    comparison.verdict.words(number::count)
}

/// What was compared, and what was not.
fn compared(comparison: &Comparison) -> String {
    let prompts = &comparison.prompts;
    let left_out = [
        (prompts.only_reference, "are in the reference alone"),
        (prompts.only_run, "are in the run alone"),
        (prompts.failed_reference, "failed in the reference"),
        (prompts.failed_run, "failed in the run"),
    ];
    let mut text =
        format!("{} prompts are in both runs and failed in neither.", number::count(prompts.compared));
    for (number, words) in left_out.into_iter().filter(|(number, _)| *number > 0) {
        text.push_str(&format!(" {} {words}.", number::count(number)));
    }
    if prompts.both_unparsed > 0 {
        let unparsed = number::count(prompts.both_unparsed);
        text.push_str(&format!(
            " {unparsed} have no answer that can be read in either run, which counts as the same answer."
        ));
    }
    if prompts.other_prompt > 0 {
        let other = number::count(prompts.other_prompt);
        text.push_str(&format!(
            " {other} are not the same prompt in both runs: other tokens, or another image."
        ));
    }
    text.push_str(" Changes are the run minus the reference.");
    text
}

fn settings(comparison: &Comparison) -> String {
    let settings = &comparison.settings;
    format!(
        "{} bootstrap resamples by group, confidence {}, seed {}",
        number::count(settings.bootstrap.into()),
        settings.confidence,
        settings.seed
    )
}

fn parts(comparison: &Comparison) -> Vec<Part> {
    let part = |key, title, intro: &str, body: String| Part { key, title, intro: intro.to_string(), body };
    let with_body = |part: &Part| !part.body.is_empty();
    [
        part("answers", "Answers", "What the tables of both runs say of the same prompts.", tables::answers(comparison)),
        part(
            "accuracy",
            "Accuracy",
            "Share of right answers, over the prompts whose answer is known to be right or wrong in both runs.",
            tables::accuracy(comparison),
        ),
        part(
            "probabilities",
            "Probabilities",
            "Absolute differences in nats: of the log-probability of every option, and of the entropy at the answer token.",
            format!("{}{}", tables::distances(comparison), entropies::figure(&comparison.entropies)),
        ),
        part(
            "texts",
            "Written texts",
            "Edits (insertions, deletions, substitutions) for every character of the longer text.",
            tables::texts(comparison),
        ),
        part(
            "figures",
            "What becomes of the figures",
            "The figures of the analysis over the prompts of both runs. An interval of a change that holds 0 shows none.",
            tables::figures(comparison),
        ),
    ]
    .into_iter()
    .filter(with_body)
    .collect()
}
