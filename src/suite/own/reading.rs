//! From the cells of a file to a [`Row`]: every field with its type, complaints by path.

use std::path::{Component, Path};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::suite::cell::{Cell, Fields};
use crate::suite::row::{Row, RowImage, RowMessage, RowPart, RowReading, Tags};
use crate::suite::{AnswerOption, Control, PresentationKind};

const FIELDS: [&str; 9] = [
    "item_id",
    "group_id",
    "presentation",
    "messages",
    "options",
    "answer",
    "vision_answer",
    "text_answer",
    "tags",
];

impl Row {
    /// Reads a row.
    pub(super) fn of(cell: Cell) -> Result<Self, String> {
        let mut fields = Fields::with(cell, "", &FIELDS)?;
        Ok(Self {
            item_id: fields.required_text("item_id")?,
            group_id: fields.required_text("group_id")?,
            presentation: fields
                .take("presentation")
                .into_one_of("presentation", &PresentationKind::ALL.map(PresentationKind::as_str))?,
            messages: fields.list("messages", "messages", message)?,
            options: fields.list("options", "answers", option)?,
            answer: fields.text("answer")?,
            vision_answer: fields.text("vision_answer")?,
            text_answer: fields.text("text_answer")?,
            tags: tags(fields.take("tags"))?,
        })
    }
}

fn message(cell: Cell, place: &str) -> Result<RowMessage, String> {
    let mut fields = Fields::with(cell, place, &["role", "content"])?;
    let path = fields.path("role");
    let role = fields.take("role").into_one_of(&path, &["system", "user", "assistant"])?;
    let content = match fields.take("content") {
        Cell::Text(text) => vec![RowPart::Text { text }],
        cell => {
            let path = fields.path("content");
            let parts = cell.into_list(&path, "parts")?.into_iter().enumerate();
            parts.map(|(at, cell)| part(cell, &format!("{path}[{at}]"))).collect::<Result<_, _>>()?
        }
    };
    Ok(RowMessage { role, content })
}

/// The kinds of a part; each has a field of its own name.
const PARTS: [&str; 3] = ["text", "image", "written"];

fn part(cell: Cell, place: &str) -> Result<RowPart, String> {
    let mut fields = Fields::with(cell, place, &["type", "text", "image", "written"])?;
    let path = fields.path("type");
    let kind: String = fields.take("type").into_one_of(&path, &PARTS)?;
    let path = fields.path(&kind);
    let value = fields.take(&kind);
    for other in PARTS {
        // A Parquet column holds something for every part: an image of neither bytes nor path is none.
        let beside = fields.take(other);
        if beside != Cell::Null && !is_no_image(&beside) {
            return Err(format!("`{place}` is of type {kind}, and must not have `{other}`"));
        }
    }
    Ok(match kind.as_str() {
        "text" => RowPart::Text { text: value.into_text(&path)? },
        "image" => RowPart::Image { image: image(value, &path)? },
        _ => RowPart::Written {
            written: value.into_one_of(&path, &PresentationKind::ALL.map(PresentationKind::as_str))?,
        },
    })
}

fn is_no_image(cell: &Cell) -> bool {
    matches!(cell, Cell::Record(fields) if fields.iter().all(|(_, value)| *value == Cell::Null))
}

fn image(cell: Cell, place: &str) -> Result<RowImage, String> {
    match cell {
        Cell::Bytes(bytes) => Ok(RowImage::Embedded(bytes)),
        Cell::Text(reference) => referenced(reference, place),
        Cell::Record(_) => {
            let mut fields = Fields::with(cell, place, &["bytes", "path"])?;
            match (fields.take("bytes"), fields.text("path")?) {
                (Cell::Bytes(bytes), _) => Ok(RowImage::Embedded(bytes)),
                (Cell::Null, Some(path)) => referenced(path, place),
                (Cell::Null, None) => Err(format!("`{place}` has neither `bytes` nor `path`")),
                (other, _) => Err(other.expected(&fields.path("bytes"), "bytes (in JSON use a data URL)")),
            }
        }
        other => Err(other.expected(place, "a path, a data URL, or an object of `bytes` and `path`")),
    }
}

/// A path below the suite's folder, or a data URL.
fn referenced(reference: String, place: &str) -> Result<RowImage, String> {
    if let Some(url) = reference.strip_prefix("data:") {
        let encoded = url
            .split_once(";base64,")
            .ok_or_else(|| format!("`{place}`: a data URL must be `data:<type>;base64,<data>`"))?
            .1;
        return match STANDARD.decode(encoded) {
            Ok(bytes) => Ok(RowImage::Embedded(bytes.into())),
            Err(error) => Err(format!("`{place}`: the data URL's base64 is broken: {error}")),
        };
    }
    if reference.contains("://") {
        return Err(format!(
            "`{place}`: image {reference:?} is a URL; nothing is fetched: store the file beside the suite"
        ));
    }
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if reference.is_empty() || !Path::new(&reference).components().all(inside) {
        return Err(format!("`{place}`: image {reference:?} must be a path below the suite file's folder"));
    }
    Ok(RowImage::Path(reference))
}

fn option(cell: Cell, place: &str) -> Result<AnswerOption, String> {
    match cell {
        Cell::Text(name) if name.trim().is_empty() => Err(format!("`{place}` is empty")),
        Cell::Text(name) => Ok(AnswerOption::named(&name)),
        Cell::Record(_) => {
            let mut fields = Fields::with(cell, place, &["name", "spellings"])?;
            let name = fields.required_text("name")?;
            let spellings = fields.list("spellings", "spellings", |cell, place| cell.into_text(place))?;
            if spellings.is_empty() {
                Ok(AnswerOption::named(&name))
            } else {
                Ok(AnswerOption { name, spellings })
            }
        }
        other => Err(other.expected(place, "text, or an object of `name` and `spellings`")),
    }
}

fn tags(cell: Cell) -> Result<Tags, String> {
    let cell = match cell {
        Cell::Null => return Ok(Tags::default()),
        Cell::Text(json) => {
            let value: Value = serde_json::from_str(&json)
                .map_err(|error| format!("`tags` is a text that is no JSON: {error}"))?;
            value.into()
        }
        cell => cell,
    };
    let mut fields = Fields::of(cell, "tags")?;
    Ok(Tags {
        control: fields.one_of("control", &Control::ALL.map(Control::as_str))?.unwrap_or_default(),
        dv: fields.integer("dv")?,
        dt: fields.integer("dt")?,
        target: fields.text("target")?,
        vision_item: fields.text("vision_item")?,
        text_item: fields.text("text_item")?,
        task: fields.text("task")?,
        variant: fields.text("variant")?,
        font: fields.text("font")?,
        dpi: fields.integer("dpi")?,
        color: fields.text("color")?,
        reading: fields.one_of::<RowReading>("reading", &RowReading::NAMES)?,
        max_new_tokens: fields.integer("max_new_tokens")?,
        fault: fields.text("fault")?,
    })
}
