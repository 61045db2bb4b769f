//! Figure: what another resolution, font or color changes, paired by item against the reference rendering.

use super::{framed, nothing, whisker};
use crate::analysis::summary::{ConsistencyAnalysis, EffectLevel, EffectMeasures, Estimate, Factor};
use crate::report::number;
use crate::report::svg::axis;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::{Linear, round_ticks};
use crate::report::table::Table;

/// Width of the drawing, of the row names and of a panel with its gap, and height of a row, user units.
const WIDTH: f64 = 960.0;
const NAMES: f64 = 190.0;
const PANEL: f64 = (WIDTH - NAMES) / 3.0;
const GAP: f64 = 34.0;
const ROW: f64 = 30.0;
const TOP: f64 = 26.0;

type Pick = fn(&EffectMeasures) -> Option<Estimate>;
const MEASURES: [(&str, Pick); 3] = [
    ("accuracy of the image", |of| of.accuracy),
    ("RER", |of| of.rer),
    ("character error rate", |of| of.cer),
];

/// The figure, or why there is none.
#[must_use]
pub fn figure(id: &str, analysis: &ConsistencyAnalysis) -> String {
    let compared: Vec<(&EffectLevel, &EffectMeasures)> =
        analysis.effects.iter().filter_map(|at| Some((at, at.difference.as_ref()?))).collect();
    if compared.is_empty() {
        return nothing(
            "There are no renderings to compare: each factor has one level, or the reference was not run.",
        );
    }
    let foot = TOP + ROW * compared.len() as f64;
    let mut drawing = Drawing::new(
        &format!("{id}-effects"),
        (WIDTH, foot + 28.0),
        "Effects of resolution, font and color",
        "Differences to the reference rendering, paired by item; the table below the figure holds all numbers.",
    );
    for (row, (at, _)) in compared.iter().enumerate() {
        let y = TOP + ROW * (row as f64 + 0.5);
        drawing.push(&Element::label(0.0, y + 4.5, &name(at)).class("row-name"));
        drawing.push(&Element::line((NAMES, y), (WIDTH, y)).class("grid"));
    }
    for (panel, (title, pick)) in MEASURES.into_iter().enumerate() {
        let left = NAMES + PANEL * panel as f64;
        let far = compared.iter().filter_map(|(_, of)| pick(of)).map(reach).fold(0.0, f64::max);
        let ticks = round_ticks(far);
        let limit = ticks[ticks.len() - 1];
        let x = Linear::new((-limit, limit), (left, left + PANEL - GAP));
        let ticks = [-limit, 0.0, limit];
        drawing.push(&Element::label(left, 10.0, title).class("name"));
        drawing.push(&Element::line((x.at(0.0), TOP - 6.0), (x.at(0.0), foot)).class("half"));
        axis::bottom(&mut drawing, &x, foot, &ticks, axis::decimals(&ticks));
        for (row, (at, of)) in compared.iter().enumerate() {
            let Some(value) = pick(of).filter(|value| value.value.is_finite()) else { continue };
            let y = TOP + ROW * (row as f64 + 0.5);
            whisker::lying(&mut drawing, y, &x, &value);
            let words = format!("{}, {title}: {}", name(at), number::difference(Some(value), 3));
            drawing.push(&Element::circle((x.at(value.value), y), 4.5).class("point vision").tooltip(&words));
        }
    }
    let caption = "Change against the reference rendering (200\u{a0}dpi, DejaVu Sans, black), paired by item, with intervals. \
                   Resolution is taken over all fonts and font over all resolutions, both in black; a color is compared \
                   with black in the same font and resolution. An interval that holds 0 shows no effect.";
    let drawing = format!(
        "<div class=\"scroll wide\" role=\"group\" tabindex=\"0\" aria-label=\"Effects of renderings\">{}</div>",
        drawing.finish()
    );
    framed("effects", &drawing, caption, Some(&numbers(&analysis.effects)))
}

fn name(at: &EffectLevel) -> String {
    match at.factor {
        Factor::Dpi => format!("{} dpi", at.level),
        Factor::Font => at.level.clone(),
        Factor::Color if at.level == "colored" => "any color".to_string(),
        Factor::Color => at.level.clone(),
    }
}

/// How far from 0 an estimate reaches.
fn reach(of: Estimate) -> f64 {
    let (low, high) = number::interval(&of).unwrap_or((of.value, of.value));
    let far = low.abs().max(high.abs()).max(of.value.abs());
    if far.is_finite() { far } else { 0.0 }
}

fn numbers(levels: &[EffectLevel]) -> String {
    let mut table =
        Table::new(&["level", "comparisons", "image right", "change", "RER", "change", "CER", "change"]);
    for at in levels {
        let value = |pick: Pick| number::optional_estimate(pick(&at.at_level), 3);
        let change = |pick: Pick| match &at.difference {
            Some(difference) => number::difference(pick(difference), 3),
            None => "reference".to_string(),
        };
        table.row([
            format!("{}: {}", at.factor.as_str(), at.level),
            number::count(at.comparisons),
            value(|of| of.accuracy),
            change(|of| of.accuracy),
            value(|of| of.rer),
            change(|of| of.rer),
            value(|of| of.cer),
            change(|of| of.cer),
        ]);
    }
    table.finish()
}
