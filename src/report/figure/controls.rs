//! Figure: the controls, where one modality says nothing about the question and so should not be followed.

use super::stacked_bar::{self, Place};
use super::{Swatch, framed, legend, nothing};
use crate::analysis::summary::ControlRow;
use crate::report::number;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::table::Table;

/// Width of the drawing and height of one control, user units.
const WIDTH: f64 = 720.0;
const ROW: f64 = 74.0;

/// The figure, or why there is none.
#[must_use]
pub fn figure(id: &str, controls: &[ControlRow]) -> String {
    if controls.iter().all(|control| control.cases == 0) {
        return nothing("The run holds no controls.");
    }
    let mut drawing = Drawing::new(
        &format!("{id}-controls"),
        (WIDTH, ROW * controls.len() as f64),
        "Answers to the controls",
        "For each control, the share of answers that the text is designed to give, that the image is, and others.",
    );
    let mut table =
        Table::new(&["control", "cases", "designed by the text", "designed by the image", "other"]);
    for (index, control) in controls.iter().enumerate() {
        let top = ROW * index as f64;
        let cases = format!("{} cases", number::count(control.cases));
        drawing.push(&Element::label(0.0, top + 18.0, &control.control).class("row-name"));
        drawing.push(&Element::label(WIDTH, top + 18.0, &cases).class("tick end"));
        let shares = stacked_bar::following(control.designed_text, control.designed_vision, control.other);
        let place = Place { x: 0.0, y: top + 27.0, width: WIDTH, height: 32.0 };
        stacked_bar::draw(&mut drawing, place, &shares, true);
        table.row([
            control.control.clone(),
            number::count(control.cases),
            number::count(control.designed_text),
            number::count(control.designed_vision),
            number::count(control.other),
        ]);
    }
    let legend = legend(&[
        (Swatch::Fill("text"), "the answer that the text is designed to give"),
        (Swatch::Fill("vision"), "the answer that the image is designed to give"),
        (Swatch::Fill("other"), "another answer"),
    ]);
    let caption = "Controls. <i>Text-irrelevant</i>: the description speaks of another shape, so the image alone can \
                   answer. <i>Image-irrelevant</i>: description and question speak of a shape that is not drawn, so the \
                   text alone can answer. A model that reads both modalities follows the relevant one.";
    framed("controls", &format!("{legend}{}", drawing.finish()), caption, Some(&table.finish()))
}
