//! The page around it all: head, heading, contents, and the order of the sections.

use super::case_links::CaseLinks;
use super::document::document;
use super::figure::nothing;
use super::input::{About, CaseView, ItemView};
use super::{
    cases, comparison, consistency, contact_sheet, escape, fidelity, finding, method, number, section,
};
use crate::analysis::summary::{Analysis, Comparison, ConsistencyAnalysis, FollowingAnalysis};

/// What a page is made from.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The run that the page is about.
    pub about: &'a About,
    /// Its analysis; those of other runs in it are compared with it and have no figures of their own.
    pub analysis: &'a Analysis,
    /// The run against a reference run.
    pub fidelity: Option<&'a Comparison>,
    /// A sample of its conflict cases.
    pub cases: &'a [CaseView],
    /// A sample of its items that are shown in several ways.
    pub items: &'a [ItemView],
}

impl<'a> Page<'a> {
    /// The analyses of following that are drawn.
    fn following(&self) -> Vec<&'a FollowingAnalysis> {
        self.analysis.following.iter().filter(|of| of.run == self.about.run).collect()
    }

    /// The analyses of consistency that are drawn.
    fn consistency(&self) -> Vec<&'a ConsistencyAnalysis> {
        self.analysis.consistency.iter().filter(|of| of.run == self.about.run).collect()
    }
}

/// Renders the report of a run: one HTML page that needs no network, the same bytes for the same input.
#[must_use]
pub fn render(page: &Page) -> String {
    let about = page.about;
    let title = format!("{} × {}", escape::html(&about.model), escape::html(&about.suite));
    let body = format!(
        "{}\n<main>\n{}\n{}\n</main>\n{}",
        heading(page),
        sections(page),
        method::notes(about, &page.following(), &page.consistency()),
        footer(about),
    );
    document(&title, &body)
}

fn following_id(index: usize) -> String {
    format!("analysis{}", index + 1)
}

fn consistency_id(index: usize) -> String {
    format!("consistency{}", index + 1)
}

fn heading(page: &Page) -> String {
    let about = page.about;
    let kicker = match (page.following().is_empty(), page.consistency().is_empty()) {
        (true, false) => "Same content, same answer?",
        (false, false) => "Same content, same answer? And which modality does it follow?",
        _ => "Which modality does it follow?",
    };
    format!(
        "<header class=\"masthead\"><p class=\"kicker\">{kicker}</p>\
         <h1>{} <span class=\"times\">×</span> {}</h1>{}\
         <p class=\"byline\">run <code>{}</code> · {} prompts, {} failed · {}</p>\
         <nav aria-label=\"Contents\">{}<a href=\"#method\">Method</a>\
         <a href=\"#reproduce\">Reproduce</a></nav></header>",
        escape::html(&about.model),
        escape::html(&about.suite),
        findings(page),
        escape::html(&about.run),
        number::count(about.prompts),
        number::count(about.failed),
        escape::html(&about.created_by),
        contents(page),
    )
}

/// A sentence for the run's only analysis of a kind, and a table for all that there are where there are several.
fn findings(page: &Page) -> String {
    let (all, following, consistency) = (page.analysis, page.following(), page.consistency());
    let mut findings = String::new();
    if let [analysis] = consistency.as_slice() {
        findings.push_str(&sentence(&consistency::finding::sentence(analysis)));
    }
    if all.consistency.len() > 1 {
        findings.push_str(&comparison::consistency_table(&all.consistency));
    }
    if let [analysis] = following.as_slice() {
        findings.push_str(&sentence(&finding::sentence(analysis)));
    }
    if all.following.len() > 1 {
        findings.push_str(&comparison::table(&all.following));
    }
    if findings.is_empty() {
        findings = sentence("No analysis was made of this run, so there is no finding to report.");
    }
    findings
}

/// A finding (markup of our own).
fn sentence(finding: &str) -> String {
    format!("<p class=\"finding\">{finding}</p>")
}

