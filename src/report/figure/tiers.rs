//! Figure: does difficulty do what it was built for? Entropy and accuracy of the unimodal runs, tier by tier.

use super::{framed, nothing};
use crate::analysis::summary::{Estimate, TierRow};
use crate::report::number;
use crate::report::svg::axis;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::{Bands, Linear, round_ticks};
use crate::report::table::Table;

/// Heights of the two panels and where they begin, user units.
const ENTROPY: (f64, f64) = (40.0, 180.0);
const ACCURACY: (f64, f64) = (232.0, 332.0);
const HEIGHT: f64 = 388.0;

/// One modality alone.
#[derive(Debug, Clone, Copy)]
struct Modality {
    key: &'static str,
    title: &'static str,
    tier: &'static str,
    class: &'static str,
    width: f64,
}

const VISION: Modality =
    Modality { key: "vision", title: "Image alone", tier: "visual tier dv", class: "vision", width: 470.0 };
const TEXT: Modality =
    Modality { key: "text", title: "Text alone", tier: "text tier dt", class: "text", width: 240.0 };

/// The figure, or why there is none.
#[must_use]
pub fn figure(id: &str, vision: &[TierRow], text: &[TierRow]) -> String {
    if vision.is_empty() && text.is_empty() {
        return nothing("There are no unimodal answers to sort by difficulty.");
    }
    let top = vision.iter().chain(text).map(highest_entropy).fold(0.0, f64::max);
    let ticks = round_ticks(top);
    let panels: String = [(VISION, vision), (TEXT, text)]
        .into_iter()
        .map(|(modality, rows)| {
            let drawing = if rows.is_empty() {
                nothing("This modality was not run alone.")
            } else {
                draw(id, modality, rows, &ticks)
            };
            format!("<div class=\"tiers-{}\"><h4>{}</h4>{drawing}</div>", modality.key, modality.title)
        })
        .collect();
    let caption = "Entropy over the whole vocabulary at the answer token, and share of right answers, when the model sees \
                   one modality alone; both panels share their scales. Whiskers are bootstrap intervals by group. A \
                   difficulty ladder that works shows entropy rising, and accuracy staying high enough to be analysed.";
    framed("tiers", &format!("<div class=\"tiers\">{panels}</div>"), caption, Some(&numbers(vision, text)))
}

fn highest_entropy(row: &TierRow) -> f64 {
    let Some(entropy) = row.entropy else { return 0.0 };
    let high = number::interval(&entropy).map_or(entropy.value, |(_, high)| high);
    if high.is_finite() { high.max(entropy.value) } else { 0.0 }
}

fn draw(id: &str, modality: Modality, rows: &[TierRow], entropy_ticks: &[f64]) -> String {
    let range = (46.0, modality.width - 8.0);
    let bands = Bands::new(rows.len(), (range.0 + 4.0, range.1));
    let mut drawing = Drawing::new(
        &format!("{id}-tiers-{}", modality.key),
        (modality.width, HEIGHT),
        &format!("{}: entropy and accuracy by {}", modality.title, modality.tier),
        &describe(rows),
    );
    let entropy = Linear::new((0.0, entropy_ticks[entropy_ticks.len() - 1]), (ENTROPY.1, ENTROPY.0));
    let accuracy = Linear::new((0.0, 1.0), (ACCURACY.1, ACCURACY.0));
    axis::left(&mut drawing, &entropy, range.0, range.1, entropy_ticks, axis::decimals(entropy_ticks));
    axis::left(&mut drawing, &accuracy, range.0, range.1, &[0.0, 0.5, 1.0], 1);
    drawing.push(&Element::label(range.0, ENTROPY.0 - 16.0, "entropy, nats").class("name"));
    drawing.push(&Element::label(range.0, ACCURACY.0 - 16.0, "accuracy").class("name"));
    series(&mut drawing, modality, rows, &bands, &entropy, |row| row.entropy);
    series(&mut drawing, modality, rows, &bands, &accuracy, |row| Some(row.accuracy));
    drawing.push(&Element::line((range.0, ACCURACY.1), (range.1, ACCURACY.1)).class("axis"));
    for (index, row) in rows.iter().enumerate() {
        let label = row.tier.to_string();
        drawing.push(&Element::label(bands.center(index), ACCURACY.1 + 20.0, &label).class("tick middle"));
    }
    let middle = f64::midpoint(range.0, range.1);
    drawing.push(&Element::label(middle, ACCURACY.1 + 45.0, modality.tier).class("name middle"));
    drawing.finish()
}

/// Points with whiskers, joined by a line.
fn series(
    drawing: &mut Drawing,
    modality: Modality,
    rows: &[TierRow],
    bands: &Bands,
    scale: &Linear,
    value: impl Fn(&TierRow) -> Option<Estimate>,
) {
    let marks: Vec<(f64, &TierRow, Estimate)> = rows
        .iter()
        .enumerate()
        .filter_map(|(index, row)| Some((bands.center(index), row, value(row)?)))
        .filter(|(_, _, estimate)| estimate.value.is_finite())
        .collect();
    let points: Vec<(f64, f64)> =
        marks.iter().map(|(x, _, estimate)| (*x, scale.at(estimate.value))).collect();
    drawing.push(&Element::polyline(&points).class(&format!("series stroke-{}", modality.class)));
    for (x, row, estimate) in marks {
        if let Some((low, high)) = number::interval(&estimate) {
            let (low, high) = (scale.at(low), scale.at(high));
            drawing.push(&Element::line((x, low), (x, high)).class("whisker"));
            for end in [low, high] {
                drawing.push(&Element::line((x - 3.5, end), (x + 3.5, end)).class("whisker"));
            }
        }
        let words = format!(
            "{} {}: {} ({} prompts)",
            modality.tier,
            row.tier,
            number::estimate(&estimate, 3),
            number::count(row.prompts)
        );
        drawing.push(
            &Element::circle((x, scale.at(estimate.value)), 3.6)
                .class(&format!("point {}", modality.class))
                .tooltip(&words),
        );
    }
}

fn describe(rows: &[TierRow]) -> String {
    let tiers: Vec<String> = rows
        .iter()
        .map(|row| {
            format!(
                "tier {}: entropy {}, accuracy {}",
                row.tier,
                number::optional(row.entropy.map(|entropy| entropy.value), 2),
                number::fixed(row.accuracy.value, 2)
            )
        })
        .collect();
    tiers.join("; ")
}

fn numbers(vision: &[TierRow], text: &[TierRow]) -> String {
    let mut table = Table::new(&["tier", "prompts", "entropy, nats", "accuracy"]);
    for (name, rows) in [("image, dv", vision), ("text, dt", text)] {
        for row in rows {
            table.row([
                format!("{name} {}", row.tier),
                number::count(row.prompts),
                row.entropy
                    .map_or_else(|| number::ABSENT.to_string(), |entropy| number::estimate(&entropy, 3)),
                number::estimate(&row.accuracy, 3),
            ]);
        }
    }
    table.finish()
}
