//! Which items are left out, as the paper leaves them out: long ones and those with LaTeX (arXiv 2512.08923).

use std::sync::LazyLock;

use regex::Regex;

/// Longest content that is kept by default, characters.
pub const MAX_CHARACTERS: usize = 800;

/// Which items are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Filters {
    /// Longest content that is kept, characters.
    pub max_characters: usize,
    /// Whether items with LaTeX are kept.
    pub keep_latex: bool,
}

/// Why an item is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dropped {
    Long,
    Latex,
}

impl Filters {
    /// Why an item with this content is left out; `None` when it is kept.
    pub fn drops(&self, content: &str) -> Option<Dropped> {
        if content.chars().count() > self.max_characters {
            Some(Dropped::Long)
        } else if !self.keep_latex && has_latex(content) {
            Some(Dropped::Latex)
        } else {
            None
        }
    }
}

/// Whether a text has LaTeX: a backslash before a letter or one of `( ) [ ] { } %`; `$$`; or `$...$` on one line, where
/// the first sign touches what follows it, the second what precedes it, and no digit follows the second (which is how
/// Pandoc tells formulas from prices: "$5 and $6" has none).
fn has_latex(text: &str) -> bool {
    static COMMAND: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\\[A-Za-z()\[\]{}%]|\$\$").ok());
    COMMAND.as_ref().is_some_and(|command| command.is_match(text)) || text.lines().any(has_formula)
}

fn has_formula(line: &str) -> bool {
    let signs: Vec<usize> = line.match_indices('$').map(|(at, _)| at).collect();
    let touches_next = |at: usize| line[at + 1..].chars().next().is_some_and(|next| !next.is_whitespace());
    let touches_last = |at: usize| line[..at].chars().next_back().is_some_and(|last| !last.is_whitespace());
    let before_digit = |at: usize| line[at + 1..].starts_with(|next: char| next.is_ascii_digit());
    signs.windows(2).any(|pair| touches_next(pair[0]) && touches_last(pair[1]) && !before_digit(pair[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_latex_and_prices_are_not() {
        for (text, latex) in [
            ("Let $x$ be 2", true),
            ("$2x + 3$ and $5", true),
            (r"\frac{1}{2}", true),
            (r"so \(x = 2\)", true),
            (r"\[x\]", true),
            (r"\begin{matrix}", true),
            (r"50\% of them", true),
            ("$$x$$", true),
            ("It costs $5.", false),
            ("$5 and $6", false),
            ("from $5-$10", false),
            ("$5/$6", false),
            ("It costs 5$ or 6$.", false),
            ("$5\n6$", false),
            (r"C: \ D", false),
            ("a plain text", false),
        ] {
            assert_eq!(has_latex(text), latex, "{text}");
        }
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        let filters = Filters { max_characters: 3, keep_latex: true };
        assert_eq!(filters.drops("\u{e9}\u{e9}\u{e9}"), None);
        assert_eq!(filters.drops("abcd"), Some(Dropped::Long));
        assert_eq!(filters.drops("$x$"), None);
        assert_eq!(Filters { keep_latex: false, ..filters }.drops("$x$"), Some(Dropped::Latex));
    }
}
