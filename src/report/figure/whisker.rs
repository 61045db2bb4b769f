//! The interval of an estimate as a line with caps.

use crate::analysis::summary::Estimate;
use crate::report::number;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::Linear;

/// Half the length of a cap, user units.
const CAP: f64 = 3.5;

/// Draws the interval upright at `x`; nothing where there is none.
pub fn upright(drawing: &mut Drawing, x: f64, scale: &Linear, estimate: &Estimate) {
    if let Some((low, high)) = number::interval(estimate) {
        let (low, high) = (scale.at(low), scale.at(high));
        drawing.push(&Element::line((x, low), (x, high)).class("whisker"));
        for end in [low, high] {
            drawing.push(&Element::line((x - CAP, end), (x + CAP, end)).class("whisker"));
        }
    }
}

/// Draws the interval lying at height `y`; nothing where there is none.
pub fn lying(drawing: &mut Drawing, y: f64, scale: &Linear, estimate: &Estimate) {
    if let Some((low, high)) = number::interval(estimate) {
        let (low, high) = (scale.at(low), scale.at(high));
        drawing.push(&Element::line((low, y), (high, y)).class("whisker"));
        for end in [low, high] {
            drawing.push(&Element::line((end, y - CAP), (end, y + CAP)).class("whisker"));
        }
    }
}
