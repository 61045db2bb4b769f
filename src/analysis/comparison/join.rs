//! Rows of two runs side by side, by key.

use std::collections::BTreeMap;

/// What two runs share, and what one of them has alone; all in the order of the keys or of the rows.
pub(super) struct Joined<'a, T> {
    /// (reference, run).
    pub both: Vec<(&'a T, &'a T)>,
    pub only_reference: Vec<&'a T>,
    pub only_run: Vec<&'a T>,
}

impl<'a, T> Joined<'a, T> {
    /// All rows; of a pair, that of the reference.
    pub fn rows(&self) -> impl Iterator<Item = &'a T> {
        let both = self.both.iter().map(|(reference, _)| *reference);
        both.chain(self.only_reference.iter().copied()).chain(self.only_run.iter().copied())
    }

    /// The part whose rows `holds` admits.
    pub fn part(&self, holds: impl Fn(&T) -> bool) -> Self {
        let of = |rows: &[&'a T]| rows.iter().copied().filter(|row| holds(row)).collect();
        Self {
            both: self.both.iter().copied().filter(|(reference, _)| holds(reference)).collect(),
            only_reference: of(&self.only_reference),
            only_run: of(&self.only_run),
        }
    }
}

/// Joins rows; in neither run may two have the same key.
pub(super) fn join<'a, T, K: Ord>(
    reference: &'a [T],
    run: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> Joined<'a, T> {
    let mut of_run: BTreeMap<K, &T> = run.iter().map(|row| (key(row), row)).collect();
    let (mut both, mut only_reference) = (Vec::new(), Vec::new());
    for row in reference {
        match of_run.remove(&key(row)) {
            Some(partner) => both.push((row, partner)),
            None => only_reference.push(row),
        }
    }
    Joined { both, only_reference, only_run: of_run.into_values().collect() }
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn rows_meet_by_key_and_the_others_are_told() {
        let joined = join(&["b1", "a1", "c1"], &["c2", "d2", "a2"], |row| &row[..1]);
        assert_eq!(joined.both, [(&"a1", &"a2"), (&"c1", &"c2")]);
        assert_eq!((joined.only_reference, joined.only_run), (vec![&"b1"], vec![&"d2"]));
    }
}
