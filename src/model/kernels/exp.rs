//! The exponential function.

use super::lanes::Lanes;

/// 2^x for x <= 0, to 1.2e-7 of it.
///
/// 2^x = 2^n 2^f with |f| <= 1/2, and for 2^f the polynomial of degree 6 whose largest relative error is the smallest, 2e-9.
#[inline(always)]
pub(super) fn exp2<L: Lanes>(x: L) -> L {
    const COEFFICIENTS: [f32; 5] =
        [1.339_887_5e-3, 9.618_437e-3, 5.550_332_4e-2, 2.402_264_8e-1, 6.931_472e-1];
    // Beyond is zero; what is not a number stays what it is.
    let x = L::splat(-160.0).or_larger(x);
    let n = x.rounded();
    let f = x.minus(n);
    let mut sum = L::splat(1.535_336_2e-4);
    for coefficient in COEFFICIENTS {
        sum = sum.mul_add(f, L::splat(coefficient));
    }
    sum.mul_add(f, L::splat(1.0)).times_power_of_2(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernels::lanes::LANES;
    use crate::model::kernels::widest;

    widest! {
        fn exp2_of<L>(numbers: [f32; LANES]) -> [f32; LANES] {
            let mut powers = [0.0; LANES];
            exp2(L::load(&numbers)).store(&mut powers);
            powers
        }
    }

    #[test]
    fn it_is_that_of_the_standard_library() {
        for step in 0..78_000 {
            let numbers = std::array::from_fn(|lane| -1e-4 * (step * LANES + lane) as f32);
            for (number, power) in numbers.into_iter().zip(exp2_of(numbers)) {
                let expected = f64::from(number).exp2();
                assert!((f64::from(power) / expected - 1.0).abs() < 1.2e-7, "{number}");
            }
        }
        let mut numbers = [0.0; LANES];
        numbers[..5].copy_from_slice(&[-0.0, -149.0, -155.0, f32::NEG_INFINITY, f32::NAN]);
        let powers = exp2_of(numbers);
        assert_eq!(powers[0], 1.0);
        assert!((powers[1] - 1.4e-45).abs() < 1e-45);
        assert_eq!(powers[2..4], [0.0; 2]);
        assert!(powers[4].is_nan());
    }
}
