//! The figures: one file each, all in the same frame of drawing, legend, caption and the numbers behind it.
//!
//! The hues are the same everywhere: text one, vision another, other grey.

pub mod alignment;
pub mod cells;
pub mod classes;
pub mod controls;
pub mod curve;
mod curve_plot;
pub mod depths;
pub mod effects;
pub mod entropies;
pub mod halves;
pub mod heat_map;
pub mod modalities;
pub mod oscillations;
pub mod resolution;
pub mod similarity;
mod stacked_bar;
pub mod tally;
pub mod tiers;
pub mod tokens;
pub mod trajectories;
mod whisker;

use super::svg::element::Element;

/// The relative uncertainty as it stands in running text.
pub const DH_REL: &str = "Δ<i>H</i><sub>rel</sub>";

/// The relative uncertainty as the name of an axis, in the middle of `x`.
fn dh_rel_name(x: f64, y: f64) -> Element {
    Element::new("text").number("x", x).number("y", y).class("name middle").markup(
        "relative uncertainty Δ<tspan class=\"it\">H</tspan><tspan class=\"sub\" dy=\"4\">rel</tspan>\
         <tspan dy=\"-4\"> (negative = text easier)</tspan>",
    )
}

/// What a legend entry looks like in the figure.
#[derive(Debug, Clone, Copy)]
pub enum Swatch {
    /// A filled square of a class.
    Fill(&'static str),
    /// A short line of a class.
    Line(&'static str),
    /// A dot with whiskers.
    Dot,
}

/// A legend: swatches with what they stand for (markup: names from outside are escaped before they come here).
#[must_use]
pub fn legend<L: std::fmt::Display>(entries: &[(Swatch, L)]) -> String {
    let entries: String = entries
        .iter()
        .map(|(swatch, label)| {
            let mark = match swatch {
                Swatch::Fill(class) => {
                    format!("<rect class=\"{class}\" x=\"5\" y=\"1\" width=\"12\" height=\"12\" rx=\"2\"/>")
                }
                Swatch::Line(class) => {
                    format!("<line class=\"{class}\" x1=\"0\" y1=\"7\" x2=\"22\" y2=\"7\"/>")
                }
                Swatch::Dot => "<line class=\"whisker\" x1=\"11\" y1=\"0\" x2=\"11\" y2=\"14\"/>\
                     <circle class=\"text\" cx=\"11\" cy=\"7\" r=\"4\"/>"
                    .to_string(),
            };
            format!(
                "<li><svg class=\"swatch\" viewBox=\"0 0 22 14\" aria-hidden=\"true\">{mark}</svg>{label}</li>"
            )
        })
        .collect();
    format!("<ul class=\"legend\">{entries}</ul>")
}

/// The three ways to follow, as a legend.
#[must_use]
pub fn following_legend() -> String {
    legend(&[
        (Swatch::Fill("text"), "follows the text"),
        (Swatch::Fill("vision"), "follows the image"),
        (Swatch::Fill("other"), "other"),
    ])
}

/// A figure: drawing and legend, caption, and its numbers to unfold. `kind` names it for links and tests.
#[must_use]
pub fn framed(kind: &str, drawing: &str, caption: &str, numbers: Option<&str>) -> String {
    let numbers = numbers
        .map(|table| format!("<details class=\"numbers\"><summary>The numbers</summary>{table}</details>"))
        .unwrap_or_default();
    format!("<figure data-figure=\"{kind}\">{drawing}<figcaption>{caption}</figcaption>{numbers}</figure>")
}

/// The sentence that stands where a figure has nothing to show.
#[must_use]
pub fn nothing(sentence: &str) -> String {
    format!("<p class=\"nothing\">{sentence}</p>")
}
