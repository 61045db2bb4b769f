//! The shapes: their geometry in one place, for drawing and for deciding what covers what.

use tiny_skia::{Path, PathBuilder};

/// A shape that can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShapeKind {
    /// A disc.
    Circle,
    /// Upright, all sides equal.
    Square,
    /// Upright isosceles, as wide as high.
    Triangle,
    /// A square on its corner.
    Diamond,
    /// Two bars, each a third as thick as long.
    Cross,
    /// A disc with a concentric hole of half its width.
    Ring,
}

impl ShapeKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Circle, Self::Square, Self::Triangle, Self::Diamond, Self::Cross, Self::Ring];

    /// The shape's English name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Circle => "circle",
            Self::Square => "square",
            Self::Triangle => "triangle",
            Self::Diamond => "diamond",
            Self::Cross => "cross",
            Self::Ring => "ring",
        }
    }

    /// The shape of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.name() == name)
    }

    /// Area as a share of the bounding square.
    pub fn fill(self) -> f64 {
        use std::f64::consts::PI;
        match self {
            Self::Circle => PI / 4.0,
            Self::Square => 1.0,
            Self::Triangle | Self::Diamond => 0.5,
            Self::Cross => 5.0 / 9.0,
            Self::Ring => PI / 4.0 * 0.75,
        }
    }

    /// Whether the point `(x, y)` lies in the shape inscribed in [-1, 1] x [-1, 1] (y downwards).
    fn contains_unit(self, x: f64, y: f64) -> bool {
        let square = x.abs() <= 1.0 && y.abs() <= 1.0;
        let radius_squared = x * x + y * y;
        match self {
            Self::Circle => radius_squared <= 1.0,
            Self::Square => square,
            Self::Triangle => square && x.abs() <= (y + 1.0) / 2.0,
            Self::Diamond => x.abs() + y.abs() <= 1.0,
            Self::Cross => square && (x.abs() <= 1.0 / 3.0 || y.abs() <= 1.0 / 3.0),
            Self::Ring => (0.25..=1.0).contains(&radius_squared),
        }
    }
}

/// A shape at its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Which shape.
    pub kind: ShapeKind,
    /// Its fill, RGB.
    pub color: [u8; 3],
    /// Center of the bounding square, pixels from the left and from the top.
    pub center: (f64, f64),
    /// Side of the bounding square, pixels.
    pub side: f64,
}

impl Placed {
    /// Whether the shape covers the point.
    pub fn contains(&self, x: f64, y: f64) -> bool {
        let half = self.side / 2.0;
        self.kind.contains_unit((x - self.center.0) / half, (y - self.center.1) / half)
    }

    /// The pixels of a `width` x `height` canvas whose centers the shape covers, as indices `y * width + x`.
    pub fn pixels(&self, (width, height): (u32, u32)) -> impl Iterator<Item = usize> + '_ {
        let half = self.side / 2.0;
        let range = |center: f64, limit: u32| {
            ((center - half).floor().max(0.0) as u32)
                ..((center + half).ceil().clamp(0.0, f64::from(limit)) as u32)
        };
        let columns = range(self.center.0, width);
        range(self.center.1, height).flat_map(move |y| {
            columns
                .clone()
                .filter(move |&x| self.contains(f64::from(x) + 0.5, f64::from(y) + 0.5))
                .map(move |x| (y * width + x) as usize)
        })
    }

    /// The outline, to be filled with the even-odd rule.
    pub(super) fn path(&self) -> Option<Path> {
        let half = self.side / 2.0;
        let at = |x: f64, y: f64| ((self.center.0 + x * half) as f32, (self.center.1 + y * half) as f32);
        let mut builder = PathBuilder::new();
        let polygon = |builder: &mut PathBuilder, corners: &[(f64, f64)]| {
            for (index, &(x, y)) in corners.iter().enumerate() {
                let (x, y) = at(x, y);
                if index == 0 { builder.move_to(x, y) } else { builder.line_to(x, y) }
            }
            builder.close();
        };
        let third = 1.0 / 3.0;
        let (x, y) = at(0.0, 0.0);
        match self.kind {
            ShapeKind::Circle => builder.push_circle(x, y, half as f32),
            ShapeKind::Ring => {
                builder.push_circle(x, y, half as f32);
                builder.push_circle(x, y, half as f32 / 2.0);
            }
            ShapeKind::Square => polygon(&mut builder, &[(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]),
            ShapeKind::Triangle => polygon(&mut builder, &[(0.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]),
            ShapeKind::Diamond => polygon(&mut builder, &[(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)]),
            ShapeKind::Cross => polygon(
                &mut builder,
                &[
                    (-third, -1.0),
                    (third, -1.0),
                    (third, -third),
                    (1.0, -third),
                    (1.0, third),
                    (third, third),
                    (third, 1.0),
                    (-third, 1.0),
                    (-third, third),
                    (-1.0, third),
                    (-1.0, -third),
                    (-third, -third),
                ],
            ),
        }
        builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shapes_pixels_are_its_fill_of_the_square() {
        for kind in ShapeKind::ALL {
            let placed = Placed { kind, color: [0; 3], center: (100.0, 100.0), side: 150.0 };
            let share = placed.pixels((200, 200)).count() as f64 / (150.0 * 150.0);
            assert!((share - kind.fill()).abs() < 0.01, "{}: {share} against {}", kind.name(), kind.fill());
        }
    }

    #[test]
    fn pixels_off_the_canvas_are_left_out() {
        let placed = Placed { kind: ShapeKind::Square, color: [0; 3], center: (0.0, 0.0), side: 20.0 };
        assert_eq!(placed.pixels((200, 200)).count(), 100);
    }
}
