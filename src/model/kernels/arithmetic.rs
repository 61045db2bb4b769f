//! The arithmetic of attention: how factors are held and multiplied, and the two loops that take its time.

use super::exp::exp;
use super::{LANES, widest};

/// Vectors that stand side by side, one in each lane.
pub(super) const WIDTH: usize = 2 * LANES;

/// One number of each.
pub(in crate::model) type Lanes<T> = [T; WIDTH];

/// Vectors that they are multiplied with at a time: their sums stay in registers, 16 of them.
pub(super) const ROWS: usize = 8;

/// How factors are held and multiplied. Sums are always 32-bit floats.
pub(in crate::model) trait Arithmetic: Copy + Send + Sync {
    /// One or more numbers that stand one after the other along the axis that is summed; the default is 0.
    type Factor: Copy + Default + Send + Sync;

    /// Numbers in a factor.
    const NUMBERS: usize;

    /// A factor of numbers, rounded to the nearest that it can hold.
    fn factor(self, number: impl Fn(usize) -> f32) -> Self::Factor;

    /// The sum of a factor's numbers.
    fn sum(self, factor: Self::Factor) -> f32;

    /// Adds the products of every lane with one factor.
    fn add_product(self, lanes: &Lanes<Self::Factor>, one: Self::Factor, sums: &mut Lanes<f32>);

    /// [`add_products`], compiled for the processor.
    fn add_products(self, lanes: &[Lanes<Self::Factor>], rows: Rows<Self::Factor>, sums: &mut Sums);

    /// [`weigh`], compiled for the processor.
    fn weigh(
        self,
        scores: &mut [Lanes<f32>],
        weights: &mut [Lanes<Self::Factor>],
        softmax: &mut Softmax,
        means: &mut [Lanes<f32>],
    );

    /// Factors of consecutive numbers; the last is filled up with 0.
    fn factors(self, numbers: &[f32], into: &mut [Self::Factor]) {
        let chunks = numbers.chunks_exact(Self::NUMBERS);
        let rest = chunks.remainder();
        let (into, last) = into.split_at_mut(chunks.len());
        for (numbers, into) in chunks.zip(into) {
            *into = self.factor(|place| numbers[place]);
        }
        if let Some(last) = last.first_mut().filter(|_| !rest.is_empty()) {
            *last = self.factor(|place| rest.get(place).copied().unwrap_or(0.0));
        }
    }
}

/// Every lane's sum for every row.
pub(in crate::model) type Sums = [Lanes<f32>; ROWS];

/// [`ROWS`] vectors of factors.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Rows<'a, Factor> {
    pub factors: &'a [Factor],
    /// From the first factor of one to that of the next.
    pub stride: usize,
}

/// Adds every lane's product with every row, in the order of the factors.
#[inline(always)]
pub(super) fn add_products<A: Arithmetic>(
    arithmetic: A,
    lanes: &[Lanes<A::Factor>],
    rows: Rows<A::Factor>,
    sums: &mut Sums,
) {
    let mut added = *sums;
    let steps = lanes.len();
    let rows: [&[A::Factor]; ROWS] =
        std::array::from_fn(|row| &rows.factors[row * rows.stride..row * rows.stride + steps]);
    for (step, lanes) in lanes.iter().enumerate().take(steps) {
        for row in 0..ROWS {
            arithmetic.add_product(lanes, rows[row][step], &mut added[row]);
        }
    }
    *sums = added;
}

/// The softmax of a mean over keys of which the first are known.
#[derive(Debug)]
pub(in crate::model) struct Softmax {
    /// Of the scores.
    pub greatest: Lanes<f32>,
    /// Sum of the weights, e^(score - `greatest`).
    pub total: Lanes<f32>,
}

impl Default for Softmax {
    fn default() -> Self {
        Self { greatest: [f32::MIN; WIDTH], total: [0.0; WIDTH] }
    }
}

/// Turns the scores of further keys into their weights, and leaves 0 in their places. `means` are those of the keys before, not
/// yet divided by the total. Weights are summed as they are rounded, so that those of a mean add up to 1.
#[inline(always)]
pub(super) fn weigh<A: Arithmetic>(
    arithmetic: A,
    scores: &mut [Lanes<f32>],
    weights: &mut [Lanes<A::Factor>],
    softmax: &mut Softmax,
    means: &mut [Lanes<f32>],
) {
    let mut greatest = softmax.greatest;
    for scores in scores.iter() {
        for lane in 0..WIDTH {
            greatest[lane] = if scores[lane] > greatest[lane] { scores[lane] } else { greatest[lane] };
        }
    }
    for scores in scores.iter_mut() {
        for lane in 0..WIDTH {
            scores[lane] = exp(scores[lane] - greatest[lane]);
        }
    }
    let mut sums = [0.0; WIDTH];
    for (weights, scores) in weights.iter_mut().zip(scores.chunks_exact(A::NUMBERS)) {
        for lane in 0..WIDTH {
            weights[lane] = arithmetic.factor(|place| scores[place][lane]);
        }
        for lane in 0..WIDTH {
            sums[lane] += arithmetic.sum(weights[lane]);
        }
    }
    let mut kept = [0.0; WIDTH];
    for lane in 0..WIDTH {
        kept[lane] = exp(softmax.greatest[lane] - greatest[lane]);
        softmax.total[lane] = softmax.total[lane].mul_add(kept[lane], sums[lane]);
    }
    for means in means {
        for lane in 0..WIDTH {
            means[lane] *= kept[lane];
        }
    }
    softmax.greatest = greatest;
    scores.fill([0.0; WIDTH]);
}

/// 32-bit floats.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Fp32;

impl Arithmetic for Fp32 {
    type Factor = f32;

    const NUMBERS: usize = 1;

    #[inline(always)]
    fn factor(self, number: impl Fn(usize) -> f32) -> f32 {
        number(0)
    }

    #[inline(always)]
    fn sum(self, factor: f32) -> f32 {
        factor
    }

    #[inline(always)]
    fn add_product(self, lanes: &Lanes<f32>, one: f32, sums: &mut Lanes<f32>) {
        for lane in 0..WIDTH {
            sums[lane] = lanes[lane].mul_add(one, sums[lane]);
        }
    }

    fn add_products(self, lanes: &[Lanes<f32>], rows: Rows<f32>, sums: &mut Sums) {
        widest! {
            fn widest(lanes: &[Lanes<f32>], rows: Rows<f32>, sums: &mut Sums) {
                add_products(Fp32, lanes, rows, sums);
            }
        }
        widest(lanes, rows, sums);
    }

    fn weigh(
        self,
        scores: &mut [Lanes<f32>],
        weights: &mut [Lanes<f32>],
        softmax: &mut Softmax,
        means: &mut [Lanes<f32>],
    ) {
        widest! {
            fn widest(scores: &mut [Lanes<f32>], weights: &mut [Lanes<f32>], softmax: &mut Softmax, means: &mut [Lanes<f32>]) {
                weigh(Fp32, scores, weights, softmax, means);
            }
        }
        widest(scores, weights, softmax, means);
    }
}
