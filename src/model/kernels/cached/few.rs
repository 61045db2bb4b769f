//! Few queries: lanes are tokens while scores are computed, then numbers of a value.

use super::{LANES, Lanes, Queries, Segment, exp, widest, within};

/// Queries that are worked on together at most.
pub(super) const QUERIES: usize = 4;

/// Panels of keys that are.
const PANELS: usize = 4;

/// Values that are brought near before their turn.
const AHEAD: usize = 16;

/// Vectors of a value's numbers that are summed together.
const VECTORS: usize = 4;

/// Queries `first..first + R`.
pub(super) fn attend<const R: usize>(
    queries: &Queries,
    first: usize,
    segments: &[Segment],
    scratch: &mut Vec<f32>,
    give: &mut dyn FnMut(usize, usize, &[f32]),
) {
    let size = queries.size;
    let (sees, seen) = queries.sees_of(first..first + R);
    let tokens: usize = segments.iter().map(|segment| segment.tokens).sum();
    // The last panel of a segment may reach over the next one's tokens.
    let room = tokens + LANES;
    scratch.resize(scratch.len().max(R * (room + 2 * size)), 0.0);
    let (scores, rest) = scratch.split_at_mut(R * room);
    let (scaled, means) = rest[..2 * R * size].split_at_mut(R * size);
    for (row, scaled) in scaled.chunks_exact_mut(size).enumerate() {
        let query = queries.query(first + row);
        scaled.iter_mut().zip(query).for_each(|(to, number)| *to = number * queries.scale);
    }
    let mut panels = Vec::with_capacity(tokens / LANES + segments.len());
    let mut before = 0;
    for segment in segments {
        let count = segment.tokens.div_ceil(LANES);
        let keys = segment.keys.chunks_exact(size * LANES).take(count).enumerate();
        panels.extend(keys.map(|(place, keys)| (before + place * LANES, keys)));
        before += segment.tokens;
    }
    score::<R>(scaled, &panels, scores, room);
    for (scores, sees) in scores.chunks_exact_mut(room).zip(&sees) {
        let missed = |token: &usize| *token < sees.first || *token >= sees.end || sees.misses(*token);
        seen.clone().filter(missed).for_each(|token| scores[token] = f32::NEG_INFINITY);
    }
    let sums = weigh::<R>(scores, room, seen.start, seen.end);
    means.fill(0.0);
    for (segment, tokens, first) in within(segments, seen) {
        let values = &segment.values[tokens.start * size..tokens.end * size];
        add::<R>(&scores[first..], room, values, means);
    }
    for ((row, mean), sum) in means.chunks_exact_mut(size).enumerate().zip(sums) {
        divide(mean, sum);
        let (head, token) = queries.head_and_token(first + row);
        give(head, token, mean);
    }
}

/// Sixteen keys, [head size, 16], with the place of the first among all tokens.
type Panel<'a> = (usize, &'a [f32]);

widest! {
    /// Scores of all panels' tokens for each of the queries [R, size], into rows of `room` numbers.
    fn score<L, const R: usize>(queries: &[f32], panels: &[Panel], scores: &mut [f32], room: usize) {
        let (some, rest) = panels.as_chunks::<PANELS>();
        let mut next = some.iter().skip(1);
        for panels in some {
            score_panels::<L, R, PANELS>(queries, panels, next.next(), scores, room);
        }
        for panel in rest {
            score_panels::<L, R, 1>(queries, std::array::from_ref(panel), None, scores, room);
        }
    }
}

/// A panel's keys number by number, [head size].
#[inline(always)]
fn vectors<'a>((_, keys): Panel<'a>, size: usize) -> &'a [[f32; LANES]] {
    &keys.as_chunks().0[..size]
}

