//! Finding places: sizes, overlaps and the target's visibility as the specification asks, from the seed alone.

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::{Extent, Placed, SceneSpec};
use crate::suite::seeding::generator;

/// Share of the target's pixels that stays visible at least (our choice; the paper leaves it open).
pub const MIN_VISIBLE: f64 = 0.15;

/// A distractor's side as a share of the target's; of one that must keep clear it may shrink further to find room.
const DISTRACTOR_SCALE: (f64, f64) = (0.55, 1.0);
const SMALLEST_DISTRACTOR_PX: f64 = 8.0;
const TRIES_PER_SIZE: usize = 40;

/// Shapes at their places, from back to front.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Canvas width and height, pixels.
    pub canvas: (u32, u32),
    /// All shapes, in painting order.
    pub shapes: Vec<Placed>,
    /// Index of the target in `shapes`.
    pub target: usize,
}

impl Scene {
    /// Share of the target's pixels that no later shape covers, in [0, 1].
    pub fn target_visibility(&self) -> f64 {
        let mut canvas = TargetPixels::of(&self.shapes[self.target], self.canvas);
        for shape in &self.shapes[self.target + 1..] {
            canvas.cover(shape);
        }
        canvas.visibility()
    }

    /// How many shapes share at least one pixel with the target.
    pub fn overlapping(&self) -> usize {
        let canvas = TargetPixels::of(&self.shapes[self.target], self.canvas);
        let others = self.shapes.iter().enumerate().filter(|(index, _)| *index != self.target);
        others.filter(|(_, shape)| canvas.touches(shape)).count()
    }
}

/// Places the target and its distractors.
///
/// Half of the overlapping distractors, at random, are painted over the target, the others under it; one that would hide
/// more than [`MIN_VISIBLE`] allows goes under it.
pub fn layout(spec: &SceneSpec) -> Scene {
    let rng = &mut generator(spec.seed, &["scene", &spec.name]);
    let (width, height) = (f64::from(spec.canvas.0), f64::from(spec.canvas.1));
    let side = target_side(spec, rng);
    let target = Placed {
        kind: spec.target,
        color: spec.target_color,
        center: (inside(rng, width, side), inside(rng, height, side)),
        side,
    };
    let mut canvas = TargetPixels::of(&target, spec.canvas);
    let (mut under, mut over) = (Vec::new(), Vec::new());
    for index in 0..spec.distractors {
        let overlaps = index < spec.overlapping;
        let mut distractor = Placed { kind: pick(&spec.distractor_shapes, rng, spec.target), ..target };
        distractor.color = spec.distractor_colors.choose(rng).copied().unwrap_or([128; 3]);
        distractor.side = distractor_side(spec, side, rng);
        let others = if overlaps { &[][..] } else { &under[..] };
        find_place(&mut distractor, overlaps, &canvas, others, rng);
        if overlaps && rng.random::<bool>() && canvas.visibility_under(&distractor) >= MIN_VISIBLE {
            canvas.cover(&distractor);
            over.push(distractor);
        } else {
            under.push(distractor);
        }
    }
    let at = under.len();
    let shapes = under.into_iter().chain([target]).chain(over).collect();
    Scene { canvas: spec.canvas, shapes, target: at }
}

fn target_side(spec: &SceneSpec, rng: &mut ChaCha8Rng) -> f64 {
    let (width, height) = (f64::from(spec.canvas.0), f64::from(spec.canvas.1));
    let side = match spec.target_extent {
        Extent::Side { low, high } => rng.random_range(low..=high),
        Extent::AreaShare { low, high } => {
            (rng.random_range(low..=high) * width * height / spec.target.fill()).sqrt()
        }
    };
    side.min(width).min(height)
}

fn distractor_side(spec: &SceneSpec, target_side: f64, rng: &mut ChaCha8Rng) -> f64 {
    match spec.target_extent {
        Extent::Side { low, high } => rng.random_range(low..=high),
        Extent::AreaShare { .. } => target_side * rng.random_range(DISTRACTOR_SCALE.0..=DISTRACTOR_SCALE.1),
    }
}

