//! Figure: what became of the conflict cases, from all that were asked to the three ways to follow.

use super::stacked_bar::{self, Place, Share};
use super::{Swatch, framed, legend, nothing};
use crate::analysis::summary::Counts;
use crate::report::number;
use crate::report::svg::drawing::Drawing;

/// The figure, or why there is none.
#[must_use]
pub fn figure(id: &str, counts: &Counts) -> String {
    if counts.cases == 0 {
        return nothing("The suite has no conflict cases in this run.");
    }
    let answered_wrong = counts.cases.saturating_sub(counts.analysed).saturating_sub(counts.failed);
    let shares = [
        Share { class: "text", name: "follows the text", cases: counts.text },
        Share { class: "vision", name: "follows the image", cases: counts.vision },
        Share { class: "other", name: "other answer", cases: counts.other },
        Share {
            class: "unanalysed",
            name: "not analysed: a unimodal answer is not the designed one",
            cases: answered_wrong,
        },
        Share { class: "failed", name: "failed", cases: counts.failed },
    ];
    let mut drawing = Drawing::new(
        &format!("{id}-tally"),
        (960.0, 40.0),
        "What became of the conflict cases",
        &format!(
            "{} cases: {} follow the text, {} the image, {} neither, {answered_wrong} not analysed, {} failed",
            counts.cases, counts.text, counts.vision, counts.other, counts.failed
        ),
    );
    stacked_bar::draw(&mut drawing, Place { x: 0.0, y: 2.0, width: 960.0, height: 36.0 }, &shares, true);
    let legend = legend(&[
        (Swatch::Fill("text"), "follows the text"),
        (Swatch::Fill("vision"), "follows the image"),
        (Swatch::Fill("other"), "other"),
        (Swatch::Fill("unanalysed"), "not analysed"),
        (Swatch::Fill("failed"), "failed"),
    ]);
    let caption = format!(
        "What became of {} conflict cases. A case is analysed only where the model, shown one modality alone, gave the \
         answer which that modality was designed to give: {} cases ({}).",
        number::count(counts.cases),
        number::count(counts.analysed),
        number::percent(counts.analysed, counts.cases),
    );
    framed("tally", &format!("{legend}{}", drawing.finish()), &caption, None)
}
