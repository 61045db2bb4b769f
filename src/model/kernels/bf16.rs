//! Products of bfloat16: twice as many an instruction as of 32-bit floats, and exact to 8 bits.

use std::arch::x86_64::{__m512, __m512bh, _mm512_dpbf16_ps};
use std::mem::transmute;

use super::arithmetic::{Arithmetic, Lanes, Rows, Softmax, Sums, add_products, weigh};
use super::{LANES, widest};

/// Pairs of 16-bit floats with the exponent of 32-bit ones, on a processor that multiplies and adds those.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Bf16(());

impl Bf16 {
    /// `None` where the processor lacks the instructions.
    pub fn of_processor() -> Option<Self> {
        let has_them = super::pay() && std::arch::is_x86_feature_detected!("avx512bf16");
        has_them.then_some(Self(()))
    }
}

impl Arithmetic for Bf16 {
    /// The first number in the lower half.
    type Factor = u32;

    const NUMBERS: usize = 2;

    #[inline(always)]
    fn factor(self, number: impl Fn(usize) -> f32) -> u32 {
        round(number(0)) >> 16 | round(number(1)) & HIGH
    }

    #[inline(always)]
    fn sum(self, factor: u32) -> f32 {
        f32::from_bits(factor << 16) + f32::from_bits(factor & HIGH)
    }

    #[inline(always)]
    fn add_product(self, lanes: &Lanes<u32>, one: u32, sums: &mut Lanes<f32>) {
        for (lanes, sums) in lanes.as_chunks().0.iter().zip(sums.as_chunks_mut().0) {
            #[expect(unsafe_code, reason = "the standard library has no other way to this instruction")]
            // SAFETY: a `Bf16` is only made where the processor has it; arrays and vectors have the same bits.
            let added = unsafe {
                let before = transmute::<[f32; LANES], __m512>(*sums);
                let lanes = transmute::<[u32; LANES], __m512bh>(*lanes);
                let one = transmute::<[u32; LANES], __m512bh>([one; LANES]);
                transmute::<__m512, [f32; LANES]>(_mm512_dpbf16_ps(before, lanes, one))
            };
            *sums = added;
        }
    }

    fn add_products(self, lanes: &[Lanes<u32>], rows: Rows<u32>, sums: &mut Sums) {
        #[target_feature(enable = "avx512f,avx512bf16,fma")]
        fn widest(arithmetic: Bf16, lanes: &[Lanes<u32>], rows: Rows<u32>, sums: &mut Sums) {
            add_products(arithmetic, lanes, rows, sums);
        }
        #[expect(unsafe_code, reason = "the processor was asked for the instructions before")]
        // SAFETY: a `Bf16` is only made where the processor has them.
        unsafe {
            widest(self, lanes, rows, sums);
        }
    }

    fn weigh(
        self,
        scores: &mut [Lanes<f32>],
        weights: &mut [Lanes<u32>],
        softmax: &mut Softmax,
        means: &mut [Lanes<f32>],
    ) {
        widest! {
            fn widest(
                arithmetic: Bf16,
                scores: &mut [Lanes<f32>],
                weights: &mut [Lanes<u32>],
                softmax: &mut Softmax,
                means: &mut [Lanes<f32>],
            ) {
                weigh(arithmetic, scores, weights, softmax, means);
            }
        }
        widest(self, scores, weights, softmax, means);
    }
}

/// The upper half of a pair.
const HIGH: u32 = 0xffff_0000;

/// A number's bits, of which the upper half is its nearest bfloat16.
#[inline(always)]
fn round(number: f32) -> u32 {
    let bits = number.to_bits();
    let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
    if number.is_nan() { bits | 1 << 22 } else { nearest }
}
