//! Figure: logit(Yt) - logit(Yv) over layer x dH_rel, a cell each; a click leads to cases of that dH_rel.

use super::{DH_REL, framed, nothing};
use crate::analysis::summary::{HeatCell, LayersAnalysis};
use crate::report::case_links::{CaseLink, CaseLinks};
use crate::report::number;
use crate::report::svg::axis;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::{Bands, Linear};
use crate::report::table::Table;

/// Width of the drawing, of what stands left of the map, and room above and below it, user units.
const WIDTH: f64 = 760.0;
const NAMES: f64 = 56.0;
const HEAD: f64 = 30.0;
const FOOT: f64 = 76.0;
/// Height of the map where there are enough layers, and of a cell at most.
const HEIGHT: f64 = 420.0;
const TALLEST: f64 = 28.0;
/// Opacity of the strongest difference.
const STRONGEST: f64 = 0.92;
/// Steps of the scale of hues, on either side.
const STEPS: i32 = 4;

/// The figure, or why there is none.
#[must_use]
pub fn figure(id: &str, of: &LayersAnalysis, links: &CaseLinks) -> String {
    let strongest = of.heat_map.iter().filter_map(known).fold(0.0, |most: f64, value| most.max(value.abs()));
    if strongest <= 0.0 {
        return nothing(
            "There is no heat map: no cell of layer and relative uncertainty holds enough cases with both answers' logits.",
        );
    }
    let mut lows: Vec<f64> = of.heat_map.iter().map(|cell| cell.low).collect();
    lows.sort_by(f64::total_cmp);
    lows.dedup();
    let mut layers: Vec<i32> = of.heat_map.iter().map(|cell| cell.layer).collect();
    layers.dedup();
    let row = (HEIGHT / layers.len() as f64).min(TALLEST);
    let bottom = HEAD + row * layers.len() as f64;
    let columns = Bands::new(lows.len(), (NAMES, WIDTH - 10.0));
    let mut drawing = Drawing::new(
        &format!("{id}-heat-map"),
        (WIDTH, bottom + FOOT),
        "Difference of the two answers' logits by layer and relative uncertainty",
        "One cell for each layer and bin; the table below the figure holds all numbers.",
    )
    .with_links();
    for cell in &of.heat_map {
        let (Some(column), Ok(place)) =
            (lows.iter().position(|low| *low == cell.low), layers.binary_search(&cell.layer))
        else {
            continue;
        };
        let at = (columns.left(column), bottom - row * (place + 1) as f64);
        let drawn = cell_of(cell, at, (columns.width(), row), strongest);
        drawing.push(&linked(drawn, links.bin(cell.low)));
    }
    let step = [1, 2, 5, 10, 20, 50].into_iter().find(|step| row * f64::from(*step) >= 17.0).unwrap_or(100);
    for (place, layer) in
        layers.iter().enumerate().filter(|(_, layer)| **layer % step == 0 || (**layer == 1 && step > 2))
    {
        let y = bottom - row * (place as f64 + 0.5) + 4.5;
        drawing.push(&Element::label(NAMES - 8.0, y, &layer.to_string()).class("tick end"));
    }
    let x = Linear::new((-2.0, 2.0), (NAMES, WIDTH - 10.0));
    axis::bottom(&mut drawing, &x, bottom + 2.0, &[-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0], 1);
    drawing.push(&Element::label(0.0, 13.0, "layer").class("name"));
    let middle = f64::midpoint(NAMES, WIDTH - 10.0);
    drawing.push(&super::dh_rel_name(middle, bottom + 42.0));
    if let Some(point) = of.balance_point.filter(|point| point.is_finite()) {
        let at = x.at(point);
        let words = format!("balance point {}", number::fixed(point, 2));
        drawing.push(&Element::line((at, HEAD - 6.0), (at, bottom)).class("balance-line").tooltip(&words));
        drawing.push(&Element::label(at, HEAD - 12.0, &words).class("balance-label middle"));
    }
    shown_cases(&mut drawing, &lows, &columns, bottom + 66.0, links);
    let caption = format!(
        "Mean of logit(<i>Y<sub>t</sub></i>) − logit(<i>Y<sub>v</sub></i>) over the analysed cases of a layer and a bin of \
         {DH_REL}, whatever they follow; the last layer is on top. Cells with fewer than {} cases are empty. The dotted line is \
         the balance point.{}",
        number::count(of.settings.min_cell_cases),
        if lows.iter().any(|low| links.bin(*low).is_some()) {
            " A click leads to cases of that bin on this page."
        } else {
            ""
        }
    );
    let drawing = format!(
        "{}<div class=\"scroll wide\" role=\"group\" tabindex=\"0\" aria-label=\"Layer by relative uncertainty\">{}</div>",
        scale(strongest),
        drawing.finish()
    );
    framed("heat-map", &drawing, &caption, Some(&numbers(&of.heat_map)))
}

