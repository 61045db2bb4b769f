//! Characters into placed glyphs of one font, as HarfBuzz does it.

use std::collections::BTreeMap;
use std::ops::Range;

use harfrust::{
    Buffer, BufferFlags, Direction, Feature, GlyphId, Script, ShapeOptions, ShapePlan, ShaperFont, Tag,
};

use super::TypesetError;
use super::font::FontFile;

/// A run of text in one font, one script and one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// Its bytes of the paragraph.
    pub range: Range<usize>,
    /// What it is set in.
    pub font: FontFile,
    /// What it is written in.
    pub script: Script,
    /// Whether it reads from right to left.
    pub is_rtl: bool,
}

/// A glyph and its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Glyph {
    /// The font that has it.
    pub font: FontFile,
    /// Its number there; 0 stands for a character that the font lacks.
    pub id: GlyphId,
    /// First byte, in the paragraph, of what it shows.
    pub cluster: usize,
    /// How far it moves the pen, ems.
    pub advance: f64,
    /// Where its origin is, ems to the right of and above the pen; once it is in a line, of the line's start.
    pub at: (f64, f64),
}

/// Shapes runs; what it prepares for a font and a script is kept.
#[derive(Default)]
pub(super) struct Shaper {
    buffer: Buffer,
    prepared: BTreeMap<(FontFile, Script, bool), (ShaperFont<'static, 'static>, ShapePlan)>,
}

impl Shaper {
    /// The glyphs of a run of the paragraph, from left to right.
    pub fn shape(&mut self, paragraph: &str, run: &Run) -> Result<Vec<Glyph>, TypesetError> {
        let direction = if run.is_rtl { Direction::RightToLeft } else { Direction::LeftToRight };
        let (font, plan) = self.prepared.entry((run.font, run.script, run.is_rtl)).or_insert_with(|| {
            let font = &run.font.face().font;
            let plan = ShapePlan::new(font, direction, Some(run.script), None, &features());
            (ShaperFont::new(font), plan)
        });
        self.buffer.clear();
        self.buffer.set_direction(direction);
        self.buffer.set_script(Some(run.script));
        self.buffer.set_flags(BufferFlags::DO_NOT_INSERT_DOTTED_CIRCLE);
        for (at, character) in paragraph[run.range.clone()].char_indices() {
            self.buffer.push(character as u32, (run.range.start + at) as u32);
        }
        harfrust::shape(font, &mut self.buffer, ShapeOptions::new().plan(Some(plan)).features(&features()))
            .map_err(|error| TypesetError::Defect { reason: format!("{run:?} cannot be shaped: {error}") })?;
        let unit = run.font.face().unit;
        let ems = |units: i32| f64::from(units) * unit;
        let glyphs = self.buffer.glyph_infos().iter().zip(self.buffer.glyph_positions());
        Ok(glyphs
            .map(|(info, position)| Glyph {
                font: run.font,
                id: GlyphId::new(info.glyph_id),
                cluster: info.cluster as usize,
                advance: ems(position.x_advance),
                at: (ems(position.x_offset), ems(position.y_offset)),
            })
            .collect())
    }
}

/// Ligatures that the script doesn't require are off.
fn features() -> [Feature; 2] {
    [b"liga", b"clig"].map(|tag| Feature::new(Tag::new(tag), 0, ..))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        font: String,
        script: String,
        rtl: bool,
        text: String,
        /// Id, cluster, advance, and the offsets, units of the font.
        glyphs: Vec<[i32; 5]>,
    }

    #[test]
    fn glyphs_are_those_of_harfbuzz() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/typesetting/glyphs.json");
        let goldens: Vec<Golden> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert!(goldens.len() >= 15);
        let mut shaper = Shaper::default();
        for golden in goldens {
            let font = FontFile::named(&golden.font).unwrap();
            let script = golden.script.parse().unwrap();
            let run = Run { range: 0..golden.text.len(), font, script, is_rtl: golden.rtl };
            let units = |ems: f64| (ems / font.face().unit).round() as i32;
            let glyphs: Vec<[i32; 5]> = (shaper.shape(&golden.text, &run).unwrap().iter())
                .map(|glyph| {
                    let (x, y) = glyph.at;
                    [glyph.id.to_u32() as i32, glyph.cluster as i32, units(glyph.advance), units(x), units(y)]
                })
                .collect();
            assert_eq!(glyphs, golden.glyphs, "{} in {}", golden.text, golden.font);
        }
    }
}
