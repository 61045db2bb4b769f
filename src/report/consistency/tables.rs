//! The sections that are tables and sentences: tasks, agreement over renderings, OCR first, representations.

use crate::analysis::summary::{ConsistencyAnalysis, Estimate, OcrFirst, Rates, Representation};
use crate::report::figure::nothing;
use crate::report::number;
use crate::report::table::Table;

/// The rates of every task, their mean, and the pooled ones.
#[must_use]
pub fn tasks(analysis: &ConsistencyAnalysis) -> String {
    let all = &analysis.all;
    if all.pooled.comparisons == 0 {
        return nothing("No comparison is complete.");
    }
    let gated = |task: &str| {
        let of = analysis.ocr_correct.by_task.iter().find(|of| of.task == task);
        of.and_then(|of| of.metrics.rates.rer)
    };
    let mut table =
        Table::new(&["task", "complete", "RER", "RER, OCR-correct", "CFR", "MMC", "text", "image", "mixed"]);
    for of in &all.by_task {
        let complete = number::count(of.metrics.comparisons);
        table.row(row(&of.task, complete, &of.metrics.rates, gated(&of.task)));
    }
    if all.by_task.len() > 1 {
        let gated = analysis.ocr_correct.macro_mean.rer;
        table.row(row("mean of tasks", String::new(), &all.macro_mean, gated));
    }
    let (pooled, gated) = (&all.pooled, analysis.ocr_correct.pooled.rates.rer);
    table.row(row("pooled", number::count(pooled.comparisons), &pooled.rates, gated));
    format!("<div class=\"tasks\">{}</div>", table.finish())
}

fn row(task: &str, complete: String, rates: &Rates, gated: Option<Estimate>) -> [String; 9] {
    let value = |of: Option<Estimate>| number::optional(of.map(|of| of.value), 2);
    [
        task.to_string(),
        complete,
        number::optional_estimate(rates.rer, 2),
        number::optional_estimate(gated, 2),
        number::optional_estimate(rates.cfr, 2),
        value(rates.mmc),
        value(rates.accuracy.text),
        value(rates.accuracy.image),
        value(rates.accuracy.mixed),
    ]
}

/// What is said of renderings before their figures.
#[must_use]
pub fn renderings_intro(analysis: &ConsistencyAnalysis) -> String {
    let question = "Resolution, font and color change nothing of the content.";
    match &analysis.variant_agreement {
        Some(found) => format!(
            "{question} Of {} items that were answered in every rendering, {} have the same answer to the image in all of them.",
            number::count(found.items),
            found.share.map_or_else(|| number::ABSENT.to_string(), |share| number::percent_estimate(&share))
        ),
        None => format!("{question} No item was answered in two renderings or more."),
    }
}

/// OCR first, in a sentence.
#[must_use]
pub fn ocr_first(found: &OcrFirst) -> String {
    format!(
        "<p>Solved from its own transcription, the model is right {} of the time ({} answers, {} failed). Paired by item, that \
         is {}, and {}.</p>",
        found
            .accuracy
            .map_or_else(|| number::ABSENT.to_string(), |accuracy| number::percent_estimate(&accuracy)),
        number::count(found.scored),
        number::count(found.failed),
        change("image", found.against_image),
        change("text", found.against_text),
    )
}

fn change(other: &str, of: Option<Estimate>) -> String {
    let words = match of.as_ref().and_then(number::interval) {
        Some((low, _)) if low > 0.0 => "better than from",
        Some((_, high)) if high < 0.0 => "worse than from",
        Some(_) => "no change that the interval shows against",
        None => "a change of unknown certainty against",
    };
    format!("{words} the {other} ({})", number::difference(of, 2))
}

/// Cosine and retrieval by depth.
#[must_use]
pub fn representations(rows: &[Representation]) -> String {
    let mut table =
        Table::new(&["decoder", "pairs", "cosine", "retrieval", "image to text", "text to image"]);
    for at in rows {
        table.row([
            at.depth.clone(),
            number::count(at.pairs),
            number::optional_estimate(at.cosine, 3),
            number::optional_estimate(at.retrieval, 3),
            number::optional_estimate(at.image_to_text, 3),
            number::optional_estimate(at.text_to_image, 3),
        ]);
    }
    table.finish()
}
