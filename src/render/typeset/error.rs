//! What keeps a text from being typeset, and what to do about it.

use std::fmt;

use crate::render::load::{MAX_DECODED_BYTES, MAX_SIDE_PX};

/// How many characters without a glyph an error names.
pub const MAX_NAMED: usize = 10;

/// A character for which no font has a glyph, where it occurs first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uncovered {
    /// The character.
    pub character: char,
    /// Line of the text, from 1, counting newlines only.
    pub line: usize,
    /// Character in that line, from 1.
    pub column: usize,
}

impl fmt::Display for Uncovered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { character, line, column } = *self;
        write!(formatter, "{character:?} (U+{:04X}) in line {line}, column {column}", character as u32)
    }
}

/// A text that could not be typeset.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TypesetError {
    /// No font has these characters.
    #[error(
        "no font has a glyph for {}{}; replace what cannot be drawn, or leave the item out",
        list(.characters),
        more(.distinct.saturating_sub(.characters.len()))
    )]
    NoGlyph {
        /// Each distinct one, in the order of the text; the first ten.
        characters: Vec<Uncovered>,
        /// How many distinct ones there are.
        distinct: usize,
    },
    /// Something that is not written: an escape, a bell, a lone carriage return.
    #[error(
        "the text has the control character {0}; only newlines and tabs can be typeset, remove the others"
    )]
    Control(Uncovered),
    /// A size that is not one.
    #[error("{name} is {found}, expected {expected}")]
    Setting {
        /// The field of the specification.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
    /// The page is too narrow for what must stand in one line.
    #[error(
        "{what} is wider than the text may be, which is {room_em:.2} em (the size of the text) between the margins; widen the \
         page, or take narrower margins or smaller text"
    )]
    NoRoom {
        /// What doesn't fit.
        what: String,
        /// Width of the page without its margins, ems.
        room_em: f64,
    },
    /// The page would be larger than images may be.
    #[error(
        "the page would have {width} x {height} pixels or more; at most {MAX_SIDE_PX} a side and {MAX_DECODED_BYTES} bytes are \
         drawn; shorten the text, or lower the resolution or the size"
    )]
    PageTooLarge {
        /// Width, pixels.
        width: u64,
        /// Height as far as it was laid out, pixels.
        height: u64,
    },
    /// The text is longer than any page.
    #[error("the text has {found} bytes, at most {} are typeset; split it", super::MAX_TEXT_BYTES)]
    TextTooLong {
        /// Its length, bytes.
        found: usize,
    },
    /// The shaper or a font doesn't do what it should.
    #[error("{reason}: a defect of this program; please report it with the text")]
    Defect {
        /// What was found.
        reason: String,
    },
}

fn list(characters: &[Uncovered]) -> String {
    characters.iter().map(Uncovered::to_string).collect::<Vec<_>>().join("; ")
}

fn more(count: usize) -> String {
    if count == 0 { String::new() } else { format!("; and {count} more") }
}
