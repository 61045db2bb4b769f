//! Figure: RER over how alike image and text are inside the model, one point a model.

use super::{framed, nothing, whisker};
use crate::analysis::summary::{
    Alignment, AlignmentCorrelation, BEST_DEPTH, DECODER_ENDS, Estimate, ModelComparison, ModelRow,
};
use crate::report::svg::axis;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::Linear;
use crate::report::table::Table;
use crate::report::{escape, number};

/// Size of a panel, user units.
const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 300.0;

/// The figure, or why there is none.
#[must_use]
pub fn figure(models: &ModelComparison) -> String {
    let drawn: Vec<&AlignmentCorrelation> = models
        .correlations
        .iter()
        .filter(|of| of.subset == "all" && of.alignment == Alignment::Cosine && of.models > 1)
        .filter(|of| of.depth == BEST_DEPTH || DECODER_ENDS.contains(&of.depth.as_str()))
        .collect();
    if drawn.is_empty() {
        return nothing(
            "Fewer than two models have representations (the table embeddings): there is nothing to correlate.",
        );
    }
    let panels: String = drawn
        .iter()
        .enumerate()
        .map(|(index, of)| {
            format!(
                "<div><h4>{} <span class=\"soft\">{}</span></h4>{}</div>",
                escape::html(&of.suite),
                escape::html(&depth_words(&of.depth)),
                panel(index, of, models)
            )
        })
        .collect();
    let words: Vec<String> = drawn.iter().map(|of| correlation_words(of)).collect();
    let caption = format!(
        "Render-equivalence rate over the mean cosine of image and text, one point a model; whiskers are intervals by item. \
         {} Few models make a weak correlation, whatever its size.",
        words.join(" ")
    );
    let drawing = format!("<div class=\"pair\">{panels}</div>");
    framed("alignment", &drawing, &caption, Some(&numbers(&models.correlations)))
}

fn depth_words(depth: &str) -> String {
    if depth == BEST_DEPTH { "each at its best depth".to_string() } else { format!("{depth} of the decoder") }
}

fn correlation_words(of: &AlignmentCorrelation) -> String {
    let found = match (of.r, of.r_squared, of.p_value) {
        (Some(r), Some(r_squared), Some(p)) => format!(
            "<i>r</i> = {}, <i>R</i>² = {}, <i>p</i>\u{a0}{}",
            number::fixed(r, 2),
            number::fixed(r_squared, 2),
            escape::html(&number::exact_p_value(p))
        ),
        _ => "no correlation under three models that differ".to_string(),
    };
    format!(
        "{}, {}: {found} over {} models.",
        escape::html(&of.suite),
        escape::html(&of.depth),
        number::count(of.models)
    )
}

/// A model's place in a panel.
fn place<'a>(row: &'a ModelRow, of: &AlignmentCorrelation) -> Option<(&'a str, f64, Estimate)> {
    let at = row.at_depth(&of.depth, of.alignment)?;
    let (cosine, rer) = (at.cosine?.value, row.rer?);
    (row.suite == of.suite && cosine.is_finite() && rer.value.is_finite())
        .then_some((&row.model, cosine, rer))
}

fn panel(index: usize, of: &AlignmentCorrelation, models: &ModelComparison) -> String {
    let places: Vec<_> = models.models.iter().filter_map(|row| place(row, of)).collect();
    let words: Vec<String> = places
        .iter()
        .map(|(name, cosine, rer)| {
            format!("{name}: cosine {}, RER {}", number::fixed(*cosine, 3), number::estimate(rer, 2))
        })
        .collect();
    let mut drawing = Drawing::new(
        &format!("alignment{}", index + 1),
        (WIDTH, HEIGHT),
        "RER over the cosine of image and text",
        &words.join("; "),
    );
    let (top, bottom) = (34.0, HEIGHT - 54.0);
    let lowest = places.iter().map(|(_, cosine, _)| *cosine).fold(0.0, f64::min);
    let ticks: &[f64] =
        if lowest < 0.0 { &[-1.0, -0.5, 0.0, 0.5, 1.0] } else { &[0.0, 0.25, 0.5, 0.75, 1.0] };
    let x = Linear::new((ticks[0], 1.0), (46.0, WIDTH - 16.0));
    let y = Linear::new((0.0, 1.0), (bottom, top));
    let (left, right) = x.range();
    axis::left(&mut drawing, &y, left, right, &[0.0, 0.25, 0.5, 0.75, 1.0], 2);
    axis::bottom(&mut drawing, &x, bottom, ticks, axis::decimals(ticks));
    let middle = f64::midpoint(left, right);
    drawing
        .push(&Element::label(middle, bottom + 44.0, "mean cosine of image and text").class("name middle"));
    drawing.push(&Element::label(left, top - 16.0, "RER").class("name"));
    for ((name, cosine, rer), words) in places.iter().zip(&words) {
        let at = x.at(*cosine);
        whisker::upright(&mut drawing, at, &y, rer);
        let height = y.at(rer.value);
        drawing.push(&Element::circle((at, height), 5.5).class("point vision").tooltip(words));
        // The name stands on the side that has room.
        let (label, anchor) = if at > middle { (at - 9.0, "end") } else { (at + 9.0, "start") };
        drawing.push(&Element::label(label, height - 6.0, name).class(&format!("tick {anchor}")));
    }
    drawing.finish()
}

fn numbers(correlations: &[AlignmentCorrelation]) -> String {
    let mut table = Table::new(&["RER against", "depth", "comparisons", "suite", "models", "r", "R²", "p"]);
    for of in correlations {
        table.row([
            of.alignment.as_str().to_string(),
            of.depth.clone(),
            of.subset.clone(),
            of.suite.clone(),
            number::count(of.models),
            number::optional(of.r, 3),
            number::optional(of.r_squared, 3),
            number::optional(of.p_value, 4),
        ]);
    }
    table.finish()
}
