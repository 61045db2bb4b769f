//! Lines onto a page: sizes in pixels, and the ink.

use image::RgbImage;
use zeno::{Mask, Scratch, Transform};

use super::line::Line;
use super::outline::Outlines;
use super::{TextSpec, TypesetError};
use crate::render::load::{MAX_DECODED_BYTES, MAX_SIDE_PX};

const WHITE: u8 = 255;

/// The page's measures.
pub(super) struct Page {
    /// Pixels per em.
    em_px: f64,
    /// Width of the page, pixels.
    width_px: u32,
    /// Where text starts from the left, pixels.
    left_px: f64,
    /// Width of the text, ems.
    text_width_em: f64,
    /// Margin at the top and at the bottom, pixels.
    margin_px: u32,
    color: [u8; 3],
}

impl Page {
    /// The page that a specification asks for.
    ///
    /// # Errors
    /// When a size is nonsense, the page is wider than images may be, or there is no room for text.
    pub fn of(spec: &TextSpec) -> Result<Self, TypesetError> {
        let positive = |name, value: f32| match value {
            _ if value > 0.0 && value.is_finite() => Ok(f64::from(value)),
            _ => Err(setting(name, value, "a number above 0")),
        };
        let size_pt = positive("size_pt", spec.size_pt)?;
        let page_width_in = positive("page_width_in", spec.page_width_in)?;
        if !(spec.margin_in >= 0.0 && spec.margin_in.is_finite()) {
            return Err(setting("margin_in", spec.margin_in, "a number not below 0"));
        }
        if spec.dpi == 0 {
            return Err(setting("dpi", spec.dpi, "at least 1"));
        }
        let (dpi, margin_in) = (f64::from(spec.dpi), f64::from(spec.margin_in));
        let em_px = size_pt * dpi / 72.0;
        if em_px < 1.0 {
            return Err(setting("size_pt", spec.size_pt, "at least a pixel (72 / dpi)"));
        }
        let width_px = (page_width_in * dpi).round().min(f64::from(u32::MAX)) as u32;
        let left_px = margin_in * dpi;
        let text_width_em = (f64::from(width_px) - 2.0 * left_px) / em_px;
        if text_width_em < 1.0 {
            return Err(TypesetError::NoRoom { what: "a letter".into(), room_em: text_width_em });
        }
        let margin_px = left_px.round() as u32;
        let page = Self { em_px, width_px, left_px, text_width_em, margin_px, color: spec.color };
        page.check_height(page.empty_height())?;
        Ok(page)
    }

    /// Width of the text, ems.
    pub fn text_width_em(&self) -> f64 {
        self.text_width_em
    }

    /// Height of a page without lines, pixels.
    pub fn empty_height(&self) -> u64 {
        2 * u64::from(self.margin_px)
    }

    /// Height of a line, pixels.
    pub fn line_height(&self, line: &Line) -> u64 {
        (self.ascent(line) + self.descent(line)) as u64
    }

    /// Whether a page of that height can be drawn.
    ///
    /// # Errors
    /// When it is larger than images may be.
    pub fn check_height(&self, height: u64) -> Result<(), TypesetError> {
        let width = u64::from(self.width_px);
        let side = u64::from(MAX_SIDE_PX);
        if width > side || height > side || width * height * 3 > MAX_DECODED_BYTES {
            return Err(TypesetError::PageTooLarge { width, height });
        }
        Ok(())
    }

    /// From the top of the line to its baseline, whole pixels.
    fn ascent(&self, line: &Line) -> f64 {
        (line.extent.top * self.em_px).ceil()
    }

    /// From the baseline to the bottom of the line, whole pixels.
    fn descent(&self, line: &Line) -> f64 {
        (-line.extent.bottom * self.em_px).ceil()
    }

    /// Draws the lines below one another on a page of that height.
    pub fn draw(&self, lines: &[Line], height: u64, outlines: &Outlines) -> RgbImage {
        let row_bytes = self.width_px as usize * 3;
        let mut rgb = vec![WHITE; height as usize * row_bytes];
        let mut top = self.margin_px as usize * row_bytes;
        let mut scratch = Scratch::new();
        for line in lines {
            let bytes = self.line_height(line) as usize * row_bytes;
            let ink = self.ink(line, outlines, &mut scratch);
            self.blend(&ink, &mut rgb[top..top + bytes]);
            top += bytes;
        }
        RgbImage::from_raw(self.width_px, height as u32, rgb).unwrap_or_default()
    }

    /// How much of each of the line's pixels is covered, in 255ths. Where glyphs share a pixel, what they cover is added.
    fn ink(&self, line: &Line, outlines: &Outlines, scratch: &mut Scratch) -> Vec<u8> {
        let mut ink = vec![0_u8; self.width_px as usize * self.line_height(line) as usize];
        // Ink that reaches beyond the line's start moves the line.
        let start_em = if line.is_rtl { self.text_width_em - line.extent.right } else { -line.extent.left };
        for glyph in &line.glyphs {
            let Some(outline) = outlines.get(glyph.font, glyph.id) else { continue };
            let scale = (glyph.font.face().unit * self.em_px) as f32;
            let x = self.left_px + (start_em + glyph.at.0) * self.em_px;
            let y = self.ascent(line) - glyph.at.1 * self.em_px;
            let place = Transform::new(scale, 0.0, 0.0, scale, x.fract() as f32, y.fract() as f32);
            let (covered, at) =
                Mask::with_scratch(&outline.path[..], scratch).transform(Some(place)).render();
            let (left, top) = (x.trunc() as i64 + i64::from(at.left), y.trunc() as i64 + i64::from(at.top));
            for (row, covered) in (top..).zip(covered.chunks_exact(at.width.max(1) as usize)) {
                let start = row * i64::from(self.width_px) + left;
                for (pixel, covered) in (start..).zip(covered) {
                    if let Some(pixel) = usize::try_from(pixel).ok().and_then(|pixel| ink.get_mut(pixel)) {
                        *pixel = pixel.saturating_add(*covered);
                    }
                }
            }
        }
        ink
    }

    fn blend(&self, ink: &[u8], pixels: &mut [u8]) {
        for (&covered, pixel) in ink.iter().zip(pixels.chunks_exact_mut(3)) {
            for (channel, color) in pixel.iter_mut().zip(self.color) {
                let (ink, paper) = (u32::from(covered), u32::from(WHITE - covered));
                *channel = ((ink * u32::from(color) + paper * u32::from(WHITE) + 127) / 255) as u8;
            }
        }
    }
}

fn setting(name: &'static str, found: impl ToString, expected: &'static str) -> TypesetError {
    TypesetError::Setting { name, found: found.to_string(), expected }
}
