//! What a row must be, beyond the types of its fields; and what is asked when its tags don't say.

use crate::suite::answers::Reading;
use crate::suite::row::{Row, RowImage, RowPart, RowReading};
use crate::suite::{Ask, Generate, PresentationKind};

/// Tokens that the model writes at most, unless the tag `max_new_tokens` says otherwise (arXiv 2512.08923).
pub const DEFAULT_MAX_NEW_TOKENS: usize = 1024;

impl Row {
    /// How the answer is read: as the tag says, else by what is asked.
    pub(super) fn reading(&self) -> RowReading {
        use PresentationKind::{Conflict, Ocr, TextOnly, VisionOnly};
        let letters = || self.options.iter().all(|option| option.name.chars().count() == 1);
        self.tags.reading.unwrap_or(match self.presentation {
            Ocr => RowReading::Transcript,
            VisionOnly | TextOnly | Conflict if !self.options.is_empty() => RowReading::OptionToken,
            _ if !self.options.is_empty() && letters() => RowReading::Choice,
            _ if !self.options.is_empty() => RowReading::Word,
            _ if self.answer.as_deref().is_some_and(is_number) => RowReading::Number,
            _ => RowReading::Word,
        })
    }

    /// What is wanted of the model.
    pub(super) fn ask(&self) -> Ask {
        match self.reading().kind() {
            None => Ask::NextToken,
            Some(kind) => Ask::Generate(Generate {
                max_new_tokens: self
                    .tags
                    .max_new_tokens
                    .and_then(|tokens| usize::try_from(tokens).ok())
                    .unwrap_or(DEFAULT_MAX_NEW_TOKENS),
                reading: Reading::new(kind),
            }),
        }
    }

    /// Its images, in order.
    pub(super) fn images(&self) -> impl Iterator<Item = &RowImage> {
        self.parts().filter_map(|part| if let RowPart::Image { image } = part { Some(image) } else { None })
    }

    /// The presentations whose writing it holds.
    pub(super) fn written(&self) -> impl Iterator<Item = PresentationKind> {
        self.parts()
            .filter_map(|part| if let RowPart::Written { written } = part { Some(*written) } else { None })
    }

    fn parts(&self) -> impl Iterator<Item = &RowPart> {
        self.messages.iter().flat_map(|message| &message.content)
    }

    /// Whether it can be asked.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.messages.is_empty() {
            return Err("`messages` is empty; give at least one user message".into());
        }
        if let Some(at) = self.messages.iter().position(|message| message.content.is_empty()) {
            return Err(format!("`messages[{at}].content` is empty; give at least one part"));
        }
        self.check_options()?;
        let kind = self.presentation.as_str();
        match (self.presentation, self.images().next().is_some()) {
            (PresentationKind::TextOnly | PresentationKind::Text, true) => {
                Err(format!("presentation {kind} must not have an image part"))
            }
            (PresentationKind::OcrFirst, _) | (_, true) => Ok(()),
            (PresentationKind::TextOnly | PresentationKind::Text, false) => Ok(()),
            (_, false) => Err(format!("presentation {kind} needs an image part")),
        }?;
        match self.tags.max_new_tokens {
            Some(tokens) if tokens < 1 => {
                Err(format!("`tags.max_new_tokens` is {tokens}, expected 1 or more"))
            }
            _ => Ok(()),
        }
    }

    fn check_options(&self) -> Result<(), String> {
        // What is known to be faulty is not asked.
        if self.tags.fault.is_some() {
            return Ok(());
        }
        let names: Vec<&str> = self.options.iter().map(|option| option.name.as_str()).collect();
        let reading = self.reading();
        let by_options = matches!(reading, RowReading::OptionToken | RowReading::Choice);
        if names.len() == 1 || (names.is_empty() && by_options) {
            return Err(format!(
                "`options` has {} entries, expected two or more{}",
                names.len(),
                if by_options { "" } else { " (or none, when the answer is free)" }
            ));
        }
        if let Some(name) =
            names.iter().enumerate().find_map(|(at, name)| names[..at].contains(name).then_some(name))
        {
            return Err(format!("`options` has {name:?} twice"));
        }
        if names.is_empty() || reading == RowReading::Transcript {
            return Ok(());
        }
        let answers = [
            ("answer", &self.answer),
            ("vision_answer", &self.vision_answer),
            ("text_answer", &self.text_answer),
        ];
        for (field, answer) in answers {
            if let Some(answer) = answer.as_deref().filter(|answer| !names.contains(answer)) {
                return Err(format!(
                    "`{field}` is {answer:?}, which is none of `options` ({})",
                    names.join(", ")
                ));
            }
        }
        Ok(())
    }
}

/// Whether an answer is a number, as people write it: `1,024`, `-3`, `0.5`.
fn is_number(answer: &str) -> bool {
    let plain = answer.trim().replace(',', "");
    plain.ends_with(|last: char| last.is_ascii_digit()) && plain.parse::<f64>().is_ok()
}
