//! Linear layers in 32-bit floats.
//!
//! A number is one sum over all inputs, in their order, and then the bias: whatever is computed beside it.

use ndarray::{ArrayViewMut2, aview1};

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
        let weights = weights.panel(panel);
        let inputs = weights.len();
        let mut sums = vec![Columns::ZERO; y.nrows()];
        for (depth, weights) in weights.chunks(DEPTH).enumerate() {
            for (x, sums) in x.chunks(ROWS * inputs).zip(sums.chunks_mut(ROWS)) {
                add_all::<L>(&x[depth * DEPTH..], inputs, weights, sums);
            }
        }
        let bias = Columns::of(bias);
        for (mut y, sums) in y.rows_mut().into_iter().zip(&sums) {
            let finished = finished::<L>(*sums, &bias, activation);
            let columns = y.len();
            y.assign(&aview1(&finished.0.as_flattened()[..columns]));
        }
    }
}

/// Adds products of at most [`ROWS`] rows, `stride` floats from each other, to their sums.
#[inline(always)]
fn add_all<L: Lanes>(x: &[f32], stride: usize, weights: &[Columns], sums: &mut [Columns]) {
    match sums.len() {
        1 => add::<L, 1>(x, stride, weights, sums),
        2 => add::<L, 2>(x, stride, weights, sums),
        3 => add::<L, 3>(x, stride, weights, sums),
        4 => add::<L, 4>(x, stride, weights, sums),
        5 => add::<L, 5>(x, stride, weights, sums),
        6 => add::<L, 6>(x, stride, weights, sums),
        7 => add::<L, 7>(x, stride, weights, sums),
        _ => add::<L, ROWS>(x, stride, weights, sums),
    }
}

/// Adds the products of N rows.
#[inline(always)]
fn add<L: Lanes, const N: usize>(x: &[f32], stride: usize, weights: &[Columns], sums: &mut [Columns]) {
    let rows: [&[f32]; N] = std::array::from_fn(|row| &x[row * stride..][..weights.len()]);
    let mut added: [[L; VECTORS]; N] = std::array::from_fn(|row| sums[row].0.each_ref().map(L::load));
    for (input, weights) in weights.iter().enumerate() {
        let weights = weights.0.each_ref().map(L::load);
        for row in 0..N {
            let x = L::splat(rows[row][input]);
            for vector in 0..VECTORS {
                added[row][vector] = weights[vector].mul_add(x, added[row][vector]);
            }
        }
    }
    for row in 0..N {
        for vector in 0..VECTORS {
            added[row][vector].store(&mut sums[row].0[vector]);
        }
    }
}

#[inline(always)]
fn finished<L: Lanes>(sums: Columns, bias: &Columns, activation: Activation) -> Columns {
    let mut finished = sums;
    for (sums, bias) in finished.0.iter_mut().zip(&bias.0) {
        let y = L::load(sums).plus(L::load(bias));
        let y = match activation {
            Activation::None => y,
            Activation::TanhGelu => tanh_gelu(y),
        };
        y.store(sums);
    }
    finished
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
