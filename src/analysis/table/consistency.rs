//! Whether the same content is answered alike, for the terminal.

use super::cell::{count, estimate, percent};
use super::rows::section;
use super::{in_percent, joined, line, title};
use crate::analysis::summary::{
    ConsistencyAnalysis, ConsistencyMetrics, EffectMeasures, Estimate, IncompleteReason, Modality,
    ModalityTest, Rates, SubsetAnalysis, Unparsed,
};

/// The whole summary of one analysis, with a line feed after every line.
pub fn consistency(of: &ConsistencyAnalysis) -> String {
    joined([
        title(&of.model, &of.suite, &of.run),
        comparisons(of),
        subset("Consistency, all comparisons", &of.all),
        subset("Consistency, OCR-correct comparisons (transcribed without an error)", &of.ocr_correct),
        variants(of),
        tests("Paired t-tests of accuracy between modalities, all comparisons", &of.all.tests),
        tests("Paired t-tests, OCR-correct comparisons", &of.ocr_correct.tests),
        transcription(of),
        effects(of),
        across_rows(of),
        tokens(of),
        representations(of),
    ])
}

fn comparisons(of: &ConsistencyAnalysis) -> String {
    let mut text = String::from("Comparisons: an item in one rendering, as text, as image and mixed\n");
    line(&mut text, "items", &count(of.items));
    line(&mut text, "complete", &count(of.all.pooled.comparisons));
    if of.without_mixed > 0 {
        line(
            &mut text,
            "",
            &format!("{} of them of items that are not shown mixed", count(of.without_mixed)),
        );
    }
    line(&mut text, "incomplete", &count(of.all.pooled.incomplete));
    for why in &of.incomplete {
        let reason = match why.reason {
            IncompleteReason::Failed => "the answer failed",
            IncompleteReason::Missing => "there is no row",
        };
        line(&mut text, "", &format!("{} {}: {reason}", count(why.comparisons), why.modality.as_str()));
    }
    line(&mut text, "OCR-correct", &count(of.ocr_correct.pooled.comparisons));
    let unparsed = match of.settings.unparsed {
        Unparsed::Agree => "with each other",
        Unparsed::Disagree => "with nothing",
    };
    line(&mut text, "unparseable", &format!("answers agree {unparsed}"));
    let (confidence, resamples) = (in_percent(of.settings.confidence), count(of.settings.bootstrap.into()));
    line(&mut text, "intervals", &format!("{confidence} % ({resamples} resamples by group)"));
    text
}

fn subset(heading: &str, at: &SubsetAnalysis) -> String {
    if at.pooled.comparisons == 0 {
        return format!("{heading}\n  there are none\n");
    }
    let metrics =
        |name: &str, of: &ConsistencyMetrics| row(name, count(of.comparisons), count(of.scored), &of.rates);
    let mut rows = vec![metrics("pooled", &at.pooled)];
    if at.by_task.len() > 1 {
        rows.push(row("mean of tasks", String::new(), String::new(), &at.macro_mean));
        rows.extend(at.by_task.iter().map(|task| metrics(&task.task, &task.metrics)));
    }
    let shares = section(heading, ["", "complete", "N", "RER", "MMC", "all right", "CFR"], &rows);
    let modality = |modality: Modality| {
        let rates = &at.pooled.rates;
        [
            modality.as_str().to_owned(),
            share(*rates.accuracy.of(modality)),
            share(*rates.unparsed.of(modality)),
        ]
    };
    let modalities = section("  By modality", ["", "accuracy", "unparseable"], &Modality::ALL.map(modality));
    format!("{shares}{modalities}")
}

fn row(name: &str, complete: String, scored: String, rates: &Rates) -> [String; 7] {
    let [rer, mmc, all_right, cfr] = [rates.rer, rates.mmc, rates.all_right, rates.cfr].map(share);
    [name.to_owned(), complete, scored, rer, mmc, all_right, cfr]
}

fn variants(of: &ConsistencyAnalysis) -> String {
    if of.all.by_variant.len() < 2 {
        return String::new();
    }
    let row = |variant: &crate::analysis::summary::VariantMetrics| {
        let (metrics, rates) = (&variant.metrics, &variant.metrics.rates);
        [
            variant.rendering.variant.clone(),
            count(metrics.comparisons),
            share(rates.rer),
            share(rates.cfr),
            share(rates.accuracy.image),
            share(rates.accuracy.mixed),
        ]
    };
    let rows: Vec<_> = of.all.by_variant.iter().map(row).collect();
    section("By rendering", ["", "complete", "RER", "CFR", "image right", "mixed right"], &rows)
}

fn tests(heading: &str, tests: &[ModalityTest]) -> String {
    let row = |test: &ModalityTest| {
        [
            format!("{} - {}", test.first.as_str(), test.second.as_str()),
            count(test.items),
            change(test.difference),
            test.t.map_or_else(|| "no variance".into(), |t| format!("{t:.3}")),
            count(test.degrees_of_freedom),
            test.p_value.map_or_else(|| "-".into(), p_value),
        ]
    };
    let rows: Vec<_> = tests.iter().filter(|test| test.items > 0).map(row).collect();
    section(heading, ["", "items", "difference", "t", "df", "p"], &rows)
}

