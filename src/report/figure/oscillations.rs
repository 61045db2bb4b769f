//! Figure: how often cases switch between the two answers on their way through the layers, by region and control.

use super::{framed, nothing, whisker};
use crate::analysis::summary::{LayerSet, LayersAnalysis};
use crate::report::number;
use crate::report::svg::axis;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::{Linear, round_ticks};
use crate::report::table::Table;

/// Width of the drawing, of the names, and height of a row, user units.
const WIDTH: f64 = 720.0;
const NAMES: f64 = 190.0;
const ROW: f64 = 50.0;

/// The figure, or why there is none.
#[must_use]
pub fn figure(id: &str, of: &LayersAnalysis) -> String {
    let drawn: Vec<&LayerSet> =
        of.sets.iter().filter(|set| set.oscillations.is_some_and(|mean| mean.value.is_finite())).collect();
    if drawn.is_empty() {
        return nothing("No case has a class after any layer, so there are no switches to count.");
    }
    let highest = drawn.iter().filter_map(|set| set.oscillations).fold(0.0, |most: f64, mean| {
        most.max(mean.value).max(number::interval(&mean).map_or(0.0, |(_, high)| high))
    });
    let ticks = round_ticks(highest);
    let bottom = ROW * drawn.len() as f64;
    let x = Linear::new((0.0, ticks[ticks.len() - 1]), (NAMES, WIDTH - 16.0));
    let words: Vec<String> = drawn.iter().map(|set| words(set)).collect();
    let mut drawing = Drawing::new(
        &format!("{id}-oscillations"),
        (WIDTH, bottom + 54.0),
        "Mean switches of a case by region and control",
        &words.join("; "),
    );
    for tick in &ticks {
        drawing.push(&Element::line((x.at(*tick), 0.0), (x.at(*tick), bottom)).class("grid"));
    }
    axis::bottom(&mut drawing, &x, bottom, &ticks, axis::decimals(&ticks));
    let middle = f64::midpoint(NAMES, WIDTH - 16.0);
    drawing.push(&Element::label(middle, bottom + 44.0, "mean switches of a case").class("name middle"));
    for ((index, set), words) in drawn.iter().enumerate().zip(&words) {
        let top = ROW * index as f64;
        let Some(mean) = set.oscillations else { continue };
        drawing.push(&Element::label(NAMES - 10.0, top + 21.0, name(set)).class("row-name end"));
        let cases = format!("{} cases", number::count(set.cases));
        drawing.push(&Element::label(NAMES - 10.0, top + 40.0, &cases).class("tick end"));
        let bar = Element::rect(NAMES, top + 11.0, x.at(mean.value) - NAMES, ROW - 22.0);
        drawing.push(&bar.class(class(set)).tooltip(words));
        whisker::lying(&mut drawing, top + ROW / 2.0, &x, &mean);
    }
    let regions = match of.balance_point.filter(|point| point.is_finite()) {
        Some(point) => format!(
            "<i>Ambiguous</i>: at most {} from the balance point ({}, taken as it is: its own interval is not in the whiskers); \
             <i>clear</i>: the other cases. Ambiguous − clear: {}.",
            number::fixed(of.settings.ambiguous_width, 2),
            number::fixed(point, 2),
            number::difference(of.difference, 2)
        ),
        None => {
            "The curve has no balance point, so that there is nothing to be near to: no regions.".to_string()
        }
    };
    let caption = format!(
        "Switches between the image's and the text's answer from layer to layer, after the layers whose most probable token is \
         neither are left out: image, other, text is one switch. {regions} Controls are counted whatever their cases answer \
         alone. Whiskers are bootstrap intervals by group."
    );
    framed("oscillations", &drawing.finish(), &caption, Some(&numbers(of)))
}

/// The name of a set as it stands in the figure.
fn name(set: &LayerSet) -> &str {
    if set.name == LayerSet::CONFLICT { "all conflict cases" } else { &set.name }
}

fn class(set: &LayerSet) -> &'static str {
    match set.name.as_str() {
        LayerSet::AMBIGUOUS => "switches near",
        LayerSet::CLEAR | LayerSet::CONFLICT => "switches",
        _ => "switches control",
    }
}

fn words(set: &LayerSet) -> String {
    let cases = number::count(set.cases);
    format!(
        "{}: {} switches a case ({cases} cases)",
        name(set),
        number::optional_estimate(set.oscillations, 2)
    )
}

fn numbers(of: &LayersAnalysis) -> String {
    let mut table = Table::new(&["set", "cases", "mean switches"]);
    for set in &of.sets {
        table.row([
            name(set).to_string(),
            number::count(set.cases),
            number::optional_estimate(set.oscillations, 3),
        ]);
    }
    if of.balance_point.is_some() {
        table.row(["ambiguous − clear".to_string(), String::new(), number::difference(of.difference, 3)]);
    }
    table.finish()
}
