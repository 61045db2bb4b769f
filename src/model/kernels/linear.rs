//! Linear layers in 32-bit floats.
//!
//! A number is one sum over all inputs, in their order, and then what follows: whatever is computed beside it.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};

use super::exp::exp2;
use super::lanes::Lanes;
use super::panels::{Columns, Panels, VECTORS, Vectors};
use super::widest;

/// Rows that are computed at once: each weight is read once for them.
const ROWS: usize = 8;

/// Inputs that are gone through before the next rows follow: weights of so many stay in the second-level cache, and a task's rows.
const DEPTH: usize = 1024;

/// What follows the product of a linear layer, in this order. Rows are contiguous.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::model) struct Epilogue<'a> {
    /// Added to all rows, [columns]; empty where there is none.
    pub bias: &'a [f32],
    pub activation: Activation,
    /// Multiplied, [rows, columns].
    pub factors: Option<ArrayView2<'a, f32>>,
    /// Added, [rows, columns].
    pub added: Option<ArrayView2<'a, f32>>,
}

impl Epilogue<'_> {
    /// That of some rows and columns.
    pub fn part(self, rows: Range<usize>, columns: Range<usize>) -> Self {
        Self {
            bias: if self.bias.is_empty() { &[] } else { &self.bias[columns.clone()] },
            activation: self.activation,
            factors: self.factors.map(|numbers| numbers.slice_move(s![rows.clone(), columns.clone()])),
            added: self.added.map(|numbers| numbers.slice_move(s![rows, columns])),
        }
    }
}

/// What becomes of each output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::model) enum Activation {
    /// Nothing.
    #[default]
    None,
    /// GELU by the hyperbolic tangent.
    TanhGelu,
    /// x times its logistic function.
    Silu,
}

impl Activation {
    /// The name in graphs; none for nothing.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::TanhGelu => Some("tanh_gelu"),
            Self::Silu => Some("silu"),
        }
    }

    /// The activation of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::TanhGelu, Self::Silu].into_iter().find(|known| known.name() == Some(name))
    }
}

/// How many pieces one after the other a sum of so many inputs has.
pub(in crate::model) fn depths(inputs: usize) -> usize {
    inputs.div_ceil(DEPTH)
}

widest! {
    /// One panel's outputs `y` [rows, columns of the panel] of the rows `x` [rows, inputs]: adds the products of one of the
    /// [`depths`] to those of the ones before it, and after the last one what follows, which is given for these rows and columns.
    pub(in crate::model) fn multiply<L>(
        x: &[f32],
        weights: &Panels,
        depth: usize,
        panel: usize,
        epilogue: Epilogue,
        y: &mut ArrayViewMut2<f32>,
    ) {
        let inputs = weights.inputs;
        let piece = |panel| weights.panel(panel).chunks(DEPTH).nth(depth).unwrap_or_default();
        let (weights, next) = (piece(panel), piece(panel + 1));
        let bias = Columns::of(epilogue.bias);
        let is_last = depth + 1 == depths(inputs);
        // No block is much smaller than the others: a weight that is read for few rows is a long way for little work.
        let blocks = y.nrows().div_ceil(ROWS).max(1);
        let rows = y.nrows().div_ceil(blocks).max(1);
        let mut sums = [Columns::ZERO; ROWS];
        for (block, x) in x.chunks(rows * inputs).enumerate() {
            let sums = &mut sums[..x.len() / inputs];
            let row = |index: usize| block * rows + index;
            if depth > 0 {
                for (index, sums) in sums.iter_mut().enumerate() {
                    let begun = row_of(y.view(), row(index));
                    match whole(begun) {
                        Some(begun) => sums.0 = *begun,
                        None => *sums = Columns::of(begun),
                    }
                }
            }
            let ahead = Ahead::of(next, block, blocks, weights.len());
            add_all::<L>(&x[depth * DEPTH..], inputs, weights, ahead, depth > 0, sums);
            for (index, sums) in sums.iter().enumerate() {
                let row = row(index);
                let of_row = |numbers: Option<_>| numbers.map(|numbers| row_of(numbers, row));
                let (factors, added) = (of_row(epilogue.factors), of_row(epilogue.added));
                let Some(y) = y.row_mut(row).into_slice() else { continue };
                // What fills a panel is worked on in its place: copies of a length that is not known cost a few percent of a product.
                match y.as_chunks_mut().0.as_mut_array() {
                    Some(y) if is_last => {
                        let (factors, added) = (factors.and_then(whole), added.and_then(whole));
                        finish::<L>(sums, &bias, epilogue.activation, factors, added, y);
                    }
                    Some(y) => *y = sums.0,
                    None => {
                        let mut filled = *sums;
                        if is_last {
                            let parts = [factors, added].map(|row| row.map(Columns::of));
                            let [factors, added] =
                                parts.each_ref().map(|part| part.as_ref().map(|columns| &columns.0));
                            finish::<L>(sums, &bias, epilogue.activation, factors, added, &mut filled.0);
                        }
                        y.copy_from_slice(&filled.0.as_flattened()[..y.len()]);
                    }
                }
            }
        }
    }
}

/// A contiguous row.
#[inline(always)]
fn row_of(rows: ArrayView2<'_, f32>, row: usize) -> &[f32] {
    rows.index_axis_move(Axis(0), row).to_slice().unwrap_or_default()
}

/// A row that fills a panel.
#[inline(always)]
fn whole(row: &[f32]) -> Option<&Vectors> {
    row.as_chunks().0.as_array()
}

