//! One case as a card: its image, the three presentations side by side, and what the model made of each.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::figure::DH_REL;
use super::input::{CasePrompt, CaseView};
use super::svg::element::Element;
use super::{escape, number};

/// How every PNG file begins.
const PNG_SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];

/// The card. `position` counts from 1; `bin` names the case's bin of dH_rel.
#[must_use]
pub fn card(position: usize, case: &CaseView, bin: &str) -> String {
    let follows = following(case);
    format!(
        "<article class=\"case\" id=\"case-{position}\" tabindex=\"-1\" aria-labelledby=\"case-{position}-name\" \
         data-follows=\"{}\" data-dv=\"{}\" data-dt=\"{}\" data-control=\"{}\" data-bin=\"{}\">\
         <header><h3 id=\"case-{position}-name\">{}</h3><p class=\"chips\">{}</p></header>\
         <div class=\"case-body\"><div class=\"case-image\">{}{}</div><div class=\"presentations\">{}</div></div></article>",
        escape::html(&follows),
        escape::html(&tier(case.dv)),
        escape::html(&tier(case.dt)),
        escape::html(control(case)),
        escape::html(bin),
        escape::html(&case.item_id),
        chips(case, &follows),
        image(case),
        expected(case),
        presentations(case),
    )
}

/// "text", "vision", "other", or "none" where it cannot be said.
#[must_use]
pub fn following(case: &CaseView) -> String {
    case.follows.clone().unwrap_or_else(|| "none".to_string())
}

/// A tier as filters and chips name it; "none" where the case has no such tier.
#[must_use]
pub fn tier(tier: Option<i32>) -> String {
    tier.map_or_else(|| "none".to_string(), |tier| tier.to_string())
}

/// The control's name, "none" for a conflict case proper.
#[must_use]
pub fn control(case: &CaseView) -> &str {
    if case.control.is_empty() { "none" } else { &case.control }
}

/// The class of the hue in which a way to follow is shown.
fn hue(follows: &str) -> &'static str {
    match follows {
        "text" => "text",
        "vision" => "vision",
        _ => "other",
    }
}

fn chips(case: &CaseView, follows: &str) -> String {
    let words = match follows {
        "text" => "follows the text",
        "vision" => "follows the image",
        "none" => "following unknown",
        words => words,
    };
    let mut chips = format!("<span class=\"chip ink-{}\">{}</span>", hue(follows), escape::html(words));
    for (name, value) in [("dv", case.dv), ("dt", case.dt)] {
        if let Some(value) = value {
            chips.push_str(&format!("<span class=\"chip\">{name} {value}</span>"));
        }
    }
    if control(case) != "none" {
        chips.push_str(&format!("<span class=\"chip\">{}</span>", escape::html(control(case))));
    }
    if let Some(dh_rel) = case.dh_rel {
        chips.push_str(&format!("<span class=\"chip\">{DH_REL} {}</span>", number::fixed(dh_rel, 2)));
    }
    let analysed = if case.analysed { "analysed" } else { "not analysed" };
    chips.push_str(&format!("<span class=\"chip\">{analysed}</span>"));
    chips.push_str(&format!("<span class=\"chip soft\">group {}</span>", escape::html(&case.group_id)));
    chips
}

fn image(case: &CaseView) -> String {
    let Some(png) = &case.image_png else {
        return "<p class=\"nothing\">The image is not part of this page.</p>".to_string();
    };
    if !png.starts_with(&PNG_SIGNATURE) {
        return "<p class=\"nothing\">The image is not a PNG file, and is not shown.</p>".to_string();
    }
    let size = case
        .image_size
        .map(|(width, height)| format!(" width=\"{width}\" height=\"{height}\""))
        .unwrap_or_default();
    format!(
        "<img alt=\"The image of case {}\" decoding=\"async\"{size} src=\"data:image/png;base64,{}\">",
        escape::html(&case.item_id),
        STANDARD.encode(png)
    )
}

fn expected(case: &CaseView) -> String {
    let answer = |answer: &Option<String>| answer.as_deref().map_or_else(|| "none".to_string(), escape::html);
    format!(
        "<dl class=\"expected\"><div><dt>image says</dt><dd class=\"ink-vision\">{}</dd></div>\
         <div><dt>text says</dt><dd class=\"ink-text\">{}</dd></div></dl>",
        answer(&case.expected_vision),
        answer(&case.expected_text)
    )
}

fn presentations(case: &CaseView) -> String {
    if case.prompts.is_empty() {
        return "<p class=\"nothing\">The prompts of this case are not in the tables.</p>".to_string();
    }
    case.prompts.iter().map(|prompt| presentation(case, prompt)).collect()
}

fn presentation(case: &CaseView, prompt: &CasePrompt) -> String {
    let title = match prompt.presentation.as_str() {
        "vision-only" => "Image alone",
        "text-only" => "Text alone",
        "conflict" => "Image and text",
        title => title,
    };
    let text = escape::html(&prompt.text).replace("&lt;image&gt;", "<span class=\"image-mark\">image</span>");
    format!(
        "<section class=\"presentation\"><h4>{}</h4><p class=\"prompt\">{text}</p><div class=\"answered\">{}</div>{}</section>",
        escape::html(title),
        answer(case, prompt),
        options(case, prompt)
    )
}

fn answer(case: &CaseView, prompt: &CasePrompt) -> String {
    if let Some(error) = &prompt.error {
        return format!(
            "<p class=\"error\"><strong>{}</strong> {}</p>",
            escape::html(if prompt.status.is_empty() { "error" } else { &prompt.status }),
            escape::html(error)
        );
    }
    let parsed = match &prompt.answer {
        Some(answer) => {
            format!("<span class=\"ink-{}\">{}</span>", answer_hue(case, answer), escape::html(answer))
        }
        None => "<span class=\"soft\">no answer read</span>".to_string(),
    };
    let raw = prompt.raw_text.trim();
    let raw = if raw.is_empty() || prompt.answer.as_deref() == Some(raw) {
        String::new()
    } else {
        format!("<p class=\"raw\">written: <q>{}</q></p>", escape::html(raw))
    };
    let entropy = prompt.entropy.map_or_else(
        || "entropy not recorded".to_string(),
        |entropy| format!("<i>H</i> = {} nats", number::fixed(entropy, 3)),
    );
    format!("<p class=\"answer\">{parsed}</p>{raw}<p class=\"entropy\">{entropy}</p>")
}

/// An answer is shown in the hue of the modality that is designed to give it.
fn answer_hue(case: &CaseView, answer: &str) -> &'static str {
    if case.expected_text.as_deref() == Some(answer) {
        "text"
    } else if case.expected_vision.as_deref() == Some(answer) {
        "vision"
    } else {
        "other"
    }
}

fn options(case: &CaseView, prompt: &CasePrompt) -> String {
    if prompt.options.is_empty() {
        return String::new();
    }
    let rows: String = prompt
        .options
        .iter()
        .map(|(name, probability)| {
            let width = if probability.is_finite() { probability.clamp(0.0, 1.0) * 100.0 } else { 0.0 };
            let bar = Element::rect(0.0, 0.0, width, 8.0).class(answer_hue(case, name));
            format!(
                "<li><span class=\"option\">{}</span><svg class=\"bar\" viewBox=\"0 0 100 8\" \
                 preserveAspectRatio=\"none\" aria-hidden=\"true\">{bar}</svg><span class=\"probability\">{}</span></li>",
                escape::html(name),
                number::fixed(*probability, 3)
            )
        })
        .collect();
    format!("<ul class=\"options\" aria-label=\"Probability of each option\">{rows}</ul>")
}
