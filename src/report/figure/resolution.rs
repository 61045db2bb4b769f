//! Figure: accuracy, RER and character error rate over the resolution, one line a font, all in black.

use std::collections::BTreeSet;

use super::{Swatch, framed, legend, nothing, whisker};
use crate::analysis::summary::{ConsistencyAnalysis, Estimate};
use crate::report::svg::axis;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::{Bands, Linear, round_ticks};
use crate::report::table::Table;
use crate::report::{escape, number};

/// Size of a panel and where its plot lies, user units.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 250.0;
const PLOT: (f64, f64) = (30.0, 196.0);
/// Lines that are told apart; further fonts share the last one.
const STROKES: [&str; 4] = ["font-a", "font-b", "font-c", "font-d"];

/// What is measured at one font and resolution.
struct Point<'a> {
    font: &'a str,
    dpi: i32,
    accuracy: Option<Estimate>,
    rer: Option<Estimate>,
    cer: Option<Estimate>,
}

/// A panel: its key, title, and what it shows.
struct Panel {
    key: &'static str,
    title: &'static str,
    value: fn(&Point) -> Option<Estimate>,
}

const PANELS: [Panel; 3] = [
    Panel { key: "accuracy", title: "Accuracy of the image", value: |point| point.accuracy },
    Panel { key: "rer", title: "RER", value: |point| point.rer },
    Panel { key: "cer", title: "Character error rate", value: |point| point.cer },
];

/// The figure, or why there is none.
#[must_use]
pub fn figure(id: &str, analysis: &ConsistencyAnalysis) -> String {
    let points = points(analysis);
    let fonts: Vec<&str> =
        points.iter().map(|point| point.font).collect::<BTreeSet<_>>().into_iter().collect();
    let dpis: Vec<i32> = points.iter().map(|point| point.dpi).collect::<BTreeSet<_>>().into_iter().collect();
    if dpis.len() < 2 {
        return nothing("The suite renders in one resolution: there is no curve over it.");
    }
    let highest = points.iter().filter_map(|point| point.cer).map(top).fold(0.0, f64::max);
    let panels: String = PANELS
        .iter()
        .filter(|panel| points.iter().any(|point| (panel.value)(point).is_some()))
        .map(|panel| {
            let ticks =
                if panel.key == "cer" { round_ticks(highest) } else { vec![0.0, 0.25, 0.5, 0.75, 1.0] };
            format!(
                "<div><h4>{}</h4>{}</div>",
                panel.title,
                draw(id, panel, &points, (&fonts, &dpis), &ticks)
            )
        })
        .collect();
    let entries: Vec<(Swatch, String)> = fonts
        .iter()
        .enumerate()
        .map(|(index, font)| (Swatch::Line(stroke(index)), escape::html(font)))
        .collect();
    let caption = "Renderings in black by resolution, one line a font. Whiskers are intervals by item; the lines stand side \
                   by side so that they do not hide each other.";
    let drawing = format!("{}<div class=\"panels\">{panels}</div>", legend(&entries));
    framed("resolution", &drawing, caption, Some(&numbers(&points)))
}

fn points(analysis: &ConsistencyAnalysis) -> Vec<Point<'_>> {
    let cer = |variant: &str| {
        analysis.ocr.iter().find(|row| row.variant.as_deref() == Some(variant)).and_then(|row| row.cer)
    };
    let mut points: Vec<Point> = analysis
        .all
        .by_variant
        .iter()
        .filter(|of| of.rendering.color == "black")
        .filter_map(|of| {
            Some(Point {
                font: of.rendering.font.as_deref()?,
                dpi: of.rendering.dpi?,
                accuracy: of.metrics.rates.accuracy.image,
                rer: of.metrics.rates.rer,
                cer: cer(&of.rendering.variant),
            })
        })
        .collect();
    points.sort_by_key(|point| (point.font, point.dpi));
    points
}

fn stroke(index: usize) -> &'static str {
    STROKES[index.min(STROKES.len() - 1)]
}

/// The upper end of an estimate, as far as it is a number.
fn top(of: Estimate) -> f64 {
    let high = number::interval(&of).map_or(of.value, |(_, high)| high.max(of.value));
    if high.is_finite() { high } else { 0.0 }
}

fn draw(
    id: &str,
    panel: &Panel,
    points: &[Point],
    (fonts, dpis): (&[&str], &[i32]),
    ticks: &[f64],
) -> String {
    let range = (42.0, WIDTH - 6.0);
    let bands = Bands::new(dpis.len(), range);
    let y = Linear::new((0.0, ticks[ticks.len() - 1]), (PLOT.1, PLOT.0));
    let mut drawing = Drawing::new(
        &format!("{id}-resolution-{}", panel.key),
        (WIDTH, HEIGHT),
        &format!("{} by resolution", panel.title),
        "One line a font; the table below the figure holds all numbers.",
    );
    axis::left(&mut drawing, &y, range.0, range.1, ticks, axis::decimals(ticks));
    drawing.push(&Element::line((range.0, PLOT.1), (range.1, PLOT.1)).class("axis"));
    for (index, dpi) in dpis.iter().enumerate() {
        let label = Element::label(bands.center(index), PLOT.1 + 20.0, &dpi.to_string());
        drawing.push(&label.class("tick middle"));
    }
    let middle = f64::midpoint(range.0, range.1);
    drawing.push(&Element::label(middle, PLOT.1 + 44.0, "dots per inch").class("name middle"));
    for (line, font) in fonts.iter().enumerate() {
        // A little apart, so that whiskers at one resolution do not lie on each other.
        let shift = (line as f64 - 0.5 * (fonts.len() as f64 - 1.0)) * 9.0;
        let marks: Vec<(f64, &Point, Estimate)> = points
            .iter()
            .filter(|point| point.font == *font)
            .filter_map(|point| {
                let value = (panel.value)(point).filter(|value| value.value.is_finite())?;
                Some((bands.center(dpis.binary_search(&point.dpi).ok()?) + shift, point, value))
            })
            .collect();
        let path: Vec<(f64, f64)> = marks.iter().map(|(x, _, value)| (*x, y.at(value.value))).collect();
        drawing.push(&Element::polyline(&path).class(&format!("font-line {}", stroke(line))));
        for (x, point, value) in marks {
            whisker::upright(&mut drawing, x, &y, &value);
            let words = format!("{} at {} dpi: {}", point.font, point.dpi, number::estimate(&value, 3));
            drawing.push(
                &Element::circle((x, y.at(value.value)), 4.0)
                    .class(&format!("font-mark {}", stroke(line)))
                    .tooltip(&words),
            );
        }
    }
    drawing.finish()
}

fn numbers(points: &[Point]) -> String {
    let mut table = Table::new(&["font", "dpi", "image right", "RER", "CER"]);
    for point in points {
        table.row([
            point.font.to_string(),
            point.dpi.to_string(),
            number::optional_estimate(point.accuracy, 3),
            number::optional_estimate(point.rer, 3),
            number::optional_estimate(point.cer, 4),
        ]);
    }
    table.finish()
}
