//! Figure: the entropy of every prompt in the run over that in the reference, counted on a grid.

use super::framed;
use crate::analysis::summary::EntropyGrid;
use crate::report::number;
use crate::report::svg::axis;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::{Linear, round_ticks};

/// Side of the drawing, user units.
const SIDE: f64 = 420.0;
/// Left and bottom edge of the plot.
const MARGIN: f64 = 52.0;

/// The figure; nothing where no prompt has an entropy in both runs.
#[must_use]
pub fn figure(grid: &EntropyGrid) -> String {
    let most = grid.cells.iter().map(|cell| cell.prompts).max().unwrap_or_default();
    let reach = grid.cells.iter().map(|cell| cell.reference.max(cell.run) + 1).max().unwrap_or_default();
    if most == 0 {
        return String::new();
    }
    let ticks = round_ticks(f64::from(reach) * grid.width);
    let domain = (0.0, ticks[ticks.len() - 1]);
    let x = Linear::new(domain, (MARGIN, SIDE - 12.0));
    let y = Linear::new(domain, (SIDE - MARGIN, 12.0));
    let on = grid.cells.iter().filter(|cell| cell.reference == cell.run).map(|cell| cell.prompts).sum();
    let all = grid.cells.iter().map(|cell| cell.prompts).sum();
    let words = format!("{} of {} prompts lie on the diagonal", number::count(on), number::count(all));
    let mut drawing =
        Drawing::new("entropies", (SIDE, SIDE), "Entropy in the run over that in the reference", &words);
    axis::left(&mut drawing, &y, MARGIN, SIDE - 12.0, &ticks, axis::decimals(&ticks));
    axis::bottom(&mut drawing, &x, SIDE - MARGIN, &ticks, axis::decimals(&ticks));
    drawing.push(&Element::label(SIDE / 2.0, SIDE - 8.0, "reference, nats").class("name middle"));
    drawing.push(&Element::label(MARGIN + 8.0, 24.0, "run, nats").class("name"));
    drawing.push(&Element::line((x.at(0.0), y.at(0.0)), (x.at(domain.1), y.at(domain.1))).class("half"));
    for cell in &grid.cells {
        let edge = |place: u32| f64::from(place) * grid.width;
        let (left, right) = (x.at(edge(cell.reference)), x.at(edge(cell.reference + 1)));
        let (bottom, top) = (y.at(edge(cell.run)), y.at(edge(cell.run + 1)));
        let words = format!(
            "reference {}, run {}: {} prompts",
            number::fixed(edge(cell.reference), 3),
            number::fixed(edge(cell.run), 3),
            number::count(cell.prompts)
        );
        // A single prompt must be seen beside thousands.
        let strength = 0.25 + 0.75 * (cell.prompts as f64).ln() / (most.max(2) as f64).ln();
        let square = Element::rect(left, top, right - left - 0.5, bottom - top - 0.5).class("ink");
        drawing.push(&square.number("fill-opacity", strength).tooltip(&words));
    }
    let caption = format!(
        "Entropy over the whole vocabulary at the answer token, in the run over the reference; the darker a square of \
         {}\u{a0}nats, the more prompts it holds. {words}: their entropies fall into the same square.",
        axis_free(grid.width)
    );
    framed("entropies", &drawing.finish(), &caption, None)
}

/// A width of 1, 2 or 5 times a power of ten, without zeros that say nothing.
fn axis_free(width: f64) -> String {
    let digits = number::fixed(width, 9);
    digits.trim_end_matches('0').trim_end_matches('.').to_string()
}
