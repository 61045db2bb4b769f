//! The sample of cases: cards in a list, which the script turns into a browser with filters.
//!
//! Without the script the list is shown whole. The script reads the cards' `data-` attributes; the page holds no JSON.

use std::collections::BTreeSet;

use super::case_card::{card, control, following, tier};
use super::case_links::CaseLinks;
use super::escape;
use super::figure::{DH_REL, nothing};
use super::input::CaseView;

/// The section; `links` know the bin of a case.
#[must_use]
pub fn section(cases: &[CaseView], links: &CaseLinks) -> String {
    let body = if cases.is_empty() {
        nothing("This page was made without a sample of cases.")
    } else {
        let cards: String = cases
            .iter()
            .enumerate()
            .map(|(index, case)| card(index + 1, case, &links.bin_name_of(case)))
            .collect();
        format!(
            "<p class=\"intro\">A sample, to look at what the model was shown and what it said; it stands for nothing \
             more. Answers and options are in the hue of the modality that is designed to give them.</p>\
             <div class=\"browser\" id=\"case-browser\">{}\
             <div class=\"deck\" tabindex=\"0\" role=\"region\" aria-label=\"Cases; left and right arrow keys browse\">{cards}\
             <p class=\"nothing\" data-empty hidden>No case matches these filters.</p></div></div>",
            controls(cases, links)
        )
    };
    format!("<section id=\"cases\"><h2>Cases</h2>{body}</section>")
}

/// Filters and buttons; hidden until the script that serves them runs.
fn controls(cases: &[CaseView], links: &CaseLinks) -> String {
    let filters = [
        filter("follows", "follows", cases.iter().map(following).collect()),
        filter(
            "dv",
            "dv",
            cases.iter().map(|case| case.dv).collect::<BTreeSet<_>>().into_iter().map(tier).collect(),
        ),
        filter(
            "dt",
            "dt",
            cases.iter().map(|case| case.dt).collect::<BTreeSet<_>>().into_iter().map(tier).collect(),
        ),
        filter("bin", DH_REL, links.bin_names()),
        filter("control", "control", cases.iter().map(|case| control(case).to_string()).collect()),
    ]
    .concat();
    format!(
        "<div class=\"case-controls\" data-controls hidden><div class=\"filters\">{filters}</div>\
         <div class=\"steps\"><button type=\"button\" data-step=\"-1\">← previous</button>\
         <output aria-live=\"polite\" data-position></output>\
         <button type=\"button\" data-step=\"1\">next →</button>\
         <label class=\"all\"><input type=\"checkbox\" data-all> show all as a list</label></div></div>"
    )
}

/// A choice among the values that occur, in the order in which they come; repeated ones once.
fn filter(key: &str, label: &'static str, values: Vec<String>) -> String {
    let mut seen = BTreeSet::new();
    let options: String = values
        .into_iter()
        .filter(|value| seen.insert(value.clone()))
        .map(|value| {
            let value = escape::html(&value);
            format!("<option value=\"{value}\">{value}</option>")
        })
        .collect();
    format!(
        "<label>{label} <select data-filter=\"{key}\" autocomplete=\"off\"><option value=\"\">any</option>{options}</select></label>"
    )
}
