//! bfloat16: floats of 16 bits with the exponent of 32-bit ones, of which an instruction multiplies and adds twice as many.
//!
//! Two that are multiplied and added together stand in one number of 32 bits, the first in the lower half.

use std::arch::x86_64::*;
use std::mem::transmute;

use super::LANES;
use super::factors::Factors;
use super::lanes::{Avx512, Lanes};

/// A pair of bfloat16 in each lane. Only functions for processors that have the instructions may name it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pairs(__m512i);

#[expect(unsafe_code, reason = "instructions that the compiler may not take by itself; see the type")]
// SAFETY of all: who names the type has asked the processor for AVX-512 (F, BF16); pointers come from arrays of 16 numbers.
impl Factors for Pairs {
    type Lanes = Avx512;

    const TERMS: usize = 2;

    #[inline(always)]
    fn splat(pair: u32) -> Self {
        Self(unsafe { _mm512_set1_epi32(pair.cast_signed()) })
    }

    #[inline(always)]
    fn load(pairs: &[u32; LANES]) -> Self {
        Self(unsafe { _mm512_loadu_si512(pairs.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, pairs: &mut [u32; LANES]) {
        unsafe { _mm512_storeu_si512(pairs.as_mut_ptr().cast(), self.0) }
    }

    /// Rounded to the nearest.
    #[inline(always)]
    fn of([first, second]: [Avx512; 2]) -> Self {
        unsafe {
            let [first, second] = [first, second].map(|numbers| {
                _mm512_cvtepu16_epi32(transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(numbers.0)))
            });
            Self(_mm512_or_si512(first, _mm512_slli_epi32::<16>(second)))
        }
    }

    #[inline(always)]
    fn beside([first, next]: [Avx512; 2]) -> Self {
        Self(unsafe { transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(next.0, first.0)) })
    }

    #[inline(always)]
    fn added(self) -> Avx512 {
        unsafe {
            let first = Avx512(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(self.0)));
            let high = _mm512_set1_epi32(0xffff_0000_u32.cast_signed());
            first.plus(Avx512(_mm512_castsi512_ps(_mm512_and_si512(self.0, high))))
        }
    }

    #[inline(always)]
    fn dot(self, other: Self, sum: Avx512) -> Avx512 {
        unsafe {
            let [one, other] = [self, other].map(|pairs| transmute::<__m512i, __m512bh>(pairs.0));
            Avx512(_mm512_dpbf16_ps(sum.0, one, other))
        }
    }
}
