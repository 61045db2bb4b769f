//! The items as they are published: a JSON array, and image ids of COCO 2014.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::suite::SuiteError;
use crate::suite::cell::Fields;

/// One item.
pub(super) struct Item {
    /// Its photograph.
    pub image: PathBuf,
    /// What kind of question it is.
    pub task: String,
    /// The question.
    pub question: String,
    /// The image's answer.
    pub vision: String,
    /// The text's answer.
    pub text: String,
    /// The text.
    pub context: String,
    /// Why it cannot be asked.
    pub fault: Option<String>,
}

/// Reads the items, whose photographs are below `images`.
pub(super) fn read(path: &Path, images: &Path) -> Result<Vec<Item>, SuiteError> {
    let text = std::fs::read_to_string(path).map_err(|source| SuiteError::Io {
        action: "read",
        path: path.into(),
        source,
    })?;
    let wrong = |reason: String| SuiteError::File {
        path: path.into(),
        reason: format!("{reason}; expected the evaluate_final.json of MC2, a JSON array of items"),
    };
    let items: Vec<Value> =
        serde_json::from_str(&text).map_err(|error| wrong(format!("it does not parse: {error}")))?;
    if items.is_empty() {
        return Err(wrong("it has no items".into()));
    }
    if !images.is_dir() {
        return Err(SuiteError::File {
            path: images.into(),
            reason: "it is no folder; expected the folder of COCO 2014 with train2014/ and val2014/".into(),
        });
    }
    let item = |(number, value): (usize, Value)| {
        item(value, images).map_err(|reason| SuiteError::Row {
            place: format!("{}, item {number} (from 0)", path.display()),
            reason,
        })
    };
    items.into_iter().enumerate().map(item).collect()
}

fn item(value: Value, images: &Path) -> Result<Item, String> {
    let mut fields = Fields::of(value.into(), "")?;
    let mut text = |name: &str| fields.required_text(name).map(|text| text.trim().to_string());
    let (vision, other) = (text("answer_vision")?, text("answer_text")?);
    let fault = (vision.to_lowercase() == other.to_lowercase())
        .then(|| format!("its two answers are the same: {vision:?} and {other:?}"));
    Ok(Item {
        image: image(&text("image_id")?, images)?,
        task: text("task")?,
        question: text("question")?,
        context: text("context")?,
        vision,
        text: other,
        fault,
    })
}

/// The photograph of an id: a number of COCO, or a file's name. Where it is in neither half of COCO, the place in the second
/// is what the row's error names.
fn image(id: &str, images: &Path) -> Result<PathBuf, String> {
    if !Path::new(id).components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(format!(
            "`image_id` is {id:?}, expected a number of COCO, or a path below the image folder"
        ));
    }
    let places = if id.contains("COCO") {
        vec![images.join(id), images.join("train2014").join(id), images.join("val2014").join(id)]
    } else {
        ["train2014", "val2014"]
            .map(|half| images.join(half).join(format!("COCO_{half}_{id:0>12}.jpg")))
            .into()
    };
    let found = places.iter().find(|place| place.is_file()).or(places.last());
    Ok(found.cloned().unwrap_or_else(|| images.join(id)))
}
