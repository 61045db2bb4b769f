//! Figure: accuracy by modality, over all comparisons and over those that are transcribed perfectly.

use super::{Swatch, framed, legend, nothing, whisker};
use crate::analysis::summary::{ConsistencyAnalysis, Estimate, Modality, ModalityTest, SubsetAnalysis};
use crate::report::number;
use crate::report::svg::axis;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::Linear;
use crate::report::table::Table;

/// Width of the drawing, where the bars begin, width of the values beside them, and height of one modality, user units.
const WIDTH: f64 = 720.0;
const LEFT: f64 = 70.0;
const VALUES: f64 = 170.0;
const ROW: f64 = 62.0;
/// Height of a bar.
const BAR: f64 = 21.0;

/// The figure, or why there is none.
#[must_use]
pub fn figure(id: &str, analysis: &ConsistencyAnalysis) -> String {
    let subsets = [("all", &analysis.all, ""), ("OCR-correct", &analysis.ocr_correct, " gated")];
    let modalities: Vec<Modality> = Modality::ALL
        .into_iter()
        .filter(|modality| analysis.all.pooled.rates.accuracy.of(*modality).is_some())
        .collect();
    if modalities.is_empty() {
        return nothing("No comparison has answers that are known to be right or wrong.");
    }
    let foot = ROW * modalities.len() as f64 + 4.0;
    let mut drawing = Drawing::new(
        &format!("{id}-modalities"),
        (WIDTH, foot + 30.0),
        "Accuracy by modality",
        &describe(&modalities, &analysis.all),
    );
    let x = Linear::new((0.0, 1.0), (LEFT, WIDTH - VALUES));
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        drawing.push(&Element::line((x.at(tick), 0.0), (x.at(tick), foot)).class("grid"));
    }
    axis::bottom(&mut drawing, &x, foot, &[0.0, 0.25, 0.5, 0.75, 1.0], 2);
    for (index, modality) in modalities.iter().enumerate() {
        let top = ROW * index as f64 + 8.0;
        drawing.push(&Element::label(LEFT - 10.0, top + BAR + 6.0, modality.as_str()).class("row-name end"));
        for (place, (name, subset, class)) in subsets.iter().enumerate() {
            let y = top + (BAR + 2.0) * place as f64;
            if let Some(accuracy) = subset.pooled.rates.accuracy.of(*modality) {
                bar(&mut drawing, &x, y, accuracy, (name, &format!("{}{class}", hue(*modality))));
            }
        }
    }
    let legend = legend(&[
        (Swatch::Fill("ink"), "all comparisons"),
        (Swatch::Fill("ink gated"), "OCR-correct: the model transcribes the rendering without an error"),
    ]);
    let caption = format!(
        "Share of right answers by modality, over comparisons of which every answer is known to be right or wrong: {} in \
         all, {} OCR-correct. Whiskers are intervals by item. {}",
        number::count(analysis.all.pooled.scored),
        number::count(analysis.ocr_correct.pooled.scored),
        test_words(&analysis.all.tests),
    );
    framed("modalities", &format!("{legend}{}", drawing.finish()), &caption, Some(&numbers(&subsets)))
}

/// The hue of a modality.
#[must_use]
pub fn hue(modality: Modality) -> &'static str {
    match modality {
        Modality::Text => "text",
        Modality::Image => "vision",
        Modality::Mixed => "mixed",
    }
}

fn bar(drawing: &mut Drawing, x: &Linear, y: f64, accuracy: &Estimate, (name, class): (&str, &str)) {
    if !accuracy.value.is_finite() {
        return;
    }
    let words = format!("{name}: {}", number::estimate(accuracy, 3));
    let left = x.at(0.0);
    drawing.push(&Element::rect(left, y, x.at(accuracy.value) - left, BAR).class(class).tooltip(&words));
    let middle = y + BAR / 2.0;
    whisker::lying(drawing, middle, x, accuracy);
    drawing.push(
        &Element::label(x.range().1 + 12.0, middle + 4.5, &number::estimate(accuracy, 2)).class("tick"),
    );
}

/// The paired tests that there are, in words.
fn test_words(tests: &[ModalityTest]) -> String {
    let words: Vec<String> = tests
        .iter()
        .filter_map(|test| {
            let p = crate::report::escape::html(&number::exact_p_value(test.p_value?));
            Some(format!(
                "{} − {}: {} (<i>p</i>\u{a0}{p})",
                test.first.as_str(),
                test.second.as_str(),
                number::difference(test.difference, 2)
            ))
        })
        .collect();
    match words.as_slice() {
        [] => String::new(),
        words => format!("Paired by item, with <i>t</i>-tests: {}.", words.join("; ")),
    }
}

fn describe(modalities: &[Modality], all: &SubsetAnalysis) -> String {
    let accuracy = |modality: &Modality| {
        let value = all.pooled.rates.accuracy.of(*modality).map(|accuracy| accuracy.value);
        format!("{} {}", modality.as_str(), number::optional(value, 2))
    };
    modalities.iter().map(accuracy).collect::<Vec<_>>().join("; ")
}

fn numbers(subsets: &[(&str, &SubsetAnalysis, &str)]) -> String {
    let mut table = Table::new(&["comparisons", "modality", "accuracy", "unparseable"]);
    for (name, subset, _) in subsets {
        for modality in Modality::ALL {
            table.row([
                (*name).to_string(),
                modality.as_str().to_string(),
                number::optional_estimate(*subset.pooled.rates.accuracy.of(modality), 3),
                number::optional_estimate(*subset.pooled.rates.unparsed.of(modality), 3),
            ]);
        }
    }
    let mut tests = Table::new(&["comparisons", "difference", "items", "mean", "t", "df", "p"]);
    for (name, subset, _) in subsets {
        for test in subset.tests.iter().filter(|test| test.items > 0) {
            tests.row([
                (*name).to_string(),
                format!("{} − {}", test.first.as_str(), test.second.as_str()),
                number::count(test.items),
                number::difference(test.difference, 3),
                number::optional(test.t, 3),
                number::count(test.degrees_of_freedom),
                test.p_value.map_or_else(
                    || "no variance".to_string(),
                    |p| number::exact_p_value(p).trim_start_matches("=\u{a0}").to_string(),
                ),
            ]);
        }
    }
    format!("{}{}", table.finish(), tests.finish())
}
