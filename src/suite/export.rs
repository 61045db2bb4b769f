//! A suite as files: `suite.jsonl` with an `images/` folder beside it, in the format that [`super::own`] reads back.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use crate::render::resize::{Filter, resize};

use super::row::{Row, RowMessage, RowPart};
use super::{Group, Part, Presentation, PresentationKind, Suite, SuiteError};

/// What to write.
#[derive(Debug, Clone, Default)]
pub struct ExportSettings {
    /// Presentations to write; all when empty.
    pub presentations: Vec<PresentationKind>,
    /// Width and height to which images are resized (bicubic, aspect not kept), pixels; as drawn when `None`.
    pub resize: Option<(u32, u32)>,
}

/// Something that turns an image source into pixels; handed in, because drawing and decoding live further down the house.
pub type LoadImage<'a> = dyn Fn(&super::ImageSource) -> Result<image::RgbImage, String> + Sync + 'a;

/// Writes the suite into `folder` and returns the number of rows.
///
/// # Errors
/// When the folder cannot be written, or an image cannot be made.
pub fn export(
    suite: &dyn Suite,
    folder: &Path,
    settings: &ExportSettings,
    load: &LoadImage,
) -> Result<usize, SuiteError> {
    let images = folder.join("images");
    std::fs::create_dir_all(&images).map_err(|source| SuiteError::Io {
        action: "create",
        path: images.clone(),
        source,
    })?;
    let path = folder.join("suite.jsonl");
    let io = |source| SuiteError::Io { action: "write", path: path.clone(), source };
    let mut file = BufWriter::new(File::create(&path).map_err(io)?);
    let mut count = 0;
    let indices: Vec<usize> = (0..suite.group_count()).collect();
    // A slice of groups at a time: memory stays flat, and rows come out in order.
    for slice in indices.chunks(64) {
        let groups: Vec<Vec<Row>> = slice
            .par_iter()
            .map(|&index| export_group(suite, index, folder, settings, load))
            .collect::<Result<_, _>>()?;
        for row in groups.into_iter().flatten() {
            serde_json::to_writer(&mut file, &row).map_err(|error| io(error.into()))?;
            file.write_all(b"\n").map_err(io)?;
            count += 1;
        }
    }
    file.flush().map_err(io)?;
    Ok(count)
}

fn export_group(
    suite: &dyn Suite,
    index: usize,
    folder: &Path,
    settings: &ExportSettings,
    load: &LoadImage,
) -> Result<Vec<Row>, SuiteError> {
    let group = suite.group(index)?;
    let wanted =
        |row: &Presentation| settings.presentations.is_empty() || settings.presentations.contains(&row.kind);
    let rows: Vec<Row> = group
        .presentations
        .iter()
        .enumerate()
        .filter(|(_, row)| wanted(row))
        .map(|(row_index, row)| export_row(index, &group, row_index, row))
        .collect();
    for (image, source) in group.images.iter().enumerate() {
        let path = folder.join(image_name(index, image));
        let wrong = |reason: String| SuiteError::Io {
            action: "make",
            path: path.clone(),
            source: std::io::Error::other(reason),
        };
        let mut pixels = load(source).map_err(wrong)?;
        if let Some((width, height)) = settings.resize {
            pixels = resize(&pixels, width, height, Filter::Bicubic);
        }
        pixels.save(&path).map_err(|error| wrong(error.to_string()))?;
    }
    Ok(rows)
}

/// Named by number: a group's own name may hold anything.
fn image_name(group: usize, image: usize) -> PathBuf {
    PathBuf::from(format!("images/{group:05}-{image:02}.png"))
}

fn export_row(group_index: usize, group: &Group, index: usize, row: &Presentation) -> Row {
    let part = |part: &Part| match part {
        Part::Text(text) => RowPart::Text { text: text.clone() },
        Part::Image(image) => RowPart::Image { image: image_name(group_index, *image).display().to_string() },
        Part::Written(row) => RowPart::Written { written: group.presentations[*row].kind },
    };
    let message = |message: &super::Message| RowMessage {
        role: message.role,
        content: message.content.iter().map(part).collect(),
    };
    let mut tags: Map<String, Value> = Map::new();
    tags.insert("control".into(), json!(row.control.as_str()));
    let mut add = |name: &str, value: Value| {
        if !value.is_null() {
            tags.insert(name.into(), value);
        }
    };
    add("dv", json!(row.dv));
    add("dt", json!(row.dt));
    add("target", json!(row.target));
    if let Some(case) = group.cases.iter().find(|case| case.conflict == index) {
        add("vision_item", json!(group.presentations[case.vision].item_id));
        add("text_item", json!(group.presentations[case.text].item_id));
    }
    Row {
        item_id: row.item_id.clone(),
        group_id: group.group_id.clone(),
        presentation: row.kind,
        messages: row.messages.iter().map(message).collect(),
        options: row.options.iter().map(|option| option.name.clone()).collect(),
        answer: row.answer.clone(),
        vision_answer: row.vision_answer.clone(),
        text_answer: row.text_answer.clone(),
        tags,
    }
}