fn known(cell: &HeatCell) -> Option<f64> {
    cell.logit_difference.filter(|value| value.is_finite())
}

fn cell_of(cell: &HeatCell, (x, y): (f64, f64), (width, height): (f64, f64), strongest: f64) -> Element {
    let cases = number::count(cell.cases);
    let found = match known(cell) {
        Some(value) => {
            format!("mean difference {} over {cases} cases", number::fixed(value, 2))
        }
        None => format!("{cases} cases: too few"),
    };
    let words = format!(
        "layer {}, dH_rel {} to {}: {found}",
        cell.layer,
        number::fixed(cell.low, 2),
        number::fixed(cell.high, 2)
    );
    let rect = Element::rect(x + 0.5, y + 0.5, width - 1.0, height - 1.0);
    let rect = match known(cell) {
        Some(value) => rect.class(hue(value)).number("fill-opacity", strength(value / strongest)),
        None => rect.class("blank"),
    };
    rect.tooltip(&words)
}

fn hue(value: f64) -> &'static str {
    if value >= 0.0 { "text" } else { "vision" }
}

/// Opacity of a share of the strongest difference, in [-1, 1].
fn strength(share: f64) -> f64 {
    0.03 + (STRONGEST - 0.03) * share.abs()
}

fn linked(drawn: Element, link: Option<CaseLink>) -> Element {
    match link {
        Some(link) => Element::new("a")
            .attribute("href", &link.href)
            .attribute("data-to-bin", &link.bin)
            .attribute("tabindex", "-1")
            .child(&drawn),
        None => drawn,
    }
}

/// How many cases of each bin are on the page: what the keyboard reaches, where the pointer has the whole column.
fn shown_cases(drawing: &mut Drawing, lows: &[f64], columns: &Bands, y: f64, links: &CaseLinks) {
    let mut any = false;
    for (column, link) in lows.iter().enumerate().filter_map(|(at, low)| Some((at, links.bin(*low)?))) {
        let label = Element::label(columns.center(column), y, &link.cases.to_string())
            .class("tick middle link")
            .tooltip(&format!("{} cases of this page with dH_rel {}", link.cases, link.bin));
        drawing.push(
            &Element::new("a")
                .attribute("href", &link.href)
                .attribute("data-to-bin", &link.bin)
                .attribute("aria-label", &format!("cases with dH_rel {}", link.bin))
                .child(&label),
        );
        any = true;
    }
    if any {
        drawing.push(&Element::label(NAMES - 8.0, y, "cases").class("tick end"));
    }
}

/// The scale of hues.
fn scale(strongest: f64) -> String {
    let mut drawing = String::new();
    for step in -STEPS..=STEPS {
        let share = f64::from(step) / f64::from(STEPS);
        let rect = Element::rect(f64::from(step + STEPS) * 16.0, 0.0, 16.0, 12.0)
            .class(hue(share))
            .number("fill-opacity", strength(share));
        drawing.push_str(&rect.to_string());
    }
    format!(
        "<ul class=\"legend\"><li class=\"ink-vision\">the image's answer is ahead</li>\
         <li>{}<svg class=\"hues\" viewBox=\"0 0 144 12\" aria-hidden=\"true\">{drawing}</svg>+{}</li>\
         <li class=\"ink-text\">the text's answer is ahead</li></ul>",
        number::fixed(-strongest, 1),
        number::fixed(strongest, 1)
    )
}

fn numbers(cells: &[HeatCell]) -> String {
    let mut table = Table::new(&["layer", "dH<sub>rel</sub>", "cases", "mean difference of logits"]);
    for cell in cells.iter().filter(|cell| cell.cases > 0) {
        table.row([
            cell.layer.to_string(),
            format!("{} to {}", number::fixed(cell.low, 2), number::fixed(cell.high, 2)),
            number::count(cell.cases),
            number::optional(cell.logit_difference, 3),
        ]);
    }
    table.finish()
}
