//! Prompt templates: text with placeholders, checked when they are read.

use crate::suite::Part;

/// What stands for something of the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Content,
    Stem,
    Options,
    Context,
    Question,
    Image,
    Transcription,
}

impl Slot {
    const ALL: [Self; 7] = [
        Self::Content,
        Self::Stem,
        Self::Options,
        Self::Context,
        Self::Question,
        Self::Image,
        Self::Transcription,
    ];

    fn written(self) -> &'static str {
        match self {
            Self::Content => "{content}",
            Self::Stem => "{stem}",
            Self::Options => "{options}",
            Self::Context => "{context}",
            Self::Question => "{question}",
            Self::Image => "{image}",
            Self::Transcription => "{transcription}",
        }
    }
}

/// What comes in the place of a slot.
pub(super) enum Filling {
    Text(String),
    Part(Part),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Slot(Slot),
}

/// A text with slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

impl Template {
    /// Reads a template that has the slots of one of `alternatives`, each once, and no others. The error says what is wrong.
    pub fn parse(name: &str, text: &str, alternatives: &[&[Slot]]) -> Result<Self, String> {
        let template = Self(pieces(text).map_err(|unknown| {
            format!("`{name}` has {unknown}, which is no placeholder; known: {}", listed(&Slot::ALL))
        })?);
        let found: Vec<Slot> = template.slots().collect();
        let fits =
            |slots: &&[Slot]| slots.len() == found.len() && slots.iter().all(|slot| found.contains(slot));
        if alternatives.iter().any(fits) {
            return Ok(template);
        }
        let expected: Vec<String> = alternatives.iter().map(|slots| listed(slots)).collect();
        let found = if found.is_empty() { "none".to_string() } else { listed(&found) };
        Err(format!("`{name}` needs the placeholders {}, each once, and has {found}", expected.join("; or ")))
    }

    fn slots(&self) -> impl Iterator<Item = Slot> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Slot(slot) => Some(*slot),
            Piece::Text(_) => None,
        })
    }

    /// The parts of a message. A line break beside an image only parts it from the text.
    pub fn fill(&self, filling: impl Fn(Slot) -> Filling) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let mut text = String::new();
        for piece in &self.0 {
            let filling = match piece {
                Piece::Text(words) => Filling::Text(words.clone()),
                Piece::Slot(slot) => filling(*slot),
            };
            match filling {
                Filling::Text(words) => {
                    let after_image = text.is_empty() && matches!(parts.last(), Some(Part::Image(_)));
                    text += words.strip_prefix('\n').filter(|_| after_image).unwrap_or(&words);
                }
                Filling::Part(part) => {
                    if matches!(part, Part::Image(_)) && text.ends_with('\n') {
                        text.pop();
                    }
                    push_text(&mut parts, std::mem::take(&mut text));
                    parts.push(part);
                }
            }
        }
        push_text(&mut parts, text);
        parts
    }
}

fn push_text(parts: &mut Vec<Part>, text: String) {
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
}

fn listed(slots: &[Slot]) -> String {
    slots.iter().map(|slot| slot.written()).collect::<Vec<_>>().join(" ")
}

/// The error is a placeholder that is not known. Braces about anything but a word in small letters are text.
fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut said = String::new();
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        said += before;
        let name = from[1..].split(|char: char| !(char.is_ascii_lowercase() || char == '_')).next();
        let name = name.filter(|name| !name.is_empty() && from[1 + name.len()..].starts_with('}'));
        let Some(name) = name else {
            said.push('{');
            rest = &from[1..];
            continue;
        };
        let written = &from[..name.len() + 2];
        let slot = Slot::ALL.into_iter().find(|slot| slot.written() == written);
        pieces.push(Piece::Text(std::mem::take(&mut said)));
        pieces.push(Piece::Slot(slot.ok_or(written)?));
        rest = &from[written.len()..];
    }
    pieces.push(Piece::Text(said + rest));
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &[&[Slot]] = &[&[Slot::Image, Slot::Options]];

    fn filled(text: &str) -> Vec<Part> {
        let template = Template::parse("mixed", text, MIXED).unwrap();
        template.fill(|slot| match slot {
            Slot::Image => Filling::Part(Part::Image(3)),
            _ => Filling::Text("A. {image}\nB. b".into()),
        })
    }

    #[test]
    fn a_line_break_beside_an_image_parts_it_from_the_text() {
        let text = |text: &str| Part::Text(text.into());
        assert_eq!(
            filled("{image}\nOptions:\n{options}\nWhich?"),
            [Part::Image(3), text("Options:\nA. {image}\nB. b\nWhich?")]
        );
        assert_eq!(
            filled("Look:\n{image}\n\nNow.\n{options}"),
            [text("Look:"), Part::Image(3), text("\nNow.\nA. {image}\nB. b")]
        );
        assert_eq!(filled("{options}{image}"), [text("A. {image}\nB. b"), Part::Image(3)]);
    }

    #[test]
    fn wrong_placeholders_are_named() {
        for (text, message) in [
            ("{image} only", "`mixed` needs the placeholders {image} {options}, each once, and has {image}"),
            ("none", "and has none"),
            ("{image}{image}{options}", "and has {image} {image} {options}"),
            ("{image}{options}{picture}", "`mixed` has {picture}, which is no placeholder; known: {content}"),
        ] {
            let found = Template::parse("mixed", text, MIXED).unwrap_err();
            assert!(found.contains(message), "{found}");
        }
    }

    #[test]
    fn other_braces_are_text() {
        let parts = filled("{image}{options} \\boxed{X} {} { {Not}");
        assert_eq!(parts[1], Part::Text("A. {image}\nB. b \\boxed{X} {} { {Not}".into()));
    }
}
