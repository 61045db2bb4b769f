//! The exponential function.

/// e^x for x <= 0, to 1e-7 of it, without a branch: so that a loop over it works on many numbers at once. 0 from -87 on.
///
/// e^x = 2^n e^r with |r| <= ln(2) / 2, and a polynomial of degree 7 for e^r (Cephes' `expf`).
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const COEFFICIENTS: [f32; 6] =
        [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_6e-1, 0.5];
    // A float so large that a sum with it is rounded to a whole number, which stands in its last bits.
    const WHOLE: f32 = 12_582_912.0; // 1.5 x 2^23
    let kept = if x < -87.0 { -87.0 } else { x };
    let shifted = kept.mul_add(std::f32::consts::LOG2_E, WHOLE);
    let n = shifted - WHOLE;
    let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, kept));
    let sum = COEFFICIENTS.into_iter().fold(0.0, |sum: f32, coefficient| sum.mul_add(r, coefficient));
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    let value = (sum * r).mul_add(r, r + 1.0) * power;
    if x < -87.0 { 0.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_standard_library() {
        for step in 0..870_000 {
            let x = -1e-4 * step as f32;
            let expected = f64::from(x).exp();
            assert!((f64::from(exp(x)) / expected - 1.0).abs() < 1.2e-7, "{x}");
        }
        assert_eq!([exp(0.0), exp(-0.0), exp(-100.0), exp(f32::NEG_INFINITY)], [1.0, 1.0, 0.0, 0.0]);
        assert!(exp(f32::NAN).is_nan());
    }
}
