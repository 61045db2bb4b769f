//! Figure: following by visual x text difficulty, one cell each: TFR as tint and number, the three shares as a bar.

use std::collections::BTreeSet;

use super::stacked_bar::{self, Place};
use super::{following_legend, framed, nothing};
use crate::analysis::summary::CellRow;
use crate::report::number;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::Bands;
use crate::report::table::Table;

/// Width of the whole drawing, of the row names, and height of a row, user units.
const WIDTH: f64 = 960.0;
const NAMES: f64 = 52.0;
const ROW: f64 = 72.0;
/// A cell is no wider than this, however few there are.
const WIDEST: f64 = 130.0;

/// The figure, or why there is none.
#[must_use]
pub fn figure(id: &str, cells: &[CellRow]) -> String {
    if cells.iter().all(|cell| cell.analysed == 0) {
        return nothing("No cell of visual and text difficulty holds an analysed case.");
    }
    let columns: Vec<i32> = cells.iter().map(|cell| cell.dv).collect::<BTreeSet<_>>().into_iter().collect();
    let rows: Vec<i32> = cells.iter().map(|cell| cell.dt).collect::<BTreeSet<_>>().into_iter().collect();
    let right = (NAMES + WIDEST * columns.len() as f64).min(WIDTH);
    let bands = Bands::new(columns.len(), (NAMES, right));
    let height = ROW * rows.len() as f64 + 52.0;
    let mut drawing = Drawing::new(
        &format!("{id}-cells"),
        (WIDTH, height),
        "Text-following ratio by visual and text difficulty",
        "One cell for each pair of tiers; the table below the figure holds all numbers.",
    );
    for (index, dv) in columns.iter().enumerate() {
        let y = ROW * rows.len() as f64 + 18.0;
        drawing.push(&Element::label(bands.center(index), y, &dv.to_string()).class("tick middle"));
    }
    for (index, dt) in rows.iter().enumerate() {
        let y = ROW * (index as f64 + 0.5) + 5.0;
        drawing.push(&Element::label(NAMES - 10.0, y, &format!("dt {dt}")).class("tick end"));
    }
    drawing.push(
        &Element::label(f64::midpoint(NAMES, right), height - 6.0, "visual tier dv").class("name middle"),
    );
    for cell in cells {
        let (Ok(column), Ok(row)) = (columns.binary_search(&cell.dv), rows.binary_search(&cell.dt)) else {
            continue;
        };
        draw_cell(&mut drawing, cell, bands.left(column), ROW * row as f64, bands.width());
    }
    let caption = "Text-following ratio (the number, and the tint) by visual tier and text tier, with the count of \
                   analysed cases under it; the bar below shows text, image and other. A harder image should push a cell \
                   towards the text, a harder text towards the image.";
    let drawing = format!(
        "{}<div class=\"scroll wide\" role=\"group\" tabindex=\"0\" aria-label=\"Following by difficulty\">{}</div>",
        following_legend(),
        drawing.finish()
    );
    framed("cells", &drawing, caption, Some(&numbers(cells)))
}

fn draw_cell(drawing: &mut Drawing, cell: &CellRow, left: f64, top: f64, width: f64) {
    let (x, y, inner, middle) = (left + 1.5, top + 1.5, width - 3.0, left + width / 2.0);
    let decided = cell.text + cell.vision;
    let tfr = number::share(cell.text, decided);
    let words = format!(
        "dv {}, dt {}: {} analysed, {} text, {} image, {} other, mean dH_rel {}",
        cell.dv,
        cell.dt,
        cell.analysed,
        cell.text,
        cell.vision,
        cell.other,
        number::optional(cell.mean_dh_rel, 2)
    );
    drawing.push(&Element::rect(x, y, inner, ROW - 3.0).class("cell"));
    if decided > 0 {
        // The further from one half, the stronger the hue of the side that wins.
        let strength = 0.06 + 0.54 * (2.0 * tfr - 1.0).abs();
        let hue = if tfr >= 0.5 { "shade text" } else { "shade vision" };
        drawing.push(
            &Element::rect(x, y, inner, ROW - 3.0)
                .class(hue)
                .number("fill-opacity", strength)
                .tooltip(&words),
        );
    }
    let value = if decided > 0 { number::fixed(tfr, 2) } else { "–".to_string() };
    drawing.push(&Element::label(middle, top + 28.0, &value).class("cell-value middle"));
    drawing
        .push(&Element::label(middle, top + 46.0, &number::count(cell.analysed)).class("cell-count middle"));
    let bar = Place { x: x + 5.0, y: top + ROW - 17.0, width: inner - 10.0, height: 8.0 };
    stacked_bar::draw(drawing, bar, &stacked_bar::following(cell.text, cell.vision, cell.other), false);
}

fn numbers(cells: &[CellRow]) -> String {
    let mut table =
        Table::new(&["cell", "analysed", "text", "image", "other", "TFR", "mean dH<sub>rel</sub>"]);
    for cell in cells {
        let decided = cell.text + cell.vision;
        table.row([
            format!("dv {}, dt {}", cell.dv, cell.dt),
            number::count(cell.analysed),
            number::count(cell.text),
            number::count(cell.vision),
            number::count(cell.other),
            number::optional((decided > 0).then(|| number::share(cell.text, decided)), 2),
            number::optional(cell.mean_dh_rel, 2),
        ]);
    }
    table.finish()
}
