//! What is asked of one item: its presentations, with the prompts' wordings filled in.

use std::sync::Arc;

use super::item::{Body, Item};
use super::prompts::Prompts;
use super::template::{Filling, Slot, Template};
use super::variants::Variant;
use crate::suite::answers::{AnswerKind, Reading};
use crate::suite::{AnswerOption, Ask, Generate, Message, Part, Presentation, PresentationKind, Role};

/// What is asked of one item.
pub(super) struct Asking<'a> {
    item: &'a Item,
    /// The whole content.
    pub content: String,
    options: Arc<[AnswerOption]>,
    answer: Generate,
    transcription: Generate,
}

impl<'a> Asking<'a> {
    pub fn of(item: &'a Item, prompts: &Prompts, max_new_tokens: Option<usize>) -> Self {
        let options = match &item.body {
            Body::Choice { options, .. } => options
                .iter()
                .map(|(label, text)| AnswerOption {
                    name: label.clone(),
                    spellings: vec![label.clone(), text.clone()],
                })
                .collect(),
            Body::Number { .. } => Arc::new([]) as Arc<[AnswerOption]>,
        };
        let limited = |limit: usize, reading: Reading| Generate {
            max_new_tokens: max_new_tokens.unwrap_or(limit),
            reading,
        };
        Self {
            item,
            content: item.body.content(),
            options,
            answer: limited(prompts.answer_limit(item.task), prompts.reading(item.task)),
            transcription: limited(prompts.ocr_limit(), Reading::new(AnswerKind::Transcript)),
        }
    }

    /// A presentation in which `part` is shown (an image, or what was written).
    pub fn answered(
        &self,
        kind: PresentationKind,
        variant: Option<&Variant>,
        template: &Template,
        part: Option<Part>,
    ) -> Presentation {
        Presentation {
            options: self.options.clone(),
            answer: self.item.answer.clone(),
            ask: Ask::Generate(self.answer.clone()),
            ..self.shown(kind, variant, template, part)
        }
    }

    /// The presentation in which the content is to be transcribed.
    pub fn transcribed(&self, variant: &Variant, template: &Template, image: Part) -> Presentation {
        Presentation {
            answer: Some(self.content.clone()),
            ask: Ask::Generate(self.transcription.clone()),
            ..self.shown(PresentationKind::Ocr, Some(variant), template, Some(image))
        }
    }

    fn shown(
        &self,
        kind: PresentationKind,
        variant: Option<&Variant>,
        template: &Template,
        part: Option<Part>,
    ) -> Presentation {
        let body = &self.item.body;
        let content = template.fill(|slot| match (slot, &part) {
            (Slot::Image | Slot::Transcription, Some(part)) => Filling::Part(part.clone()),
            (Slot::Image | Slot::Transcription, None) => Filling::Text(String::new()),
            (Slot::Content, _) => Filling::Text(self.content.clone()),
            (Slot::Stem | Slot::Context, _) => Filling::Text(body.shown().into()),
            (Slot::Options, _) => Filling::Text(body.options()),
            (Slot::Question, _) => Filling::Text(body.question().into()),
        });
        let messages = vec![Message { role: Role::User, content }];
        Presentation {
            task: Some(self.item.task.name().into()),
            rendering: variant.map(|variant| variant.rendering(&self.item.id)),
            fault: self.item.fault.clone(),
            ..Presentation::new(self.item.id.clone(), kind, messages)
        }
    }
}
