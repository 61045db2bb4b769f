//! What the model would answer after each layer, for the terminal.

use super::cell::{count, estimate, percent, signed};
use super::line;
use super::rows::section;
use crate::analysis::summary::{ClassCounts, LayerSet, LayersAnalysis};

/// What is said of a run that was not probed.
pub(super) const HINT: &str = "Layers\n  this run was not probed: `crossmodal run --probe-layers` writes what the model would \
                               answer after each layer\n";

/// The sections of an analysis of layers.
pub(super) fn layers(of: &LayersAnalysis) -> String {
    super::joined([cases(of), oscillations(of), classes(of)])
}

fn cases(of: &LayersAnalysis) -> String {
    let mut text =
        format!("Layers: what the model would answer after each of its {} layers (logit lens)\n", of.layers);
    line(&mut text, "probed", &format!("{} of the {} analysed cases", count(of.probed), count(of.analysed)));
    match of.balance_point {
        Some(point) => {
            let width = of.settings.ambiguous_width;
            let words =
                format!("dH_rel within {width} of the balance point {}; clear: the others", signed(point));
            line(&mut text, "ambiguous", &words);
            line(&mut text, "", "the balance point is taken as a point: its interval is not in those below");
        }
        None => line(&mut text, "regions", "none: the curve has no balance point"),
    }
    if of.unplaced > 0 {
        line(&mut text, "in no region", &format!("{} cases without dH_rel", count(of.unplaced)));
    }
    text
}

fn oscillations(of: &LayersAnalysis) -> String {
    let number = |value: f64| format!("{value:.3}");
    let row = |set: &LayerSet| {
        let mean = set.oscillations.map_or_else(|| "-".into(), |mean| estimate(mean, number));
        [set.name.clone(), count(set.cases), mean]
    };
    let difference =
        ["ambiguous - clear".to_owned(), String::new(), super::consistency::change(of.difference)];
    let rows: Vec<_> =
        of.sets.iter().map(row).chain(of.balance_point.is_some().then_some(difference)).collect();
    let heading = "Oscillations: switches between the image's and the text's answer, other layers left out";
    section(heading, ["", "cases", "mean of a case"], &rows)
}

/// Shares by layer, over all analysed conflict cases.
fn classes(of: &LayersAnalysis) -> String {
    let row = |at: &ClassCounts| {
        let whole = (at.vision + at.text + at.other).max(1) as f64;
        let [vision, text, other] = [at.vision, at.text, at.other].map(|part| percent(part as f64 / whole));
        [at.layer.to_string(), vision, text, other]
    };
    let rows: Vec<_> = of.set(LayerSet::CONFLICT).into_iter().flat_map(|set| &set.classes).map(row).collect();
    section("Whose answer the most probable token is", ["layer", "image", "text", "other"], &rows)
}
