//! The drawing of P(text following | dH_rel), in whatever size: bins, fits, the line at one half, the balance point.

use super::dh_rel_name;
use crate::analysis::summary::{BalancePoint, Curve, CurveBin, Estimate, Logistic};
use crate::report::number;
use crate::report::svg::axis;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::Linear;

/// Bounds of dH_rel, by its definition.
const DOMAIN: (f64, f64) = (-2.0, 2.0);
/// Height of the strip under the plot that shows how many cases each bin holds, user units.
const STRIP: f64 = 26.0;

/// Size of a plot, user units.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Of the whole drawing.
    pub width: f64,
    /// Of the whole drawing.
    pub height: f64,
    /// Radius of the point of the fullest bin.
    pub radius: f64,
}

struct Plot<'a> {
    curve: &'a Curve,
    size: Size,
    x: Linear,
    y: Linear,
    top: f64,
    bottom: f64,
    most_cases: u64,
}

/// Draws a curve.
#[must_use]
pub fn draw(id: &str, title: &str, curve: &Curve, size: Size) -> String {
    let (top, bottom) = (32.0, size.height - 56.0 - STRIP - 8.0);
    let plot = Plot {
        curve,
        size,
        x: Linear::new(DOMAIN, (50.0, size.width - 14.0)),
        y: Linear::new((0.0, 1.0), (bottom, top)),
        top,
        bottom,
        most_cases: curve.bins.iter().map(|bin| bin.cases).max().unwrap_or(0),
    };
    let mut drawing = Drawing::new(id, (size.width, size.height), title, &plot.description());
    plot.sides(&mut drawing);
    plot.axes(&mut drawing);
    plot.balance(&mut drawing);
    plot.fits(&mut drawing);
    plot.case_strip(&mut drawing);
    for bin in &curve.bins {
        plot.bin(&mut drawing, bin);
    }
    drawing.finish()
}

impl Plot<'_> {
    fn description(&self) -> String {
        let filled = self.curve.bins.iter().filter(|bin| bin.text_following.is_some()).count();
        format!(
            "Share of text following over relative uncertainty, {} cases; {filled} of {} bins hold enough of them. {}.",
            number::count(self.curve.cases),
            self.curve.bins.len(),
            balance_words(&self.curve.balance_point)
        )
    }

    /// Tints the half where the text wins and the half where the image wins, and says so.
    fn sides(&self, drawing: &mut Drawing) {
        let (left, right) = self.x.range();
        let middle = self.y.at(0.5);
        drawing.push(&Element::rect(left, self.top, right - left, middle - self.top).class("text tint"));
        drawing.push(&Element::rect(left, middle, right - left, self.bottom - middle).class("vision tint"));
        drawing.push(
            &Element::label(right - 8.0, self.top + 19.0, "follows the text").class("side end ink-text"),
        );
        drawing.push(
            &Element::label(left + 8.0, self.bottom - 10.0, "follows the image").class("side ink-vision"),
        );
    }

    fn axes(&self, drawing: &mut Drawing) {
        let (left, right) = self.x.range();
        axis::left(drawing, &self.y, left, right, &[0.0, 0.25, 0.5, 0.75, 1.0], 2);
        drawing.push(&Element::line((left, self.y.at(0.5)), (right, self.y.at(0.5))).class("half"));
        let zero = self.x.at(0.0);
        drawing.push(&Element::line((zero, self.top), (zero, self.bottom)).class("grid"));
        let ticks: &[f64] = if self.size.width > 500.0 {
            &[-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0]
        } else {
            &[-2.0, -1.0, 0.0, 1.0, 2.0]
        };
        let foot = self.size.height - 56.0;
        axis::bottom(drawing, &self.x, foot, ticks, axis::decimals(ticks));
        let (middle, name_foot) = (f64::midpoint(left, right), foot + 45.0);
        let name = if self.size.width > 500.0 {
            dh_rel_name(middle, name_foot)
        } else {
            Element::label(middle, name_foot, "")
                .class("name middle")
                .markup("Δ<tspan class=\"it\">H</tspan><tspan class=\"sub\" dy=\"4\">rel</tspan>")
        };
        drawing.push(&name);
    }

    fn balance(&self, drawing: &mut Drawing) {
        let (left, right) = self.x.range();
        let BalancePoint::Crossing(at) = &self.curve.balance_point else {
            let words = balance_words(&self.curve.balance_point);
            drawing.push(
                &Element::label((left + right) / 2.0, self.top - 11.0, &words).class("balance-label middle"),
            );
            return;
        };
        if !at.value.is_finite() {
            return;
        }
        if let Some((low, high)) = number::interval(at) {
            let (low, high) = (self.x.at(low), self.x.at(high));
            drawing.push(
                &Element::rect(low, self.top, high - low, self.bottom - self.top).class("balance-band"),
            );
        }
        let x = self.x.at(at.value);
        let words = balance_words(&self.curve.balance_point);
        drawing.push(
            &Element::line((x, self.top - 6.0), (x, self.bottom)).class("balance-line").tooltip(&words),
        );
        let part = (x - left) / (right - left);
        let (anchor, label_x) = match part {
            part if part < 0.3 => ("start", left),
            part if part > 0.7 => ("end", right),
            _ => ("middle", x),
        };
        drawing.push(
            &Element::label(label_x, self.top - 11.0, &words).class(&format!("balance-label {anchor}")),
        );
    }

    fn fits(&self, drawing: &mut Drawing) {
        if let Some(logistic) = &self.curve.logistic {
            let points: Vec<(f64, f64)> = (0..=100)
                .map(|step| DOMAIN.0 + (DOMAIN.1 - DOMAIN.0) * f64::from(step) / 100.0)
                .map(|x| (x, logistic_share(logistic, x)))
                .filter(|(_, share)| share.is_finite())
                .map(|(x, share)| (self.x.at(x), self.y.at(share)))
                .collect();
            drawing.push(&Element::polyline(&points).class("logistic"));
        }
        let points: Vec<(f64, f64)> = steps(&self.curve.isotonic)
            .into_iter()
            .map(|(x, share)| (self.x.at(x), self.y.at(share)))
            .collect();
        if !points.is_empty() {
            drawing.push(&Element::polyline(&points).class("isotonic"));
        }
    }

    /// One bar for each bin: how many cases stand behind it, whether or not they are enough for a point.
    fn case_strip(&self, drawing: &mut Drawing) {
        let (left, foot) = (self.x.range().0, self.size.height - 56.0);
        drawing.push(&Element::label(left - 8.0, foot - STRIP / 2.0 + 4.5, "cases").class("tick end"));
        for bin in self.curve.bins.iter().filter(|bin| bin.cases > 0) {
            let height = (STRIP * number::share(bin.cases, self.most_cases)).max(1.0);
            let (low, high) = (self.x.at(bin.low), self.x.at(bin.high));
            let class = if bin.text_following.is_some() { "strip" } else { "strip thin" };
            drawing.push(
                &Element::rect(low + 1.0, foot - height, high - low - 2.0, height)
                    .class(class)
                    .tooltip(&bin_words(bin)),
            );
        }
    }

    fn bin(&self, drawing: &mut Drawing, bin: &CurveBin) {
        let Some(share) = bin.text_following.filter(|share| share.value.is_finite()) else {
            return;
        };
        let middle = f64::midpoint(bin.low, bin.high);
        let x = self.x.at(bin.mean_dh_rel.filter(|mean| mean.is_finite()).unwrap_or(middle));
        if let Some((low, high)) = number::interval(&share) {
            let (low, high) = (self.y.at(low), self.y.at(high));
            drawing.push(&Element::line((x, low), (x, high)).class("whisker"));
            for end in [low, high] {
                drawing.push(&Element::line((x - 4.0, end), (x + 4.0, end)).class("whisker"));
            }
        }
        let radius = self.size.radius * number::share(bin.cases, self.most_cases).sqrt();
        let class = if share.value > 0.5 { "point text" } else { "point vision" };
        drawing.push(
            &Element::circle((x, self.y.at(share.value)), radius.max(2.5))
                .class(class)
                .tooltip(&bin_words(bin)),
        );
    }
}

