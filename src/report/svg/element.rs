//! One SVG element: attributes and content, escaped on the way in, never a NaN in a coordinate.

use std::fmt;

use crate::report::escape;

/// An element under construction; `Display` writes it out.
#[derive(Debug, Clone)]
pub struct Element {
    name: &'static str,
    attributes: String,
    content: String,
}

impl Element {
    /// An element without attributes or content.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, attributes: String::new(), content: String::new() }
    }

    /// A rectangle; negative extents are drawn as 0.
    #[must_use]
    pub fn rect(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self::new("rect")
            .number("x", x)
            .number("y", y)
            .number("width", width.max(0.0))
            .number("height", height.max(0.0))
    }

    /// A straight line between two points.
    #[must_use]
    pub fn line(from: (f64, f64), to: (f64, f64)) -> Self {
        Self::new("line").number("x1", from.0).number("y1", from.1).number("x2", to.0).number("y2", to.1)
    }

    /// A circle.
    #[must_use]
    pub fn circle(center: (f64, f64), radius: f64) -> Self {
        Self::new("circle").number("cx", center.0).number("cy", center.1).number("r", radius)
    }

    /// An open line through points.
    #[must_use]
    pub fn polyline(points: &[(f64, f64)]) -> Self {
        Self::new("polyline").attribute("points", &joined(points))
    }

    /// A closed area between points.
    #[must_use]
    pub fn polygon(points: &[(f64, f64)]) -> Self {
        Self::new("polygon").attribute("points", &joined(points))
    }

    /// A line of text whose baseline starts, centers or ends (by class) at a point.
    #[must_use]
    pub fn label(x: f64, y: f64, text: &str) -> Self {
        Self::new("text").number("x", x).number("y", y).text(text)
    }

    /// Sets an attribute to a number of user units.
    #[must_use]
    pub fn number(mut self, name: &'static str, value: f64) -> Self {
        self.attributes.push_str(&format!(" {name}=\"{}\"", coordinate(value)));
        self
    }

    /// Sets an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: &str) -> Self {
        self.attributes.push_str(&format!(" {name}=\"{}\"", escape::html(value)));
        self
    }

    /// Sets the classes by which the style sheet colours the element.
    #[must_use]
    pub fn class(self, classes: &str) -> Self {
        self.attribute("class", classes)
    }

    /// Appends text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.content.push_str(&escape::html(text));
        self
    }

    /// Appends markup of our own; `'static` keeps text from outside away.
    #[must_use]
    pub fn markup(mut self, markup: &'static str) -> Self {
        self.content.push_str(markup);
        self
    }

    /// Appends a child.
    #[must_use]
    pub fn child(mut self, child: &Element) -> Self {
        self.content.push_str(&child.to_string());
        self
    }

    /// Shows this text when the pointer rests on the element.
    #[must_use]
    pub fn tooltip(self, text: &str) -> Self {
        let title = Element::new("title").text(text);
        self.child(&title)
    }
}

impl fmt::Display for Element {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, attributes, content } = self;
        if content.is_empty() {
            write!(formatter, "<{name}{attributes}/>")
        } else {
            write!(formatter, "<{name}{attributes}>{content}</{name}>")
        }
    }
}

fn joined(points: &[(f64, f64)]) -> String {
    let points: Vec<String> =
        points.iter().map(|(x, y)| format!("{},{}", coordinate(*x), coordinate(*y))).collect();
    points.join(" ")
}

/// A coordinate with at most two decimals; what is not finite lies at 0.
fn coordinate(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_string();
    }
    let digits = format!("{value:.2}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    if digits == "-0" { "0".to_string() } else { digits.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short_and_finite() {
        assert_eq!(coordinate(12.0), "12");
        assert_eq!(coordinate(0.125), "0.12");
        assert_eq!(coordinate(-0.001), "0");
        assert_eq!(coordinate(100.0), "100");
        assert_eq!(coordinate(f64::NAN), "0");
    }

    #[test]
    fn labels_and_tooltips_are_escaped() {
        let label = Element::label(1.0, 2.0, "a<b").tooltip("<script>").to_string();
        assert_eq!(label, "<text x=\"1\" y=\"2\">a&lt;b<title>&lt;script&gt;</title></text>");
    }
}
