//! Figure: does difficulty do what it was built for? Entropy and accuracy of the unimodal runs, tier by tier.

use super::{framed, nothing, whisker};
use crate::analysis::summary::{Estimate, TierRow};
use crate::report::number;
use crate::report::svg::axis;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::{Bands, Linear, round_ticks};
use crate::report::table::Table;

/// Upper and lower end of the panel of entropy, and of what lies below the upper end of accuracy, user units.
const ENTROPY: (f64, f64) = (40.0, 180.0);
const ACCURACY_HEIGHT: f64 = 100.0;
const FOOT: f64 = 56.0;
/// From the panel of entropy to that of accuracy.
const GAP: f64 = 52.0;

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
    // Answers that were imported have no entropy: the figure then is accuracy alone.
    let with_entropy = vision.iter().chain(text).any(|row| row.entropy.is_some());
    let ticks = with_entropy.then(|| round_ticks(top));
    let panels: String = [(VISION, vision), (TEXT, text)]
        .into_iter()
        .map(|(modality, rows)| {
            let drawing = if rows.is_empty() {
                nothing("This modality was not run alone.")
            } else {
                draw(id, modality, rows, ticks.as_deref())
            };
            format!("<div class=\"tiers-{}\"><h4>{}</h4>{drawing}</div>", modality.key, modality.title)
        })
        .collect();
    let caption = match with_entropy {
        true => {
            "Entropy over the whole vocabulary at the answer token, and share of right answers, when the model sees one \
             modality alone; both panels share their scales. Whiskers are bootstrap intervals by group. A difficulty ladder \
             that works shows entropy rising, and accuracy staying high enough to be analysed."
        }
        false => {
            "Share of right answers when the model sees one modality alone. Whiskers are bootstrap intervals by group. \
             Entropies are not known of these answers."
        }
    };
    let numbers = numbers(vision, text, with_entropy);
    framed("tiers", &format!("<div class=\"tiers\">{panels}</div>"), caption, Some(&numbers))
}

fn highest_entropy(row: &TierRow) -> f64 {
    let Some(entropy) = row.entropy else { return 0.0 };
    let high = number::interval(&entropy).map_or(entropy.value, |(_, high)| high);
    if high.is_finite() { high.max(entropy.value) } else { 0.0 }
}

fn draw(id: &str, modality: Modality, rows: &[TierRow], entropy_ticks: Option<&[f64]>) -> String {
    let range = (46.0, modality.width - 8.0);
    let bands = Bands::new(rows.len(), (range.0 + 4.0, range.1));
    let top = if entropy_ticks.is_some() { ENTROPY.1 + GAP } else { ENTROPY.0 };
    let bottom = top + ACCURACY_HEIGHT;
    let what = if entropy_ticks.is_some() { "entropy and accuracy" } else { "accuracy" };
    let mut drawing = Drawing::new(
        &format!("{id}-tiers-{}", modality.key),
        (modality.width, bottom + FOOT),
        &format!("{}: {what} by {}", modality.title, modality.tier),
        &describe(rows),
    );
    if let Some(ticks) = entropy_ticks {
        let entropy = Linear::new((0.0, ticks[ticks.len() - 1]), (ENTROPY.1, ENTROPY.0));
        axis::left(&mut drawing, &entropy, range.0, range.1, ticks, axis::decimals(ticks));
        drawing.push(&Element::label(range.0, ENTROPY.0 - 16.0, "entropy, nats").class("name"));
        series(&mut drawing, modality, rows, &bands, &entropy, |row| row.entropy);
    }
    let accuracy = Linear::new((0.0, 1.0), (bottom, top));
    axis::left(&mut drawing, &accuracy, range.0, range.1, &[0.0, 0.5, 1.0], 1);
    drawing.push(&Element::label(range.0, top - 16.0, "accuracy").class("name"));
    series(&mut drawing, modality, rows, &bands, &accuracy, |row| Some(row.accuracy));
    drawing.push(&Element::line((range.0, bottom), (range.1, bottom)).class("axis"));
    for (index, row) in rows.iter().enumerate() {
        let label = row.tier.to_string();
        drawing.push(&Element::label(bands.center(index), bottom + 20.0, &label).class("tick middle"));
    }
    let middle = f64::midpoint(range.0, range.1);
    drawing.push(&Element::label(middle, bottom + 45.0, modality.tier).class("name middle"));
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
        whisker::upright(drawing, x, scale, &estimate);
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
    let tier = |row: &TierRow| {
        let accuracy = number::fixed(row.accuracy.value, 2);
        match row.entropy {
            Some(entropy) => {
                let entropy = number::fixed(entropy.value, 2);
                format!("tier {}: entropy {entropy}, accuracy {accuracy}", row.tier)
            }
            None => format!("tier {}: accuracy {accuracy}", row.tier),
        }
    };
    rows.iter().map(tier).collect::<Vec<_>>().join("; ")
}

fn numbers(vision: &[TierRow], text: &[TierRow], with_entropy: bool) -> String {
    let heads: &[&str] = match with_entropy {
        true => &["tier", "prompts", "accuracy", "entropy, nats"],
        false => &["tier", "prompts", "accuracy"],
    };
    let mut table = Table::new(heads);
    for (name, rows) in [("image, dv", vision), ("text, dt", text)] {
        for row in rows {
            let cells = [
                format!("{name} {}", row.tier),
                number::count(row.prompts),
                number::estimate(&row.accuracy, 3),
                number::optional_estimate(row.entropy, 3),
            ];
            table.cells(cells.into_iter().take(heads.len()));
        }
    }
    table.finish()
}
