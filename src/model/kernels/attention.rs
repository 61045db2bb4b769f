//! Attention without a mask: softmax(scale q kᵀ) v (Vaswani et al. 2017, equation 1), with products of 32-bit floats or of
//! bfloat16, which are added in 32-bit floats.
//!
//! Queries stand side by side, one in each lane, so that maxima and sums of the softmax are taken lane by lane.

use std::f32::consts::LOG2_E;

use super::exp::exp2;
use super::factors::{Factors, Floats};
use super::lanes::Lanes;
use super::{LANES, widest, with_bf16};

const VECTORS: usize = 2;

/// Queries that are worked on together.
pub(in crate::model) const QUERIES: usize = VECTORS * LANES;

/// Keys of a tile of scores.
const KEYS: usize = 12;

/// Queries of a tile of means, and vectors of their numbers.
const MEANS: usize = 4;
const WIDE: usize = 4;

/// Lanes of weights whose values stay near while all queries' means are added.
const NEAR: usize = 64;

/// A number for each query, and the bits of one or of a lane of [`Factors`].
type Queried = [[f32; LANES]; VECTORS];
type QueriedLanes = [[u32; LANES]; VECTORS];

/// What is multiplied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::model) enum Products {
    #[default]
    Floats,
    /// Numbers rounded to bfloat16, two at a time. For processors that [multiply them](super::multiplies_bf16).
    Bfloat16,
}

/// Rows of a tensor [sequence, heads x size], of one head.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Rows<'a> {
    pub numbers: &'a [f32],
    /// From a row's first number to the next one's.
    pub stride: usize,
    /// Of the head's part.
    pub first: usize,
    pub size: usize,
}

impl<'a> Rows<'a> {
    pub fn len(&self) -> usize {
        self.numbers.len() / self.stride
    }

    fn row(&self, index: usize) -> &'a [f32] {
        &self.numbers[index * self.stride + self.first..][..self.size]
    }
}

/// A head's keys and values as lanes of what is summed.
#[derive(Debug, Default)]
pub(in crate::model) struct Head {
    products: Products,
    /// [keys, head size / terms of a lane].
    keys: Vec<u32>,
    /// [keys / terms of a lane, size of a value, up to a multiple of 16].
    values: Vec<u32>,
    count: usize,
    /// Of a value.
    size: usize,
}

/// Memory that a block of queries is computed in.
#[derive(Debug, Default)]
pub(in crate::model) struct Scratch {
    /// Those of a vector's queries, [16, head size / terms of a lane, up to a multiple of 16].
    rows: Vec<u32>,
    /// The same, queries side by side, [head size / terms of a lane, up to a multiple of 16].
    queries: Vec<QueriedLanes>,
    /// Scores [keys, up to a multiple of a lane's terms], in whose place their weights [keys / terms of a lane] come.
    scores: Vec<QueriedLanes>,
    /// [queries, size of a value, up to a multiple of 16].
    means: Vec<f32>,
}

impl Head {
    /// Packs keys and values, as many of these as of those.
    pub fn pack(&mut self, products: Products, keys: Rows, values: Rows) {
        self.products = products;
        match products {
            Products::Floats => pack_floats(self, keys, values),
            Products::Bfloat16 => pack_bfloat16(self, keys, values),
        }
    }

    #[inline(always)]
    fn pack_as<F: Factors>(&mut self, keys: Rows, values: Rows) {
        self.count = keys.len();
        let steps = keys.size.div_ceil(F::TERMS);
        self.keys.resize(self.count * steps, 0);
        for (index, lanes) in self.keys.chunks_exact_mut(steps).enumerate() {
            pack_row::<F>(keys.row(index), 1.0, lanes);
        }
        self.size = values.size;
        let width = values.size.next_multiple_of(LANES);
        self.values.resize(self.count.div_ceil(F::TERMS) * width, 0);
        for (index, lanes) in self.values.chunks_exact_mut(width).enumerate() {
            let mut rows = [&[][..]; 2];
            for (term, row) in rows.iter_mut().enumerate().take(F::TERMS) {
                let key = index * F::TERMS + term;
                *row = if key < self.count { values.row(key) } else { &[] };
            }
            for (index, lanes) in lanes.as_chunks_mut().0.iter_mut().enumerate() {
                let at = index * LANES;
                F::of([vector_at(rows[0], at), vector_at(rows[1], at)]).store(lanes);
            }
        }
    }
}

