//! From values to user units.

/// A linear scale; values outside its domain are drawn at its edge.
#[derive(Debug, Clone, Copy)]
pub struct Linear {
    domain: (f64, f64),
    range: (f64, f64),
}

impl Linear {
    /// Maps `domain` (low < high) onto `range` (either way round).
    #[must_use]
    pub fn new(domain: (f64, f64), range: (f64, f64)) -> Self {
        Self { domain, range }
    }

    /// Where a value is drawn.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        let (low, high) = self.domain;
        let part = (value.clamp(low, high) - low) / (high - low);
        self.range.0 + part * (self.range.1 - self.range.0)
    }

    /// The two ends in user units.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        self.range
    }
}

/// Equal bands side by side, one for each category.
#[derive(Debug, Clone, Copy)]
pub struct Bands {
    start: f64,
    width: f64,
}

impl Bands {
    /// `count` bands that fill `range`.
    #[must_use]
    pub fn new(count: usize, range: (f64, f64)) -> Self {
        Self { start: range.0, width: (range.1 - range.0) / count.max(1) as f64 }
    }

    /// Left edge of a band.
    #[must_use]
    pub fn left(&self, index: usize) -> f64 {
        self.start + self.width * index as f64
    }

    /// Middle of a band.
    #[must_use]
    pub fn center(&self, index: usize) -> f64 {
        self.left(index) + self.width / 2.0
    }

    /// Width of a band.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.width
    }
}

/// Round values from 0 to the first one at or above `max`: three to six of them.
#[must_use]
pub fn round_ticks(max: f64) -> Vec<f64> {
    if !max.is_finite() || max <= 0.0 {
        return vec![0.0, 0.5, 1.0];
    }
    let magnitude = 10_f64.powf((max / 4.0).log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * magnitude)
        .find(|step| max / step <= 5.0)
        .unwrap_or(10.0 * magnitude);
    let steps = (max / step - 1e-9).ceil().max(1.0) as u32;
    (0..=steps).map(|index| f64::from(index) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_scale_turns_and_clamps() {
        let scale = Linear::new((0.0, 1.0), (100.0, 0.0));
        assert_eq!(scale.at(0.25), 75.0);
        assert_eq!(scale.at(7.0), 0.0);
    }

    #[test]
    fn ticks_are_few_and_reach_the_maximum() {
        for max in [1e-6, 0.07, 0.9, 1.0, 1.3, 2.4, 9.99, 10.0, 11.5, 4321.0] {
            let ticks = round_ticks(max);
            assert!((2..=6).contains(&ticks.len()), "{max}: {ticks:?}");
            assert!(ticks[ticks.len() - 1] >= max * 0.999_999, "{max}: {ticks:?}");
        }
        assert_eq!(round_ticks(f64::NAN), [0.0, 0.5, 1.0]);
        assert_eq!(round_ticks(0.0), [0.0, 0.5, 1.0]);
    }
}
