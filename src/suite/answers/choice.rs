//! Options by their label ("B", "(b)", "Option B", "B. green") or by their own text ("green").

use super::Said;
use super::mentions::Catalogue;
use crate::suite::AnswerOption;

/// What a statement says: the options that it begins with, or else those that its first sentence speaks of.
pub(super) fn stated(fragment: &str, options: &[AnswerOption]) -> Said {
    let known = Catalogue::labelled(options);
    match known.leading(fragment) {
        Some((found, _)) => Said::all(found),
        None => Said::all(known.mentions(first_sentence(fragment))),
    }
}

/// What a text says that states nothing.
pub(super) fn anywhere(text: &str, options: &[AnswerOption]) -> Said {
    at_the_end(text, &Catalogue::labelled(options))
}

/// The option that is a line of its own, where there is but one; else such lines of the last paragraph; else the options
/// that the last line speaks of.
pub(super) fn at_the_end(text: &str, known: &Catalogue) -> Said {
    let lines: Vec<&str> = text.trim().lines().collect();
    let own_lines = |lines: &[&str]| Said::all(lines.iter().filter_map(|line| known.alone(line)));
    let paragraph = lines.iter().rposition(|line| line.trim().is_empty()).map_or(0, |blank| blank + 1);
    match own_lines(&lines) {
        Said::One(only) => Said::One(only),
        _ => own_lines(&lines[paragraph..])
            .or_else(|| Said::all(lines.last().into_iter().flat_map(|line| known.mentions(line)))),
    }
}

/// The text up to its first full stop, exclamation or question mark that ends a sentence.
pub(super) fn first_sentence(text: &str) -> &str {
    let ends = |(at, _): &(usize, &str)| text[at + 1..].chars().next().is_none_or(char::is_whitespace);
    match text.match_indices(['.', '!', '?']).find(ends) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
