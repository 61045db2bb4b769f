//! The exponential function.

use super::lanes::Lanes;

/// e^x for x <= 0, to 1.2e-7 of it.
///
/// e^x = 2^n e^r with |r| <= ln(2) / 2, and a polynomial of degree 7 for e^r (Cephes' `expf`).
#[inline(always)]
pub(super) fn exp<L: Lanes>(x: L) -> L {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const COEFFICIENTS: [f32; 5] = [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_6e-1, 0.5];
    // Beyond is zero; what is not a number stays what it is.
    let x = L::splat(-150.0).or_larger(x);
    let n = x.times(L::splat(std::f32::consts::LOG2_E)).rounded();
    let r = n.mul_add(L::splat(-LN_2_LOW), n.mul_add(L::splat(-LN_2_HIGH), x));
    let mut sum = L::splat(1.987_569_1e-4);
    for coefficient in COEFFICIENTS {
        sum = sum.mul_add(r, L::splat(coefficient));
    }
    sum.mul_add(r.times(r), r.plus(L::splat(1.0))).times_power_of_2(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernels::lanes::LANES;
    use crate::model::kernels::widest;

    widest! {
        fn exp_of<L>(numbers: [f32; LANES]) -> [f32; LANES] {
            let mut powers = [0.0; LANES];
            exp(L::load(&numbers)).store(&mut powers);
            powers
        }
    }

    #[test]
    fn it_is_that_of_the_standard_library() {
        for step in 0..54_000 {
            let numbers = std::array::from_fn(|lane| -1e-4 * (step * LANES + lane) as f32);
            for (number, power) in numbers.into_iter().zip(exp_of(numbers)) {
                let expected = f64::from(number).exp();
                assert!((f64::from(power) / expected - 1.0).abs() < 1.2e-7, "{number}");
            }
        }
        let mut numbers = [0.0; LANES];
        numbers[..5].copy_from_slice(&[-0.0, -103.0, -110.0, f32::NEG_INFINITY, f32::NAN]);
        let powers = exp_of(numbers);
        assert_eq!(powers[0], 1.0);
        assert!((powers[1] - 1.4e-45).abs() < 1e-45);
        assert_eq!(powers[2..4], [0.0; 2]);
        assert!(powers[4].is_nan());
    }
}
