//! Figure: whose answer the most probable token is, layer by layer, as shares of the cases.

use super::{Swatch, framed, legend, nothing};
use crate::analysis::summary::{ClassCounts, LayerSet, LayersAnalysis};
use crate::report::number;
use crate::report::svg::axis;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::{Bands, Linear};
use crate::report::table::Table;

/// Size of a panel and of the frame around its plot, user units.
const WIDTH: f64 = 330.0;
const HEIGHT: f64 = 232.0;
const LEFT: f64 = 38.0;
const BOTTOM: f64 = 44.0;

/// The sets that have a panel, and their headings.
const PANELS: [(&str, &str); 3] = [
    (LayerSet::CONFLICT, "All conflict cases"),
    (LayerSet::AMBIGUOUS, "Ambiguous"),
    (LayerSet::CLEAR, "Clear"),
];

/// The figure, or why there is none.
#[must_use]
pub fn figure(id: &str, of: &LayersAnalysis) -> String {
    let drawn: Vec<(&LayerSet, &str)> = PANELS
        .into_iter()
        .filter_map(|(name, heading)| Some((of.set(name)?, heading)))
        .filter(|(set, _)| set.classes.iter().any(|at| whole(at) > 0))
        .collect();
    if drawn.is_empty() {
        return nothing("No case has a class after any layer.");
    }
    let panels: String = drawn
        .iter()
        .map(|(set, heading)| {
            let cases = number::count(set.cases);
            format!(
                "<div><h4>{heading} <span class=\"soft\">{cases} cases</span></h4>{}</div>",
                panel(id, set)
            )
        })
        .collect();
    let legend = legend(&[
        (Swatch::Fill("text"), "the text's answer"),
        (Swatch::Fill("vision"), "the image's answer"),
        (Swatch::Fill("other"), "another token"),
    ]);
    let caption = "Share of the cases whose most probable token after a layer is the answer that the model gives to the text \
                   alone, to the image alone, or another.";
    framed(
        "classes",
        &format!("{legend}<div class=\"panels\">{panels}</div>"),
        caption,
        Some(&numbers(&drawn)),
    )
}

fn whole(at: &ClassCounts) -> u64 {
    at.vision + at.text + at.other
}

/// Classes with their hue and count, from the bottom up.
fn stack(at: &ClassCounts) -> [(&'static str, u64); 3] {
    [("vision", at.vision), ("other", at.other), ("text", at.text)]
}

fn panel(id: &str, set: &LayerSet) -> String {
    let (top, bottom) = (8.0, HEIGHT - BOTTOM);
    let y = Linear::new((0.0, 1.0), (bottom, top));
    let bands = Bands::new(set.classes.len(), (LEFT, WIDTH - 6.0));
    let mut drawing = Drawing::new(
        &format!("{id}-classes-{}", set.name),
        (WIDTH, HEIGHT),
        "Share of each class by layer",
        "One bar for each layer: the image's answer below, the text's answer on top.",
    );
    axis::left(&mut drawing, &y, LEFT, WIDTH - 6.0, &[0.0, 0.5, 1.0], 1);
    for (place, at) in set.classes.iter().enumerate() {
        let gap = (bands.width() * 0.08).min(1.5);
        let mut below = 0;
        for (hue, count) in stack(at).into_iter().filter(|(_, count)| *count > 0) {
            let (low, high) =
                (y.at(number::share(below, whole(at))), y.at(number::share(below + count, whole(at))));
            let rect = Element::rect(bands.left(place) + gap / 2.0, high, bands.width() - gap, low - high);
            drawing.push(&rect.class(hue).tooltip(&words(at)));
            below += count;
        }
    }
    let step = [1, 2, 5, 10, 20, 50]
        .into_iter()
        .find(|step| bands.width() * f64::from(*step) >= 22.0)
        .unwrap_or(100);
    for (place, at) in
        set.classes.iter().enumerate().filter(|(_, at)| at.layer % step == 0 || (at.layer == 1 && step > 2))
    {
        drawing.push(
            &Element::label(bands.center(place), bottom + 18.0, &at.layer.to_string()).class("tick middle"),
        );
    }
    drawing
        .push(&Element::label(f64::midpoint(LEFT, WIDTH - 6.0), bottom + 38.0, "layer").class("name middle"));
    drawing.finish()
}

fn words(at: &ClassCounts) -> String {
    let share = |part: u64| number::percent(part, whole(at));
    format!(
        "layer {}: text {}, image {}, other {}",
        at.layer,
        share(at.text),
        share(at.vision),
        share(at.other)
    )
}

fn numbers(drawn: &[(&LayerSet, &str)]) -> String {
    let mut table = Table::new(&["layer", "cases", "text", "image", "other"]);
    for (set, heading) in drawn {
        for at in &set.classes {
            table.row([
                format!("{heading}, {}", at.layer),
                number::count(whole(at)),
                number::count(at.text),
                number::count(at.vision),
                number::count(at.other),
            ]);
        }
    }
    table.finish()
}
