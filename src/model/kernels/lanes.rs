//! Sixteen floats at once, in the widest instructions that there are.

/// Floats that one instruction works on.
pub(in crate::model) const LANES: usize = 16;

/// Sixteen floats. What is computed has the same meaning in each implementation, and the same order.
pub(super) trait Lanes: Copy {
    fn splat(number: f32) -> Self;
    fn load(numbers: &[f32; LANES]) -> Self;
    fn store(self, numbers: &mut [f32; LANES]);
    /// Numbers that are given by their bits.
    fn load_bits(bits: &[u32; LANES]) -> Self;
    fn store_bits(self, bits: &mut [u32; LANES]);
    /// Has numbers brought near that are loaded soon.
    fn expect(_numbers: &[f32; LANES]) {}
    /// The same, less near, for what is loaded later.
    fn expect_later(_numbers: &[f32; LANES]) {}
    /// self x factor + sum, rounded once.
    fn mul_add(self, factor: Self, sum: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn divided_by(self, other: Self) -> Self;
    /// Self without its sign.
    fn without_sign(self) -> Self;
    /// One of two, by whether self is less than 0.
    fn if_negative(self, then: Self, otherwise: Self) -> Self;
    /// The larger one; `other` where self is not a number.
    fn or_larger(self, other: Self) -> Self;
    /// Self where `first <= at < end`, else minus infinity.
    fn where_within(self, at: f32, first: Self, end: Self) -> Self;
    /// Self rounded to whole numbers.
    fn rounded(self) -> Self;
    /// Self x 2^power, of a power that is a whole number, rounded once.
    fn times_power_of_2(self, power: Self) -> Self;
    /// The first lanes of all rows, then their second ones, and so on.
    fn transposed(rows: [Self; LANES]) -> [Self; LANES];
}

/// What any processor can.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, compute: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| compute(self.0[lane], other.0[lane])))
    }
}

impl Lanes for Portable {
    fn splat(number: f32) -> Self {
        Self([number; LANES])
    }

    fn load(numbers: &[f32; LANES]) -> Self {
        Self(*numbers)
    }

    fn store(self, numbers: &mut [f32; LANES]) {
        *numbers = self.0;
    }

    fn load_bits(bits: &[u32; LANES]) -> Self {
        Self(bits.map(f32::from_bits))
    }

    fn store_bits(self, bits: &mut [u32; LANES]) {
        *bits = self.0.map(f32::to_bits);
    }

