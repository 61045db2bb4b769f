//! Linear layers in 32-bit floats.
//!
//! A number is one sum over all inputs, in their order, and then the bias: whatever is computed beside it.

use ndarray::ArrayViewMut2;

use super::exp::exp;
use super::lanes::Lanes;
use super::panels::{Columns, Panels, VECTORS};
use super::widest;

/// Rows that are computed at once: each weight is read once for them.
const ROWS: usize = 8;

/// Inputs that are gone through before the next rows follow: weights of so many stay in the second-level cache.
const DEPTH: usize = 1024;

/// What follows a linear layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::model) enum Activation {
    /// Nothing.
    #[default]
    None,
    /// GELU by the hyperbolic tangent.
    TanhGelu,
}

widest! {
    /// One panel's outputs `y` [rows, columns of the panel] of the rows `x` [rows, inputs], with the `bias` of those columns, if
    /// there is one.
    pub(in crate::model) fn multiply<L>(
        x: &[f32],
        weights: &Panels,
        panel: usize,
        bias: &[f32],
        activation: Activation,
        y: &mut ArrayViewMut2<f32>,
    ) {
        let (weights, next) = (weights.panel(panel), weights.panel(panel + 1));
        let inputs = weights.len();
        let bias = Columns::of(bias);
        let depths = inputs.div_ceil(DEPTH);
        // Sums that go on at the next depth.
        let mut carried = vec![Columns::ZERO; if depths > 1 { y.nrows() } else { 0 }];
        let share = next.len().div_ceil(y.nrows().div_ceil(ROWS).max(1));
        for (depth, weights) in weights.chunks(DEPTH).enumerate() {
            for (block, x) in x.chunks(ROWS * inputs).enumerate() {
                let (first, count) = (block * ROWS, x.len() / inputs);
                let mut fresh = [Columns::ZERO; ROWS];
                let sums = match depths {
                    1 => &mut fresh[..count],
                    _ => &mut carried[first..first + count],
                };
                // While one panel is computed, the next one comes from memory.
                let next = next.chunks(share.max(1)).nth(block).filter(|_| depth == 0).unwrap_or_default();
                add_all::<L>(&x[depth * DEPTH..], inputs, weights, next, sums);
                if depth + 1 == depths {
                    for (row, sums) in sums.iter().enumerate() {
                        let Some(y) = y.row_mut(first + row).into_slice() else { continue };
                        finish::<L>(sums, &bias, activation, y);
                    }
                }
            }
        }
    }
}

/// Adds products of at most [`ROWS`] rows, `stride` floats from each other, to their sums.
#[inline(always)]
fn add_all<L: Lanes>(x: &[f32], stride: usize, weights: &[Columns], next: &[Columns], sums: &mut [Columns]) {
    match sums.len() {
        1 => add::<L, 1>(x, stride, weights, next, sums),
        2 => add::<L, 2>(x, stride, weights, next, sums),
        3 => add::<L, 3>(x, stride, weights, next, sums),
        4 => add::<L, 4>(x, stride, weights, next, sums),
        5 => add::<L, 5>(x, stride, weights, next, sums),
        6 => add::<L, 6>(x, stride, weights, next, sums),
        7 => add::<L, 7>(x, stride, weights, next, sums),
        _ => add::<L, ROWS>(x, stride, weights, next, sums),
    }
}

/// Adds the products of N rows; `next` are weights that are wanted later.
#[inline(always)]
fn add<L: Lanes, const N: usize>(
    x: &[f32],
    stride: usize,
    weights: &[Columns],
    next: &[Columns],
    sums: &mut [Columns],
) {
    let rows: [&[f32]; N] = std::array::from_fn(|row| &x[row * stride..][..weights.len()]);
    let mut added: [[L; VECTORS]; N] = std::array::from_fn(|row| sums[row].0.each_ref().map(L::load));
    for (input, weights) in weights.iter().enumerate() {
        if let Some(next) = next.get(input) {
            next.0.iter().for_each(L::expect_later);
        }
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

/// Puts a row's outputs into its place, which may be shorter than a panel.
#[inline(always)]
fn finish<L: Lanes>(sums: &Columns, bias: &Columns, activation: Activation, y: &mut [f32]) {
    let mut finished = Columns::ZERO;
    for vector in 0..VECTORS {
        let sum = L::load(&sums.0[vector]).plus(L::load(&bias.0[vector]));
        let sum = match activation {
            Activation::None => sum,
            Activation::TanhGelu => tanh_gelu(sum),
        };
        sum.store(&mut finished.0[vector]);
    }
    y.copy_from_slice(&finished.0.as_flattened()[..y.len()]);
}

/// x / 2 (1 + tanh(u)) with u = sqrt(2 / pi) (x + 0.044715 x^3) (Hendrycks and Gimpel 2016), as x / (1 + e^(-2 u)).
#[inline(always)]
fn tanh_gelu<L: Lanes>(x: L) -> L {
    const TWICE_THE_ROOT: f32 = 1.595_769;
    let one = L::splat(1.0);
    let twice = L::splat(TWICE_THE_ROOT).times(x).times(L::splat(0.044_715).times(x).mul_add(x, one));
    let power = exp(L::splat(0.0).minus(twice.without_sign()));
    x.times(twice.if_negative(power, one)).divided_by(one.plus(power))
}

#[cfg(test)]
#[path = "linear_tests.rs"]
mod tests;
