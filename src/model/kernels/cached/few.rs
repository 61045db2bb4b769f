//! Few queries: lanes are tokens while scores are computed, then numbers of a value.

use super::{LANES, Lanes, Queries, Segment, exp2, widest, within};

/// Queries that are worked on together at most.
pub(super) const QUERIES: usize = 4;

/// Panels of keys that are.
const PANELS: usize = 4;

/// Lines of memory that are asked for before their turn.
const AHEAD: usize = 192;

/// Vectors of a value's numbers that are summed together.
const VECTORS: usize = 4;

/// Queries `first..first + R`. `next` are the keys that are read after them, whoever does.
pub(super) fn attend<const R: usize>(
    queries: &Queries,
    first: usize,
    segments: &[Segment],
    next: &[f32],
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
        scaled.iter_mut().zip(queries.scaled(first + row)).for_each(|(to, number)| *to = number);
    }
    let mut panels = Vec::with_capacity(tokens / LANES + segments.len());
    let mut before = 0;
    for segment in segments {
        let count = segment.tokens.div_ceil(LANES);
        let keys = segment.keys.chunks_exact(size * LANES).take(count).enumerate();
        panels.extend(keys.map(|(place, keys)| (before + place * LANES, keys)));
        before += segment.tokens;
    }
    let keys = panels.iter().map(|(_, keys)| *keys);
    let values = within(segments, seen.clone());
    let values = values.map(|(segment, tokens, _)| &segment.values[tokens.start * size..tokens.end * size]);
    let parts: Vec<&[f32]> = keys.chain(values).chain([next]).collect();
    let mut ahead = Ahead::of(&parts);
    score::<R>(scaled, &panels, &mut ahead, scores, room);
    for (scores, sees) in scores.chunks_exact_mut(room).zip(&sees) {
        let missed = |token: &usize| *token < sees.first || *token >= sees.end || sees.misses(*token);
        seen.clone().filter(missed).for_each(|token| scores[token] = f32::NEG_INFINITY);
    }
    let sums = weigh::<R>(scores, room, seen.start, seen.end);
    means.fill(0.0);
    for (segment, tokens, first) in within(segments, seen) {
        let values = &segment.values[tokens.start * size..tokens.end * size];
        add::<R>(&scores[first..], room, values, &mut ahead, means);
    }
    for ((row, mean), sum) in means.chunks_exact_mut(size).enumerate().zip(sums) {
        divide(mean, sum);
        let (head, token) = queries.head_and_token(first + row);
        give(head, token, mean);
    }
}

/// Sixteen keys, [head size, 16], with the place of the first among all tokens.
type Panel<'a> = (usize, &'a [f32]);

/// Memory in the order in which it is read, from [`AHEAD`] lines on. It comes while what is before it is computed: each line that
/// is read asks for another one. Those before belong to whoever read last.
struct Ahead<'a> {
    rest: std::slice::Iter<'a, &'a [f32]>,
    part: &'a [[f32; LANES]],
}

impl<'a> Ahead<'a> {
    fn of(parts: &'a [&'a [f32]]) -> Self {
        let mut ahead = Self { rest: parts.iter(), part: &[] };
        let mut before = AHEAD;
        while ahead.part.len() <= before {
            before -= ahead.part.len();
            match ahead.rest.next() {
                Some(part) => ahead.part = part.as_chunks().0,
                None => return Self { part: &[], ..ahead },
            }
        }
        ahead.part = &ahead.part[before..];
        ahead
    }

    /// Asks for the next lines.
    #[inline(always)]
    fn expect<L: Lanes>(&mut self, lines: usize) {
        for _ in 0..lines {
            if let Some((line, rest)) = self.part.split_first() {
                L::expect(line);
                self.part = rest;
            } else if let Some(part) = self.rest.next() {
                self.part = part.as_chunks().0;
            }
        }
    }
}

widest! {
    /// Scores of all panels' tokens for each of the queries [R, size], into rows of `room` numbers.
    fn score<L, const R: usize>(
        queries: &[f32],
        panels: &[Panel],
        ahead: &mut Ahead,
        scores: &mut [f32],
        room: usize,
    ) {
        let (some, rest) = panels.as_chunks::<PANELS>();
        for panels in some {
            score_panels::<L, R, PANELS>(queries, panels, ahead, scores, room);
        }
        for panel in rest {
            score_panels::<L, R, 1>(queries, std::array::from_ref(panel), ahead, scores, room);
        }
    }
}

/// A panel's keys number by number, [head size].
#[inline(always)]
fn vectors<'a>((_, keys): Panel<'a>, size: usize) -> &'a [[f32; LANES]] {
    &keys.as_chunks().0[..size]
}

/// The scores of some panels.
#[inline(always)]
fn score_panels<L: Lanes, const R: usize, const P: usize>(
    queries: &[f32],
    panels: &[Panel; P],
    ahead: &mut Ahead,
    scores: &mut [f32],
    room: usize,
) {
    let size = queries.len() / R;
    let queries: [&[f32]; R] = std::array::from_fn(|row| &queries[row * size..][..size]);
    let keys: [&[[f32; LANES]]; P] = panels.map(|panel| vectors(panel, size));
    let mut sums = [[L::splat(0.0); P]; R];
    for axis in 0..size {
        ahead.expect::<L>(P);
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
                exp2(L::load(scores).minus(L::splat(most))).store(scores);
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
    fn add<L, const R: usize>(
        weights: &[f32],
        room: usize,
        values: &[f32],
        ahead: &mut Ahead,
        means: &mut [f32],
    ) {
        let size = means.len() / R;
        let weights: [&[f32]; R] = std::array::from_fn(|row| &weights[row * room..][..values.len() / size]);
        let mut first = 0;
        while first + VECTORS * LANES <= size {
            add_tile::<L, R, VECTORS>(&weights, values, size, first, ahead, means);
            first += VECTORS * LANES;
        }
        while first + LANES <= size {
            add_tile::<L, R, 1>(&weights, values, size, first, ahead, means);
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
    ahead: &mut Ahead,
    means: &mut [f32],
) {
    let vectors = |numbers: &[f32]| -> [L; V] {
        let numbers = numbers[first..].as_chunks::<LANES>().0;
        std::array::from_fn(|vector| L::load(&numbers[vector]))
    };
    let mut sums: [[L; V]; R] = std::array::from_fn(|row| vectors(&means[row * size..]));
    for (token, value) in values.chunks_exact(size).enumerate() {
        ahead.expect::<L>(V);
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
