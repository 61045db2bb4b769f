//! A unit of work: its groups, images and prompts.

use std::collections::BTreeMap;

use super::{PreparedImage, Prompt};
use crate::suite::{Group, Message, Part, Presentation};

/// A unit of work: consecutive groups, their distinct images and their prompts.
pub struct PreparedUnit {
    /// The unit's number.
    pub index: usize,
    /// Its groups.
    pub groups: Vec<Group>,
    /// Images of all groups, in order; after them those again that are processed otherwise among others.
    pub images: Vec<Result<PreparedImage, String>>,
    /// Prompts of all groups' presentations, in order.
    pub prompts: Vec<Result<Prompt, String>>,
    /// Rows whose prompts hold what the model writes for other rows, with those.
    pub waiting: BTreeMap<usize, Vec<usize>>,
    /// Where the images stand that are processed again.
    among_others: BTreeMap<usize, usize>,
}

impl PreparedUnit {
    /// A unit without prompts yet.
    pub(super) fn new(
        index: usize,
        groups: Vec<Group>,
        images: Vec<Result<PreparedImage, String>>,
        among_others: BTreeMap<usize, usize>,
    ) -> Self {
        let mut waiting = BTreeMap::new();
        let mut first = 0;
        for group in &groups {
            // A row that cannot be asked waits for nothing.
            let rows = group.presentations.iter().enumerate().filter(|(_, row)| row.fault.is_none());
            for (row, presentation) in rows {
                let on: Vec<usize> = waits_for(&presentation.messages).map(|other| first + other).collect();
                if !on.is_empty() {
                    waiting.insert(first + row, on);
                }
            }
            first += group.presentations.len();
        }
        Self { index, groups, images, prompts: Vec::new(), waiting, among_others }
    }

    /// A unit whose answers come from elsewhere: nothing of it is prepared.
    pub fn answered_elsewhere(index: usize, groups: Vec<Group>) -> Self {
        let mut unit = Self::new(index, groups, Vec::new(), BTreeMap::new());
        unit.prompts = unit.presentations().map(|_| Err("answered elsewhere".into())).collect();
        unit
    }

    /// The presentations of all groups, in order.
    pub fn presentations(&self) -> impl Iterator<Item = &Presentation> {
        self.groups.iter().flat_map(|group| &group.presentations)
    }

    /// A row's place in its group.
    pub(super) fn place_in_group(&self, row: usize) -> usize {
        self.groups
            .iter()
            .try_fold(row, |row, group| row.checked_sub(group.presentations.len()).ok_or(row))
            .unwrap_or_else(|place| place)
    }

    /// The images that a row's messages show, in order, by their place in [`PreparedUnit::images`].
    pub(super) fn shown(&self, row: usize, messages: &[Message]) -> Vec<usize> {
        let (mut offset, mut first) = (0, 0);
        for group in &self.groups {
            first += group.presentations.len();
            if row < first {
                break;
            }
            offset += group.images.len();
        }
        let shown: Vec<usize> = shown_by(messages).map(|image| offset + image).collect();
        match shown.len() {
            0 | 1 => shown,
            _ => shown
                .into_iter()
                .map(|image| self.among_others.get(&image).copied().unwrap_or(image))
                .collect(),
        }
    }
}

/// The images that messages show, in order.
pub(super) fn shown_by(messages: &[Message]) -> impl Iterator<Item = usize> {
    messages.iter().flat_map(|message| &message.content).filter_map(|part| match part {
        Part::Image(image) => Some(*image),
        Part::Text(_) | Part::Written(_) => None,
    })
}

/// The rows of the group whose texts the messages hold.
fn waits_for(messages: &[Message]) -> impl Iterator<Item = usize> {
    messages.iter().flat_map(|message| &message.content).filter_map(|part| match part {
        Part::Written(row) => Some(*row),
        Part::Text(_) | Part::Image(_) => None,
    })
}

/// The messages with what was written in its place. Texts that come to stand side by side are one: templates may put
/// something between two.
pub(super) fn filled_in<'a>(messages: &[Message], written: &dyn Fn(usize) -> &'a str) -> Vec<Message> {
    let fill = |message: &Message| {
        let mut content: Vec<Part> = Vec::new();
        for part in &message.content {
            let text = match part {
                Part::Image(image) => {
                    content.push(Part::Image(*image));
                    continue;
                }
                Part::Text(text) => text.as_str(),
                Part::Written(row) => written(*row),
            };
            match content.last_mut() {
                Some(Part::Text(before)) => before.push_str(text),
                _ => content.push(Part::Text(text.to_string())),
            }
        }
        Message { role: message.role, content }
    };
    messages.iter().map(fill).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::Role;

    #[test]
    fn what_was_written_joins_the_text_around_it() {
        let text = |text: &str| Part::Text(text.into());
        let content = vec![Part::Image(0), text("It says: "), Part::Written(3), text("\nWhat now?")];
        let messages = [Message { role: Role::User, content }];
        let filled = filled_in(&messages, &|row| if row == 3 { "no entry" } else { "" });
        assert_eq!(filled[0].content, [Part::Image(0), text("It says: no entry\nWhat now?")]);
        assert_eq!(waits_for(&messages).collect::<Vec<_>>(), [3]);
    }
}
