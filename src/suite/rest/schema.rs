//! Items of rows in the schemas in which the tasks are published.

use std::path::Path;

use serde_json::{Map, Value};

use super::item::{Body, Item};
use super::task::Task;
use crate::suite::SuiteError;
use crate::suite::answers::canonical_number;

/// The task whose published columns these are.
pub(super) fn guess(columns: &[String]) -> Option<Task> {
    let has = |name: &str| columns.iter().any(|column| column == name);
    match (has("question"), has("choices"), has("answerKey"), has("answer")) {
        (true, true, true, _) => Some(Task::Arc),
        (true, true, false, true) => Some(Task::Mmlu),
        (true, false, false, true) => Some(Task::GsmSymbolic),
        _ => None,
    }
}

/// Where a row stands, for messages and ids.
pub(super) struct Place<'a> {
    pub path: &'a Path,
    /// Row (line) of the file, from 1.
    pub row: usize,
    /// Index among all rows of the task, from 0.
    pub index: usize,
}

type Fields = Map<String, Value>;

/// The item of a row.
///
/// # Errors
/// When a field is not of the type that its schema gives it. An item without an answer is an item with a fault.
pub(super) fn item(task: Task, fields: &Fields, place: &Place) -> Result<Item, SuiteError> {
    let wrong = |reason: String| SuiteError::Item { path: place.path.into(), row: place.row, reason };
    let stem = text(fields, "question").map_err(wrong)?;
    let (id, body, answer) = match task {
        Task::Mmlu => {
            let texts = texts(fields.get("choices"), "choices").map_err(wrong)?;
            let labels = ('A'..='Z').map(String::from);
            let options: Vec<_> = labels.zip(texts).collect();
            let answer = mmlu_answer(fields.get("answer"), &options);
            (place.index.to_string(), Body::Choice { stem, options }, answer)
        }
        Task::Arc => {
            let options = arc_options(fields.get("choices")).map_err(wrong)?;
            let answer = arc_answer(fields.get("answerKey"), &options);
            (text(fields, "id").map_err(wrong)?, Body::Choice { stem, options }, answer)
        }
        Task::GsmSymbolic | Task::SoeBench => {
            let number = |name: &str| fields.get(name).filter(|value| value.is_number() || value.is_string());
            let id = match (number("id"), number("instance")) {
                (Some(id), Some(instance)) => format!("{}-{}", plain(id), plain(instance)),
                (Some(id), None) => plain(id),
                _ => place.index.to_string(),
            };
            (id, Body::number(stem), gsm_answer(fields.get("answer")))
        }
    };
    let few = match &body {
        Body::Choice { options, .. } if options.len() < 2 => Some(format!(
            "the item has no choice: `choices` has {} options, expected two or more",
            options.len()
        )),
        _ if body.content().trim().is_empty() => Some("the item has no question: `question` is empty".into()),
        _ => None,
    };
    // A file is named by its name alone: where it lies is not a part of what is kept.
    let file = place.path.file_name().unwrap_or_default().to_string_lossy();
    let says = |reason: String| format!("{reason} ({file}, row {})", place.row);
    Ok(Item {
        id: format!("{}/{id}", task.name()),
        task,
        body,
        fault: few.or(answer.as_ref().err().cloned()).map(says),
        answer: answer.ok(),
    })
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "missing".into(),
        Some(Value::String(text)) if text.trim().is_empty() => "empty".into(),
        Some(value) => value.to_string(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}

fn text(fields: &Fields, name: &str) -> Result<String, String> {
    match fields.get(name) {
        Some(Value::String(text)) => Ok(tidy(text)),
        other => Err(format!("`{name}` is {}, expected text", shown(other))),
    }
}

fn tidy(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_string()
}

fn texts(value: Option<&Value>, name: &str) -> Result<Vec<String>, String> {
    let found: Option<Vec<String>> = value
        .and_then(Value::as_array)
        .and_then(|values| values.iter().map(|value| value.as_str().map(tidy)).collect());
    found.ok_or_else(|| format!("`{name}` is {}, expected a list of texts", shown(value)))
}

/// Options as a struct of two lists, or as a list of structs.
fn arc_options(value: Option<&Value>) -> Result<Vec<(String, String)>, String> {
    let expected =
        || format!("`choices` is {}, expected the lists `text` and `label` of one length", shown(value));
    let lists = |texts_of: Option<&Value>, labels_of: Option<&Value>| {
        let (texts, labels) = (texts(texts_of, "text").ok()?, texts(labels_of, "label").ok()?);
        (texts.len() == labels.len()).then(|| labels.into_iter().zip(texts).collect())
    };
    match value {
        Some(Value::Object(parts)) => lists(parts.get("text"), parts.get("label")).ok_or_else(expected),
        Some(Value::Array(options)) => options
            .iter()
            .map(|option| Some((tidy(option.get("label")?.as_str()?), tidy(option.get("text")?.as_str()?))))
            .collect::<Option<_>>()
            .ok_or_else(expected),
        _ => Err(expected()),
    }
}

fn mmlu_answer(value: Option<&Value>, options: &[(String, String)]) -> Result<String, String> {
    let found = match value {
        Some(Value::Number(index)) => {
            index.as_u64().and_then(|index| options.get(usize::try_from(index).ok()?))
        }
        Some(Value::String(label)) => options.iter().find(|(known, _)| known == label.trim()),
        _ => None,
    };
    found.map(|(label, _)| label.clone()).ok_or_else(|| {
        format!(
            "the item has no answer: `answer` is {}, expected a whole number below {} or an option's letter",
            shown(value),
            options.len()
        )
    })
}

fn arc_answer(value: Option<&Value>, options: &[(String, String)]) -> Result<String, String> {
    let key = value.and_then(Value::as_str).map(str::trim);
    options.iter().map(|(label, _)| label).find(|label| Some(label.as_str()) == key).cloned().ok_or_else(
        || {
            let labels: Vec<&str> = options.iter().map(|(label, _)| label.as_str()).collect();
            format!(
                "the item has no answer: `answerKey` is {}, expected one of {}",
                shown(value),
                labels.join(", ")
            )
        },
    )
}

fn gsm_answer(value: Option<&Value>) -> Result<String, String> {
    let solution = value.and_then(Value::as_str);
    solution.and_then(|solution| canonical_number(solution.rsplit_once("####")?.1)).ok_or_else(|| {
        let found = match solution {
            Some(solution) if !solution.trim().is_empty() => "has no number after ####".to_string(),
            _ => format!("is {}, expected text that ends in #### and a number", shown(value)),
        };
        format!("the item has no answer: `answer` {found}")
    })
}