fn contents(page: &Page) -> String {
    let link = |id: String, name: String| format!("<a href=\"#{id}\">{name}</a>");
    let consistency = match page.consistency().as_slice() {
        [analysis] => consistency::contents(&consistency_id(0), analysis),
        several => {
            let names = several.iter().map(|of| section::name(&of.model, &of.suite));
            names.enumerate().map(|(index, name)| link(consistency_id(index), name)).collect()
        }
    };
    let models = match &page.analysis.models {
        Some(_) => link("models".into(), "Models".into()),
        None => String::new(),
    };
    let fidelity = match page.fidelity {
        Some(_) => link("fidelity".into(), "Fidelity".into()),
        None => String::new(),
    };
    let sheet = match page.items {
        [] => String::new(),
        _ => link("items".into(), "Items".into()),
    };
    let following = match page.following().as_slice() {
        [analysis] => section::contents(&following_id(0), analysis),
        several => {
            let names = several.iter().map(|of| section::name(&of.model, &of.suite));
            names.enumerate().map(|(index, name)| link(following_id(index), name)).collect()
        }
    };
    let cases = match with_cases(page) {
        true => link("cases".into(), "Cases".into()),
        false => String::new(),
    };
    [consistency, models, sheet, following, fidelity, cases].concat()
}

/// Conflict cases belong to runs that have them; a run without any analysis says that there are none.
fn with_cases(page: &Page) -> bool {
    !page.following().is_empty() || page.consistency().is_empty()
}

fn sections(page: &Page) -> String {
    let (following, consistency) = (page.following(), page.consistency());
    if following.is_empty() && consistency.is_empty() {
        let sentence = "There are no figures: a run is analysed after it has answered a suite of conflict cases, or one \
                        that shows the same content in several ways.";
        let fidelity = page.fidelity.map(fidelity::section).unwrap_or_default();
        return format!("{}{fidelity}{}", nothing(sentence), cases::section(page.cases, &all_links(page)));
    }
    let named = following.len() + consistency.len() > 1;
    // An analysis among others has its name; one among others of its kind has its finding here and not at the top.
    let title = |model: &str, suite: &str, finding: Option<String>| match named {
        true => format!(
            "<h2 class=\"analysis-name\">{}</h2>{}",
            section::name(model, suite),
            finding.map(|finding| sentence(&finding)).unwrap_or_default()
        ),
        false => String::new(),
    };
    let of_consistency = |(index, of): (usize, &&ConsistencyAnalysis)| {
        let finding = (consistency.len() > 1).then(|| consistency::finding::sentence(of));
        consistency::section(&consistency_id(index), of, &title(&of.model, &of.suite, finding), page.items)
    };
    let mut sections: Vec<String> = consistency.iter().enumerate().map(of_consistency).collect();
    sections.extend(page.analysis.models.as_ref().map(consistency::models::section));
    if !consistency.is_empty() {
        sections.push(contact_sheet::section(page.items));
    }
    sections.extend(following.iter().enumerate().map(|(index, of)| {
        let finding = (following.len() > 1).then(|| finding::sentence(of));
        section::section(&following_id(index), of, &title(&of.model, &of.suite, finding), &links(page, of))
    }));
    sections.extend(page.fidelity.map(fidelity::section));
    if with_cases(page) {
        sections.push(cases::section(page.cases, &all_links(page)));
    }
    sections.concat()
}

/// Links to the page's cases from the figures of an analysis; none from one whose cases they are not.
fn links<'a>(page: &Page<'a>, analysis: &FollowingAnalysis) -> CaseLinks<'a> {
    match (&analysis.model, &analysis.suite) == (&page.about.model, &page.about.suite) {
        true => CaseLinks::new(page.cases, analysis),
        false => CaseLinks::default(),
    }
}

/// Those of the analysis whose cases the page shows.
fn all_links<'a>(page: &Page<'a>) -> CaseLinks<'a> {
    let mut of_cases = page.following().into_iter().map(|of| links(page, of));
    of_cases.find(|links| !links.is_empty()).unwrap_or_default()
}

fn footer(about: &About) -> String {
    format!(
        "<footer><p>Made by {} from the tables of run <code>{}</code>.</p></footer>",
        escape::html(&about.created_by),
        escape::html(&about.run)
    )
}