fn transcription(of: &ConsistencyAnalysis) -> String {
    let row = |row: &crate::analysis::summary::Transcription| {
        [
            row.variant.clone().unwrap_or_else(|| "all".into()),
            count(row.transcriptions),
            count(row.failed),
            row.cer.map_or_else(|| "-".into(), |cer| estimate(cer, rate)),
            share(row.perfect),
        ]
    };
    let rows: Vec<_> = told_apart(&of.ocr).iter().map(row).collect();
    section("Transcription", ["", "made", "failed", "mean CER", "without an error"], &rows)
}

fn effects(of: &ConsistencyAnalysis) -> String {
    let rows: Vec<_> = of
        .effects
        .iter()
        .map(|at| {
            let reference = if at.reference { " (reference)" } else { "" };
            let cell = |pick: fn(&EffectMeasures) -> Option<Estimate>, format: fn(f64) -> String| {
                let value = pick(&at.at_level).map_or_else(|| "-".into(), |of| format(of.value));
                match at.difference.as_ref().and_then(pick) {
                    Some(difference) => format!("{value}  {}", change(Some(difference))),
                    None => value,
                }
            };
            [
                format!("{} {}{reference}", at.factor.as_str(), at.level),
                count(at.comparisons),
                cell(|of| of.accuracy, percent),
                cell(|of| of.cer, rate),
                cell(|of| of.rer, percent),
            ]
        })
        .collect();
    let heading = "Renderings: value, and its difference to the reference paired by item";
    section(heading, ["", "complete", "image right", "CER", "RER"], &rows)
}

/// What is said of several rows of one item.
fn across_rows(of: &ConsistencyAnalysis) -> String {
    let mut text = String::new();
    if let Some(found) = &of.variant_agreement {
        text.push_str("All renderings answered alike\n");
        line(&mut text, "items", &count(found.items));
        line(&mut text, "share", &share(found.share));
    }
    if let Some(found) = &of.ocr_first {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str("First transcribed, then solved\n");
        line(&mut text, "accuracy", &format!("{} of {} answers", share(found.accuracy), count(found.scored)));
        line(&mut text, "minus image", &change(found.against_image));
        line(&mut text, "minus text", &change(found.against_text));
    }
    text
}

fn tokens(of: &ConsistencyAnalysis) -> String {
    let mean = |of: Option<Estimate>| of.map_or_else(|| "-".into(), |of| format!("{:.1}", of.value));
    let ratio = |of: Option<Estimate>| {
        of.map_or_else(|| "-".into(), |of| estimate(of, |value| format!("{value:.3}")))
    };
    let row = |row: &crate::analysis::summary::TokenUse| {
        [
            row.variant.clone().unwrap_or_else(|| "all".into()),
            mean(row.text_prompt),
            format!("{} + {}", mean(row.image_prompt_vision), mean(row.image_prompt_text)),
            mean(row.text_per_right),
            mean(row.vision_per_right),
            mean(row.image_per_right),
            ratio(row.vision_ratio),
        ]
    };
    let rows: Vec<_> = told_apart(&of.tokens).iter().map(row).collect();
    section(
        "Tokens of a prompt, and for every right answer",
        ["", "text", "image: vision + text", "text/right", "vision/right", "image/right", "vision : text"],
        &rows,
    )
}

fn representations(of: &ConsistencyAnalysis) -> String {
    let row = |at: &crate::analysis::summary::Representation| {
        let cosine = at.cosine.map_or_else(|| "-".into(), |of| estimate(of, |value| format!("{value:.4}")));
        [
            at.depth.clone(),
            count(at.pairs),
            cosine,
            share(at.retrieval),
            share(at.image_to_text),
            share(at.text_to_image),
        ]
    };
    let rows: Vec<_> = of.representations.iter().map(row).collect();
    section(
        "Representations: mean image token against mean text token of the same item",
        ["", "pairs", "cosine", "retrieval", "image to text", "text to image"],
        &rows,
    )
}

/// The row over all renderings and those of each, which says nothing new where there is only one.
fn told_apart<T>(rows: &[T]) -> &[T] {
    if rows.len() == 2 { &rows[..1] } else { rows }
}

/// A share in percent with its interval.
pub(super) fn share(of: Option<Estimate>) -> String {
    of.map_or_else(|| "-".into(), |of| estimate(of, percent).trim_start().to_owned())
}

/// A difference of shares or rates with its sign and interval.
pub(super) fn change(of: Option<Estimate>) -> String {
    of.map_or_else(|| "-".into(), |of| estimate(of, super::cell::signed))
}

/// A p-value; what rounds to 0 is said to be below the last digit.
pub(super) fn p_value(p: f64) -> String {
    if p < 5e-5 { "<0.0001".into() } else { format!("{p:.4}") }
}

/// A rate that may be above 1.
fn rate(value: f64) -> String {
    format!("{value:.4}")
}
