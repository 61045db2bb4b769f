//! The outlines of glyphs, each read once a page.

use std::collections::BTreeMap;

use harfrust::GlyphId;
use harfrust::font::glyph::outline::{DrawMemory, DrawOptions, PathSink};
use zeno::{Command, Point};

use super::TypesetError;
use super::font::FontFile;

/// A rectangle, ems to the right of and above an origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    pub left: f64,
    pub right: f64,
    pub bottom: f64,
    pub top: f64,
}

impl Extent {
    /// The smallest rectangle around both.
    pub fn joined(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            right: self.right.max(other.right),
            bottom: self.bottom.min(other.bottom),
            top: self.top.max(other.top),
        }
    }

    /// The rectangle, `x` further right and `y` further up.
    pub fn moved(self, (x, y): (f64, f64)) -> Self {
        Self { left: self.left + x, right: self.right + x, bottom: self.bottom + y, top: self.top + y }
    }
}

/// A glyph's shape.
pub(super) struct Outline {
    /// What is filled, in units of the font, y downwards.
    pub path: Vec<Command>,
    /// Where its ink is.
    pub ink: Extent,
}

/// The outlines that were asked for so far.
#[derive(Default)]
pub(super) struct Outlines(BTreeMap<(FontFile, GlyphId), Option<Outline>>);

impl Outlines {
    /// Reads the glyph's outline if that wasn't done yet. Spaces have none.
    pub fn read(&mut self, font: FontFile, id: GlyphId) -> Result<Option<&Outline>, TypesetError> {
        use std::collections::btree_map::Entry;
        Ok(match self.0.entry((font, id)) {
            Entry::Occupied(known) => known.into_mut().as_ref(),
            Entry::Vacant(place) => place.insert(read(font, id)?).as_ref(),
        })
    }

    /// An outline that was read.
    pub fn get(&self, font: FontFile, id: GlyphId) -> Option<&Outline> {
        self.0.get(&(font, id))?.as_ref()
    }
}

fn read(font: FontFile, id: GlyphId) -> Result<Option<Outline>, TypesetError> {
    let face = font.face();
    let Some(glyph) = face.font.outline_glyphs().get(id) else { return Ok(None) };
    let defect =
        |error| TypesetError::Defect { reason: format!("glyph {id} of {font:?} cannot be drawn: {error}") };
    let mut pen = Pen(Vec::new());
    glyph.draw(&DrawOptions::new(), DrawMemory::default(), &mut pen).map_err(defect)?;
    let extents = glyph.extents().map_err(defect)?;
    let ems = |units: f32| f64::from(units) * face.unit;
    let ink = Extent {
        left: ems(extents.x_bearing),
        right: ems(extents.x_bearing + extents.width),
        bottom: ems(extents.y_bearing - extents.height),
        top: ems(extents.y_bearing),
    };
    Ok((!pen.0.is_empty()).then_some(Outline { path: pen.0, ink }))
}

/// Turns outlines, which have y upwards, upside down.
struct Pen(Vec<Command>);

fn point(x: f32, y: f32) -> Point {
    Point::new(x, -y)
}

impl PathSink for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.push(Command::MoveTo(point(x, y)));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.push(Command::LineTo(point(x, y)));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.push(Command::QuadTo(point(x1, y1), point(x, y)));
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.push(Command::CurveTo(point(x1, y1), point(x2, y2), point(x, y)));
    }

    fn close(&mut self) {
        self.0.push(Command::Close);
    }
}
