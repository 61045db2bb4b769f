//! Decreasing isotonic regression by pool-adjacent-violators, and where such a fit crosses a level.
//!
//! The fit is the non-increasing g that minimises `sum w_i (y_i - g(x_i))^2`: a row of *blocks*, each the weighted mean
//! of a run of neighbours, whose values strictly fall. Outside the data it keeps the value of the nearest block; in the
//! gap between two blocks it steps down in the middle of the gap.

/// One observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Position.
    pub x: f64,
    /// Value.
    pub y: f64,
    /// Weight; a point of weight 0 is ignored.
    pub weight: f64,
}

/// A run of neighbouring points that share one fitted value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Block {
    /// Smallest x of the block.
    pub first: f64,
    /// Largest x of the block.
    pub last: f64,
    /// Sum of `weight * y`.
    sum: f64,
    /// Sum of the weights.
    pub weight: f64,
}

impl Block {
    /// The fitted value: the weighted mean of the block.
    pub fn value(&self) -> f64 {
        self.sum / self.weight
    }

    /// Compares without dividing, so that equal shares of whole counts are found equal.
    fn is_not_above(&self, next: &Block) -> bool {
        self.sum * next.weight <= next.sum * self.weight
    }

    fn absorb(&mut self, next: &Block) {
        self.last = next.last;
        self.sum += next.sum;
        self.weight += next.weight;
    }
}

/// Where a falling fit crosses a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Crossing {
    /// It crosses at this x.
    At(f64),
    /// It stays above the level.
    Above,
    /// It stays below the level.
    Below,
}

/// A decreasing isotonic fit: blocks by rising x and strictly falling value.
#[derive(Debug, Clone, PartialEq)]
pub struct DecreasingFit {
    blocks: Vec<Block>,
}

impl DecreasingFit {
    /// Fits points that are sorted by x. Points at the same x are pooled first, so that their order does not matter.
    /// `None` where no point has weight.
    pub fn new(points: impl IntoIterator<Item = Point>) -> Option<Self> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut pending: Option<Block> = None;
        for point in points {
            if point.weight == 0.0 {
                continue;
            }
            let one =
                Block { first: point.x, last: point.x, sum: point.weight * point.y, weight: point.weight };
            match &mut pending {
                Some(tie) if tie.last == point.x => tie.absorb(&one),
                _ => {
                    if let Some(complete) = pending.replace(one) {
                        push(&mut blocks, complete);
                    }
                }
            }
        }
        push(&mut blocks, pending?);
        Some(Self { blocks })
    }

    /// The blocks, by rising x.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Both ends of every block as (x, value); a block of one x gives one knot.
    pub fn knots(&self) -> Vec<(f64, f64)> {
        let mut knots = Vec::with_capacity(2 * self.blocks.len());
        for block in &self.blocks {
            knots.push((block.first, block.value()));
            if block.last > block.first {
                knots.push((block.last, block.value()));
            }
        }
        knots
    }

    /// Where the fit crosses `level`: the middle of the gap between the last block above and the first one below, or
    /// the middle of the block that lies exactly on the level.
    pub fn crossing(&self, level: f64) -> Crossing {
        if let Some(on) = self.blocks.iter().find(|block| block.sum == level * block.weight) {
            return Crossing::At(0.5 * (on.first + on.last));
        }
        match self.blocks.partition_point(|block| block.value() > level) {
            0 => Crossing::Below,
            above if above == self.blocks.len() => Crossing::Above,
            above => Crossing::At(0.5 * (self.blocks[above - 1].last + self.blocks[above].first)),
        }
    }
}

fn push(blocks: &mut Vec<Block>, mut new: Block) {
    while let Some(previous) = blocks.last_mut() {
        if !previous.is_not_above(&new) {
            break;
        }
        previous.absorb(&new);
        new = *previous;
        blocks.pop();
    }
    blocks.push(new);
}