/// The means of the values for the queries from `first` on, [`QUERIES`] of them at most. `give` takes each with the query's place
/// among them.
pub(in crate::model) fn attend(
    queries: Rows,
    first: usize,
    scale: f32,
    head: &Head,
    scratch: &mut Scratch,
    give: &mut dyn FnMut(usize, &[f32]),
) {
    let count = QUERIES.min(queries.len() - first);
    match head.products {
        Products::Floats => attend_floats(queries, first, count, scale, head, scratch),
        Products::Bfloat16 => attend_bfloat16(queries, first, count, scale, head, scratch),
    }
    let rows = scratch.means.chunks_exact(head.size.next_multiple_of(LANES)).take(count);
    rows.enumerate().for_each(|(query, mean)| give(query, &mean[..head.size]));
}

widest! {
    fn pack_floats<L>(head: &mut Head, keys: Rows, values: Rows) {
        head.pack_as::<Floats<L>>(keys, values);
    }
}

widest! {
    fn attend_floats<L>(
        queries: Rows,
        first: usize,
        count: usize,
        scale: f32,
        head: &Head,
        scratch: &mut Scratch,
    ) {
        attend_as::<Floats<L>>(queries, first, count, scale, head, scratch);
    }
}

with_bf16! {
    fn pack_bfloat16<F>(head: &mut Head, keys: Rows, values: Rows) {
        head.pack_as::<F>(keys, values);
    }
}

with_bf16! {
    fn attend_bfloat16<F>(
        queries: Rows,
        first: usize,
        count: usize,
        scale: f32,
        head: &Head,
        scratch: &mut Scratch,
    ) {
        attend_as::<F>(queries, first, count, scale, head, scratch);
    }
}

/// Leaves the means in `scratch`.
#[inline(always)]
fn attend_as<F: Factors>(
    queries: Rows,
    first: usize,
    count: usize,
    scale: f32,
    head: &Head,
    scratch: &mut Scratch,
) {
    let Scratch { rows, queries: packed, scores, means } = scratch;
    let steps = queries.size.div_ceil(F::TERMS);
    let room = steps.next_multiple_of(LANES);
    packed.resize(room, [[0; LANES]; VECTORS]);
    rows.resize(LANES * room, 0);
    for vector in 0..VECTORS {
        let of_vector = (vector * LANES..count.min((vector + 1) * LANES)).zip(rows.chunks_exact_mut(room));
        of_vector.for_each(|(lane, row)| {
            pack_row::<F>(queries.row(first + lane), scale * LOG2_E, &mut row[..steps]);
        });
        turn::<F::Lanes>(rows, vector, packed);
    }
    scores.resize(head.count.next_multiple_of(F::TERMS), [[0; LANES]; VECTORS]);
    let (found, filled) = scores.split_at_mut(head.count);
    let most = score::<F>(&packed[..steps], &head.keys, found);
    filled.fill([[f32::NEG_INFINITY.to_bits(); LANES]; VECTORS]);
    let sums = weigh::<F>(scores, &most);
    let weights = &scores[..scores.len() / F::TERMS];
    means.clear();
    means.resize(QUERIES * head.size.next_multiple_of(LANES), 0.0);
    add_values::<F>(weights, &head.values, means);
    divide::<F>(means, sums.as_flattened());
}

