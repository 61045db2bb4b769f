//! The rows of one conflict group, as the generated suites lay them out: unimodal rows first, then the conflicts between
//! them; and the same again for each control (arXiv 2511.02243).

use std::sync::Arc;

use super::{AnswerOption, ConflictCase, Control, Message, Part, Presentation, PresentationKind, Role};

/// Lays out the rows of one group, whose image `i` is of tier `visual_tiers[i]`.
pub(super) struct ConflictRows<'a> {
    /// Begins the items' names.
    pub group_id: &'a str,
    /// The answers that the question admits.
    pub options: &'a Arc<[AnswerOption]>,
    /// The answer that the images give.
    pub vision_answer: &'a str,
    /// The answer that the descriptions give.
    pub text_answer: &'a str,
    /// Difficulty of each image (dv).
    pub visual_tiers: &'a [i32],
    /// The rows so far.
    pub presentations: Vec<Presentation>,
    /// The cases so far.
    pub cases: Vec<ConflictCase>,
}

impl ConflictRows<'_> {
    /// Adds every image with every description; `descriptions[dt]` is of text tier dt.
    pub fn add(&mut self, control: Control, target: &str, question: &str, descriptions: &[String]) {
        let suffix = match control {
            Control::None => "",
            Control::TextIrrelevant => "-ti",
            Control::ImageIrrelevant => "-ii",
        };
        // What each modality was designed to answer to this very question.
        let vision_answer = (control != Control::ImageIrrelevant).then(|| self.vision_answer.to_string());
        let text_answer = (control != Control::TextIrrelevant).then(|| self.text_answer.to_string());
        let row = |item_id: String, kind, image: Option<usize>, dt: Option<usize>| {
            let said = match dt {
                Some(dt) => format!("{} {question}", descriptions[dt]),
                None => question.to_string(),
            };
            let content = image.map(Part::Image).into_iter().chain([Part::Text(said)]).collect();
            Presentation {
                control,
                options: self.options.clone(),
                answer: match kind {
                    PresentationKind::VisionOnly => vision_answer.clone(),
                    PresentationKind::TextOnly => text_answer.clone(),
                    _ => None,
                },
                vision_answer: vision_answer.clone(),
                text_answer: text_answer.clone(),
                dv: image.map(|image| self.visual_tiers[image]),
                dt: dt.map(|dt| dt as i32),
                target: Some(target.to_string()),
                ..Presentation::new(item_id, kind, vec![Message { role: Role::User, content }])
            }
        };
        let id = self.group_id;
        let images = self.visual_tiers.len();
        // The text-irrelevant control asks the case's own question, so its vision-only rows are the case's own.
        let vision_start = if control == Control::TextIrrelevant { 0 } else { self.presentations.len() };
        if control != Control::TextIrrelevant {
            for image in 0..images {
                let item_id = format!("{id}-dv{:02}{suffix}", self.visual_tiers[image]);
                self.presentations.push(row(item_id, PresentationKind::VisionOnly, Some(image), None));
            }
        }
        let text_start = self.presentations.len();
        for dt in 0..descriptions.len() {
            let item_id = format!("{id}-dt{dt}{suffix}");
            self.presentations.push(row(item_id, PresentationKind::TextOnly, None, Some(dt)));
        }
        for image in 0..images {
            for dt in 0..descriptions.len() {
                self.cases.push(ConflictCase {
                    conflict: self.presentations.len(),
                    vision: vision_start + image,
                    text: text_start + dt,
                });
                let item_id = format!("{id}-dv{:02}-dt{dt}{suffix}", self.visual_tiers[image]);
                self.presentations.push(row(item_id, PresentationKind::Conflict, Some(image), Some(dt)));
            }
        }
    }
}
