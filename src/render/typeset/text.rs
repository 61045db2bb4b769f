//! What a text is made of: lines, tabs, and characters that have a shape or only act on their neighbors.

use std::borrow::Cow;

use super::{MAX_TEXT_BYTES, TypesetError, Uncovered};

/// What ends a line.
pub(super) const LINE_ENDS: [char; 3] = ['\n', '\u{2028}', '\u{2029}'];

/// The text with line feeds only, without those at its end.
///
/// # Errors
/// When it is too long, or has control characters other than newlines and tabs.
pub(super) fn checked(text: &str) -> Result<Cow<'_, str>, TypesetError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(TypesetError::TextTooLong { found: text.len() });
    }
    let unix =
        if text.contains("\r\n") { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
    let is_control = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    if let Some((at, character)) = unix.char_indices().find(|&(_, character)| is_control(character)) {
        return Err(TypesetError::Control(position(&unix, at, character)));
    }
    Ok(match unix {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches(LINE_ENDS)),
        Cow::Owned(text) => Cow::Owned(text.trim_end_matches(LINE_ENDS).to_string()),
    })
}

/// Where the character at byte `at` stands, as people count.
pub(super) fn position(text: &str, at: usize, character: char) -> Uncovered {
    let before = &text[..at];
    let line_start =
        before.rfind(LINE_ENDS).map_or(0, |end| end + text[end..].chars().next().map_or(0, char::len_utf8));
    Uncovered {
        character,
        line: before.matches(LINE_ENDS).count() + 1,
        column: text[line_start..at].chars().count() + 1,
    }
}

/// Whether the character only acts on its neighbors: joiners, variation selectors, direction marks, soft hyphens
/// (`Default_Ignorable_Code_Point` of Unicode 16). It needs no glyph.
pub(super) fn is_ignorable(character: char) -> bool {
    matches!(character,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newlines_are_of_one_kind_and_end_with_the_text() {
        assert_eq!(checked("a\r\nb\n\r\n\n").unwrap(), "a\nb");
        assert_eq!(checked("\n\n").unwrap(), "");
        assert_eq!(checked("\n a \n").unwrap(), "\n a ");
    }

    #[test]
    fn a_control_character_is_found_where_it_stands() {
        let error = checked("a\nbé\u{1b}[0m").unwrap_err();
        assert_eq!(error, TypesetError::Control(Uncovered { character: '\u{1b}', line: 2, column: 3 }));
        assert!(checked("a\rb").is_err(), "a lone carriage return");
        assert!(checked("a\tb").is_ok());
    }
}
