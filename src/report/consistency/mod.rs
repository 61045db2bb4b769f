//! One analysis of consistency on the page: its finding, its tiles, its figures and tables.

pub mod finding;
pub mod models;
mod tables;
#[cfg(test)]
mod tests;
mod tiles;

use super::escape;
use super::figure::{depths, effects, modalities, resolution, similarity, tokens};
use super::input::ItemView;
use super::part::{Part, sections};
use crate::analysis::summary::{ConsistencyAnalysis, IncompleteReason};

/// The analysis as sections. `id` is unique on the page; `title` is the markup that names it, empty where it stands alone;
/// `items` are those that the page shows.
#[must_use]
pub fn section(id: &str, analysis: &ConsistencyAnalysis, title: &str, items: &[ItemView]) -> String {
    let parts = sections(id, !title.is_empty(), parts(id, analysis, items));
    format!(
        "<div class=\"analysis\" id=\"{id}\">{title}{}<p class=\"intro\">{}</p>{parts}</div>",
        tiles::tiles(analysis),
        compared(analysis)
    )
}

/// Links to the sections of an analysis.
#[must_use]
pub fn contents(id: &str, analysis: &ConsistencyAnalysis) -> String {
    let short = |key: &str| match key {
        "modalities" => "Modalities",
        "tasks" => "Tasks",
        "renderings" => "Renderings",
        "ocr-first" => "OCR first",
        "tokens" => "Tokens",
        _ => "Representation gap",
    };
    parts(id, analysis, &[])
        .iter()
        .map(|part| format!("<a href=\"#{id}-{}\">{}</a>", part.key, short(part.key)))
        .collect()
}

/// What was compared, and what was left out for which reason.
fn compared(analysis: &ConsistencyAnalysis) -> String {
    let pooled = &analysis.all.pooled;
    let count = super::number::count;
    let mut text = format!(
        "A comparison is one item in one rendering, answered as text, as image and with both mixed; {} comparisons of {} \
         items are complete.",
        count(pooled.comparisons),
        count(analysis.items)
    );
    if analysis.without_mixed > 0 {
        text.push_str(&format!(
            " Of these, {} are of items that are not shown mixed; their text and image are compared.",
            count(analysis.without_mixed)
        ));
    }
    if pooled.incomplete > 0 {
        let reasons: Vec<String> = analysis
            .incomplete
            .iter()
            .map(|why| {
                let what = match why.reason {
                    IncompleteReason::Failed => "answer failed",
                    IncompleteReason::Missing => "row is missing",
                };
                format!("{} whose {} {what}", count(why.comparisons), escape::html(why.modality.as_str()))
            })
            .collect();
        text.push_str(&format!(" {} are left out: {}.", count(pooled.incomplete), reasons.join(", ")));
    }
    text
}

fn parts(id: &str, analysis: &ConsistencyAnalysis, items: &[ItemView]) -> Vec<Part> {
    let mut parts = vec![
        Part {
            key: "modalities",
            title: "Which modality is answered best?",
            intro: "The content is the same, so a model that reads both equally well is right equally often. Where it cannot \
                    even read the picture, reading is to blame and not reasoning: the second bar leaves those out."
                .to_string(),
            body: modalities::figure(id, analysis),
        },
        Part {
            key: "tasks",
            title: "By task",
            intro: "The mean of tasks counts each task once; the pooled row counts each comparison once.".to_string(),
            body: tables::tasks(analysis),
        },
        Part {
            key: "renderings",
            title: "Does it matter how the text is rendered?",
            intro: tables::renderings_intro(analysis),
            body: format!("{}{}", resolution::figure(id, analysis), effects::figure(id, analysis)),
        },
    ];
    if let Some(found) = &analysis.ocr_first {
        parts.push(Part {
            key: "ocr-first",
            title: "First transcribed, then solved",
            intro: "If reading were the only obstacle, the model's own transcription, given back to it as text, would be \
                    solved as well as the text itself."
                .to_string(),
            body: tables::ocr_first(found),
        });
    }
    parts.push(Part {
        key: "tokens",
        title: "What does a right answer cost?",
        intro: "The same content takes more or fewer tokens as image than as text; what counts is how many buy a right answer."
            .to_string(),
        body: tokens::figure(id, analysis),
    });
    if !analysis.representations.is_empty() {
        parts.push(Part {
            key: "representations",
            title: "Are image and text alike inside the model?",
            intro: "The mean image token of a rendering against the mean text token of its text. Where the same content is not \
                    alike inside the model, it may well be answered differently. Retrieval: how often a picture is more like \
                    its own text than like any other, and the other way round."
                .to_string(),
            body: gap(id, analysis, items),
        });
    }
    parts
}

/// The curves over depths where there are more than the decoder's ends, else their table; and the matrix.
fn gap(id: &str, analysis: &ConsistencyAnalysis, items: &[ItemView]) -> String {
    let (rows, best) = (&analysis.representations, analysis.best_depth.as_ref());
    let table = tables::representations(rows);
    let by_depth = if rows.len() > 2 { depths::figure(id, rows, best, &table) } else { table };
    format!("{by_depth}{}", similarity::figure(id, analysis.similarities.as_ref(), items))
}
