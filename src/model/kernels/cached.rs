//! Attention of new tokens to those that were seen, which lie in pieces: no piece is copied to stand beside another.
//!
//! Every number is summed in one order, over the head size and over the tokens, in both ways that there are to compute it:
//! [`few`] for the last tokens of an answer, [`many`] for a prompt's and long drafts.

use std::ops::Range;

use super::cache::{Segment, place};
use super::exp::exp2;
use super::lanes::Lanes;
use super::{LANES, widest};

mod few;
mod many;

/// The queries of one sequence that share a head of keys and values.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Queries<'a> {
    /// One head after the other, [heads, new tokens, head size].
    pub numbers: &'a [f32],
    pub heads: usize,
    pub size: usize,
    pub scale: f32,
    /// The tokens that each new token sees, counted from the sequence's first.
    pub sees: &'a [Sees<'a>],
}

/// Which tokens of its sequence a new token sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) struct Sees<'a> {
    /// All are within.
    first: usize,
    end: usize,
    /// Of all tokens, whether they are seen, where some within are not.
    holes: Option<&'a [bool]>,
}

impl<'a> Sees<'a> {
    /// Of a mask's row: whether each of the sequence's tokens is seen.
    pub fn of(mask: &'a [bool]) -> Self {
        let first = mask.iter().position(|seen| *seen).unwrap_or(mask.len());
        let end = mask.iter().rposition(|seen| *seen).map_or(first, |last| last + 1);
        let has_holes = mask[first..end].contains(&false);
        Self { first, end, holes: has_holes.then_some(mask) }
    }

    fn misses(&self, token: usize) -> bool {
        self.holes.is_some_and(|seen| !seen[token])
    }
}

impl<'a> Queries<'a> {
    /// Units of work that can be done side by side.
    pub fn blocks(&self) -> usize {
        if self.is_few() { 1 } else { self.rows().div_ceil(many::QUERIES) }
    }

    /// A query for each new token and head, the heads of a token one after another.
    fn rows(&self) -> usize {
        self.sees.len() * self.heads
    }

    fn is_few(&self) -> bool {
        self.rows() <= 2 * few::QUERIES
    }

    fn head_and_token(&self, row: usize) -> (usize, usize) {
        (row % self.heads, row / self.heads)
    }

    /// What some rows see, and the tokens that any of them sees.
    fn sees_of(&self, rows: Range<usize>) -> (Vec<Sees<'a>>, Range<usize>) {
        let sees: Vec<Sees> = rows.map(|row| self.sees[self.head_and_token(row).1]).collect();
        let start = sees.iter().map(|sees| sees.first).min().unwrap_or(0);
        let end = sees.iter().map(|sees| sees.end).max().unwrap_or(0).max(start);
        (sees, start..end)
    }

    /// A query's numbers, so that its score with a key is the power of 2 that the key's value weighs.
    fn scaled(&self, row: usize) -> impl Iterator<Item = f32> {
        let scale = self.scale * std::f32::consts::LOG2_E;
        self.query(row).iter().map(move |number| number * scale)
    }

    fn query(&self, row: usize) -> &'a [f32] {
        let (head, token) = self.head_and_token(row);
        &self.numbers[(head * self.sees.len() + token) * self.size..][..self.size]
    }
}

/// The means of the values of `segments`, weighted by the softmax of the scores, for a block of queries. `give` takes each
/// mean [head size] with its head and token. A query that sees nothing gets zeros. `scratch` may hold anything. `next` are the keys
/// that will be read after these, if that is known.
pub(in crate::model) fn attend(
    queries: &Queries,
    block: usize,
    segments: &[Segment],
    next: &[f32],
    scratch: &mut Vec<f32>,
    give: &mut dyn FnMut(usize, usize, &[f32]),
) {
    if queries.is_few() {
        for first in (0..queries.rows()).step_by(few::QUERIES) {
            match queries.rows() - first {
                1 => few::attend::<1>(queries, first, segments, next, scratch, give),
                2 => few::attend::<2>(queries, first, segments, next, scratch, give),
                3 => few::attend::<3>(queries, first, segments, next, scratch, give),
                _ => few::attend::<{ few::QUERIES }>(queries, first, segments, next, scratch, give),
            }
        }
    } else {
        many::attend(queries, block * many::QUERIES, segments, scratch, give);
    }
}

/// The tokens of each segment that are in a range of all, with the number of the first among all: (segment, range, first).
fn within<'s, 'a>(
    segments: &'s [Segment<'a>],
    range: Range<usize>,
) -> impl Iterator<Item = (&'s Segment<'a>, Range<usize>, usize)> {
    let mut before = 0;
    segments.iter().filter_map(move |segment| {
        let first = range.start.max(before);
        let end = range.end.min(before + segment.tokens);
        let found = (first < end).then(|| (segment, first - before..end - before, first));
        before += segment.tokens;
        found
    })
}

#[cfg(test)]
mod tests;
