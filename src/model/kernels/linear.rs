//! Linear layers in 32-bit floats.
//!
//! A number is one sum over all inputs, in their order, and then the bias: whatever is computed beside it.

use ndarray::{ArrayViewMut2, aview1};

use super::exp::exp;
use super::panels::{Columns, Panels, VECTORS};
use super::{LANES, widest};

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
    pub(in crate::model) fn multiply(
        x: &[f32],
        weights: &Panels,
        panel: usize,
        bias: &[f32],
        activation: Activation,
        y: &mut ArrayViewMut2<f32>,
    ) {
        let weights = weights.panel(panel);
        let inputs = weights.len();
        let mut sums = vec![Columns::ZERO; y.nrows()];
        for (depth, weights) in weights.chunks(DEPTH).enumerate() {
            for (x, sums) in x.chunks(ROWS * inputs).zip(sums.chunks_mut(ROWS)) {
                add_all(&x[depth * DEPTH..], inputs, weights, sums);
            }
        }
        let bias = Columns::of(bias);
        for (mut y, sums) in y.rows_mut().into_iter().zip(&sums) {
            let finished = finished(*sums, &bias, activation);
            let columns = y.len();
            y.assign(&aview1(&finished.0.as_flattened()[..columns]));
        }
    }
}

/// Adds products of at most [`ROWS`] rows, `stride` floats from each other, to their sums.
#[inline(always)]
fn add_all(x: &[f32], stride: usize, weights: &[Columns], sums: &mut [Columns]) {
    match sums.len() {
        1 => add::<1>(x, stride, weights, sums),
        2 => add::<2>(x, stride, weights, sums),
        3 => add::<3>(x, stride, weights, sums),
        4 => add::<4>(x, stride, weights, sums),
        5 => add::<5>(x, stride, weights, sums),
        6 => add::<6>(x, stride, weights, sums),
        7 => add::<7>(x, stride, weights, sums),
        _ => add::<ROWS>(x, stride, weights, sums),
    }
}

/// Adds the products of N rows. Its loops count: over iterators, the compiler keeps the sums in memory, which takes three times as
/// long.
#[inline(always)]
fn add<const N: usize>(x: &[f32], stride: usize, weights: &[Columns], sums: &mut [Columns]) {
    let rows: [&[f32]; N] = std::array::from_fn(|row| &x[row * stride..][..weights.len()]);
    let mut in_registers: [[[f32; LANES]; VECTORS]; N] = std::array::from_fn(|row| sums[row].0);
    for (input, weights) in weights.iter().enumerate() {
        let weights = weights.0;
        for row in 0..N {
            let x = rows[row][input];
            for vector in 0..VECTORS {
                for lane in 0..LANES {
                    let sum = &mut in_registers[row][vector][lane];
                    *sum = weights[vector][lane].mul_add(x, *sum);
                }
            }
        }
    }
    sums.iter_mut().zip(in_registers).for_each(|(sums, found)| sums.0 = found);
}

#[inline(always)]
fn finished(sums: Columns, bias: &Columns, activation: Activation) -> Columns {
    let mut finished = sums;
    for (sums, bias) in finished.0.iter_mut().zip(&bias.0) {
        for (sum, bias) in sums.iter_mut().zip(bias) {
            let y = *sum + bias;
            *sum = match activation {
                Activation::None => y,
                Activation::TanhGelu => tanh_gelu(y),
            };
        }
    }
    finished
}

/// x / 2 (1 + tanh(u)) with u = sqrt(2 / pi) (x + 0.044715 x^3) (Hendrycks and Gimpel 2016), as x / (1 + e^(-2 u)).
#[inline(always)]
fn tanh_gelu(x: f32) -> f32 {
    const TWICE_THE_ROOT: f32 = 1.595_769;
    let twice = TWICE_THE_ROOT * x * (0.044_715 * x).mul_add(x, 1.0);
    let power = exp(-twice.abs());
    let above = if twice < 0.0 { power } else { 1.0 };
    x * above / (1.0 + power)
}

#[cfg(test)]
#[path = "linear_tests.rs"]
mod tests;
