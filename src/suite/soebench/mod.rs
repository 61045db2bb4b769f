//! SoEBench (arXiv 2512.08923): systems of linear equations in digits 0-9 and letters A-E, with one integer solution.
//!
//! The paper's 150 systems are not public, so these are generated, each from a seed of its own. An item is its equations, one a
//! line, and the question "What is A?" on a line of its own. It is a task of REST, and is shown in REST's presentations.

mod system;

use rand::RngExt;

use super::SuiteError;
use super::seeding::generator;
use system::System;

/// The suite's name, and its task's.
pub const NAME: &str = "soebench";

/// Items in the paper's set.
pub const DEFAULT_ITEMS: usize = 150;

/// Fewest and most unknowns by default (our choice; the paper names the letters only).
pub const DEFAULT_UNKNOWNS: (usize, usize) = (2, 3);

/// Largest coefficient by default: one digit (our choice).
pub const DEFAULT_COEFFICIENT: u32 = 9;

/// Largest coefficient that may be asked for.
pub const MAX_COEFFICIENT: u32 = 99;

/// Largest absolute value of an unknown (our choice).
pub const MAX_SOLUTION: i64 = 9;

/// Largest absolute value of a right-hand side: two digits (our choice).
pub const MAX_RIGHT_SIDE: i64 = 99;

/// Names of the unknowns.
pub const LETTERS: [char; 5] = ['A', 'B', 'C', 'D', 'E'];

/// Raised when the generated content changes, so that runs of different content never mix.
pub const CONTENT_VERSION: u32 = 1;

/// What is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Number of items.
    pub items: usize,
    /// Seed of everything.
    pub seed: u64,
    /// Fewest and most unknowns of a system.
    pub unknowns: (usize, usize),
    /// Largest absolute value of a coefficient.
    pub coefficient: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { items: DEFAULT_ITEMS, seed: 0, unknowns: DEFAULT_UNKNOWNS, coefficient: DEFAULT_COEFFICIENT }
    }
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Puzzle {
    /// Name within the suite.
    pub id: String,
    /// The equations, one a line.
    pub equations: String,
    /// What is asked: "What is A?"
    pub question: String,
    /// The value of the letter that is asked for.
    pub answer: i64,
}

/// Generates all items.
///
/// # Errors
/// When the settings leave no system to be drawn.
pub fn puzzles(settings: &Settings) -> Result<Vec<Puzzle>, SuiteError> {
    let Settings { items, seed, unknowns: (fewest, most), coefficient } = *settings;
    if fewest < 2 || fewest > most || most > LETTERS.len() {
        return Err(SuiteError::Setting(format!(
            "--unknowns {fewest}..{most}: expected a number or a range within 2..{}",
            LETTERS.len()
        )));
    }
    if !(1..=MAX_COEFFICIENT).contains(&coefficient) {
        return Err(SuiteError::Setting(format!(
            "--coefficients {coefficient}: expected a number from 1 to {MAX_COEFFICIENT}"
        )));
    }
    let puzzle = |index: usize| {
        let id = format!("{index:05}");
        let rng = &mut generator(seed, &[NAME, &id]);
        let unknowns = rng.random_range(fewest..=most);
        let system = System::draw(unknowns, i64::from(coefficient), rng);
        let asked = rng.random_range(0..unknowns);
        Puzzle {
            equations: system.to_string(),
            question: format!("What is {}?", LETTERS[asked]),
            answer: system.solution[asked],
            id,
        }
    };
    Ok((0..items).map(puzzle).collect())
}

#[cfg(test)]
mod tests;
