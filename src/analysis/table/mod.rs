//! An analysis as plain text for the terminal.

mod cell;
mod comparison;
mod consistency;
mod following;
mod layers;
mod models;
mod rows;

pub use comparison::comparison;
pub use consistency::consistency;
pub use following::following;
pub use models::models;

use std::fmt::Write;

use self::cell::left;
use super::summary::Analysis;

/// Width of a title's rule.
const WIDTH: usize = 78;

/// Every analysis, then the comparison of the models; a line feed after every line and an empty line between parts.
pub fn to_text(analysis: &Analysis) -> String {
    let parts = analysis.following.iter().map(following);
    let parts = parts.chain(analysis.consistency.iter().map(consistency));
    parts.chain(analysis.models.iter().map(models)).collect::<Vec<_>>().join("\n")
}

fn title(model: &str, suite: &str, run: &str) -> String {
    format!("{model} on {suite} (run {run})\n{}\n", "─".repeat(WIDTH))
}

/// The filled sections with an empty line between them.
fn joined(sections: impl IntoIterator<Item = String>) -> String {
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n")
}

/// A confidence in percent, without the tail that binary fractions have.
fn in_percent(confidence: f64) -> f64 {
    (confidence * 1e6).round() / 1e4
}

fn line(text: &mut String, label: &str, value: &str) {
    let _ = writeln!(text, "  {}  {value}", left(label, 16));
}
