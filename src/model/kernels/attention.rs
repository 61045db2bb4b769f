//! Attention without a mask: softmax(scale q kᵀ) v (Vaswani et al. 2017, equation 1), a block of queries at a time.
//!
//! Queries stand side by side, one in each lane, so that maxima and sums of the softmax are taken lane by lane. Keys come in
//! chunks whose weights stay in the cache; where a later chunk has a greater score, what the earlier ones gave is scaled down
//! (Dao et al. 2022, FlashAttention, algorithm 1).

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::arithmetic::{Arithmetic, Lanes, ROWS, Rows, Softmax, WIDTH};

/// Keys whose scores are held at a time: a multiple of [`ROWS`] and of the numbers in a factor.
const CHUNK: usize = 512;

/// A tensor [sequence, heads x head size].
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Vectors<'a> {
    pub numbers: &'a [f32],
    pub heads: usize,
    /// Of a head's vectors, more than 0.
    pub size: usize,
}

impl<'a> Vectors<'a> {
    /// Vectors in the sequence.
    fn len(&self) -> usize {
        self.numbers.len() / (self.heads * self.size)
    }

    /// A head's vector; nothing after the last.
    fn get(&self, head: usize, index: usize) -> &'a [f32] {
        let start = (index * self.heads + head) * self.size;
        self.numbers.get(start..start + self.size).unwrap_or_default()
    }
}

/// Attention with the memory that it is computed in.
pub(in crate::model) struct Attention<A: Arithmetic> {
    arithmetic: A,
    heads: Vec<Head<A>>,
    /// Those that no thread works on.
    blocks: Mutex<Vec<Block<A>>>,
}

impl<A: Arithmetic> Attention<A> {
    pub fn new(arithmetic: A) -> Self {
        Self { arithmetic, heads: Vec::new(), blocks: Mutex::default() }
    }