/// The scores of some panels; those that are the `next` are brought near.
#[inline(always)]
fn score_panels<L: Lanes, const R: usize, const P: usize>(
    queries: &[f32],
    panels: &[Panel; P],
    next: Option<&[Panel; P]>,
    scores: &mut [f32],
    room: usize,
) {
    let size = queries.len() / R;
    let queries: [&[f32]; R] = std::array::from_fn(|row| &queries[row * size..][..size]);
    let keys: [&[[f32; LANES]]; P] = panels.map(|panel| vectors(panel, size));
    let next: [&[[f32; LANES]]; P] = next.unwrap_or(panels).map(|panel| vectors(panel, size));
    let mut sums = [[L::splat(0.0); P]; R];
    for axis in 0..size {
        for next in next {
            L::expect(&next[axis]);
        }
        for row in 0..R {
            let number = L::splat(queries[row][axis]);
            for place in 0..P {
                sums[row][place] = L::load(&keys[place][axis]).mul_add(number, sums[row][place]);
            }
        }
    }
    // In their order: what a panel has beyond its tokens is written over by the next one.
    for row in 0..R {
        for place in 0..P {
            let scores = &mut scores[row * room + panels[place].0..];
            if let Some(scores) = scores.first_chunk_mut() {
                sums[row][place].store(scores);
            }
        }
    }
}

widest! {
    /// Turns the scores of each row from `start` to `end` into weights that are not yet divided by their sum, which it returns.
    fn weigh<L, const R: usize>(scores: &mut [f32], room: usize, start: usize, end: usize) -> [f32; R] {
        for scores in scores.chunks_exact_mut(room).take(R) {
            // Beyond the end is room, whose numbers count for nothing.
            let scores = &mut scores[start..start + (end - start).next_multiple_of(LANES)];
            scores[end - start..].fill(f32::NEG_INFINITY);
            let (scores, _) = scores.as_chunks_mut::<LANES>();
            let mut largest = [0.0; LANES];
            let most = scores.iter().fold(L::splat(f32::MIN), |most, scores| L::load(scores).or_larger(most));
            most.store(&mut largest);
            let most = largest.into_iter().fold(f32::MIN, |most, score| if score > most { score } else { most });
            for scores in scores {
                exp(L::load(scores).minus(L::splat(most))).store(scores);
            }
        }
        let mut sums = [0.0; R];
        for token in start..end {
            for row in 0..R {
                sums[row] += scores[row * room + token];
            }
        }
        sums
    }
}

widest! {
    /// Adds values [tokens, size], weighted by the first numbers of each row of weights, to `means` [R, size].
    fn add<L, const R: usize>(weights: &[f32], room: usize, values: &[f32], means: &mut [f32]) {
        let size = means.len() / R;
        let weights: [&[f32]; R] = std::array::from_fn(|row| &weights[row * room..][..values.len() / size]);
        let mut first = 0;
        while first + VECTORS * LANES <= size {
            add_tile::<L, R, VECTORS>(&weights, values, size, first, means);
            first += VECTORS * LANES;
        }
        while first + LANES <= size {
            add_tile::<L, R, 1>(&weights, values, size, first, means);
            first += LANES;
        }
        for (token, value) in values.chunks_exact(size).enumerate() {
            for (weights, mean) in weights.iter().zip(means.chunks_exact_mut(size)) {
                let rest = mean[first..].iter_mut().zip(&value[first..]);
                rest.for_each(|(sum, number)| *sum = number.mul_add(weights[token], *sum));
            }
        }
    }
}

#[inline(always)]
fn add_tile<L: Lanes, const R: usize, const V: usize>(
    weights: &[&[f32]; R],
    values: &[f32],
    size: usize,
    first: usize,
    means: &mut [f32],
) {
    let vectors = |numbers: &[f32]| -> [L; V] {
        let numbers = numbers[first..].as_chunks::<LANES>().0;
        std::array::from_fn(|vector| L::load(&numbers[vector]))
    };
    let mut sums: [[L; V]; R] = std::array::from_fn(|row| vectors(&means[row * size..]));
    for (token, value) in values.chunks_exact(size).enumerate() {
        if let Some(next) = values.get((token + AHEAD) * size + first..) {
            next.as_chunks().0.iter().take(V).for_each(L::expect);
        }
        let value = vectors(value);
        for row in 0..R {
            let weight = L::splat(weights[row][token]);
            for vector in 0..V {
                sums[row][vector] = value[vector].mul_add(weight, sums[row][vector]);
            }
        }
    }
    for row in 0..R {
        let mean = means[row * size + first..].as_chunks_mut::<LANES>().0;
        for vector in 0..V {
            sums[row][vector].store(&mut mean[vector]);
        }
    }
}

fn divide(mean: &mut [f32], sum: f32) {
    let is_seen = sum > 0.0 || sum.is_nan();
    mean.iter_mut().for_each(|number| *number = if is_seen { *number / sum } else { 0.0 });
}
