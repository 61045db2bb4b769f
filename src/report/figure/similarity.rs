//! Figure: images against texts at the depth where they are most alike; the pairs lie on the diagonal.

use super::{depths, framed, nothing};
use crate::analysis::summary::SimilarityMatrix;
use crate::report::input::ItemView;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::Bands;
use crate::report::{escape, number};

/// Side of the matrix, room left of it and above, user units.
const SIDE: f64 = 520.0;
const LEFT: f64 = 34.0;
const TOP: f64 = 26.0;

/// The figure; empty where there is no matrix.
#[must_use]
pub fn figure(id: &str, matrix: Option<&SimilarityMatrix>, items: &[ItemView]) -> String {
    let Some(matrix) = matrix else { return String::new() };
    let values: Vec<f64> =
        matrix.similarities.iter().flatten().copied().filter(|value| value.is_finite()).collect();
    let (low, high) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)));
    if values.is_empty() || high <= low {
        return nothing("All images are equally like all texts: there is no matrix to show.");
    }
    let bands = Bands::new(matrix.items.len(), (0.0, SIDE));
    let mut drawing = Drawing::new(
        &format!("{id}-similarity"),
        (LEFT + SIDE + 6.0, TOP + SIDE + 6.0),
        "Similarity of every image to every text",
        &format!(
            "{} images by {} texts; the pairs lie on the diagonal.",
            matrix.items.len(),
            matrix.items.len()
        ),
    )
    .with_links();
    for (row, (item, similar)) in matrix.items.iter().zip(&matrix.similarities).enumerate() {
        let cells = similar.iter().zip(&matrix.items).enumerate();
        for (column, (value, text)) in cells.filter(|(_, (value, _))| value.is_finite()) {
            let (x, y) = (LEFT + bands.left(column), TOP + bands.left(row));
            let cell = Element::rect(x, y, bands.width(), bands.width())
                .class("mixed")
                .number("fill-opacity", (value - low) / (high - low))
                .tooltip(&format!("image of {item}, text of {text}: {}", number::fixed(*value, 3)));
            drawing.push(&linked(cell, item, items));
        }
        let own = Element::rect(LEFT + bands.left(row), TOP + bands.left(row), bands.width(), bands.width());
        drawing.push(&own.class("own"));
    }
    drawing.push(&Element::label(LEFT + SIDE / 2.0, TOP - 10.0, "text of item").class("name middle"));
    let (x, y) = (LEFT - 12.0, TOP + SIDE / 2.0);
    drawing.push(
        &Element::label(x, y, "image of item")
            .class("name middle")
            .attribute("transform", &format!("rotate(-90 {x:.2} {y:.2})")),
    );
    let caption = format!(
        "Similarity of each image (row, rendering {}) to each text (column) at {}, the best depth by retrieval; {} items, \
         evenly spread over all. Where a row's strongest cell is the one on the diagonal, the image is most like its own \
         text.",
        escape::html(&matrix.variant),
        escape::html(&depths::words(&matrix.depth)),
        matrix.items.len()
    );
    framed("similarity", &format!("{}{}", scale(low, high), drawing.finish()), &caption, None)
}

/// The cell leads to its image's item, where the page shows it.
fn linked(cell: Element, item: &str, items: &[ItemView]) -> Element {
    match items.iter().position(|shown| shown.item_id == item) {
        Some(place) => Element::new("a")
            .attribute("href", &format!("#item-{}", place + 1))
            .attribute("tabindex", "-1")
            .child(&cell),
        None => cell,
    }
}

fn scale(low: f64, high: f64) -> String {
    let hues: String = (0..9)
        .map(|step| {
            Element::rect(f64::from(step) * 16.0, 0.0, 16.0, 12.0)
                .class("mixed")
                .number("fill-opacity", f64::from(step) / 8.0)
                .to_string()
        })
        .collect();
    format!(
        "<ul class=\"legend\"><li>{}<svg class=\"hues\" viewBox=\"0 0 144 12\" aria-hidden=\"true\">{hues}</svg>{}</li>\
         <li><svg class=\"swatch\" viewBox=\"0 0 22 14\" aria-hidden=\"true\"><rect class=\"own\" x=\"5\" y=\"1\" width=\"12\" \
         height=\"12\"/></svg>the pair</li></ul>",
        number::fixed(low, 2),
        number::fixed(high, 2)
    )
}