    /// The mean of the values for every query and head, [queries, heads x size of a value]. `in_parallel` calls a function
    /// with all numbers below one.
    ///
    /// # Errors
    /// Those of `in_parallel`.
    pub fn compute<E>(
        &mut self,
        [queries, keys, values]: [Vectors; 3],
        scale: f32,
        means: &mut [f32],
        in_parallel: impl Fn(usize, &(dyn Fn(usize) + Send + Sync)) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { arithmetic, heads, blocks } = self;
        heads.resize_with(keys.heads, Head::default);
        let to_pack: Vec<_> = heads.iter_mut().map(Mutex::new).collect();
        in_parallel(to_pack.len(), &|head| pack(*arithmetic, head, keys, values, &mut lock(&to_pack[head])))?;

        let parts: Vec<_> = means.chunks_mut(WIDTH * values.heads * values.size).map(Mutex::new).collect();
        in_parallel(heads.len() * parts.len(), &|unit| {
            let (head, part) = (unit / parts.len(), unit % parts.len());
            let mut block = lock(blocks).pop().unwrap_or_default();
            let totals = attend(*arithmetic, queries, (head, part * WIDTH), scale, &heads[head], &mut block);
            let shares = totals.map(f32::recip);
            for (lane, row) in lock(&parts[part]).chunks_exact_mut(values.heads * values.size).enumerate() {
                let row = row.iter_mut().skip(head * values.size);
                row.zip(&block.means[..values.size])
                    .for_each(|(number, means)| *number = means[lane] * shares[lane]);
            }
            lock(blocks).push(block);
        })
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A head's keys and values, as factors of the sums that they are in.
struct Head<A: Arithmetic> {
    /// [keys, head size], up to a multiple of [`ROWS`] keys.
    keys: Vec<A::Factor>,
    /// [size of a value, keys], up to a multiple of [`ROWS`] numbers.
    values: Vec<A::Factor>,
    /// Keys.
    len: usize,
}

impl<A: Arithmetic> Default for Head<A> {
    fn default() -> Self {
        Self { keys: Vec::new(), values: Vec::new(), len: 0 }
    }
}

/// Queries that are worked on side by side.
struct Block<A: Arithmetic> {
    /// Factors of the queries' numbers.
    queries: Vec<Lanes<A::Factor>>,
    /// Of a chunk of keys; 0 where none is worked on.
    scores: Vec<Lanes<f32>>,
    /// Factors of a chunk of keys.
    weights: Vec<Lanes<A::Factor>>,
    /// Of the values, number by number.
    means: Vec<Lanes<f32>>,
}

impl<A: Arithmetic> Default for Block<A> {
    fn default() -> Self {
        let (scores, weights) = (vec![[0.0; WIDTH]; CHUNK], vec![Default::default(); CHUNK / A::NUMBERS]);
        Self { queries: Vec::new(), scores, weights, means: Vec::new() }
    }
}

fn pack<A: Arithmetic>(arithmetic: A, head: usize, keys: Vectors, values: Vectors, into: &mut Head<A>) {
    into.len = keys.len();
    let steps = keys.size.div_ceil(A::NUMBERS);
    into.keys.resize(into.len.next_multiple_of(ROWS) * steps, Default::default());
    for (index, into) in into.keys.chunks_exact_mut(steps).enumerate() {
        arithmetic.factors(keys.get(head, index), into);
    }
    let steps = into.len.div_ceil(A::NUMBERS);
    into.values.resize(values.size.next_multiple_of(ROWS) * steps, Default::default());
    let mut turned = vec![[0.0; WIDTH]; values.size];
    for first in (0..into.len).step_by(WIDTH) {
        let len = WIDTH.min(into.len - first);
        for lane in 0..len {
            for (turned, number) in turned.iter_mut().zip(values.get(head, first + lane)) {
                turned[lane] = *number;
            }
        }
        for (turned, into) in turned.iter().zip(into.values.chunks_exact_mut(steps)) {
            arithmetic.factors(&turned[..len], &mut into[first / A::NUMBERS..]);
        }
    }
}

/// Computes the block's means, each times the sum of its weights, and those sums.
fn attend<A: Arithmetic>(
    arithmetic: A,
    queries: Vectors,
    (of_head, first_query): (usize, usize),
    scale: f32,
    head: &Head<A>,
    block: &mut Block<A>,
) -> Lanes<f32> {
    let (steps, all_steps) = (queries.size.div_ceil(A::NUMBERS), head.len.div_ceil(A::NUMBERS));
    block.queries.resize(steps, [A::Factor::default(); WIDTH]);
    let mut scaled = vec![0.0; queries.size];
    let mut factors = vec![A::Factor::default(); steps];
    // A lane after the last query repeats it.
    for lane in 0..WIDTH {
        let query = queries.get(of_head, first_query + lane);
        for (scaled, number) in scaled.iter_mut().zip(query) {
            *scaled = scale * number;
        }
        arithmetic.factors(&scaled, &mut factors);
        for (lanes, factor) in block.queries.iter_mut().zip(&factors) {
            lanes[lane] = *factor;
        }
    }
    block.means.clear();
    block.means.resize(head.values.len() / all_steps, [0.0; WIDTH]);

    let mut softmax = Softmax::default();
    for (chunk, keys) in head.keys.chunks(CHUNK * steps).enumerate() {
        let first = chunk * CHUNK;
        let len = CHUNK.min(head.len - first);
        for (keys, scores) in keys.chunks_exact(ROWS * steps).zip(block.scores.as_chunks_mut().0) {
            arithmetic.add_products(&block.queries, Rows { factors: keys, stride: steps }, scores);
        }
        let end = len.next_multiple_of(ROWS);
        block.scores[len..end].fill([f32::NEG_INFINITY; WIDTH]);
        let weights = &mut block.weights[..end / A::NUMBERS];
        arithmetic.weigh(&mut block.scores[..end], weights, &mut softmax, &mut block.means);
        let weights = &weights[..len.div_ceil(A::NUMBERS)];
        let panels = head.values.chunks_exact(ROWS * all_steps);
        for (values, means) in panels.zip(block.means.as_chunks_mut().0) {
            let values = Rows { factors: &values[first / A::NUMBERS..], stride: all_steps };
            arithmetic.add_products(weights, values, means);
        }
    }
    softmax.total
}

#[cfg(test)]
mod tests {
    use super::super::arithmetic::Fp32;
    use super::*;

    /// Numbers between -1 and 1 without a pattern.
    fn numbers(seed: u64, count: usize) -> Vec<f32> {
        let hash = |index: u64| (seed << 32 | index).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        (0..count as u64).map(|index| hash(index * index + index) as f32 / (1 << 23) as f32 - 1.0).collect()
    }

    /// As the equation says.
    fn naive([queries, keys, values]: [Vectors; 3], scale: f32) -> Vec<f64> {
        let mut means = vec![0.0; queries.len() * values.heads * values.size];
        for (at, mean) in means.iter_mut().enumerate() {
            let (query, head, number) =
                (at / values.size / values.heads, at / values.size % values.heads, at % values.size);
            let query = queries.get(head, query);
            let score = |key| {
                let products =
                    query.iter().zip(keys.get(head, key)).map(|(q, k)| f64::from(*q) * f64::from(*k));
                (products.sum::<f64>() * f64::from(scale)).exp()
            };
            let weights: Vec<f64> = (0..keys.len()).map(score).collect();
            let weighted = |(key, weight): (usize, &f64)| weight * f64::from(values.get(head, key)[number]);
            *mean = weights.iter().enumerate().map(weighted).sum::<f64>() / weights.iter().sum::<f64>();
        }
        means
    }

    fn compute<A: Arithmetic>(arithmetic: A, inputs: [Vectors; 3], scale: f32, threads: usize) -> Vec<f32> {
        let [queries, _, values] = inputs;
        let mut means = vec![0.0; queries.len() * values.heads * values.size];
        let in_parallel = |total: usize, function: &(dyn Fn(usize) + Send + Sync)| {
            std::thread::scope(|scope| {
                for thread in 0..threads {
                    scope.spawn(move || (thread..total).step_by(threads).for_each(function));
                }
            });
            Ok::<_, ()>(())
        };
        let mut attention = Attention::new(arithmetic);
        // The second time in memory that is not new.
        for _ in 0..2 {
            attention.compute(inputs, scale, &mut means, in_parallel).unwrap();
        }
        means
    }

    const HEADS: usize = 2;

    /// (queries, keys, size, size of a value)
    const SHAPES: [(usize, usize, usize, usize); 5] =
        [(1, 1, 1, 1), (13, 13, 5, 5), (33, 9, 8, 3), (40, 50, 16, 12), (3, CHUNK + 19, 4, 9)];

    fn largest_difference<A: Arithmetic>(
        arithmetic: A,
        (queries, keys, size, value): (usize, usize, usize, usize),
    ) -> f64 {
        let [q, k, v] = [(1, queries * size), (2, keys * size), (3, keys * value)]
            .map(|(seed, count)| numbers(seed, HEADS * count));
        let inputs = [(&q, size), (&k, size), (&v, value)].map(|(numbers, size)| Vectors {
            numbers,
            heads: HEADS,
            size,
        });
        let found = compute(arithmetic, inputs, 1.5, 1);
        let expected = naive(inputs, 1.5);
        found
            .iter()
            .zip(expected)
            .fold(0.0, |most, (found, expected)| (f64::from(*found) - expected).abs().max(most))
    }

    #[test]
    fn it_is_the_equation() {
        for shape in SHAPES {
            let difference = largest_difference(Fp32, shape);
            assert!(difference < 1e-6, "{shape:?}: {difference}");
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn products_of_bfloat16_are_near_the_equation() {
        let Some(bf16) = super::super::bf16::Bf16::of_processor() else { return };
        for shape in SHAPES {
            let difference = largest_difference(bf16, shape);
            assert!(difference < 2e-2, "{shape:?}: {difference}");
            let has_rounded = shape == SHAPES[0] || difference > 1e-5;
            assert!(has_rounded, "{shape:?}: {difference}");
        }
    }

    fn answer_is_the_same_in_company<A: Arithmetic>(arithmetic: A) {
        let (length, size) = (70, 8);
        let [q, k, v] = [4, 5, 6].map(|seed| numbers(seed, length * HEADS * size));
        let vectors = |numbers| Vectors { numbers, heads: HEADS, size };
        let all = compute(arithmetic, [&q, &k, &v].map(|numbers| vectors(numbers)), 0.3, 1);
        let in_threads = compute(arithmetic, [&q, &k, &v].map(|numbers| vectors(numbers)), 0.3, 2);
        assert_eq!(all, in_threads);
        let (row, hidden) = (37 * HEADS * size, HEADS * size);
        let alone = compute(arithmetic, [vectors(&q[row..row + hidden]), vectors(&k), vectors(&v)], 0.3, 1);
        assert_eq!(all[row..row + hidden], alone);
        let elsewhere =
            compute(arithmetic, [vectors(&q[row - 5 * hidden..]), vectors(&k), vectors(&v)], 0.3, 2);
        assert_eq!(all[row - 5 * hidden..], elsewhere);
    }

    #[test]
    fn a_row_has_the_same_bits_alone_and_in_company() {
        answer_is_the_same_in_company(Fp32);
        #[cfg(target_arch = "x86_64")]
        if let Some(bf16) = super::super::bf16::Bf16::of_processor() {
            answer_is_the_same_in_company(bf16);
        }
    }

    fn nan_passes<A: Arithmetic>(arithmetic: A) {
        let (length, size) = (35, 4);
        let [mut q, k, mut v] = [7, 8, 9].map(|seed| numbers(seed, length * size));
        q[33 * size] = f32::NAN;
        v[2] = f32::NAN;
        let inputs = [&q, &k, &v].map(|numbers| Vectors { numbers, heads: 1, size });
        for (at, mean) in compute(arithmetic, inputs, 1.0, 1).into_iter().enumerate() {
            assert_eq!(mean.is_nan(), at / size == 33 || at % size == 2, "{at}");
        }
    }

    #[test]
    fn what_is_no_number_passes_and_stays_in_its_row_and_column() {
        nan_passes(Fp32);
        #[cfg(target_arch = "x86_64")]
        if let Some(bf16) = super::super::bf16::Bf16::of_processor() {
            nan_passes(bf16);
        }
    }
}
