//! Attention without a mask: softmax(scale q kᵀ) v (Vaswani et al. 2017, equation 1), with products of bfloat16 that are added in
//! 32-bit floats.
//!
//! Queries stand side by side, one in each lane, so that maxima and sums of the softmax are taken lane by lane.

use super::LANES;
use super::bf16::Pairs;
use super::exp::exp;
use super::lanes::{Avx512, Lanes};

const VECTORS: usize = 2;

/// Queries that are worked on together.
pub(in crate::model) const QUERIES: usize = VECTORS * LANES;

/// Keys of a tile of scores.
const KEYS: usize = 12;

/// Queries of a tile of means, and vectors of their numbers.
const MEANS: usize = 4;
const WIDE: usize = 4;

/// A number for each query, and a pair.
type Queried = [[f32; LANES]; VECTORS];
type QueriedPairs = [[u32; LANES]; VECTORS];

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

/// A head's keys and values as pairs of what is summed.
#[derive(Debug, Default)]
pub(in crate::model) struct Head {
    /// [keys, head size / 2].
    keys: Vec<u32>,
    /// [keys / 2, size of a value, up to a multiple of 16].
    values: Vec<u32>,
    count: usize,
    /// Of a value.
    size: usize,
}

/// Memory that a block of queries is computed in.
#[derive(Debug, Default)]
pub(in crate::model) struct Scratch {
    /// [head size / 2].
    queries: Vec<QueriedPairs>,
    /// [keys, up to an even number].
    scores: Vec<Queried>,
    /// [keys / 2].
    weights: Vec<QueriedPairs>,
    /// [queries, size of a value, up to a multiple of 16].
    means: Vec<f32>,
}

impl Head {
    /// Packs keys and values, as many of these as of those.
    pub fn pack(&mut self, keys: Rows, values: Rows) {
        assert!(super::multiplies_bf16(), "this processor does not multiply bfloat16");
        #[expect(unsafe_code, reason = "the processor was asked for the instructions just before")]
        // SAFETY: it has them.
        unsafe {
            self.pack_wide(keys, values);
        }
    }

