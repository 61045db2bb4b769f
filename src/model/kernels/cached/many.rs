//! Many queries: lanes are queries, so that a softmax needs no sum over lanes.

use super::{LANES, Lanes, Queries, Segment, exp2, place, widest, within};

const VECTORS: usize = 2;

/// Queries that are worked on together.
pub(super) const QUERIES: usize = VECTORS * LANES;

/// A number for each query.
type Queried = [[f32; LANES]; VECTORS];

/// Keys of a tile of scores.
const KEYS: usize = 12;

/// Numbers of a value in a tile of means.
const NUMBERS: usize = 8;

/// Queries from `first` on, [`QUERIES`] of them at most.
pub(super) fn attend(
    queries: &Queries,
    first: usize,
    segments: &[Segment],
    scratch: &mut Vec<f32>,
    give: &mut dyn FnMut(usize, usize, &[f32]),
) {
    let size = queries.size;
    let rows = first..queries.rows().min(first + QUERIES);
    let (sees, seen) = queries.sees_of(rows.clone());
    let (mut firsts, mut ends) = ([[0.0; LANES]; VECTORS], [[0.0; LANES]; VECTORS]);
    for (lane, sees) in sees.iter().enumerate() {
        // Whole numbers as floats: exact for sixteen million tokens.
        firsts.as_flattened_mut()[lane] = sees.first as f32;
        ends.as_flattened_mut()[lane] = sees.end as f32;
    }
    let needed = (size + seen.len()) * QUERIES;
    scratch.resize(scratch.len().max(needed), 0.0);
    let (scratch, _) = scratch[..needed].as_chunks_mut::<LANES>();
    let (scaled, scores) = scratch.as_chunks_mut::<VECTORS>().0.split_at_mut(size);
    scaled.fill([[0.0; LANES]; VECTORS]);
    for (lane, row) in rows.clone().enumerate() {
        let scaled = scaled.iter_mut().map(|queried| &mut queried.as_flattened_mut()[lane]);
        scaled.zip(queries.scaled(row)).for_each(|(to, number)| *to = number);
    }
    for (segment, tokens, first) in within(segments, seen.clone()) {
        let at = first - seen.start;
        score(scaled, segment.keys, tokens.start, &mut scores[at..at + tokens.len()]);
    }
    for (lane, sees) in sees.iter().enumerate().filter(|(_, sees)| sees.holes.is_some()) {
        let missed = seen
            .clone()
            .zip(scores.iter_mut())
            .filter(|(token, _)| (sees.first..sees.end).contains(token) && sees.misses(*token));
        missed.for_each(|(_, scores)| scores.as_flattened_mut()[lane] = f32::NEG_INFINITY);
    }
    let sums = weigh(scores, seen.start, &firsts, &ends);
    let mut means = vec![[[0.0; LANES]; VECTORS]; size];
    for (segment, tokens, first) in within(segments, seen.clone()) {
        let at = first - seen.start;
        let values = &segment.values[tokens.start * size..tokens.end * size];
        add(&scores[at..at + tokens.len()], values, &mut means);
    }
    let mut mean = vec![0.0; size];
    for (lane, row) in rows.enumerate() {
        let sum = sums.as_flattened()[lane];
        let is_seen = sum > 0.0 || sum.is_nan();
        let numbers = means.iter().map(|means| if is_seen { means.as_flattened()[lane] / sum } else { 0.0 });
        mean.iter_mut().zip(numbers).for_each(|(to, number)| *to = number);
        let (head, token) = queries.head_and_token(row);
        give(head, token, &mean);
    }
}

