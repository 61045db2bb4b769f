//! A system of linear equations over the integers with exactly one solution.

use std::fmt;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{LETTERS, MAX_RIGHT_SIDE, MAX_SOLUTION};

/// As many equations as unknowns.
pub(super) struct System {
    /// Coefficients, by equation.
    coefficients: Vec<Vec<i64>>,
    /// Right-hand sides.
    right: Vec<i64>,
    /// The values of the unknowns.
    pub solution: Vec<i64>,
}

impl System {
    /// Draws the solution, then equations that it fulfils, until they have no other: their determinant is not 0.
    pub fn draw(unknowns: usize, largest: i64, rng: &mut ChaCha8Rng) -> Self {
        let solution: Vec<i64> =
            (0..unknowns).map(|_| rng.random_range(-MAX_SOLUTION..=MAX_SOLUTION)).collect();
        let value =
            |row: &[i64]| row.iter().zip(&solution).map(|(factor, value)| factor * value).sum::<i64>();
        loop {
            let coefficients: Vec<Vec<i64>> = (0..unknowns)
                .map(|_| {
                    loop {
                        let row: Vec<i64> =
                            (0..unknowns).map(|_| rng.random_range(-largest..=largest)).collect();
                        if value(&row).abs() <= MAX_RIGHT_SIDE {
                            return row;
                        }
                    }
                })
                .collect();
            if determinant(&coefficients) != 0 {
                let right = coefficients.iter().map(|row| value(row)).collect();
                return Self { coefficients, right, solution };
            }
        }
    }
}

/// The determinant, exactly, by expansion along the first row.
fn determinant(rows: &[Vec<i64>]) -> i64 {
    let Some((first, below)) = rows.split_first() else { return 1 };
    let minor = |column: usize| -> Vec<Vec<i64>> {
        let without = |row: &Vec<i64>| [&row[..column], &row[column + 1..]].concat();
        below.iter().map(without).collect()
    };
    let sign = |column: usize| if column.is_multiple_of(2) { 1 } else { -1 };
    let cofactor = |(column, factor): (usize, &i64)| sign(column) * factor * determinant(&minor(column));
    first.iter().enumerate().map(cofactor).sum()
}

impl fmt::Display for System {
    /// One equation a line: `2A - B = 7`. A factor of 1 is not written, a term with the factor 0 is left out.
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        for (index, (row, right)) in self.coefficients.iter().zip(&self.right).enumerate() {
            if index > 0 {
                writeln!(formatter)?;
            }
            let terms = row.iter().zip(LETTERS).filter(|(factor, _)| **factor != 0);
            for (place, (factor, letter)) in terms.enumerate() {
                let sign = match (place, *factor < 0) {
                    (0, false) => "",
                    (0, true) => "-",
                    (_, false) => " + ",
                    (_, true) => " - ",
                };
                let size = if factor.abs() == 1 { String::new() } else { factor.abs().to_string() };
                write!(formatter, "{sign}{size}{letter}")?;
            }
            write!(formatter, " = {right}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_written_as_by_hand() {
        let coefficients = vec![vec![1, 1, 0], vec![-1, 0, 2], vec![0, -9, -1]];
        let system = System { coefficients, right: vec![7, -1, 0], solution: vec![] };
        assert_eq!(system.to_string(), "A + B = 7\n-A + 2C = -1\n-9B - C = 0");
    }

    #[test]
    fn determinants_are_exact() {
        // Computed with NumPy.
        for (rows, expected) in [
            (vec![vec![1, 2], vec![2, 4]], 0),
            (vec![vec![2, -3], vec![5, 7]], 29),
            (vec![vec![2, 0, 1], vec![1, 3, 2], vec![1, 1, 4]], 18),
        ] {
            assert_eq!(determinant(&rows), expected);
        }
    }
}
