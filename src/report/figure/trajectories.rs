//! Figure: one image with texts of rising difficulty, layer by layer: difference of the logits, and the most probable word.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Swatch, framed, legend, nothing};
use crate::analysis::summary::{Class, Trajectories, Trajectory};
use crate::report::case_links::CaseLinks;
use crate::report::input::CaseView;
use crate::report::svg::axis;
use crate::report::svg::drawing::Drawing;
use crate::report::svg::element::Element;
use crate::report::svg::scale::{Bands, Linear};
use crate::report::table::Table;
use crate::report::{escape, number};

/// Width of the drawing, of the axis, and heights of a plot and of the words under it, user units.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 48.0;
const PLOT: f64 = 118.0;
const WORDS: f64 = 84.0;
/// A word lies where a layer is at least this wide, and stands where it is narrower.
const LYING: f64 = 60.0;
/// Letters of a word that are shown.
const LETTERS: usize = 11;

/// The figure, or why there is none.
#[must_use]
pub fn figure(id: &str, example: Option<&Trajectories>, links: &CaseLinks) -> String {
    let Some(example) = example else {
        return nothing("No image has probed and analysed cases with all three texts (dt 0, 1 and 2).");
    };
    let strongest = example
        .cases
        .iter()
        .flat_map(|case| &case.points)
        .filter_map(|point| point.logit_difference.filter(|value| value.is_finite()))
        .fold(0.0, |most: f64, value| most.max(value.abs()));
    let panels: String = example.cases.iter().map(|case| panel(id, case, strongest, links)).collect();
    let picture = example.cases.iter().find_map(|case| picture(links.item(&case.item_id)?.0));
    let legend = legend(&[
        (Swatch::Fill("text"), "the text's answer is the most probable"),
        (Swatch::Fill("vision"), "the image's answer"),
        (Swatch::Fill("other"), "another token"),
    ]);
    let caption = format!(
        "One image (group {}, dv {}) with three texts. Line: logit(<i>Y<sub>t</sub></i>) − \
         logit(<i>Y<sub>v</sub></i>) after each layer; points and words: the most probable token. An example, chosen because \
         its cases switch most often, so that it stands for nothing more.",
        escape::html(&example.group_id),
        example.dv
    );
    let drawing = format!(
        "{legend}<div class=\"trajectories\"><div class=\"shown\">{}{}</div><div class=\"scroll wide\" role=\"group\" tabindex=\"0\" \
         aria-label=\"Three cases, layer by layer\">{panels}</div></div>",
        picture.unwrap_or_default(),
        answers(example)
    );
    framed("trajectories", &drawing, &caption, Some(&numbers(example)))
}

fn picture(case: &CaseView) -> Option<String> {
    let png = case.image_png.as_ref().filter(|png| png.starts_with(b"\x89PNG\r\n\x1a\n"))?;
    let (width, height) = case.image_size?;
    Some(format!(
        "<img alt=\"The image of these cases\" decoding=\"async\" width=\"{width}\" height=\"{height}\" \
         src=\"data:image/png;base64,{}\">",
        STANDARD.encode(png)
    ))
}

/// What either modality says.
fn answers(example: &Trajectories) -> String {
    let answer = |answer: &Option<String>| answer.as_deref().map_or_else(|| "none".to_string(), escape::html);
    format!(
        "<dl class=\"expected\"><div><dt>image says</dt><dd class=\"ink-vision\">{}</dd></div>\
         <div><dt>text says</dt><dd class=\"ink-text\">{}</dd></div></dl>",
        answer(&example.expected_vision),
        answer(&example.expected_text)
    )
}

fn hue(class: Option<Class>) -> &'static str {
    class.map_or("other", Class::as_str)
}

