//! The table `layers`: what the model would answer after each decoder layer, one row a prompt and layer.
//!
//! A run has many more of these rows than prompts, so that of each only a class and a number are kept; the words of a few
//! cases are read apart ([`read_top1`]).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::NO_CONTROL;
use super::columns::Columns;
use super::partitions::{Partition, for_each_batch};
use crate::analysis::error::AnalysisError;

/// Name of the table.
pub const TABLE: &str = "layers";
/// Presentation of image and text together.
const CONFLICT: &str = "conflict";

const COLUMNS: [&str; 7] =
    ["run", "item_id", "presentation", "control", "layer", "class", "logit_difference"];
const WORDS: [&str; 5] = ["item_id", "presentation", "control", "layer", "top1_text"];

/// Whose answer the most probable token of a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The model's own answer to the image alone.
    Vision,
    /// Its own answer to the text alone.
    Text,
    /// Neither.
    Other,
}

impl Class {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vision => "vision",
            Self::Text => "text",
            Self::Other => "other",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Vision, Self::Text, Self::Other].into_iter().find(|class| class.as_str() == name)
    }
}

/// A case after one layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerPoint {
    /// Layer, from 1.
    pub layer: i32,
    /// `None` where an answer to compare with is not known.
    pub class: Option<Class>,
    /// logit(Yt) - logit(Yv).
    pub logit_difference: Option<f64>,
}

/// A case's item and control.
pub type CaseKey = (String, String);

/// The rows of conflict prompts, by case.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LayerTable {
    /// Run identifier; empty without rows.
    pub run: String,
    /// The layers of each case, rising.
    pub cases: BTreeMap<CaseKey, Vec<LayerPoint>>,
}

/// Reads the rows of conflict prompts; those of other presentations are passed over.
///
/// # Errors
/// When a part is missing, broken, or lacks a column, when the rows come from several runs, or when a case has two rows of
/// one layer.
pub fn read_layers(run_dir: &Path, partition: &Partition) -> Result<LayerTable, AnalysisError> {
    let folder = partition.folder(run_dir, TABLE);
    let (mut cases, mut runs) = (BTreeMap::<CaseKey, Vec<LayerPoint>>::new(), BTreeSet::new());
    for_each_batch(&folder, &COLUMNS, |columns| {
        runs.extend(columns.required_text("run")?);
        let class = columns.text("class")?;
        let logit_difference = columns.number("logit_difference")?;
        for (at, key, layer) in keys_of(columns)? {
            let point = LayerPoint {
                layer,
                class: class_of(columns, at, &class)?,
                logit_difference: logit_difference[at],
            };
            cases.entry(key).or_default().push(point);
        }
        Ok(())
    })?;
    for ((item_id, _), points) in &mut cases {
        points.sort_by_key(|point| point.layer);
        if let Some([twice, _]) = points.windows(2).find(|pair| pair[0].layer == pair[1].layer) {
            let (item_id, layer) = (item_id.clone(), twice.layer);
            return Err(AnalysisError::DuplicateLayer { item_id, layer, folder });
        }
    }
    match runs.len() {
        0 | 1 => Ok(LayerTable { run: runs.pop_first().unwrap_or_default(), cases }),
        _ => Err(AnalysisError::SeveralRuns { folder, runs: runs.into_iter().collect() }),
    }
}

/// The most probable words of the conflict cases of these items (controls apart), by item and layer.
///
/// # Errors
/// When a part is missing, broken, or lacks a column.
pub fn read_top1(
    run_dir: &Path,
    partition: &Partition,
    wanted: impl Fn(&str) -> bool,
) -> Result<BTreeMap<(String, i32), String>, AnalysisError> {
    let mut words = BTreeMap::new();
    for_each_batch(&partition.folder(run_dir, TABLE), &WORDS, |columns| {
        let top1 = columns.text("top1_text")?;
        for (at, (item, control), layer) in keys_of(columns)? {
            if let Some(word) = top1[at].as_ref().filter(|_| control == NO_CONTROL && wanted(&item)) {
                words.insert((item, layer), word.clone());
            }
        }
        Ok(())
    })?;
    Ok(words)
}

/// Case and layer of the conflict rows of a batch.
fn keys_of(columns: &Columns) -> Result<Vec<(usize, CaseKey, i32)>, AnalysisError> {
    let presentation = columns.required_text("presentation")?;
    let item_id = columns.required_text("item_id")?;
    let control = columns.required_text("control")?;
    let layer = columns.integer("layer")?;
    let key = |at: usize| match layer[at] {
        Some(number) if number >= 1 => Ok((at, (item_id[at].clone(), control[at].clone()), number)),
        other => {
            let found = other.map_or_else(|| "null".to_owned(), |number| number.to_string());
            Err(columns.value_error("layer", at, "a layer's number, from 1", found))
        }
    };
    (0..presentation.len()).filter(|&at| presentation[at] == CONFLICT).map(key).collect()
}

fn class_of(columns: &Columns, at: usize, class: &[Option<String>]) -> Result<Option<Class>, AnalysisError> {
    let named = |name: &String| {
        let wrong = || columns.value_error("class", at, "vision, text, other or null", format!("`{name}`"));
        Class::from_name(name).ok_or_else(wrong)
    };
    class[at].as_ref().map(named).transpose()
}