widest! {
    /// Scores [tokens, queries] of keys in panels, from token `first` on.
    fn score<L>(queries: &[Queried], keys: &[f32], first: usize, scores: &mut [Queried]) {
        let (tiles, rest) = scores.as_chunks_mut::<KEYS>();
        let begun = first + tiles.len() * KEYS;
        for (index, tile) in tiles.iter_mut().enumerate() {
            score_tile::<L, KEYS>(queries, keys, first + index * KEYS, tile);
        }
        let (tiles, rest) = rest.as_chunks_mut::<4>();
        let last = begun + tiles.len() * 4;
        for (index, tile) in tiles.iter_mut().enumerate() {
            score_tile::<L, 4>(queries, keys, begun + index * 4, tile);
        }
        for (index, tile) in rest.iter_mut().enumerate() {
            score_tile::<L, 1>(queries, keys, last + index, std::array::from_mut(tile));
        }
    }
}

#[inline(always)]
fn score_tile<L: Lanes, const N: usize>(
    queries: &[Queried],
    keys: &[f32],
    first: usize,
    scores: &mut [Queried; N],
) {
    let size = queries.len();
    let keys: [&[f32]; N] = std::array::from_fn(|token| {
        &keys[place(first + token, size)..][..(size * LANES).saturating_sub(LANES - 1)]
    });
    let mut sums = [[L::splat(0.0); VECTORS]; N];
    for (axis, query) in queries.iter().enumerate() {
        let query = query.each_ref().map(L::load);
        for token in 0..N {
            let number = L::splat(keys[token][axis * LANES]);
            for vector in 0..VECTORS {
                sums[token][vector] = query[vector].mul_add(number, sums[token][vector]);
            }
        }
    }
    for token in 0..N {
        for vector in 0..VECTORS {
            sums[token][vector].store(&mut scores[token][vector]);
        }
    }
}

widest! {
    /// Turns scores of tokens from `start` on into weights that are not yet divided by their sums, which it returns. Each lane
    /// sees the tokens from its `firsts` to its `ends`.
    fn weigh<L>(scores: &mut [Queried], start: usize, firsts: &Queried, ends: &Queried) -> Queried {
        let mut sums = [[0.0; LANES]; VECTORS];
        for vector in 0..VECTORS {
            let (first, end) = (L::load(&firsts[vector]), L::load(&ends[vector]));
            let mut most = L::splat(f32::MIN);
            for (token, scores) in scores.iter_mut().enumerate() {
                let score = L::load(&scores[vector]).where_within((start + token) as f32, first, end);
                score.store(&mut scores[vector]);
                most = score.or_larger(most);
            }
            let mut sum = L::splat(0.0);
            for scores in scores.iter_mut() {
                let weight = exp2(L::load(&scores[vector]).minus(most));
                weight.store(&mut scores[vector]);
                sum = sum.plus(weight);
            }
            sum.store(&mut sums[vector]);
        }
        sums
    }
}

widest! {
    /// Adds weighted values [tokens, size] to `means` [size].
    fn add<L>(weights: &[Queried], values: &[f32], means: &mut [Queried]) {
        let size = means.len();
        let (tiles, rest) = means.as_chunks_mut::<NUMBERS>();
        let begun = tiles.len() * NUMBERS;
        for (index, tile) in tiles.iter_mut().enumerate() {
            add_tile::<L, NUMBERS>(weights, values, size, index * NUMBERS, tile);
        }
        for (index, tile) in rest.iter_mut().enumerate() {
            add_tile::<L, 1>(weights, values, size, begun + index, std::array::from_mut(tile));
        }
    }
}

#[inline(always)]
fn add_tile<L: Lanes, const N: usize>(
    weights: &[Queried],
    values: &[f32],
    size: usize,
    first: usize,
    means: &mut [Queried; N],
) {
    let mut sums: [[L; VECTORS]; N] = means.each_ref().map(|mean| mean.each_ref().map(L::load));
    for (weights, value) in weights.iter().zip(values.chunks_exact(size)) {
        let (weights, value) = (weights.each_ref().map(L::load), &value[first..][..N]);
        for number in 0..N {
            let factor = L::splat(value[number]);
            for vector in 0..VECTORS {
                sums[number][vector] = weights[vector].mul_add(factor, sums[number][vector]);
            }
        }
    }
    for number in 0..N {
        for vector in 0..VECTORS {
            sums[number][vector].store(&mut means[number][vector]);
        }
    }
}
