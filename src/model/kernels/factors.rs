//! What products of attention multiply.

use super::LANES;
use super::lanes::Lanes;

/// Sixteen lanes of 32 bits; in each the terms of a sum that one instruction multiplies and adds.
pub(super) trait Factors: Copy {
    /// What they are made of, and summed in.
    type Lanes: Lanes;
    /// Numbers in a lane, 1 or 2.
    const TERMS: usize;
    /// The same lane sixteen times.
    fn splat(lane: u32) -> Self;
    fn load(lanes: &[u32; LANES]) -> Self;
    fn store(self, lanes: &mut [u32; LANES]);
    /// Of each lane's terms, of which the first [`TERMS`](Self::TERMS) count.
    fn of(terms: [Self::Lanes; 2]) -> Self;
    /// Of numbers that stand beside each other, 16 for each term.
    fn beside(numbers: [Self::Lanes; 2]) -> Self;
    /// Each lane's terms, added.
    fn added(self) -> Self::Lanes;
    /// The products of each lane's terms, added to `sum`.
    fn dot(self, other: Self, sum: Self::Lanes) -> Self::Lanes;
}

/// 32-bit floats.
#[derive(Debug, Clone, Copy)]
pub(super) struct Floats<L>(L);

impl<L: Lanes> Factors for Floats<L> {
    type Lanes = L;

    const TERMS: usize = 1;

    #[inline(always)]
    fn splat(lane: u32) -> Self {
        Self(L::splat(f32::from_bits(lane)))
    }

    #[inline(always)]
    fn load(lanes: &[u32; LANES]) -> Self {
        Self(L::load_bits(lanes))
    }

    #[inline(always)]
    fn store(self, lanes: &mut [u32; LANES]) {
        self.0.store_bits(lanes);
    }

    #[inline(always)]
    fn of([term, _]: [L; 2]) -> Self {
        Self(term)
    }

    #[inline(always)]
    fn beside([numbers, _]: [L; 2]) -> Self {
        Self(numbers)
    }

    #[inline(always)]
    fn added(self) -> L {
        self.0
    }

    #[inline(always)]
    fn dot(self, other: Self, sum: L) -> L {
        self.0.mul_add(other.0, sum)
    }
}