    fn mul_add(self, factor: Self, sum: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane].mul_add(factor.0[lane], sum.0[lane])))
    }

    fn times(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    fn plus(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    fn minus(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    fn divided_by(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }

    fn without_sign(self) -> Self {
        Self(self.0.map(f32::abs))
    }

    fn if_negative(self, then: Self, otherwise: Self) -> Self {
        let chosen = |lane: usize| if self.0[lane] < 0.0 { then.0[lane] } else { otherwise.0[lane] };
        Self(std::array::from_fn(chosen))
    }

    fn or_larger(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    fn where_within(self, at: f32, first: Self, end: Self) -> Self {
        let within = |lane: usize| first.0[lane] <= at && at < end.0[lane];
        Self(std::array::from_fn(|lane| if within(lane) { self.0[lane] } else { f32::NEG_INFINITY }))
    }

    fn rounded(self) -> Self {
        Self(self.0.map(f32::round_ties_even))
    }

    fn times_power_of_2(self, power: Self) -> Self {
        self.zip(power, |number, power| (f64::from(number) * f64::from(power).exp2()) as f32)
    }

    fn transposed(rows: [Self; LANES]) -> [Self; LANES] {
        std::array::from_fn(|lane| Self(rows.map(|row| row.0[lane])))
    }
}

/// AVX-512. Only functions for processors that have the instructions may name it, such as those that [`widest`](super::widest)
/// makes.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx512(pub(super) std::arch::x86_64::__m512);

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "instructions that the compiler may not take by itself; see the type")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::{Avx512, LANES, Lanes};

    // SAFETY of all: who names the type has asked the processor for AVX-512 (F), as `widest` does; pointers come from arrays of 16
    // floats.
    impl Lanes for Avx512 {
        #[inline(always)]
        fn splat(number: f32) -> Self {
            Self(unsafe { _mm512_set1_ps(number) })
        }

        #[inline(always)]
        fn load(numbers: &[f32; LANES]) -> Self {
            Self(unsafe { _mm512_loadu_ps(numbers.as_ptr()) })
        }

        #[inline(always)]
        fn store(self, numbers: &mut [f32; LANES]) {
            unsafe { _mm512_storeu_ps(numbers.as_mut_ptr(), self.0) }
        }

        #[inline(always)]
        fn load_bits(bits: &[u32; LANES]) -> Self {
            Self(unsafe { _mm512_loadu_ps(bits.as_ptr().cast()) })
        }

        #[inline(always)]
        fn store_bits(self, bits: &mut [u32; LANES]) {
            unsafe { _mm512_storeu_ps(bits.as_mut_ptr().cast(), self.0) }
        }

        #[inline(always)]
        fn expect_later(numbers: &[f32; LANES]) {
            unsafe { _mm_prefetch::<_MM_HINT_T1>(numbers.as_ptr().cast()) }
        }

        #[inline(always)]
        fn expect(numbers: &[f32; LANES]) {
            unsafe { _mm_prefetch::<_MM_HINT_T0>(numbers.as_ptr().cast()) }
        }

        #[inline(always)]
        fn mul_add(self, factor: Self, sum: Self) -> Self {
            Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, sum.0) })
        }

        #[inline(always)]
        fn times(self, other: Self) -> Self {
            Self(unsafe { _mm512_mul_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            Self(unsafe { _mm512_add_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn minus(self, other: Self) -> Self {
            Self(unsafe { _mm512_sub_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn divided_by(self, other: Self) -> Self {
            Self(unsafe { _mm512_div_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn without_sign(self) -> Self {
            Self(unsafe { _mm512_abs_ps(self.0) })
        }

        #[inline(always)]
        fn if_negative(self, then: Self, otherwise: Self) -> Self {
            unsafe {
                let negative = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, _mm512_setzero_ps());
                Self(_mm512_mask_blend_ps(negative, otherwise.0, then.0))
            }
        }

        #[inline(always)]
        fn or_larger(self, other: Self) -> Self {
            // Gives the second where one is not a number.
            Self(unsafe { _mm512_max_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn where_within(self, at: f32, first: Self, end: Self) -> Self {
            let never = Self::splat(f32::NEG_INFINITY);
            unsafe {
                let at = _mm512_set1_ps(at);
                let begun = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(first.0, at);
                let within = _mm512_mask_cmp_ps_mask::<_CMP_LT_OQ>(begun, at, end.0);
                Self(_mm512_mask_blend_ps(within, never.0, self.0))
            }
        }

        #[inline(always)]
        fn rounded(self) -> Self {
            Self(unsafe { _mm512_roundscale_ps::<_MM_FROUND_TO_NEAREST_INT>(self.0) })
        }

        #[inline(always)]
        fn times_power_of_2(self, power: Self) -> Self {
            Self(unsafe { _mm512_scalef_ps(self.0, power.0) })
        }

        #[inline(always)]
        fn transposed(rows: [Self; LANES]) -> [Self; LANES] {
            let mut transposed = rows;
            // Four rows' numbers become neighbours within quarters, of which each row keeps those of one place.
            for four in transposed.as_chunks_mut::<4>().0 {
                let [first, second, third, fourth] = four.map(|row| row.0);
                unsafe {
                    let pairs = |low: __m512, high: __m512| {
                        let low_pairs = _mm512_castps_pd(_mm512_unpacklo_ps(low, high));
                        (low_pairs, _mm512_castps_pd(_mm512_unpackhi_ps(low, high)))
                    };
                    let ((begin, middle), (and_begin, and_middle)) =
                        (pairs(first, second), pairs(third, fourth));
                    *four = [
                        _mm512_unpacklo_pd(begin, and_begin),
                        _mm512_unpackhi_pd(begin, and_begin),
                        _mm512_unpacklo_pd(middle, and_middle),
                        _mm512_unpackhi_pd(middle, and_middle),
                    ]
                    .map(|quarters| Self(_mm512_castpd_ps(quarters)));
                }
            }
            // Then the quarters change places.
            for place in 0..4 {
                let [first, second, third, fourth] = [0, 4, 8, 12].map(|four| transposed[four + place].0);
                unsafe {
                    const EVEN: i32 = 0b10_00_10_00;
                    const ODD: i32 = 0b11_01_11_01;
                    let even = _mm512_shuffle_f32x4::<EVEN>(first, second);
                    let and_even = _mm512_shuffle_f32x4::<EVEN>(third, fourth);
                    let odd = _mm512_shuffle_f32x4::<ODD>(first, second);
                    let and_odd = _mm512_shuffle_f32x4::<ODD>(third, fourth);
                    transposed[place] = Self(_mm512_shuffle_f32x4::<EVEN>(even, and_even));
                    transposed[4 + place] = Self(_mm512_shuffle_f32x4::<EVEN>(odd, and_odd));
                    transposed[8 + place] = Self(_mm512_shuffle_f32x4::<ODD>(even, and_even));
                    transposed[12 + place] = Self(_mm512_shuffle_f32x4::<ODD>(odd, and_odd));
                }
            }
            transposed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [f32; LANES] =
        [0.0, -0.0, 1.0, -1.5, 2.5, 3.5, 1e30, -1e-30, f32::NAN, 7.0, -8.0, 9.25, 0.1, 0.2, 0.3, -2.5];
    const B: [f32; LANES] =
        [1.0, 2.0, -3.0, 4.0, f32::NAN, 0.5, 2.0, 3.0, 1.0, -7.0, -9.0, 9.25, 0.7, 0.6, 0.5, 100.0];

    /// Bits of all operations on A and B.
    fn all<L: Lanes>() -> Vec<[u32; LANES]> {
        let (a, b) = (L::load(&A), L::load(&B));
        let rows =
            std::array::from_fn(|row| L::load(&std::array::from_fn(|lane| (LANES * row + lane) as f32)));
        let powers = L::splat(-130.0);
        [
            a.mul_add(b, L::splat(0.3)),
            a.times(b),
            a.plus(b),
            a.minus(b),
            a.divided_by(b),
            a.without_sign(),
            a.if_negative(b, L::splat(3.0)),
            a.or_larger(b),
            a.where_within(3.0, L::splat(3.0), b),
            a.rounded(),
            L::splat(1.75).times_power_of_2(powers),
            L::load_bits(&A.map(f32::to_bits)),
        ]
        .into_iter()
        .chain(L::transposed(rows))
        .map(|lanes| {
            let mut numbers = [0.0; LANES];
            lanes.store(&mut numbers);
            // What is not a number has no sign that counts.
            numbers.map(|number| if number.is_nan() { f32::NAN.to_bits() } else { number.to_bits() })
        })
        .collect()
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn all_implementations_agree_to_the_bit() {
        super::super::widest! {
            fn computed<L>() -> Vec<[u32; LANES]> {
                all::<L>()
            }
        }
        assert_eq!(computed(), all::<Portable>());
    }
}