/// Lets 16 rows stand side by side as one of the vectors of `queries`.
#[inline(always)]
fn turn<L: Lanes>(rows: &[u32], vector: usize, queries: &mut [QueriedLanes]) {
    let room = queries.len();
    for (index, queries) in queries.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let mut lanes = [L::splat(0.0); LANES];
        for (lanes, row) in lanes.iter_mut().zip(rows.chunks_exact(room)) {
            *lanes = L::load_bits(&row.as_chunks().0[index]);
        }
        let turned = L::transposed(lanes);
        for place in 0..LANES {
            turned[place].store_bits(&mut queries[place][vector]);
        }
    }
}

/// Numbers that stand beside each other, times `scale`; zeros stand beside those of the last lane.
#[inline(always)]
fn pack_row<F: Factors>(numbers: &[f32], scale: f32, lanes: &mut [u32]) {
    let scale = F::Lanes::splat(scale);
    for (index, lanes) in lanes.chunks_mut(LANES).enumerate() {
        let at = index * F::TERMS * LANES;
        let packed = F::beside([
            vector_at::<F::Lanes>(numbers, at).times(scale),
            vector_at::<F::Lanes>(numbers, at + LANES).times(scale),
        ]);
        match lanes.as_mut_array::<LANES>() {
            Some(lanes) => packed.store(lanes),
            None => {
                let mut filled = [0; LANES];
                packed.store(&mut filled);
                lanes.copy_from_slice(&filled[..lanes.len()]);
            }
        }
    }
}

/// Numbers from a place on, and zeros after the last.
#[inline(always)]
fn vector_at<L: Lanes>(numbers: &[f32], at: usize) -> L {
    match numbers.get(at..).and_then(<[f32]>::first_chunk) {
        Some(whole) => L::load(whole),
        None => {
            let mut filled = [0.0; LANES];
            let rest = numbers.get(at..).unwrap_or_default();
            filled[..rest.len()].copy_from_slice(rest);
            L::load(&filled)
        }
    }
}

/// Leaves the bits of all scores, and returns each query's largest one.
#[inline(always)]
fn score<F: Factors>(queries: &[QueriedLanes], keys: &[u32], scores: &mut [QueriedLanes]) -> Queried {
    let steps = queries.len();
    let mut most = [[f32::MIN; LANES]; VECTORS];
    let (tiles, rest) = scores.as_chunks_mut::<KEYS>();
    let (many, few) = keys.split_at(tiles.len() * KEYS * steps);
    for (tile, keys) in tiles.iter_mut().zip(many.chunks_exact(KEYS * steps)) {
        score_tile::<F, KEYS>(queries, keys, tile, &mut most);
    }
    for (score, key) in rest.iter_mut().zip(few.chunks_exact(steps)) {
        score_tile::<F, 1>(queries, key, std::array::from_mut(score), &mut most);
    }
    most
}

#[inline(always)]
fn score_tile<F: Factors, const N: usize>(
    queries: &[QueriedLanes],
    keys: &[u32],
    scores: &mut [QueriedLanes; N],
    most: &mut Queried,
) {
    let keys: [&[u32]; N] = std::array::from_fn(|key| &keys[key * queries.len()..][..queries.len()]);
    let mut sums = [[F::Lanes::splat(0.0); VECTORS]; N];
    for (step, query) in queries.iter().enumerate() {
        let query = [F::load(&query[0]), F::load(&query[1])];
        for key in 0..N {
            let number = F::splat(keys[key][step]);
            for vector in 0..VECTORS {
                sums[key][vector] = query[vector].dot(number, sums[key][vector]);
            }
        }
    }
    for vector in 0..VECTORS {
        let mut largest = F::Lanes::load(&most[vector]);
        for key in 0..N {
            sums[key][vector].store_bits(&mut scores[key][vector]);
            largest = sums[key][vector].or_larger(largest);
        }
        largest.store(&mut most[vector]);
    }
}

