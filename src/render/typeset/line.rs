//! Paragraphs, and the glyphs of one line of them in their places.

use std::collections::BTreeSet;
use std::ops::Range;

use harfrust::GlyphId;
use unicode_bidi::ParagraphBidiInfo;

use super::error::MAX_NAMED;
use super::item::{Item, items};
use super::outline::{Extent, Outlines};
use super::shape::{Glyph, Run, Shaper};
use super::text::{LINE_ENDS, position};
use super::typeface::Typeface;
use super::{TAB_SPACES, TypesetError};

/// What stands between two newlines.
pub(super) struct Paragraph<'text> {
    /// The whole text.
    whole: &'text str,
    /// Where the paragraph begins in it, bytes.
    start: usize,
    /// The paragraph.
    pub text: &'text str,
    items: Vec<Item>,
    bidi: ParagraphBidiInfo<'text>,
}

/// Glyphs on one baseline, relative to the point at which the line starts: its left end, or its right one if the paragraph
/// reads from right to left.
pub(super) struct Line {
    /// From left to right, but for tabs of paragraphs that read from right to left.
    pub glyphs: Vec<Glyph>,
    /// All advances and all ink; from top to bottom at least the typeface's ascent and descent.
    pub extent: Extent,
    /// Whether it is set flush right.
    pub is_rtl: bool,
}

impl Line {
    /// Width that the line takes, ems.
    pub fn width(&self) -> f64 {
        self.extent.right - self.extent.left
    }
}

/// Places glyphs, and keeps what this takes.
pub(super) struct Composer {
    typeface: Typeface,
    shaper: Shaper,
    outlines: Outlines,
    /// Distance of tab stops, ems.
    tab: f64,
}

impl Composer {
    /// One that sets text in the typeface.
    pub fn new(typeface: Typeface) -> Self {
        let face = typeface.font().face();
        let space = face.font.charmap().map_unicode(' ').unwrap_or_default();
        let width = face.font.glyph_metrics().h_advance(space);
        let tab = f64::from(TAB_SPACES) * f64::from(width) * face.unit;
        Self { typeface, shaper: Shaper::default(), outlines: Outlines::default(), tab }
    }

    /// The text's paragraphs.
    ///
    /// # Errors
    /// When no font has some of their characters.
    pub fn paragraphs<'text>(&mut self, text: &'text str) -> Result<Vec<Paragraph<'text>>, TypesetError> {
        let mut uncovered = Vec::new();
        let paragraphs = text
            .split(LINE_ENDS)
            .map(|paragraph| {
                let start = paragraph.as_ptr() as usize - text.as_ptr() as usize;
                let (items, lacking) = items(paragraph, self.typeface, &mut self.shaper);
                uncovered.extend(lacking.into_iter().map(|at| start + at));
                let bidi = ParagraphBidiInfo::new(paragraph, None);
                Paragraph { whole: text, start, text: paragraph, items, bidi }
            })
            .collect();
        if uncovered.is_empty() { Ok(paragraphs) } else { Err(no_glyph(text, &uncovered)) }
    }

    /// The outlines of all glyphs that were placed.
    pub fn outlines(&self) -> &Outlines {
        &self.outlines
    }

    /// The first tab stop after a pen position, ems.
    pub fn next_tab_stop(&self, pen: f64) -> f64 {
        ((pen / self.tab + 1e-6).floor() + 1.0) * self.tab
    }

    /// The glyphs of these bytes of the paragraph, as one line.
    pub fn place(&mut self, paragraph: &Paragraph<'_>, range: Range<usize>) -> Result<Line, TypesetError> {
        let face = self.typeface.font().face();
        let is_rtl = paragraph.bidi.paragraph_level.is_rtl();
        let mut extent = Extent { left: 0.0, right: 0.0, bottom: -face.descent, top: face.ascent };
        let mut glyphs = Vec::new();
        let (mut start, mut pen) = (range.start, 0.0);
        for piece in paragraph.text[range.clone()].split('\t') {
            if start > range.start {
                pen = self.next_tab_stop(pen);
            }
            let mut shaped = Vec::new();
            for run in paragraph.runs(start..start + piece.len()) {
                shaped.extend(self.shaper.shape(paragraph.text, &run)?);
            }
            let width: f64 = shaped.iter().map(|glyph| glyph.advance).sum();
            let mut x = if is_rtl { -(pen + width) } else { pen };
            for glyph in &mut shaped {
                if glyph.id == GlyphId::NOTDEF {
                    return Err(no_glyph(paragraph.whole, &[paragraph.start + glyph.cluster]));
                }
                glyph.at.0 += x;
                x += glyph.advance;
                if let Some(outline) = self.outlines.read(glyph.font, glyph.id)? {
                    extent = extent.joined(outline.ink.moved(glyph.at));
                }
            }
            glyphs.extend(shaped);
            pen += width;
            start += piece.len() + 1;
        }
        let end = if is_rtl { -pen } else { pen };
        extent.left = extent.left.min(end);
        extent.right = extent.right.max(end);
        Ok(Line { glyphs, extent, is_rtl })
    }
}

impl Paragraph<'_> {
    /// The runs of these bytes from left to right, in the order of UAX #9.
    fn runs(&self, range: Range<usize>) -> Vec<Run> {
        if range.is_empty() {
            return Vec::new();
        }
        let (levels, visual) = self.bidi.visual_runs(range);
        let runs = visual.into_iter().flat_map(|visual| {
            let is_rtl = levels[visual.start].is_rtl();
            let within = |item: &Item| item.range.start.max(visual.start)..item.range.end.min(visual.end);
            let mut runs: Vec<Run> = (self.items.iter())
                .filter(|item| !within(item).is_empty())
                .map(|item| Run { range: within(item), font: item.font, script: item.script, is_rtl })
                .collect();
            if is_rtl {
                runs.reverse();
            }
            runs
        });
        runs.collect()
    }
}

/// The error that names the characters at these bytes of the text, each once.
fn no_glyph(text: &str, at: &[usize]) -> TypesetError {
    let character = |at: usize| text[at..].chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
    let mut known = BTreeSet::new();
    let first: Vec<usize> = at.iter().copied().filter(|at| known.insert(character(*at))).collect();
    let named = first.iter().take(MAX_NAMED);
    TypesetError::NoGlyph {
        characters: named.map(|&at| position(text, at, character(at))).collect(),
        distinct: first.len(),
    }
}
