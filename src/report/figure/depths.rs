//! Figure: how alike image and text are from the decoder's input through every layer to its output.

use super::{Swatch, framed, legend};
use crate::analysis::summary::{BestDepth, Estimate, Representation};
use crate::report::svg::axis;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::{Bands, Linear};
use crate::report::{escape, number};

/// Size of a panel and of the frame around its plot, user units.
const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 46.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 48.0;

type Pick = fn(&Representation) -> Option<Estimate>;

/// A line of a panel: its hue, what it is called, and its values.
type Series = (&'static str, &'static str, Pick);

const COSINE: [Series; 1] = [("ink", "mean cosine", |at| at.cosine)];
const RETRIEVAL: [Series; 3] = [
    ("vision", "image to text", |at| at.image_to_text),
    ("text", "text to image", |at| at.text_to_image),
    ("ink", "both directions", |at| at.retrieval),
];

/// The figure; `numbers` is the table behind it. For more depths than the two ends: those are a table and no curve.
#[must_use]
pub fn figure(id: &str, rows: &[Representation], best: Option<&BestDepth>, numbers: &str) -> String {
    let cosine = panel(
        &format!("{id}-cosine"),
        "Mean cosine by depth",
        rows,
        &COSINE,
        best.map(|best| best.cosine.as_str()),
    );
    let retrieval = best.and_then(|best| best.retrieval.as_deref());
    let found = panel(&format!("{id}-retrieval"), "Retrieval by depth", rows, &RETRIEVAL, retrieval);
    let legend = legend(&[
        (
            Swatch::Line("series stroke-ink strong"),
            "mean cosine, and retrieval both ways, with the band of their intervals",
        ),
        (Swatch::Line("series stroke-vision strong"), "retrieval image to text"),
        (Swatch::Line("series stroke-text strong"), "retrieval text to image"),
    ]);
    let place = |depth: &str| escape::html(&words(depth));
    let best = match best {
        Some(BestDepth { cosine, retrieval: Some(retrieval) }) => format!(
            " Most alike by cosine at {}, by retrieval at {} (dotted).",
            place(cosine),
            place(retrieval)
        ),
        Some(BestDepth { cosine, retrieval: None }) => format!(" Most alike by cosine at {}.", place(cosine)),
        None => String::new(),
    };
    let caption = format!(
        "Mean image token of a rendering against the mean text token of its text at the decoder's input (in), after each \
         layer, and at its output (out), after the last norm. Cosines of different depths are not on one scale: all vectors of \
         a layer may share a direction; retrieval, which compares a pair with the others of its depth, is not misled by that.{best}"
    );
    let drawing = format!(
        "{legend}<div class=\"pair\"><div><h4>Cosine</h4>{cosine}</div><div><h4>Retrieval</h4>{found}</div></div>"
    );
    framed("depths", &drawing, &caption, Some(numbers))
}

/// A depth in words.
pub(super) fn words(depth: &str) -> String {
    match (depth, number_of(depth)) {
        ("input" | "output", _) => format!("the decoder's {depth}"),
        (_, Some(layer)) => format!("layer {layer}"),
        _ => depth.to_string(),
    }
}

fn number_of(depth: &str) -> Option<u32> {
    depth.strip_prefix("layer-")?.parse().ok()
}

fn panel(id: &str, title: &str, rows: &[Representation], series: &[Series], best: Option<&str>) -> String {
    let (left, right, bottom) = (LEFT, WIDTH - 8.0, HEIGHT - BOTTOM);
    let bands = Bands::new(rows.len(), (left, right));
    let values = |pick: Pick| {
        let known = move |(place, at): (usize, &Representation)| {
            Some((place, pick(at).filter(|estimate| estimate.value.is_finite())?))
        };
        rows.iter().enumerate().filter_map(known).collect::<Vec<(usize, Estimate)>>()
    };
    let lowest = series.iter().flat_map(|(.., pick)| values(*pick)).fold(0.0, |low: f64, (_, at)| {
        low.min(at.value).min(number::interval(&at).map_or(0.0, |(low, _)| low))
    });
    let ticks: &[f64] =
        if lowest < 0.0 { &[-1.0, -0.5, 0.0, 0.5, 1.0] } else { &[0.0, 0.25, 0.5, 0.75, 1.0] };
    let y = Linear::new((ticks[0], 1.0), (bottom, TOP - 14.0));
    let described: Vec<String> = series
        .iter()
        .flat_map(|(_, name, pick)| {
            values(*pick).into_iter().map(move |(place, at)| {
                format!("{name}, {}: {}", words(&rows[place].depth), number::fixed(at.value, 2))
            })
        })
        .collect();
    let mut drawing = Drawing::new(id, (WIDTH, HEIGHT), title, &described.join("; "));
    axis::left(&mut drawing, &y, left, right, ticks, axis::decimals(ticks));
    drawing.push(&Element::line((left, bottom), (right, bottom)).class("axis"));
    let step = [1, 2, 5, 10, 20, 50]
        .into_iter()
        .find(|step| bands.width() * f64::from(*step) >= 24.0)
        .unwrap_or(100);
    for (place, at) in rows.iter().enumerate() {
        let label = match (at.depth.as_str(), number_of(&at.depth)) {
            ("input", _) => "in".to_string(),
            ("output", _) => "out".to_string(),
            // The number next to the output would touch it.
            (_, Some(layer)) if layer % step == 0 && (place + 2 < rows.len() || step == 1) => {
                layer.to_string()
            }
            _ => continue,
        };
        drawing.push(&Element::label(bands.center(place), bottom + 18.0, &label).class("tick middle"));
    }
    drawing.push(&Element::label(f64::midpoint(left, right), bottom + 40.0, "layer").class("name middle"));
    if let Some(place) = best.and_then(|best| rows.iter().position(|at| at.depth == best)) {
        let x = bands.center(place);
        let best = format!("best: {}", words(&rows[place].depth));
        drawing.push(&Element::line((x, TOP - 14.0), (x, bottom)).class("balance-line").tooltip(&best));
    }
    for (hue, name, pick) in series {
        let known = values(*pick);
        // Of one line the band is drawn; three would hide each other.
        if *hue == "ink" {
            drawing.push(&band(&known, &bands, &y));
        }
        let points: Vec<(f64, f64)> =
            known.iter().map(|(place, at)| (bands.center(*place), y.at(at.value))).collect();
        drawing.push(&Element::polyline(&points).class(&format!("series strong stroke-{hue}")));
        for ((place, at), point) in known.iter().zip(points) {
            let tip = format!("{name}, {}: {}", words(&rows[*place].depth), number::estimate(at, 3));
            drawing.push(&Element::circle(point, 3.2).class(&format!("point {hue}")).tooltip(&tip));
        }
    }
    drawing.finish()
}

/// The intervals as an area: along the upper ends, and back along the lower ones.
fn band(known: &[(usize, Estimate)], bands: &Bands, y: &Linear) -> Element {
    let ends: Vec<(f64, (f64, f64))> =
        known.iter().filter_map(|(place, at)| Some((bands.center(*place), number::interval(at)?))).collect();
    let upper = ends.iter().map(|(x, (_, high))| (*x, y.at(*high)));
    let lower = ends.iter().rev().map(|(x, (low, _))| (*x, y.at(*low)));
    Element::polygon(&upper.chain(lower).collect::<Vec<_>>()).class("band")
}
