//! The page around it all: head, heading, contents, and the order of the sections.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::figure::nothing;
use super::input::{About, CaseView};
use super::{cases, comparison, escape, finding, method, number, section};
use crate::analysis::summary::FollowingAnalysis;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Renders the report of a run: one HTML page that needs no network, the same bytes for the same input.
#[must_use]
pub fn render(about: &About, analyses: &[FollowingAnalysis], cases: &[CaseView]) -> String {
    // The parser of a browser sees one kind of line break, and so must the hashes of the policy.
    let (style, script) = (STYLE.replace("\r\n", "\n"), SCRIPT.replace("\r\n", "\n"));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{} × {}</title>\n<style>{style}</style>\n</head>\n<body>\n{}\n<main>\n{}\n{}\n{}\n</main>\n{}\n\
         <script>{script}</script>\n</body>\n</html>\n",
        policy(&style, &script),
        escape::html(&about.model),
        escape::html(&about.suite),
        heading(about, analyses),
        sections(analyses),
        cases::section(cases),
        method::notes(about, analyses),
        footer(about),
    )
}

/// No network at all: only this style, this script, and images inside the page.
fn policy(style: &str, script: &str) -> String {
    let hash = |source: &str| STANDARD.encode(Sha256::digest(source.as_bytes()));
    format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    )
}

fn id(index: usize) -> String {
    format!("analysis{}", index + 1)
}

fn heading(about: &About, analyses: &[FollowingAnalysis]) -> String {
    let findings = match analyses {
        [] => "<p class=\"finding\">No analysis of following was made of this run, so there is no finding to report.</p>"
            .to_string(),
        [analysis] => format!("<p class=\"finding\">{}</p>", finding::sentence(analysis)),
        several => comparison::table(several),
    };
    let contents = match analyses {
        [_] => section::contents(&id(0)),
        several => several
            .iter()
            .enumerate()
            .map(|(index, analysis)| format!("<a href=\"#{}\">{}</a>", id(index), section::name(analysis)))
            .collect(),
    };
    format!(
        "<header class=\"masthead\"><p class=\"kicker\">Which modality does it follow?</p>\
         <h1>{} <span class=\"times\">×</span> {}</h1>{findings}\
         <p class=\"byline\">run <code>{}</code> · {} prompts, {} failed · {}</p>\
         <nav aria-label=\"Contents\">{contents}<a href=\"#cases\">Cases</a><a href=\"#method\">Method</a>\
         <a href=\"#reproduce\">Reproduce</a></nav></header>",
        escape::html(&about.model),
        escape::html(&about.suite),
        escape::html(&about.run),
        number::count(about.prompts),
        number::count(about.failed),
        escape::html(&about.created_by),
    )
}

fn sections(analyses: &[FollowingAnalysis]) -> String {
    if analyses.is_empty() {
        return nothing(
            "There are no figures: a run is analysed after it has answered a suite of conflict cases.",
        );
    }
    let named = analyses.len() > 1;
    analyses
        .iter()
        .enumerate()
        .map(|(index, analysis)| section::section(&id(index), analysis, named))
        .collect()
}

fn footer(about: &About) -> String {
    format!(
        "<footer><p>Made by {} from the tables of run <code>{}</code>.</p></footer>",
        escape::html(&about.created_by),
        escape::html(&about.run)
    )
}
