//! Where lines end: at the breaks of UAX #14, or within a word that is wider than the line.

use unicode_linebreak::linebreaks;
use unicode_segmentation::UnicodeSegmentation;

use super::TypesetError;
use super::line::{Composer, Line, Paragraph};

/// By how much a line may seem too wide because sums are rounded, ems.
const ROUNDING_EM: f64 = 1e-9;

/// Whether a line may end before a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    /// Never: it is within a grapheme cluster.
    Never,
    /// If the word is wider than the line.
    Within,
    /// Always.
    Allowed,
}

/// A paragraph as the search for breaks sees it.
struct Measured {
    /// For each byte, how far the glyphs of the cluster that starts there move the pen, ems.
    advances: Vec<f64>,
    /// For each byte, and the paragraph's end.
    breaks: Vec<Break>,
}

/// Breaks the paragraph into lines that are at most `width` ems wide, and hands each over. An empty paragraph is one line.
pub(super) fn lines(
    paragraph: &Paragraph<'_>,
    width: f64,
    composer: &mut Composer,
    mut take: impl FnMut(Line) -> Result<(), TypesetError>,
) -> Result<(), TypesetError> {
    let text = paragraph.text;
    if text.trim_end().is_empty() {
        return take(composer.place(paragraph, 0..0)?);
    }
    let measured = measure(paragraph, composer)?;
    let mut start = 0;
    while start < text.len() {
        let mut limit = width;
        // Glyphs at a line's ends may be other ones than within the paragraph, or reach out: then it is tried again.
        let (end, line) = loop {
            let end = measured.line_end(text, start, limit, composer);
            let line = composer.place(paragraph, start..start + text[start..end].trim_end().len())?;
            let excess = line.width() - width;
            if excess <= ROUNDING_EM {
                break (end, line);
            }
            if measured.breaks[start + 1..end].iter().all(|before| *before == Break::Never) {
                let what = format!("{:?}", &text[start..end]);
                return Err(TypesetError::NoRoom { what, room_em: width });
            }
            limit -= excess;
        };
        take(line)?;
        start = end;
    }
    Ok(())
}

fn measure(paragraph: &Paragraph<'_>, composer: &mut Composer) -> Result<Measured, TypesetError> {
    let text = paragraph.text;
    let mut advances = vec![0.0; text.len()];
    for glyph in composer.place(paragraph, 0..text.len())?.glyphs {
        advances[glyph.cluster] += glyph.advance;
    }
    let mut breaks = vec![Break::Never; text.len() + 1];
    for (start, _) in text.grapheme_indices(true) {
        breaks[start] = Break::Within;
    }
    for (end, _) in linebreaks(text) {
        breaks[end] = Break::Allowed;
    }
    Ok(Measured { advances, breaks })
}

impl Measured {
    /// The last byte before which a line that starts at `start` can end, if it may be `limit` ems wide without the spaces
    /// at its end; at least one grapheme cluster further.
    fn line_end(&self, text: &str, start: usize, limit: f64, composer: &Composer) -> usize {
        let mut pen = 0.0;
        let (mut allowed, mut within) = (None, None);
        for (at, character) in text[start..].char_indices() {
            let at = start + at;
            match self.breaks[at] {
                _ if at == start => {}
                Break::Allowed => allowed = Some(at),
                Break::Within => within = Some(at),
                Break::Never => {}
            }
            pen = if character == '\t' { composer.next_tab_stop(pen) } else { pen + self.advances[at] };
            if pen > limit + ROUNDING_EM && !character.is_whitespace() {
                // An indented word that doesn't fit is broken where it stands.
                let allowed =
                    allowed.filter(|end| within.is_none() || !text[start..*end].trim_start().is_empty());
                let first = || (start + 1..=text.len()).find(|end| self.breaks[*end] != Break::Never);
                return allowed.or(within).or_else(first).unwrap_or(text.len());
            }
        }
        text.len()
    }
}
