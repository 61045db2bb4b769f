//! The contact sheet: a few items in all their renderings, with the model's answer to each.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::figure::nothing;
use super::input::{AnswerView, ItemView, RenderingView};
use super::{escape, number};

/// How every PNG file begins.
const PNG_SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];

/// Characters of a transcription or of what the model wrote that are shown.
const EXCERPT: usize = 700;

/// The section.
#[must_use]
pub fn section(items: &[ItemView]) -> String {
    let body = if items.is_empty() {
        nothing("This page was made without a sample of items.")
    } else {
        let cards: String = items.iter().enumerate().map(|(index, item)| card(index + 1, item)).collect();
        format!(
            "<p class=\"intro\">A sample, to look at what the model was shown and what it said; items whose answers differ come \
             first, so that it stands for nothing more. A right answer is marked ✓, a wrong one ✗.</p>{cards}"
        )
    };
    format!("<section id=\"items\"><h2>Items in all renderings</h2>{body}</section>")
}

/// An item; `position` counts from 1.
fn card(position: usize, item: &ItemView) -> String {
    let task = item.task.as_deref().map(|task| format!("<span class=\"chip\">{}</span>", escape::html(task)));
    let renderings: String = match item.renderings.as_slice() {
        [] => nothing("It was not shown as image."),
        renderings => renderings.iter().map(|rendering| figure(item, rendering)).collect(),
    };
    format!(
        "<article class=\"case item\" id=\"item-{position}\" aria-labelledby=\"item-{position}-name\">\
         <header><h3 id=\"item-{position}-name\">{}</h3><p class=\"chips\">{}<span class=\"chip\">expected \
         <strong>{}</strong></span><span class=\"chip\">text {}</span></p></header>\
         <div class=\"sheet\">{renderings}</div></article>",
        escape::html(&item.item_id),
        task.unwrap_or_default(),
        item.expected.as_deref().map_or_else(|| "unknown".to_string(), escape::html),
        answer(item.text.as_ref(), "text"),
    )
}

fn figure(item: &ItemView, rendering: &RenderingView) -> String {
    let line = |name: &str, of: Option<&AnswerView>, hue: &str| match of {
        None => String::new(),
        Some(of) => format!("<div><dt>{name}</dt><dd>{}</dd></div>", answer(Some(of), hue)),
    };
    let lines = [
        line("image", rendering.image.as_ref(), "vision"),
        line("mixed", rendering.mixed.as_ref(), "mixed"),
        line("OCR first", rendering.ocr_first.as_ref(), "other"),
    ]
    .concat();
    format!(
        "<div class=\"rendering\"><h4>{}</h4>{}<dl class=\"answers\">{lines}</dl>{}</div>",
        escape::html(&rendering.variant),
        picture(item, rendering),
        transcription(rendering),
    )
}

fn picture(item: &ItemView, rendering: &RenderingView) -> String {
    let Some(png) = rendering.png.as_ref().filter(|png| png.starts_with(&PNG_SIGNATURE)) else {
        return "<p class=\"nothing\">The picture is not part of this page.</p>".to_string();
    };
    let size = rendering
        .size
        .map(|(width, height)| format!(" width=\"{width}\" height=\"{height}\""))
        .unwrap_or_default();
    format!(
        "<img alt=\"{} rendered as {}\" decoding=\"async\"{size} src=\"data:image/png;base64,{}\">",
        escape::html(&item.item_id),
        escape::html(&rendering.variant),
        STANDARD.encode(png)
    )
}

/// An answer with its mark, or why there is none.
fn answer(of: Option<&AnswerView>, hue: &str) -> String {
    let Some(of) = of else {
        return "<span class=\"soft\">not asked</span>".to_string();
    };
    if let Some(error) = &of.error {
        return format!("<span class=\"error\">failed: {}</span>", escape::html(&excerpt(error)));
    }
    let mark = match of.correct {
        Some(true) => " <span class=\"mark\" role=\"img\" aria-label=\"right\">✓</span>",
        Some(false) => " <span class=\"mark\" role=\"img\" aria-label=\"wrong\">✗</span>",
        None => "",
    };
    match &of.answer {
        Some(answer) => format!("<strong class=\"ink-{hue}\">{}</strong>{mark}", escape::html(answer)),
        None => format!(
            "<span class=\"soft\">no answer read</span>{mark}{}",
            match of.raw_text.trim() {
                "" => String::new(),
                raw => format!(" <q class=\"raw\">{}</q>", escape::html(&excerpt(raw))),
            }
        ),
    }
}

fn transcription(rendering: &RenderingView) -> String {
    let Some(of) = &rendering.transcription else { return String::new() };
    let read = match &of.error {
        Some(error) => format!("<p class=\"error\">{}</p>", escape::html(&excerpt(error))),
        None => format!("<p class=\"read\">{}</p>", escape::html(&excerpt(of.raw_text.trim()))),
    };
    let cer = match rendering.cer {
        Some(0.0) => "read without an error".to_string(),
        Some(cer) => format!("read with CER {}", number::fixed(cer, 3)),
        None => "transcription".to_string(),
    };
    format!("<details><summary>{cer}</summary>{read}</details>")
}

/// The beginning of a text, as much as a card holds.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(excerpt("né"), "né");
        let long = "é".repeat(EXCERPT + 1);
        assert_eq!(excerpt(&long).chars().count(), EXCERPT + 1);
        assert!(excerpt(&long).ends_with('…'));
    }

    #[test]
    fn an_answer_says_whether_it_is_right_or_why_there_is_none() {
        let right = AnswerView { answer: Some("B".into()), correct: Some(true), ..AnswerView::default() };
        assert!(answer(Some(&right), "text").contains("aria-label=\"right\""));
        let silent = AnswerView { raw_text: "I <b>cannot</b>".into(), correct: Some(false), ..right.clone() };
        let silent = AnswerView { answer: None, ..silent };
        assert!(answer(Some(&silent), "text").contains("I &lt;b&gt;cannot"));
        let failed = AnswerView { error: Some("too long".into()), ..right };
        assert!(answer(Some(&failed), "text").contains("failed: too long"));
        assert!(answer(None, "text").contains("not asked"));
    }
}
