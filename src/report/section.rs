//! One analysis on the page: its finding, its tiles, its figures.

use super::case_links::CaseLinks;
use super::figure::{DH_REL, cells, controls, curve, halves, tally, tiers};
use super::part::{Part, sections};
use super::{escape, inside, tiles};
use crate::analysis::summary::FollowingAnalysis;

/// The analysis as sections. `id` is unique on the page; `title` is the markup that names it, empty where it stands alone;
/// `links` lead to its cases on the page.
#[must_use]
pub fn section(id: &str, analysis: &FollowingAnalysis, title: &str, links: &CaseLinks) -> String {
    let parts = parts(id, analysis).into_iter().chain(inside::part(id, analysis, links));
    let parts = sections(id, !title.is_empty(), parts);
    format!(
        "<div class=\"analysis\" id=\"{id}\">{title}{}{}{parts}</div>",
        tiles::tiles(analysis),
        tally::figure(id, &analysis.counts)
    )
}

/// Model x suite of an analysis.
#[must_use]
pub fn name(model: &str, suite: &str) -> String {
    format!("{} <span class=\"times\">×</span> {}", escape::html(model), escape::html(suite))
}

/// Links to the sections of an analysis.
#[must_use]
pub fn contents(id: &str, analysis: &FollowingAnalysis) -> String {
    let layers = analysis.layers.is_some().then_some(("layers", "Layers"));
    [
        ("curve", "Curve"),
        ("tiers", "Difficulty"),
        ("cells", "Following by difficulty"),
        ("halves", "Robustness"),
        ("controls", "Controls"),
    ]
    .into_iter()
    .chain(layers)
    .map(|(key, title)| format!("<a href=\"#{id}-{key}\">{title}</a>"))
    .collect()
}

fn parts(id: &str, analysis: &FollowingAnalysis) -> [Part; 5] {
    [
        Part {
            key: "curve",
            title: "Does the easier modality win?",
            intro: format!(
                "The law under test: the more certain the model is of the text alone, compared with the image alone, the \
                 more often it follows the text when the two disagree. So the share of text following should fall from \
                 left to right, and where it crosses one half is the model's own preference, freed from difficulty. \
                 At {DH_REL}\u{a0}=\u{a0}0 both modalities are equally uncertain."
            ),
            body: curve::figure(id, analysis.curve.as_ref(), &analysis.settings),
        },
        Part {
            key: "tiers",
            title: "Difficulty, one modality at a time",
            intro: "Uncertainty is measured where there is no conflict: the model answers from the image alone, and from \
                    the text alone."
                .to_string(),
            body: tiers::figure(id, &analysis.vision_tiers, &analysis.text_tiers),
        },
        Part {
            key: "cells",
            title: "Following by difficulty",
            intro: "The same cases sorted by how hard they were built to be, without any entropy: a check that does not \
                    depend on the model's confidence."
                .to_string(),
            body: cells::figure(id, &analysis.cells),
        },
        Part {
            key: "halves",
            title: "Robustness",
            intro: "Relative uncertainty could stand in for plain uncertainty. Splitting the cases by total entropy and \
                    drawing the curve again tells the two apart."
                .to_string(),
            body: halves::figure(id, &analysis.splits),
        },
        Part {
            key: "controls",
            title: "Controls",
            intro: "Where one modality is beside the point there is no conflict to resolve; what remains is whether the \
                    model can tell which modality to read."
                .to_string(),
            body: controls::figure(id, &analysis.controls),
        },
    ]
}
