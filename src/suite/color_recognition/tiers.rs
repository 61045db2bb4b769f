//! The 14 visual difficulty tiers (arXiv 2511.02243, the table of dv 0-13).

use crate::render::scene::Extent;

/// One visual difficulty tier: how the target and its distractors are laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VisualTier {
    /// The tier's number.
    pub dv: i32,
    /// Canvas width and height, pixels.
    pub canvas: (u32, u32),
    /// Size of the target.
    pub target: Extent,
    /// Number of distractors.
    pub distractors: usize,
    /// How many of them overlap the target, in percent.
    pub overlapping_percent: usize,
}

impl VisualTier {
    /// How many distractors overlap the target: the share of them, rounded to the nearest whole.
    pub fn overlapping(&self) -> usize {
        (self.distractors * self.overlapping_percent + 50) / 100
    }
}

const LARGE: (u32, u32) = (800, 600);
const SMALL: (u32, u32) = (224, 224);

const fn tier(dv: i32, canvas: (u32, u32), target: Extent, distractors: usize, overlap: usize) -> VisualTier {
    VisualTier { dv, canvas, target, distractors, overlapping_percent: overlap }
}

/// The tiers in order of difficulty. "% of image" is read as area (the paper leaves it open).
pub const VISUAL_TIERS: [VisualTier; 14] = [
    tier(0, LARGE, Extent::Side { low: 80.0, high: 200.0 }, 0, 0),
    tier(1, LARGE, Extent::Side { low: 80.0, high: 200.0 }, 1, 0),
    tier(2, LARGE, Extent::Side { low: 80.0, high: 200.0 }, 2, 0),
    tier(3, LARGE, Extent::Side { low: 80.0, high: 200.0 }, 3, 0),
    tier(4, LARGE, Extent::Side { low: 80.0, high: 200.0 }, 4, 0),
    tier(5, SMALL, Extent::AreaShare { low: 0.20, high: 0.40 }, 7, 50),
    tier(6, SMALL, Extent::AreaShare { low: 0.20, high: 0.40 }, 10, 80),
    tier(7, SMALL, Extent::AreaShare { low: 0.05, high: 0.10 }, 7, 50),
    tier(8, SMALL, Extent::AreaShare { low: 0.05, high: 0.10 }, 11, 80),
    tier(9, SMALL, Extent::AreaShare { low: 0.04, high: 0.06 }, 20, 30),
    tier(10, SMALL, Extent::AreaShare { low: 0.04, high: 0.06 }, 30, 60),
    tier(11, SMALL, Extent::AreaShare { low: 0.04, high: 0.06 }, 40, 50),
    tier(12, SMALL, Extent::AreaShare { low: 0.04, high: 0.06 }, 55, 60),
    tier(13, SMALL, Extent::AreaShare { low: 0.04, high: 0.06 }, 70, 70),
];
