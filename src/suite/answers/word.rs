//! One word, such as a color: an option in any spelling of it, or whatever word is said where there are no options.

use super::Said;
use super::choice::{at_the_end, first_sentence};
use super::mentions::Catalogue;
use crate::suite::AnswerOption;

/// Words that lead to the answer in a short sentence: "It is a circle."
const LEADING: [&str; 12] =
    ["it", "its", "it's", "this", "that", "that's", "is", "are", "they", "a", "an", "the"];

/// What a statement says.
pub(super) fn stated(fragment: &str, options: &[AnswerOption]) -> Said {
    if options.is_empty() {
        return free(first_sentence(fragment));
    }
    let known = Catalogue::words(options);
    match known.leading(fragment) {
        Some((found, _)) => Said::all(found),
        None => Said::all(known.mentions(first_sentence(fragment))),
    }
}

/// What a text says that states nothing.
pub(super) fn anywhere(text: &str, options: &[AnswerOption]) -> Said {
    if options.is_empty() {
        return free(text.trim());
    }
    at_the_end(text, &Catalogue::words(options))
}

/// The one word that is left when signs and leading words are taken away.
fn free(text: &str) -> Said {
    let words = text.split_whitespace().map(|word| {
        word.trim_matches(|char: char| !char.is_alphanumeric()).replace('\u{2019}', "'").to_lowercase()
    });
    let left: Vec<String> =
        words.skip_while(|word| LEADING.contains(&word.as_str()) || word.is_empty()).collect();
    let mut said = left.into_iter().filter(|word| !word.is_empty());
    match (said.next(), said.next()) {
        (Some(word), None) => Said::One(word),
        (None, _) => Said::Nothing,
        _ => Said::Several,
    }
}
