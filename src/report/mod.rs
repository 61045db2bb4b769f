//! What one sees: a run's analysis as one self-contained HTML page.
//!
//! [`render`] takes plain values (the analysis, a few words about the run, a sample of its cases and items) and returns
//! the page as a string; it reads no files, asks no clock and needs no network, and neither does the page. Text from
//! outside enters through `escape` only. `svg` draws, `figure` has one file for each figure, `section` and `consistency`
//! hold what is said of one analysis of either kind, `inside` what of its layers, `fidelity` what is said of a run against a reference run (on its page,
//! or on one of its own: [`render_comparison`]); `page` puts all in order, and `document` is the file around it.

mod case_card;
mod case_links;
mod cases;
mod comparison;
mod consistency;
mod contact_sheet;
mod document;
mod escape;
mod fidelity;
mod figure;
mod finding;
mod input;
mod inside;
#[cfg(test)]
mod layer_tests;
mod method;
mod number;
mod page;
mod part;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod sample_items;
#[cfg(test)]
mod sample_layers;
mod section;
mod svg;
mod table;
#[cfg(test)]
mod tests;
mod tiles;

pub use fidelity::render_comparison;
pub use input::{About, AnswerView, CasePrompt, CaseView, ItemView, RenderingView};
pub use page::{Page, render};
