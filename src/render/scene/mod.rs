//! Scenes of flat shapes on a white canvas: a target among distractors.
//!
//! [`SceneSpec`] says what must hold (sizes, counts, overlaps), [`layout`] finds places for it from the seed, and
//! [`draw()`] paints it with anti-aliasing. What overlaps and what stays visible is decided on pixel masks.

mod draw;
mod layout;
mod shape;

pub use draw::draw;
pub use layout::{MIN_VISIBLE, Scene, layout};
pub use shape::{Placed, ShapeKind};

/// The target's size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Extent {
    /// Side of the bounding box, pixels.
    Side {
        /// Smallest.
        low: f64,
        /// Largest.
        high: f64,
    },
    /// The shape's area as a share of the canvas.
    AreaShare {
        /// Smallest.
        low: f64,
        /// Largest.
        high: f64,
    },
}

/// What a scene must show.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneSpec {
    /// Canvas width and height, pixels.
    pub canvas: (u32, u32),
    /// The shape that is asked about; it occurs once.
    pub target: ShapeKind,
    /// Its color.
    pub target_color: [u8; 3],
    /// Its size.
    pub target_extent: Extent,
    /// Number of distractors.
    pub distractors: usize,
    /// How many of them overlap the target; the others keep clear of it.
    pub overlapping: usize,
    /// Shapes a distractor may have (the target's is not among them).
    pub distractor_shapes: Vec<ShapeKind>,
    /// Colors a distractor may have.
    pub distractor_colors: Vec<[u8; 3]>,
    /// Seed and name of the scene: they determine every random choice.
    pub seed: u64,
    /// See `seed`.
    pub name: String,
}
