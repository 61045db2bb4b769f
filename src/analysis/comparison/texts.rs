//! How far two written texts are apart.

/// (insertions + deletions + substitutions) / characters of the longer text: 0 of equal texts, 1 where nothing is shared.
/// Takes time in proportion to the product of what lies between the common beginning and the common end.
pub(super) fn distance(one: &str, other: &str) -> f64 {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let longer = one.len().max(other.len());
    if longer == 0 {
        return 0.0;
    }
    let head = common(one.iter().zip(&other));
    let (one, other) = (&one[head..], &other[head..]);
    let tail = common(one.iter().rev().zip(other.iter().rev()));
    let (one, other) = (&one[..one.len() - tail], &other[..other.len() - tail]);
    strsim::generic_levenshtein(&Characters(one), &Characters(other)) as f64 / longer as f64
}

fn common<'a>(pairs: impl Iterator<Item = (&'a char, &'a char)>) -> usize {
    pairs.take_while(|(one, other)| one == other).count()
}

/// A slice as the distance takes it.
struct Characters<'a>(&'a [char]);

impl<'b> IntoIterator for &'b Characters<'_> {
    type Item = &'b char;
    type IntoIter = std::slice::Iter<'b, char>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn edits_are_counted_over_the_longer_text() {
        for (one, other, expected) in [
            ("", "", 0.0),
            ("same", "same", 0.0),
            ("", "abcd", 1.0),
            ("kitten", "sitting", 3.0 / 7.0),
            ("aXbc", "abc", 0.25),
            ("aaa", "aa", 1.0 / 3.0),
            ("größer", "grösser", 2.0 / 7.0),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }
}
