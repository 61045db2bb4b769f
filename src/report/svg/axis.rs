//! Axes: ticks, their labels, and grid lines across the plot.

use super::drawing::Drawing;
use super::element::Element;
use super::scale::Linear;
use crate::report::number;

/// Length of a tick, user units.
const TICK: f64 = 5.0;

/// A horizontal axis at height `y`, with tick labels below it.
pub fn bottom(drawing: &mut Drawing, scale: &Linear, y: f64, ticks: &[f64], decimals: usize) {
    let (left, right) = scale.range();
    drawing.push(&Element::line((left, y), (right, y)).class("axis"));
    for tick in ticks {
        let x = scale.at(*tick);
        drawing.push(&Element::line((x, y), (x, y + TICK)).class("axis"));
        drawing.push(&Element::label(x, y + 20.0, &number::fixed(*tick, decimals)).class("tick middle"));
    }
}

/// A vertical axis left of `x`, as tick labels and grid lines to `grid_end`.
pub fn left(drawing: &mut Drawing, scale: &Linear, x: f64, grid_end: f64, ticks: &[f64], decimals: usize) {
    for tick in ticks {
        let y = scale.at(*tick);
        drawing.push(&Element::line((x, y), (grid_end, y)).class("grid"));
        drawing.push(&Element::label(x - 8.0, y + 4.5, &number::fixed(*tick, decimals)).class("tick end"));
    }
}

/// The decimals that tell neighbouring ticks apart.
#[must_use]
pub fn decimals(ticks: &[f64]) -> usize {
    let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    (0..6)
        .find(|decimals| {
            let scaled = step * 10_f64.powi(*decimals as i32);
            scaled >= 1.0 - 1e-9 && (scaled - scaled.round()).abs() < 1e-6
        })
        .unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use super::decimals;

    #[test]
    fn ticks_show_as_many_decimals_as_they_need() {
        assert_eq!(decimals(&[0.0, 1.0, 2.0]), 0);
        assert_eq!(decimals(&[0.0, 0.5, 1.0]), 1);
        assert_eq!(decimals(&[0.0, 0.25, 0.5]), 2);
        assert_eq!(decimals(&[]), 2);
    }
}
