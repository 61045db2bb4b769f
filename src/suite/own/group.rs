//! From the rows of a group to what is asked.

use std::collections::HashMap;
use std::path::Path;

use super::links::{self, Links, WrongRow};
use crate::suite::row::{Row, RowImage, RowPart};
use crate::suite::{Group, ImageSource, Message, NO_VARIANT, Part, Presentation, Rendering, SuiteError};

/// The group of `rows`; row `i` stands in a file in `folders[i]`, where its image paths begin.
pub(super) fn build(group_id: &str, rows: &[Row], folders: &[&Path]) -> Result<Group, SuiteError> {
    let links: Vec<Links> = rows.iter().map(Links::of).collect();
    let wrong = |(_, reason): WrongRow| SuiteError::Setting(format!("group {group_id:?}: {reason}"));
    let mut image_at = HashMap::new();
    let mut images = Vec::new();
    let mut presentations = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let mut part = |part: &RowPart| match part {
            RowPart::Text { text } => Ok(Part::Text(text.clone())),
            RowPart::Image { image } => {
                let key = (folders[index], image.clone());
                Ok(Part::Image(*image_at.entry(key).or_insert_with(|| {
                    images.push(source(image, folders[index]));
                    images.len() - 1
                })))
            }
            RowPart::Written { written } => {
                links::source_of_written(&links, index, *written).map(Part::Written)
            }
        };
        let messages = row.messages.iter().map(|message| {
            let content = message.content.iter().map(&mut part).collect::<Result<_, WrongRow>>()?;
            Ok(Message { role: message.role, content })
        });
        presentations.push(presentation(row, messages.collect::<Result<_, _>>().map_err(wrong)?));
    }
    let cases = links::cases(&links).map_err(wrong)?;
    Ok(Group { group_id: group_id.into(), images, presentations, cases })
}

fn presentation(row: &Row, messages: Vec<Message>) -> Presentation {
    let tags = row.tags.clone();
    Presentation {
        control: tags.control,
        options: row.options.clone().into(),
        answer: row.answer.clone(),
        vision_answer: row.vision_answer.clone(),
        text_answer: row.text_answer.clone(),
        dv: tags.dv,
        dt: tags.dt,
        target: tags.target,
        task: tags.task,
        rendering: row.rendering(),
        ask: row.ask(),
        fault: tags.fault,
        ..Presentation::new(row.item_id.clone(), row.presentation, messages)
    }
}

fn source(image: &RowImage, folder: &Path) -> ImageSource {
    match image {
        RowImage::Path(path) => ImageSource::File(folder.join(path)),
        RowImage::Embedded(bytes) => ImageSource::Bytes(bytes.clone()),
    }
}

impl Row {
    /// How its text was rendered, where a tag tells of it. Without a name it is called after font, resolution and color.
    pub(super) fn rendering(&self) -> Option<Rendering> {
        let tags = &self.tags;
        let dpi = tags.dpi.map(|dpi| dpi.to_string());
        let said: Vec<&str> =
            [&tags.font, &dpi, &tags.color].into_iter().flatten().map(String::as_str).collect();
        let variant = match &tags.variant {
            Some(variant) => variant.clone(),
            None if said.is_empty() => return None,
            None => said.join("-").to_lowercase().replace(' ', "-"),
        };
        let rendering =
            Rendering { variant, font: tags.font.clone(), dpi: tags.dpi, color: tags.color.clone() };
        Some(rendering).filter(|rendering| rendering.variant != NO_VARIANT || !said.is_empty())
    }
}
