//! From a group to its rows.

use super::super::row::{Row, RowImage, RowMessage, RowPart, RowReading, Tags};
use super::super::{Ask, Group, Message, Part};

/// Row `index` of the group; `image_name` says what an image is called.
pub fn row_of(group: &Group, index: usize, image_name: &dyn Fn(usize) -> String) -> Row {
    let row = &group.presentations[index];
    let part = |part: &Part| match part {
        Part::Text(text) => RowPart::Text { text: text.clone() },
        Part::Image(image) => RowPart::Image { image: RowImage::Path(image_name(*image)) },
        Part::Written(row) => RowPart::Written { written: group.presentations[*row].kind },
    };
    let message = |message: &Message| RowMessage {
        role: message.role,
        content: message.content.iter().map(part).collect(),
    };
    Row {
        item_id: row.item_id.clone(),
        group_id: group.group_id.clone(),
        presentation: row.kind,
        messages: row.messages.iter().map(message).collect(),
        options: row.options.to_vec(),
        answer: row.answer.clone(),
        vision_answer: row.vision_answer.clone(),
        text_answer: row.text_answer.clone(),
        tags: tags(group, index),
    }
}

fn tags(group: &Group, index: usize) -> Tags {
    let row = &group.presentations[index];
    let case = group.cases.iter().find(|case| case.conflict == index);
    let item = |row: usize| group.presentations[row].item_id.clone();
    let rendering = row.rendering.as_ref();
    let (reading, max_new_tokens) = match &row.ask {
        Ask::NextToken => (RowReading::OptionToken, None),
        Ask::Generate(generate) => {
            (generate.reading.kind.into(), Some(i32::try_from(generate.max_new_tokens).unwrap_or(i32::MAX)))
        }
    };
    Tags {
        control: row.control,
        dv: row.dv,
        dt: row.dt,
        target: row.target.clone(),
        vision_item: case.map(|case| item(case.vision)),
        text_item: case.map(|case| item(case.text)),
        task: row.task.clone(),
        variant: rendering.map(|rendering| rendering.variant.clone()),
        font: rendering.and_then(|rendering| rendering.font.clone()),
        dpi: rendering.and_then(|rendering| rendering.dpi),
        color: rendering.and_then(|rendering| rendering.color.clone()),
        reading: Some(reading),
        max_new_tokens,
        fault: row.fault.clone(),
    }
}
