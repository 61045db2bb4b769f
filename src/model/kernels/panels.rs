//! Weights of a linear layer in the order in which its product reads them.

use std::io::{Read, Result};

use super::LANES;

/// Vectors side by side in a panel. With as many rows of inputs as are computed at once, their sums fill the registers.
pub(super) const VECTORS: usize = 3;

/// Columns of a panel.
pub(in crate::model) const PANEL: usize = VECTORS * LANES;

/// Lines of weights that are read from a file at once.
const LINES: usize = 16;

/// A number for each column of a panel, wherever they are in memory.
pub(super) type Vectors = [[f32; LANES]; VECTORS];

/// The same on lines of memory: weights of one input, or sums of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub(super) struct Columns(pub Vectors);

impl Columns {
    pub const ZERO: Self = Self([[0.0; LANES]; VECTORS]);

    /// At most [`PANEL`] numbers, and zeros.
    pub fn of(numbers: &[f32]) -> Self {
        let mut columns = Self::ZERO;
        columns.0.as_flattened_mut()[..numbers.len()].copy_from_slice(numbers);
        columns
    }
}

/// The weights of a linear layer [inputs, outputs], [`PANEL`] outputs after the other; the last ones are filled up with zeros.
#[derive(Debug)]
pub(in crate::model) struct Panels {
    pub inputs: usize,
    pub outputs: usize,
    /// [panels, inputs].
    weights: Vec<Columns>,
}

impl Panels {
    /// Reads 32-bit floats [inputs, outputs], or [outputs, inputs] if they are `transposed`.
    ///
    /// # Errors
    /// When they are fewer, or cannot be read.
    pub fn read(mut source: impl Read, [inputs, outputs]: [usize; 2], transposed: bool) -> Result<Self> {
        let mut weights = vec![Columns::ZERO; inputs * outputs.div_ceil(PANEL)];
        let (lines, length, at_once) =
            if transposed { (outputs, inputs, PANEL) } else { (inputs, outputs, LINES) };
        let mut bytes = vec![0; 4 * length * at_once];
        for first in (0..lines).step_by(at_once) {
            let bytes = &mut bytes[..4 * length * at_once.min(lines - first)];
            source.read_exact(bytes)?;
            let mut numbers = bytes.as_chunks().0.iter().map(|number| f32::from_le_bytes(*number));
            for line in first.. {
                if numbers.len() == 0 {
                    break;
                }
                for (place, number) in numbers.by_ref().take(length).enumerate() {
                    let (input, output) = if transposed { (place, line) } else { (line, place) };
                    let columns = &mut weights[output / PANEL * inputs + input];
                    columns.0.as_flattened_mut()[output % PANEL] = number;
                }
            }
        }
        Ok(Self { inputs, outputs, weights })
    }

    /// Weights of the panel's columns, [inputs]; none after the last panel.
    pub(super) fn panel(&self, index: usize) -> &[Columns] {
        self.weights.get(index * self.inputs..(index + 1) * self.inputs).unwrap_or_default()
    }
}