/// The value at `x` of the fit with these knots (see [`DecreasingFit::knots`]); `None` without knots.
pub fn evaluate(knots: &[(f64, f64)], x: f64) -> Option<f64> {
    let right = knots.partition_point(|knot| knot.0 <= x);
    if right == 0 || right == knots.len() {
        return knots.get(right.saturating_sub(1)).map(|knot| knot.1);
    }
    let (before, after) = (knots[right - 1], knots[right]);
    let middle = 0.5 * (before.0 + after.0);
    Some(if x < middle { before.1 } else { after.1 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fit(points: &[(f64, f64, f64)]) -> DecreasingFit {
        DecreasingFit::new(points.iter().map(|&(x, y, weight)| Point { x, y, weight })).unwrap()
    }

    #[test]
    fn violators_are_pooled_by_weight() {
        let knots = fit(&[(0.0, 1.0, 1.0), (1.0, 0.2, 3.0), (2.0, 0.6, 1.0), (3.0, 0.1, 1.0)]).knots();
        let expected = [(0.0, 1.0), (1.0, 0.3), (2.0, 0.3), (3.0, 0.1)];
        assert_eq!(knots.len(), expected.len());
        for (knot, want) in knots.iter().zip(expected) {
            assert_eq!(knot.0, want.0);
            assert!((knot.1 - want.1).abs() < 1e-12, "{knots:?}");
        }
    }

    #[test]
    fn ties_in_x_are_pooled_whatever_their_order() {
        let rising = fit(&[(0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 0.0, 1.0)]);
        let falling = fit(&[(0.0, 1.0, 1.0), (0.0, 0.0, 1.0), (1.0, 0.0, 1.0)]);
        assert_eq!(rising, falling);
        assert_eq!(rising.knots(), [(0.0, 0.5), (1.0, 0.0)]);
    }

    #[test]
    fn crossing_is_in_the_middle_of_the_gap_or_of_the_block_on_the_level() {
        assert_eq!(fit(&[(-1.0, 1.0, 1.0), (0.5, 0.0, 1.0)]).crossing(0.5), Crossing::At(-0.25));
        let level = fit(&[(-1.0, 1.0, 1.0), (0.0, 0.0, 1.0), (0.4, 1.0, 1.0), (2.0, 0.0, 1.0)]);
        assert_eq!(level.crossing(0.5), Crossing::At(0.2));
        assert_eq!(fit(&[(0.0, 1.0, 1.0), (1.0, 0.9, 1.0)]).crossing(0.5), Crossing::Above);
        assert_eq!(fit(&[(0.0, 0.4, 1.0), (1.0, 0.3, 1.0)]).crossing(0.5), Crossing::Below);
    }

    #[test]
    fn a_fit_without_weight_is_none() {
        assert_eq!(DecreasingFit::new([Point { x: 0.0, y: 1.0, weight: 0.0 }]), None);
        assert_eq!(evaluate(&[], 0.0), None);
    }

    #[test]
    fn evaluation_steps_where_the_crossing_lies() {
        let knots = [(-1.0, 0.9), (0.0, 0.9), (1.0, 0.2)];
        for (x, value) in
            [(-3.0, 0.9), (-0.5, 0.9), (0.0, 0.9), (0.49, 0.9), (0.5, 0.2), (1.0, 0.2), (9.0, 0.2)]
        {
            assert_eq!(evaluate(&knots, x), Some(value), "at {x}");
        }
    }

    proptest! {
        /// The min-max formula for a decreasing fit: g_i = min over a <= i of max over b >= i of mean(a..=b).
        #[test]
        fn agrees_with_the_min_max_formula(raw in prop::collection::vec((0.0..1.0f64, 1u8..5), 1..25)) {
            let points: Vec<_> = raw.iter().enumerate().map(|(i, &(y, w))| (i as f64, y, f64::from(w))).collect();
            let mean = |a: usize, b: usize| {
                let run = &points[a..=b];
                run.iter().map(|p| p.1 * p.2).sum::<f64>() / run.iter().map(|p| p.2).sum::<f64>()
            };
            let knots = fit(&points).knots();
            for i in 0..points.len() {
                let want = (0..=i)
                    .map(|a| (i..points.len()).map(|b| mean(a, b)).fold(f64::MIN, f64::max))
                    .fold(f64::MAX, f64::min);
                let got = evaluate(&knots, i as f64).unwrap();
                prop_assert!((got - want).abs() < 1e-9, "at {}: {} against {}", i, got, want);
            }
        }

        #[test]
        fn falls_strictly_and_keeps_the_weighted_mean(
            mut raw in prop::collection::vec((-8i8..8, 0.0..1.0f64, 0u8..4), 1..60),
        ) {
            raw.push((0, 0.5, 1));
            raw.sort_by_key(|point| point.0);
            let points: Vec<_> = raw.iter().map(|&(x, y, w)| (f64::from(x), y, f64::from(w))).collect();
            let fitted = fit(&points);
            prop_assert!(fitted.blocks().windows(2).all(|pair| pair[0].value() > pair[1].value()));
            prop_assert!(fitted.blocks().windows(2).all(|pair| pair[0].last < pair[1].first));
            let before: f64 = points.iter().map(|p| p.1 * p.2).sum();
            let after: f64 = fitted.blocks().iter().map(|b| b.value() * b.weight).sum();
            prop_assert!((before - after).abs() < 1e-9);
        }
    }
}