/// Turns the bits of scores into lanes of weights that are not yet divided by their sum, which it returns. Weights are summed as
/// they are rounded, so that those of a mean add up to 1.
#[inline(always)]
fn weigh<F: Factors>(scores: &mut [QueriedLanes], most: &Queried) -> Queried {
    let most = [F::Lanes::load(&most[0]), F::Lanes::load(&most[1])];
    let mut added = [F::Lanes::splat(0.0); VECTORS];
    for place in 0..scores.len() / F::TERMS {
        for vector in 0..VECTORS {
            let mut terms = [F::Lanes::splat(0.0); 2];
            for term in 0..F::TERMS {
                let score = F::Lanes::load_bits(&scores[place * F::TERMS + term][vector]);
                terms[term] = exp2(score.minus(most[vector]));
            }
            let lanes = F::of(terms);
            lanes.store(&mut scores[place][vector]);
            added[vector] = added[vector].plus(lanes.added());
        }
    }
    let mut sums = [[0.0; LANES]; VECTORS];
    added[0].store(&mut sums[0]);
    added[1].store(&mut sums[1]);
    sums
}

/// Adds the weighted values to `means`, [queries, width].
#[inline(always)]
fn add_values<F: Factors>(weights: &[QueriedLanes], values: &[u32], means: &mut [f32]) {
    let width = means.len() / QUERIES;
    let wide = width / (WIDE * LANES) * WIDE * LANES;
    for (weights, values) in weights.chunks(NEAR).zip(values.chunks(NEAR * width)) {
        for query in (0..QUERIES).step_by(MEANS) {
            for first in (0..wide).step_by(WIDE * LANES) {
                add_tile::<F, WIDE>(weights, values, query, first, means);
            }
            for first in (wide..width).step_by(LANES) {
                add_tile::<F, 1>(weights, values, query, first, means);
            }
        }
    }
}

/// V vectors of the means of [`MEANS`] queries from `query` on; of the numbers from `first` on.
#[inline(always)]
fn add_tile<F: Factors, const V: usize>(
    weights: &[QueriedLanes],
    values: &[u32],
    query: usize,
    first: usize,
    means: &mut [f32],
) {
    let width = means.len() / QUERIES;
    let mut added = [[F::Lanes::splat(0.0); V]; MEANS];
    for place in 0..MEANS {
        let means = means[(query + place) * width + first..].as_chunks::<LANES>().0;
        for vector in 0..V {
            added[place][vector] = F::Lanes::load(&means[vector]);
        }
    }
    for (weights, values) in weights.iter().zip(values.chunks_exact(width)) {
        let weights = &weights.as_flattened()[query..][..MEANS];
        let vectors = &values[first..].as_chunks::<LANES>().0[..V];
        let mut values = [F::splat(0); V];
        for vector in 0..V {
            values[vector] = F::load(&vectors[vector]);
        }
        for place in 0..MEANS {
            let weight = F::splat(weights[place]);
            for vector in 0..V {
                added[place][vector] = values[vector].dot(weight, added[place][vector]);
            }
        }
    }
    for place in 0..MEANS {
        let means = means[(query + place) * width + first..].as_chunks_mut::<LANES>().0;
        for vector in 0..V {
            added[place][vector].store(&mut means[vector]);
        }
    }
}

/// Divides each query's mean by the sum of its weights.
#[inline(always)]
fn divide<F: Factors>(means: &mut [f32], sums: &[f32]) {
    let width = means.len() / QUERIES;
    for (mean, sum) in means.chunks_exact_mut(width).zip(sums) {
        let sum = F::Lanes::splat(*sum);
        for numbers in mean.as_chunks_mut::<LANES>().0 {
            F::Lanes::load(numbers).divided_by(sum).store(numbers);
        }
    }
}

#[cfg(test)]
#[path = "attention_tests.rs"]
mod tests;