/// Weights that come from memory while others are multiplied.
///
/// They are asked for at an even pace: a processor has few requests under way at a time, and each one more makes it wait.
#[derive(Clone, Copy)]
struct Ahead<'a> {
    weights: &'a [Columns],
    /// The first line of memory.
    first: usize,
    /// How many with each step, up to a whole number.
    at_once: usize,
    /// The same as a binary fraction.
    pace: usize,
}

impl<'a> Ahead<'a> {
    const FRACTION: u32 = 32;

    /// What comes with the `steps` of a block of rows.
    fn of(weights: &'a [Columns], block: usize, blocks: usize, steps: usize) -> Self {
        let line = |block: usize| block * weights.len() * VECTORS / blocks;
        let (first, count) = (line(block), line(block + 1) - line(block));
        Self { weights, first, at_once: count.div_ceil(steps), pace: (count << Self::FRACTION) / steps }
    }

    /// Asks for what comes with a step.
    #[inline(always)]
    fn expect<L: Lanes>(&self, step: usize) {
        let first = self.first + ((step * self.pace) >> Self::FRACTION);
        for line in first..first + self.at_once {
            if let Some(weights) = self.weights.get(line / VECTORS) {
                L::expect_later(&weights.0[line % VECTORS]);
            }
        }
    }
}

/// Adds products of at most [`ROWS`] rows, `stride` floats from each other, to their sums, if those are `begun`.
#[inline(always)]
fn add_all<L: Lanes>(
    x: &[f32],
    stride: usize,
    weights: &[Columns],
    ahead: Ahead,
    begun: bool,
    sums: &mut [Columns],
) {
    match sums.len() {
        1 => add::<L, 1>(x, stride, weights, ahead, begun, sums),
        2 => add::<L, 2>(x, stride, weights, ahead, begun, sums),
        3 => add::<L, 3>(x, stride, weights, ahead, begun, sums),
        4 => add::<L, 4>(x, stride, weights, ahead, begun, sums),
        5 => add::<L, 5>(x, stride, weights, ahead, begun, sums),
        6 => add::<L, 6>(x, stride, weights, ahead, begun, sums),
        7 => add::<L, 7>(x, stride, weights, ahead, begun, sums),
        _ => add::<L, ROWS>(x, stride, weights, ahead, begun, sums),
    }
}

/// Adds the products of N rows.
#[inline(always)]
fn add<L: Lanes, const N: usize>(
    x: &[f32],
    stride: usize,
    weights: &[Columns],
    ahead: Ahead,
    begun: bool,
    sums: &mut [Columns],
) {
    let rows: [&[f32]; N] = std::array::from_fn(|row| &x[row * stride..][..weights.len()]);
    let mut added: [[L; VECTORS]; N] = std::array::from_fn(|row| match begun {
        true => sums[row].0.each_ref().map(L::load),
        false => [L::splat(0.0); VECTORS],
    });
    for (input, weights) in weights.iter().enumerate() {
        ahead.expect::<L>(input);
        let weights = [L::load(&weights.0[0]), L::load(&weights.0[1]), L::load(&weights.0[2])];
        for row in 0..N {
            let x = L::splat(rows[row][input]);
            for vector in 0..VECTORS {
                added[row][vector] = weights[vector].mul_add(x, added[row][vector]);
            }
        }
    }
    for (added, sums) in added.into_iter().zip(sums) {
        added.into_iter().zip(&mut sums.0).for_each(|(added, sum)| added.store(sum));
    }
}

/// What becomes of a row's sums.
#[inline(always)]
fn finish<L: Lanes>(
    sums: &Columns,
    bias: &Columns,
    activation: Activation,
    factors: Option<&Vectors>,
    added: Option<&Vectors>,
    y: &mut Vectors,
) {
    for vector in 0..VECTORS {
        let sum = L::load(&sums.0[vector]).plus(L::load(&bias.0[vector]));
        let sum = match activation {
            Activation::None => sum,
            Activation::TanhGelu => tanh_gelu(sum),
            Activation::Silu => silu(sum),
        };
        let sum = factors.map_or(sum, |factors| sum.times(L::load(&factors[vector])));
        added.map_or(sum, |added| sum.plus(L::load(&added[vector]))).store(&mut y[vector]);
    }
}

/// x / 2 (1 + tanh(u)) with u = sqrt(2 / pi) (x + 0.044715 x^3) (Hendrycks and Gimpel 2016), as x / (1 + 2^(-2 u log2(e))).
#[inline(always)]
fn tanh_gelu<L: Lanes>(x: L) -> L {
    /// 2 sqrt(2 / pi) log2(e).
    const FACTOR: f32 = 2.302_208_2;
    let one = L::splat(1.0);
    let twice = L::splat(FACTOR).times(x).times(L::splat(0.044_715).times(x).mul_add(x, one));
    let power = exp2(L::splat(0.0).minus(twice.without_sign()));
    x.times(twice.if_negative(power, one)).divided_by(one.plus(power))
}

/// x / (1 + e^-x) (Hendrycks and Gimpel 2016, Elfwing et al. 2018), as x / (1 + 2^(-x log2(e))).
#[inline(always)]
fn silu<L: Lanes>(x: L) -> L {
    let one = L::splat(1.0);
    let power = exp2(L::splat(0.0).minus(L::splat(std::f32::consts::LOG2_E).times(x.without_sign())));
    x.times(x.if_negative(power, one)).divided_by(one.plus(power))
}

#[cfg(test)]
#[path = "linear_tests.rs"]
mod tests;
