//! A bar cut into shares: text, vision, other, always in this order and in these hues.

use crate::report::number;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;

/// One share of a bar.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// Class of its hue.
    pub class: &'static str,
    /// What it counts, for the tooltip.
    pub name: &'static str,
    /// How many.
    pub cases: u64,
}

/// The three shares of followed cases.
#[must_use]
pub fn following(text: u64, vision: u64, other: u64) -> [Share; 3] {
    [
        Share { class: "text", name: "text", cases: text },
        Share { class: "vision", name: "image", cases: vision },
        Share { class: "other", name: "other", cases: other },
    ]
}

/// Where a bar lies, user units.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Extent to the right.
    pub width: f64,
    /// Extent downwards.
    pub height: f64,
}

/// Draws the shares side by side; those wide enough carry their percentage when `labelled`.
pub fn draw(drawing: &mut Drawing, place: Place, shares: &[Share], labelled: bool) {
    /// Width of one character of a label at the largest figure text, user units.
    const CHARACTER: f64 = 13.0;

    let total: u64 = shares.iter().map(|share| share.cases).sum();
    let mut x = place.x;
    for share in shares.iter().filter(|share| share.cases > 0) {
        let width = place.width * number::share(share.cases, total);
        let percent = number::percent(share.cases, total);
        let tooltip = format!(
            "{}: {} of {} cases, {percent}",
            share.name,
            number::count(share.cases),
            number::count(total)
        );
        drawing.push(&Element::rect(x, place.y, width, place.height).class(share.class).tooltip(&tooltip));
        if labelled && width >= CHARACTER * percent.chars().count() as f64 {
            let baseline = place.y + place.height / 2.0 + 5.0;
            drawing.push(
                &Element::label(x + width / 2.0, baseline, &percent)
                    .class(&format!("middle on-hue on-{}", share.class)),
            );
        }
        x += width;
    }
}