    #[target_feature(enable = "avx512f,avx512bf16,fma")]
    fn pack_wide(&mut self, keys: Rows, values: Rows) {
        self.count = keys.len();
        let steps = keys.size.div_ceil(2);
        self.keys.resize(self.count * steps, 0);
        for (index, pairs) in self.keys.chunks_exact_mut(steps).enumerate() {
            pair_row(keys.row(index), 1.0, pairs);
        }
        self.size = values.size;
        let width = values.size.next_multiple_of(LANES);
        self.values.resize(self.count.div_ceil(2) * width, 0);
        for (index, pairs) in self.values.chunks_exact_mut(width).enumerate() {
            let second = if 2 * index + 1 < self.count { values.row(2 * index + 1) } else { &[] };
            pair_rows(values.row(2 * index), second, pairs);
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
    assert!(super::multiplies_bf16(), "this processor does not multiply bfloat16");
    let count = QUERIES.min(queries.len() - first);
    #[expect(unsafe_code, reason = "the processor was asked for the instructions just before")]
    // SAFETY: it has them.
    unsafe {
        attend_wide(queries, first, count, scale, head, scratch);
    }
    let rows = scratch.means.chunks_exact(head.size.next_multiple_of(LANES)).take(count);
    rows.enumerate().for_each(|(query, mean)| give(query, &mean[..head.size]));
}

/// Leaves the means in `scratch`.
#[target_feature(enable = "avx512f,avx512bf16,fma")]
fn attend_wide(queries: Rows, first: usize, count: usize, scale: f32, head: &Head, scratch: &mut Scratch) {
    let Scratch { queries: packed, scores, weights, means } = scratch;
    let steps = queries.size.div_ceil(2);
    packed.resize(steps, [[0; LANES]; VECTORS]);
    let mut pairs = vec![0; steps];
    for lane in 0..count {
        pair_row(queries.row(first + lane), scale, &mut pairs);
        for (packed, pair) in packed.iter_mut().zip(&pairs) {
            packed[lane / LANES][lane % LANES] = *pair;
        }
    }
    scores.resize(head.count.next_multiple_of(2), [[0.0; LANES]; VECTORS]);
    score(packed, &head.keys, &mut scores[..head.count]);
    scores[head.count..].fill([[f32::NEG_INFINITY; LANES]; VECTORS]);
    weights.resize(scores.len() / 2, [[0; LANES]; VECTORS]);
    let sums = weigh(scores, weights);
    means.resize(QUERIES * head.size.next_multiple_of(LANES), 0.0);
    mean(weights, sums.as_flattened(), &head.values, means);
}

/// Pairs of numbers that stand beside each other, times `scale`; an odd last one stands beside 0.
#[inline(always)]
fn pair_row(numbers: &[f32], scale: f32, pairs: &mut [u32]) {
    let scale = Avx512::splat(scale);
    let pair = |numbers: &[f32; QUERIES]| {
        let (halves, _) = numbers.as_chunks::<LANES>();
        Pairs::beside(Avx512::load(&halves[0]).times(scale), Avx512::load(&halves[1]).times(scale))
    };
    let (wide, rest) = numbers.as_chunks::<QUERIES>();
    let (into, last) = pairs.split_at_mut(wide.len() * LANES);
    for (numbers, into) in wide.iter().zip(into.as_chunks_mut().0) {
        pair(numbers).store(into);
    }
    if !rest.is_empty() {
        let mut filled = [0.0; QUERIES];
        filled[..rest.len()].copy_from_slice(rest);
        let mut found = [0; LANES];
        pair(&filled).store(&mut found);
        last.copy_from_slice(&found[..last.len()]);
    }
}

/// Pairs of two rows' numbers, and of zeros after them; those of a second that is empty are zeros, too.
#[inline(always)]
fn pair_rows(first: &[f32], second: &[f32], pairs: &mut [u32]) {
    for (index, into) in pairs.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        Pairs::of(vector_at(first, index * LANES), vector_at(second, index * LANES)).store(into);
    }
}

/// Numbers from a place on, and zeros after the last.
#[inline(always)]
fn vector_at(numbers: &[f32], at: usize) -> Avx512 {
    match numbers.get(at..).and_then(<[f32]>::first_chunk) {
        Some(whole) => Avx512::load(whole),
        None => {
            let mut filled = [0.0; LANES];
            let rest = numbers.get(at..).unwrap_or_default();
            filled[..rest.len()].copy_from_slice(rest);
            Avx512::load(&filled)
        }
    }
}

#[target_feature(enable = "avx512f,avx512bf16,fma")]
fn score(queries: &[QueriedPairs], keys: &[u32], scores: &mut [Queried]) {
    let steps = queries.len();
    let (tiles, rest) = scores.as_chunks_mut::<KEYS>();
    let (many, few) = keys.split_at(tiles.len() * KEYS * steps);
    for (tile, keys) in tiles.iter_mut().zip(many.chunks_exact(KEYS * steps)) {
        score_tile(queries, keys, tile);
    }
    for (score, key) in rest.iter_mut().zip(few.chunks_exact(steps)) {
        score_tile(queries, key, std::array::from_mut(score));
    }
}

#[inline(always)]
fn score_tile<const N: usize>(queries: &[QueriedPairs], keys: &[u32], scores: &mut [Queried; N]) {
    let keys: [&[u32]; N] = std::array::from_fn(|key| &keys[key * queries.len()..][..queries.len()]);
    let mut sums = [[Avx512::splat(0.0); VECTORS]; N];
    for (step, query) in queries.iter().enumerate() {
        let query = [Pairs::load(&query[0]), Pairs::load(&query[1])];
        for key in 0..N {
            let pair = Pairs::splat(keys[key][step]);
            for vector in 0..VECTORS {
                sums[key][vector] = query[vector].dot(pair, sums[key][vector]);
            }
        }
    }
    for key in 0..N {
        for vector in 0..VECTORS {
            sums[key][vector].store(&mut scores[key][vector]);
        }
    }
}

/// Turns scores into pairs of weights that are not yet divided by their sum, which it returns. Weights are summed as they are
/// rounded, so that those of a mean add up to 1.
#[target_feature(enable = "avx512f,avx512bf16,fma")]
fn weigh(scores: &[Queried], weights: &mut [QueriedPairs]) -> Queried {
    let mut sums = [[0.0; LANES]; VECTORS];
    for vector in 0..VECTORS {
        let mut most = Avx512::splat(f32::MIN);
        for scores in scores {
            most = Avx512::load(&scores[vector]).or_larger(most);
        }
        let mut sum = Avx512::splat(0.0);
        for (scores, weights) in scores.as_chunks::<2>().0.iter().zip(weights.iter_mut()) {
            let first = exp(Avx512::load(&scores[0][vector]).minus(most));
            let second = exp(Avx512::load(&scores[1][vector]).minus(most));
            let pairs = Pairs::of(first, second);
            pairs.store(&mut weights[vector]);
            sum = sum.plus(pairs.added());
        }
        sum.store(&mut sums[vector]);
    }
    sums
}

/// Means of the values, [queries, width].
#[target_feature(enable = "avx512f,avx512bf16,fma")]
fn mean(weights: &[QueriedPairs], sums: &[f32], values: &[u32], means: &mut [f32]) {
    let width = means.len() / QUERIES;
    let wide = width / (WIDE * LANES) * WIDE * LANES;
    for query in (0..QUERIES).step_by(MEANS) {
        for first in (0..wide).step_by(WIDE * LANES) {
            mean_tile::<WIDE>(weights, sums, values, query, first, means);
        }
        for first in (wide..width).step_by(LANES) {
            mean_tile::<1>(weights, sums, values, query, first, means);
        }
    }
}

/// V vectors of the means of [`MEANS`] queries from `query` on; of the numbers from `first` on.
#[inline(always)]
fn mean_tile<const V: usize>(
    weights: &[QueriedPairs],
    sums: &[f32],
    values: &[u32],
    query: usize,
    first: usize,
    means: &mut [f32],
) {
    let width = means.len() / QUERIES;
    let mut added = [[Avx512::splat(0.0); V]; MEANS];
    for (weights, values) in weights.iter().zip(values.chunks_exact(width)) {
        let weights = &weights.as_flattened()[query..][..MEANS];
        let vectors = &values[first..].as_chunks::<LANES>().0[..V];
        let mut values = [Pairs::splat(0); V];
        for vector in 0..V {
            values[vector] = Pairs::load(&vectors[vector]);
        }
        for query in 0..MEANS {
            let weight = Pairs::splat(weights[query]);
            for vector in 0..V {
                added[query][vector] = values[vector].dot(weight, added[query][vector]);
            }
        }
    }
    for place in 0..MEANS {
        let sum = Avx512::splat(sums[query + place]);
        let mean = means[(query + place) * width + first..].as_chunks_mut::<LANES>().0;
        for vector in 0..V {
            added[place][vector].divided_by(sum).store(&mut mean[vector]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernels::multiplies_bf16;

    /// Numbers between -1 and 1 without a pattern.
    fn numbers(seed: u64, count: usize) -> Vec<f32> {
        let hash = |index: u64| (seed << 32 | index).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        (0..count as u64).map(|index| hash(index * index + index) as f32 / (1 << 23) as f32 - 1.0).collect()
    }

    /// Rows that have another head's numbers before theirs.
    fn rows(numbers: &[f32], size: usize) -> Rows<'_> {
        Rows { numbers, stride: size + 3, first: 3, size }
    }

    fn compute([queries, keys, values]: [Rows; 3], scale: f32) -> Vec<f32> {
        let (mut head, mut scratch) = (Head::default(), Scratch::default());
        // The second time in memory that is not new.
        head.pack(values, values);
        head.pack(keys, values);
        let mut means = vec![0.0; queries.len() * values.size];
        for first in (0..queries.len()).step_by(QUERIES) {
            attend(queries, first, scale, &head, &mut scratch, &mut |query, mean| {
                let row = &mut means[(first + query) * values.size..][..values.size];
                row.copy_from_slice(mean);
            });
        }
        means
    }

    /// As the equation says.
    fn naive([queries, keys, values]: [Rows; 3], scale: f32) -> Vec<f64> {
        let mean = |query: usize| {
            let weight = |key: usize| {
                let products = queries.row(query).iter().zip(keys.row(key));
                (products.map(|(q, k)| f64::from(*q) * f64::from(*k)).sum::<f64>() * f64::from(scale)).exp()
            };
            let weights: Vec<f64> = (0..keys.len()).map(weight).collect();
            let sum: f64 = weights.iter().sum();
            (0..values.size)
                .map(move |number| {
                    let value = |key: usize| f64::from(values.row(key)[number]);
                    weights.iter().enumerate().map(|(key, weight)| weight * value(key)).sum::<f64>() / sum
                })
                .collect::<Vec<_>>()
        };
        (0..queries.len()).flat_map(mean).collect()
    }

    #[test]
    fn means_are_near_the_equation() {
        if !multiplies_bf16() {
            return;
        }
        for (queries, keys, size, value) in
            [(1, 1, 1, 1), (13, 13, 5, 5), (33, 9, 8, 3), (40, 50, 72, 20), (3, 531, 64, 9)]
        {
            let [q, k, v] = [(1, queries, size), (2, keys, size), (3, keys, value)]
                .map(|(seed, count, size)| numbers(seed, count * (size + 3)));
            let inputs = [rows(&q, size), rows(&k, size), rows(&v, value)];
            let found = compute(inputs, 0.7);
            let differences = found.iter().zip(naive(inputs, 0.7));
            let largest =
                differences.map(|(found, expected)| (f64::from(*found) - expected).abs()).fold(0.0, f64::max);
            assert!(largest < 1e-2, "{queries} {keys} {size} {value}: {largest}");
            assert!(largest > 1e-5, "{queries} {keys} {size} {value}: nothing was rounded");
        }
    }

    #[test]
    fn a_query_has_the_same_bits_alone_and_in_company() {
        if !multiplies_bf16() {
            return;
        }
        let (length, size) = (70, 8);
        let [q, k, v] = [4, 5, 6].map(|seed| numbers(seed, length * (size + 3)));
        let [queries, keys, values] = [&q, &k, &v].map(|numbers| rows(numbers, size));
        let all = compute([queries, keys, values], 0.3);
        for first in [0, 5, 37, 69] {
            let some = Rows { numbers: &q[first * (size + 3)..], ..queries };
            assert_eq!(all[first * size..], compute([some, keys, values], 0.3));
        }
    }

    #[test]
    fn what_is_no_number_passes_and_stays_in_its_row_and_column() {
        if !multiplies_bf16() {
            return;
        }
        let (length, size) = (35, 4);
        let [mut q, k, mut v] = [7, 8, 9].map(|seed| numbers(seed, length * (size + 3)));
        q[33 * (size + 3) + 3] = f32::NAN;
        v[3 + 2] = f32::NAN;
        let means = compute([&q, &k, &v].map(|numbers| rows(numbers, size)), 1.0);
        for (at, mean) in means.into_iter().enumerate() {
            assert_eq!(mean.is_nan(), at / size == 33 || at % size == 2, "{at}");
        }
    }
}
