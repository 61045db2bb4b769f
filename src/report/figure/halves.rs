//! Figure: the curve again where total entropy is low and where it is high, side by side. A law survives the split.

use super::curve::curve_legend;
use super::curve_plot::{self, Size};
use super::{framed, nothing};
use crate::analysis::summary::CurveSplit;
use crate::report::escape;
use crate::report::number;

/// The figure, or why there is none.
#[must_use]
pub fn figure(id: &str, splits: &[CurveSplit]) -> String {
    if splits.iter().all(|split| split.curve.cases == 0) {
        return nothing("There are no halves to compare: too few cases have both entropies.");
    }
    let size = Size { width: 400.0, height: 330.0, radius: 8.0 };
    let plots: String = splits
        .iter()
        .enumerate()
        .map(|(index, split)| {
            let title = title(&split.name);
            let drawing = curve_plot::draw(&format!("{id}-half{index}"), &title, &split.curve, size);
            format!(
                "<div><h4>{} <span class=\"soft\">{} cases</span></h4>{drawing}</div>",
                escape::html(&title),
                number::count(split.curve.cases)
            )
        })
        .collect();
    let caption = "The curve below and above the median of <i>H<sub>t</sub></i> + <i>H<sub>v</sub></i>. If relative \
                   uncertainty drives the choice, both fall, and the balance point stays where it is.";
    framed("halves", &format!("{}<div class=\"pair\">{plots}</div>", curve_legend()), caption, None)
}

fn title(name: &str) -> String {
    match name {
        "low" => "Low total entropy".to_string(),
        "high" => "High total entropy".to_string(),
        name => name.to_string(),
    }
}