fn pick(shapes: &[super::ShapeKind], rng: &mut ChaCha8Rng, target: super::ShapeKind) -> super::ShapeKind {
    let others: Vec<_> = shapes.iter().copied().filter(|shape| *shape != target).collect();
    others.choose(rng).copied().unwrap_or(super::ShapeKind::Square)
}

/// A coordinate at which a shape of that side lies wholly on the canvas.
fn inside(rng: &mut ChaCha8Rng, limit: f64, side: f64) -> f64 {
    let half = side / 2.0;
    if limit <= side { limit / 2.0 } else { rng.random_range(half..=limit - half) }
}

/// Moves (and, when there is no room, shrinks) the distractor until it overlaps the target or keeps clear of it.
///
/// On large canvases, where nothing overlaps, it also keeps clear of the `others` while that is possible.
fn find_place(
    distractor: &mut Placed,
    overlaps: bool,
    canvas: &TargetPixels,
    others: &[Placed],
    rng: &mut ChaCha8Rng,
) {
    let (width, height) = (f64::from(canvas.size.0), f64::from(canvas.size.1));
    let crowded = others.len() > 8;
    loop {
        for attempt in 0..TRIES_PER_SIZE {
            distractor.center = (inside(rng, width, distractor.side), inside(rng, height, distractor.side));
            let clear_of_others = crowded
                || attempt * 2 > TRIES_PER_SIZE
                || others.iter().all(|other| boxes_apart(distractor, other));
            if canvas.touches(distractor) == overlaps && (overlaps || clear_of_others) {
                return;
            }
        }
        if distractor.side <= SMALLEST_DISTRACTOR_PX {
            // Overlap is always found on the target's own center; room beside it is there at this size.
            if overlaps {
                distractor.center = canvas.some_pixel();
            }
            return;
        }
        distractor.side = (distractor.side * 0.85).max(SMALLEST_DISTRACTOR_PX);
    }
}

fn boxes_apart(a: &Placed, b: &Placed) -> bool {
    let reach = (a.side + b.side) / 2.0;
    (a.center.0 - b.center.0).abs() > reach || (a.center.1 - b.center.1).abs() > reach
}

/// The target's pixels on the canvas, and which of them are still visible.
struct TargetPixels {
    size: (u32, u32),
    /// Per canvas pixel: 0 not the target's, 1 the target's and visible, 2 the target's and covered.
    state: Vec<u8>,
    total: usize,
    visible: usize,
}

impl TargetPixels {
    fn of(target: &Placed, size: (u32, u32)) -> Self {
        let mut state = vec![0; size.0 as usize * size.1 as usize];
        let mut total = 0;
        for pixel in target.pixels(size) {
            state[pixel] = 1;
            total += 1;
        }
        Self { size, state, total, visible: total }
    }

    fn touches(&self, shape: &Placed) -> bool {
        shape.pixels(self.size).any(|pixel| self.state[pixel] != 0)
    }

    fn visibility(&self) -> f64 {
        self.visible as f64 / self.total.max(1) as f64
    }

    fn visibility_under(&self, shape: &Placed) -> f64 {
        let hidden = shape.pixels(self.size).filter(|&pixel| self.state[pixel] == 1).count();
        (self.visible - hidden) as f64 / self.total.max(1) as f64
    }

    fn cover(&mut self, shape: &Placed) {
        for pixel in shape.pixels(self.size) {
            if self.state[pixel] == 1 {
                self.state[pixel] = 2;
                self.visible -= 1;
            }
        }
    }

    fn some_pixel(&self) -> (f64, f64) {
        let pixel = self.state.iter().position(|&state| state != 0).unwrap_or(0) as u32;
        (f64::from(pixel % self.size.0) + 0.5, f64::from(pixel / self.size.0) + 0.5)
    }
}