fn panel(id: &str, case: &Trajectory, strongest: f64, links: &CaseLinks) -> String {
    let bands = Bands::new(case.points.len(), (LEFT, WIDTH - 8.0));
    let lying = bands.width() >= LYING;
    let foot = PLOT + if lying { 44.0 } else { WORDS };
    let reach = if strongest > 0.0 { strongest } else { 1.0 };
    let y = Linear::new((-reach, reach), (PLOT - 6.0, 10.0));
    let mut drawing = Drawing::new(
        &format!("{id}-trajectory-{}", case.dt),
        (WIDTH, foot),
        &format!("dt {}, layer by layer", case.dt),
        &format!("{} switches over {} layers.", case.oscillations, case.points.len()),
    );
    drawing.push(&Element::rect(LEFT, 4.0, WIDTH - 8.0 - LEFT, y.at(0.0) - 4.0).class("text tint"));
    drawing.push(&Element::rect(LEFT, y.at(0.0), WIDTH - 8.0 - LEFT, PLOT - y.at(0.0)).class("vision tint"));
    axis::left(&mut drawing, &y, LEFT, WIDTH - 8.0, &[-reach, 0.0, reach], 1);
    let marks: Vec<(f64, f64, usize)> = case
        .points
        .iter()
        .enumerate()
        .filter_map(|(at, point)| Some((at, point.logit_difference.filter(|value| value.is_finite())?)))
        .map(|(at, value)| (bands.center(at), y.at(value), at))
        .collect();
    let line: Vec<(f64, f64)> = marks.iter().map(|(x, y, _)| (*x, *y)).collect();
    drawing.push(&Element::polyline(&line).class("series stroke-ink"));
    for (x, height, at) in marks {
        let point = &case.points[at];
        let words = format!(
            "layer {}: {}, difference {}",
            point.layer,
            point
                .top1_text
                .as_deref()
                .map_or_else(|| "word unknown".to_string(), |word| format!("“{}”", word.trim())),
            number::optional(point.logit_difference, 2)
        );
        let class = format!("point {}", hue(point.class));
        drawing.push(&Element::circle((x, height), 4.2).class(&class).tooltip(&words));
    }
    for (at, point) in case.points.iter().enumerate() {
        let x = bands.center(at);
        let layer = Element::label(x, PLOT + 15.0, &point.layer.to_string());
        drawing.push(&layer.class("tick middle"));
        let word = shown(point.top1_text.as_deref());
        let class = format!("word ink-{}", hue(point.class));
        drawing.push(&match lying {
            true => Element::label(x, PLOT + 34.0, &word).class(&format!("{class} middle")),
            false => Element::label(x + 4.0, PLOT + 22.0, &word)
                .class(&format!("{class} end"))
                .attribute("transform", &format!("rotate(-90 {:.2} {:.2})", x + 4.0, PLOT + 22.0)),
        });
    }
    format!("<h4>{}</h4>{}", heading(case, links), drawing.finish())
}

fn heading(case: &Trajectory, links: &CaseLinks) -> String {
    let follows = match case.follows.as_deref() {
        Some("text") => "follows the text",
        Some("vision") => "follows the image",
        Some("other") => "follows neither",
        _ => "following unknown",
    };
    let switches = if case.oscillations == 1 { "switch" } else { "switches" };
    let dh_rel = case
        .dh_rel
        .map_or_else(String::new, |value| format!(", {} {}", super::DH_REL, number::fixed(value, 2)));
    let link = links.item(&case.item_id).map_or_else(String::new, |(_, link)| {
        format!(" <a href=\"{}\">the case</a>", escape::html(&link.href))
    });
    format!(
        "dt {} <span class=\"soft\">{} {switches}, {follows}{dh_rel}{link}</span>",
        case.dt, case.oscillations
    )
}

/// A word as it fits.
fn shown(word: Option<&str>) -> String {
    let word = word.map_or("", str::trim);
    match word.char_indices().nth(LETTERS) {
        _ if word.is_empty() => "␣".to_string(),
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_string(),
    }
}

fn numbers(example: &Trajectories) -> String {
    let mut table = Table::new(&["case, layer", "most probable", "whose answer", "difference of logits"]);
    for case in &example.cases {
        for point in &case.points {
            table.row([
                format!("dt {}, {}", case.dt, point.layer),
                point.top1_text.clone().unwrap_or_default(),
                point.class.map_or(number::ABSENT, Class::as_str).to_string(),
                number::optional(point.logit_difference, 3),
            ]);
        }
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn words_are_cut_between_letters_and_blanks_are_seen() {
        assert_eq!([shown(Some(" red")), shown(Some("\n")), shown(None)], ["red", "␣", "␣"]);
        assert_eq!(shown(Some("éééééééééééé")), "ééééééééééé…");
    }
}
