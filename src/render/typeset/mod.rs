//! Text into images: paragraphs are broken into lines, shaped, and drawn in one color on a white page.
//!
//! Called by [`super::load`] for [`crate::suite::ImageSource::Text`]. The steps, one file each:
//!
//! 1. `text`: newlines are made one kind, control characters refused.
//! 2. `item`: each word gets the first font that has it, among the few that the program carries (`font`).
//! 3. `line` and `line_break`: UAX #14 breaks, UAX #9 order, tab stops; `shape` places the glyphs as HarfBuzz does. All
//!    lengths are in ems, so that lines break at the same places at every resolution at which the page's width is a whole
//!    number of pixels.
//! 4. `page`: outlines are filled with anti-aliasing and without hinting. Glyphs stand at fractions of a pixel from left to
//!    right, baselines at whole pixels.
//!
//! Nothing is read from the machine: no font, no locale, no setting. The same specification gives the same bytes everywhere.

mod error;
mod font;
mod item;
mod line;
mod line_break;
mod outline;
mod page;
mod shape;
mod text;
mod typeface;

use image::RgbImage;
use serde::{Deserialize, Serialize};

pub use error::{TypesetError, Uncovered};
pub use typeface::Typeface;

use line::Composer;
use page::Page;

/// Size of the text, points: what papers and letters are printed in (our choice; the paper leaves it open).
pub const DEFAULT_SIZE_PT: f32 = 12.0;

/// Resolution, dots per inch: REST's.
pub const DEFAULT_DPI: u32 = 200;

/// Color of the text: REST's, on a white page.
pub const DEFAULT_COLOR: [u8; 3] = [0, 0, 0];

/// Width of the page, inches: the text of a letter page with margins of one inch (our choice; the paper leaves it open).
pub const DEFAULT_PAGE_WIDTH_IN: f32 = 6.5;

/// Margin on all four sides, inches (our choice; the paper leaves it open).
pub const DEFAULT_MARGIN_IN: f32 = 0.25;

/// Distance of two tab stops, in widths of the typeface's space.
pub const TAB_SPACES: u32 = 8;

/// Longest text that is typeset, bytes. Far more than a page holds at a legible size.
pub const MAX_TEXT_BYTES: usize = 1 << 18;

/// A page of text. The constants above are the defaults for REST and REST+ (arXiv 2512.08923).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextSpec {
    /// What is written. Newlines end a line; tabs go to the next tab stop.
    pub text: String,
    /// What it is written in.
    pub font: Typeface,
    /// Size of the text, points (1/72 inch): an em has `size_pt * dpi / 72` pixels.
    pub size_pt: f32,
    /// Resolution, pixels per inch.
    pub dpi: u32,
    /// Color of the text, RGB.
    pub color: [u8; 3],
    /// Width of the page, inches, margins included. Its height is what the text needs.
    pub page_width_in: f32,
    /// Margin on all four sides, inches.
    pub margin_in: f32,
}

impl TextSpec {
    /// The text in DejaVu Sans, with the default size, resolution, color, page and margins.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            font: Typeface::DejaVuSans,
            size_pt: DEFAULT_SIZE_PT,
            dpi: DEFAULT_DPI,
            color: DEFAULT_COLOR,
            page_width_in: DEFAULT_PAGE_WIDTH_IN,
            margin_in: DEFAULT_MARGIN_IN,
        }
    }
}

/// Typesets the text: an RGB image as wide as the page, and as high as its lines and margins.
///
/// Lines are broken by UAX #14, and within words (between grapheme clusters) where a word alone is wider than the page.
/// Spaces at the start of a line are kept, those before a break hang over; newlines at the end of the text are ignored, and
/// a text of nothing but newlines is one empty line. Paragraphs whose first letter is of a right-to-left script are set
/// flush right. A line is as high as the typeface's ascent and descent, and higher where its ink is; no ink is in a margin.
///
/// Letters don't form ligatures that the script doesn't require: what is drawn can be read letter by letter. Emoji are drawn
/// in one color, alike for all skin tones; a sequence that the font has no picture for is drawn as its parts.
///
/// # Errors
/// When a character has no glyph in any of the program's fonts, or is a control character; when the page leaves no room for
/// text; when a size is nonsense; when the text or its page is larger than the limits ([`MAX_TEXT_BYTES`],
/// [`super::load::MAX_SIDE_PX`], [`super::load::MAX_DECODED_BYTES`]).
pub fn typeset(spec: &TextSpec) -> Result<RgbImage, TypesetError> {
    let page = Page::of(spec)?;
    let text = text::checked(&spec.text)?;
    let mut composer = Composer::new(spec.font);
    let mut height = page.empty_height();
    let mut lines = Vec::new();
    for paragraph in composer.paragraphs(&text)? {
        line_break::lines(&paragraph, page.text_width_em(), &mut composer, |line| {
            height += page.line_height(&line);
            lines.push(line);
            page.check_height(height)
        })?;
    }
    Ok(page.draw(&lines, height, composer.outlines()))
}
