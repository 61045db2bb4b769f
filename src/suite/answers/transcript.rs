//! How far a transcription is from the text that was rendered.

use unicode_normalization::UnicodeNormalization;

/// Character error rate: (substitutions + insertions + deletions) / characters of the reference (arXiv 2512.08923).
///
/// Both texts are normalised first: Unicode NFKC, runs of white space to one space, trimmed; case is kept. An empty
/// reference has the rate 0 when nothing was written, and 1 otherwise.
pub fn character_error_rate(reference: &str, written: &str) -> f64 {
    let (reference, written) = (normalised(reference), normalised(written));
    let edits = strsim::generic_levenshtein(&reference, &written);
    match (edits, reference.len()) {
        (0, _) => 0.0,
        (_, 0) => 1.0,
        (edits, length) => edits as f64 / length as f64,
    }
}

fn normalised(text: &str) -> Vec<char> {
    let composed: String = text.nfkc().collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted_per_character_of_the_reference() {
        for (reference, written, rate) in [
            ("kitten", "sitting", 3.0 / 6.0),
            ("A. green\nB. red", "A. green B.  red ", 0.0),
            ("\u{fb01}ve \u{b2}", "five 2", 0.0),
            ("caf\u{e9}", "cafe\u{301}", 0.0),
            ("Red", "red", 1.0 / 3.0),
            ("ab", "", 1.0),
            ("ab", "abcdef", 2.0),
            ("", "", 0.0),
            ("", "x", 1.0),
        ] {
            assert_eq!(character_error_rate(reference, written), rate, "{reference:?} {written:?}");
        }
    }
}
