//! Entropies of the run over those of the reference, counted on a grid.

use std::collections::BTreeMap;

use super::prompts::Pair;
use crate::analysis::summary::{EntropyCell, EntropyGrid};
use crate::analysis::tables::PromptRow;

/// Cells along a side, at most.
const CELLS: f64 = 40.0;

/// The grid over the prompts that both runs answered with an entropy.
pub(super) fn grid(both: &[(&PromptRow, &PromptRow)]) -> EntropyGrid {
    let pairs: Vec<(f64, f64)> = both
        .iter()
        .filter(|pair| pair.answered())
        .filter_map(|(one, other)| one.entropy.zip(other.entropy))
        .collect();
    let largest = pairs.iter().map(|(one, other)| one.max(*other)).fold(0.0, f64::max);
    let width = round_width(largest / CELLS);
    let cell = |entropy: f64| (entropy.max(0.0) / width) as u32;
    let mut counts: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for (one, other) in pairs {
        *counts.entry((cell(one), cell(other))).or_default() += 1;
    }
    let cells = counts.into_iter().map(|((reference, run), prompts)| EntropyCell { reference, run, prompts });
    EntropyGrid { width, cells: cells.collect() }
}

/// The first of 1, 2 or 5 times a power of ten above `least`.
fn round_width(least: f64) -> f64 {
    if least <= 0.0 {
        return 1.0;
    }
    let exponent = least.log10().floor() as i32;
    let magnitude = 10f64.powi(exponent);
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * magnitude)
        .find(|width| *width > least)
        .unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::round_width;

    #[test]
    fn widths_are_round_and_above_what_is_needed() {
        for (least, width) in
            [(0.0, 1.0), (0.004, 0.005), (0.01, 0.02), (0.03, 0.05), (0.27, 0.5), (0.6, 1.0)]
        {
            assert!((round_width(least) - width).abs() < 1e-12, "{least}");
        }
    }
}
