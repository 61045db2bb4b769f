//! Figure: accuracy over the tokens of the prompt, for the text and for each rendering of the image.

use super::{Swatch, framed, legend, nothing, whisker};
use crate::analysis::summary::{ConsistencyAnalysis, Estimate, TokenUse};
use crate::report::number;
use crate::report::svg::axis;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::{Linear, round_ticks};
use crate::report::table::Table;

/// Size of the drawing, user units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 330.0;

/// One way of showing, with its tokens and its accuracy.
struct Mark<'a> {
    name: &'a str,
    class: &'static str,
    tokens: f64,
    accuracy: Estimate,
}

/// The figure, or why there is none.
#[must_use]
pub fn figure(id: &str, analysis: &ConsistencyAnalysis) -> String {
    let marks = marks(analysis);
    if marks.is_empty() {
        return nothing(
            "The tokens of the prompts are not known (answers that were imported may lack them).",
        );
    }
    let ticks = round_ticks(marks.iter().map(|mark| mark.tokens).fold(0.0, f64::max));
    let (top, bottom) = (34.0, HEIGHT - 54.0);
    let x = Linear::new((0.0, ticks[ticks.len() - 1]), (50.0, WIDTH - 16.0));
    let y = Linear::new((0.0, 1.0), (bottom, top));
    let (left, right) = x.range();
    let words: Vec<String> = marks.iter().map(words).collect();
    let mut drawing = Drawing::new(
        &format!("{id}-tokens"),
        (WIDTH, HEIGHT),
        "Accuracy over the tokens of the prompt",
        &words.join("; "),
    );
    axis::left(&mut drawing, &y, left, right, &[0.0, 0.25, 0.5, 0.75, 1.0], 2);
    axis::bottom(&mut drawing, &x, bottom, &ticks, axis::decimals(&ticks));
    let middle = f64::midpoint(left, right);
    drawing.push(&Element::label(middle, bottom + 44.0, "mean tokens of the prompt").class("name middle"));
    drawing.push(&Element::label(left, top - 16.0, "accuracy").class("name"));
    for mark in &marks {
        whisker::upright(&mut drawing, x.at(mark.tokens), &y, &mark.accuracy);
    }
    for (mark, words) in marks.iter().zip(&words) {
        drawing.push(
            &Element::circle((x.at(mark.tokens), y.at(mark.accuracy.value)), 5.5)
                .class(&format!("point {}", mark.class))
                .tooltip(words),
        );
    }
    let legend =
        legend(&[(Swatch::Fill("text"), "text"), (Swatch::Fill("vision"), "image, one point a rendering")]);
    let caption = format!(
        "What the content costs as text and as image. Tokens of the image are its vision tokens and the text beside them. {}",
        analysis.tokens.first().map(cost_words).unwrap_or_default()
    );
    framed("tokens", &format!("{legend}{}", drawing.finish()), &caption, Some(&numbers(&analysis.tokens)))
}

/// The text over all renderings, then the image in each.
fn marks(analysis: &ConsistencyAnalysis) -> Vec<Mark<'_>> {
    let text = analysis.tokens.first().and_then(|all| {
        let accuracy = analysis.all.pooled.rates.accuracy.text?;
        Some(Mark { name: "text", class: "text", tokens: all.text_prompt?.value, accuracy })
    });
    let image = analysis.tokens.iter().filter_map(|row| {
        let name = row.variant.as_deref()?;
        let variant = analysis.all.by_variant.iter().find(|of| of.rendering.variant == name)?;
        let tokens = row.image_prompt_vision?.value + row.image_prompt_text?.value;
        Some(Mark { name, class: "vision", tokens, accuracy: variant.metrics.rates.accuracy.image? })
    });
    let finite = |mark: &Mark| mark.tokens.is_finite() && mark.accuracy.value.is_finite();
    text.into_iter().chain(image).filter(finite).collect()
}

fn words(mark: &Mark) -> String {
    let accuracy = number::estimate(&mark.accuracy, 2);
    format!("{}: {} tokens, accuracy {accuracy}", mark.name, number::fixed(mark.tokens, 0))
}

fn cost_words(all: &TokenUse) -> String {
    let per_right = |of: Option<Estimate>| number::optional(of.map(|of| of.value), 0);
    format!(
        "A right answer takes {} tokens of text, or {} vision tokens ({} with the text beside them): {} times as many.",
        per_right(all.text_per_right),
        per_right(all.vision_per_right),
        per_right(all.image_per_right),
        number::optional_estimate(all.vision_ratio, 2),
    )
}

fn numbers(rows: &[TokenUse]) -> String {
    let mut table = Table::new(&[
        "rendering",
        "text prompt",
        "image: vision",
        "image: text",
        "text / right",
        "vision / right",
        "image / right",
        "vision : text",
    ]);
    for row in rows {
        let mean = |of: Option<Estimate>| number::optional(of.map(|of| of.value), 1);
        table.row([
            row.variant.clone().unwrap_or_else(|| "all".to_string()),
            mean(row.text_prompt),
            mean(row.image_prompt_vision),
            mean(row.image_prompt_text),
            mean(row.text_per_right),
            mean(row.vision_per_right),
            mean(row.image_per_right),
            number::optional_estimate(row.vision_ratio, 2),
        ]);
    }
    table.finish()
}