/// A decreasing step line through knots: flat around each, down half-way between two of different height.
fn steps(knots: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for (x, share) in knots.iter().copied().filter(|(x, share)| x.is_finite() && share.is_finite()) {
        match points.last().copied() {
            Some((last_x, last_share)) if last_share != share => {
                let between = f64::midpoint(last_x, x);
                points.extend([(between, last_share), (between, share), (x, share)]);
            }
            _ => points.push((x, share)),
        }
    }
    points
}

fn logistic_share(logistic: &Logistic, dh_rel: f64) -> f64 {
    1.0 / (1.0 + (-(logistic.intercept + logistic.slope * dh_rel)).exp())
}

/// A bin in words, for tooltips.
fn bin_words(bin: &CurveBin) -> String {
    let share = bin.text_following.map_or_else(
        || "too few for a share".to_string(),
        |share: Estimate| format!("text following {}", number::estimate(&share, 2)),
    );
    format!(
        "dH_rel {} to {}: {} cases, {share}",
        number::fixed(bin.low, 2),
        number::fixed(bin.high, 2),
        number::count(bin.cases)
    )
}

/// The balance point in words, for the label over the plot.
fn balance_words(balance: &BalancePoint) -> String {
    match balance {
        BalancePoint::Crossing(at) => format!("balance point {}", number::estimate(at, 2)),
        BalancePoint::AlwaysText => "no crossing: the text wins throughout".to_string(),
        BalancePoint::AlwaysVision => "no crossing: the image wins throughout".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_down_between_knots() {
        assert_eq!(
            steps(&[(-1.0, 0.9), (0.0, 0.9), (1.0, 0.1)]),
            [(-1.0, 0.9), (0.0, 0.9), (0.5, 0.9), (0.5, 0.1), (1.0, 0.1)]
        );
        assert!(steps(&[(f64::NAN, 0.5)]).is_empty());
    }

    #[test]
    fn the_logistic_curve_is_one_half_at_its_balance_point() {
        let logistic = Logistic { intercept: -0.4, slope: -2.0, balance_point: None };
        assert!((logistic_share(&logistic, -0.2) - 0.5).abs() < 1e-12);
        assert!(logistic_share(&logistic, -1.0) > logistic_share(&logistic, 1.0));
    }
}
