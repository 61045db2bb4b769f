//! The table `outcomes`, as far as the same content is compared: one row a prompt.

use std::collections::BTreeSet;
use std::path::Path;

use super::columns::Columns;
use super::outcomes::TABLE;
use super::partitions::{Partition, for_each_batch};
use crate::analysis::error::AnalysisError;

/// The value of `variant` in rows that show no rendering, and in tables from before there were any.
pub const NO_VARIANT: &str = "none";

const COLUMNS: [&str; 16] = [
    "run",
    "item_id",
    "group_id",
    "presentation",
    "variant",
    "task",
    "font",
    "dpi",
    "color",
    "text_tokens",
    "vision_tokens",
    "expected",
    "answer",
    "correct",
    "cer",
    "status",
];

/// How the content of an item is shown, or what is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// As image, to be transcribed.
    Ocr,
    /// As text.
    Text,
    /// As image.
    Image,
    /// A part as image, the rest as text.
    Mixed,
    /// As the model's own transcription of the image.
    OcrFirst,
}

impl Shown {
    /// The presentation of that name; `None` for those of other suites.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "ocr" => Self::Ocr,
            "text" => Self::Text,
            "image" => Self::Image,
            "mixed" => Self::Mixed,
            "ocr-first" => Self::OcrFirst,
            _ => return None,
        })
    }

    /// The name in the tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ocr => "ocr",
            Self::Text => "text",
            Self::Image => "image",
            Self::Mixed => "mixed",
            Self::OcrFirst => "ocr-first",
        }
    }
}

/// One prompt that shows the content of an item, answered or failed.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsistencyRow {
    /// Name of the run.
    pub run: String,
    /// The item.
    pub item_id: String,
    /// Its group.
    pub group_id: String,
    /// How it is shown.
    pub shown: Shown,
    /// In which rendering; [`NO_VARIANT`] for text.
    pub variant: String,
    /// The task that the item belongs to.
    pub task: Option<String>,
    /// Font of the rendering.
    pub font: Option<String>,
    /// Its resolution, dots per inch.
    pub dpi: Option<i32>,
    /// Color of its letters.
    pub color: Option<String>,
    /// Text tokens of the prompt.
    pub text_tokens: Option<i32>,
    /// Vision tokens of the prompt.
    pub vision_tokens: Option<i32>,
    /// The right answer.
    pub expected: Option<String>,
    /// The answer; `None` where nothing could be read from what the model wrote.
    pub answer: Option<String>,
    /// Whether it is right; `None` where that is not known.
    pub correct: Option<bool>,
    /// Character error rate of a transcription.
    pub cer: Option<f64>,
    /// Whether the prompt failed.
    pub failed: bool,
}

/// Whether a model and suite have rows that show the same content in several ways.
pub fn shows_same_content(run_dir: &Path, partition: &Partition) -> Result<bool, AnalysisError> {
    let mut found = false;
    for_each_batch(&partition.folder(run_dir, TABLE), &["presentation"], |columns| {
        found |= columns.required_text("presentation")?.iter().any(|name| Shown::from_name(name).is_some());
        Ok(())
    })?;
    Ok(found)
}

/// Reads the rows of a model and suite that show the same content in several ways, sorted by item, presentation and
/// variant. Rows of other presentations are passed over.
pub fn read_consistency(run_dir: &Path, partition: &Partition) -> Result<Vec<ConsistencyRow>, AnalysisError> {
    let folder = partition.folder(run_dir, TABLE);
    let mut rows = Vec::new();
    for_each_batch(&folder, &COLUMNS, |columns| {
        rows.extend(rows_of(columns)?);
        Ok(())
    })?;
    let key = |row: &ConsistencyRow| (row.item_id.clone(), row.shown, row.variant.clone());
    rows.sort_by(|one, other| {
        (&one.item_id, one.shown, &one.variant).cmp(&(&other.item_id, other.shown, &other.variant))
    });
    if let Some([twice, _]) = rows.windows(2).find(|pair| key(&pair[0]) == key(&pair[1])) {
        return Err(AnalysisError::DuplicatePrompt {
            item_id: twice.item_id.clone(),
            presentation: twice.shown.as_str().into(),
            variant: twice.variant.clone(),
            folder,
        });
    }
    let runs: BTreeSet<&str> = rows.iter().map(|row| row.run.as_str()).collect();
    match runs.len() {
        0 => Err(AnalysisError::NoRows { folder }),
        1 => Ok(rows),
        _ => Err(AnalysisError::SeveralRuns { folder, runs: runs.into_iter().map(str::to_owned).collect() }),
    }
}

fn rows_of(columns: &Columns) -> Result<Vec<ConsistencyRow>, AnalysisError> {
    let run = columns.required_text("run")?;
    let item_id = columns.required_text("item_id")?;
    let group_id = columns.required_text("group_id")?;
    let presentation = columns.required_text("presentation")?;
    let variant = columns.required_text_or("variant", NO_VARIANT)?;
    let task = columns.text_if_there("task")?;
    let font = columns.text("font")?;
    let dpi = columns.integer("dpi")?;
    let color = columns.text("color")?;
    let text_tokens = columns.integer("text_tokens")?;
    let vision_tokens = columns.integer("vision_tokens")?;
    let expected = columns.text("expected")?;
    let answer = columns.text("answer")?;
    let correct = columns.boolean("correct")?;
    let cer = columns.number("cer")?;
    let status = columns.required_text("status")?;
    let row = |(at, shown): (usize, Shown)| ConsistencyRow {
        run: run[at].clone(),
        item_id: item_id[at].clone(),
        group_id: group_id[at].clone(),
        shown,
        variant: variant[at].clone(),
        task: task[at].clone(),
        font: font[at].clone(),
        dpi: dpi[at],
        color: color[at].clone(),
        text_tokens: text_tokens[at],
        vision_tokens: vision_tokens[at],
        expected: expected[at].clone(),
        answer: answer[at].clone(),
        correct: correct[at],
        cer: cer[at],
        failed: status[at] != "ok",
    };
    let shown = presentation.iter().enumerate().filter_map(|(at, name)| Some((at, Shown::from_name(name)?)));
    Ok(shown.map(row).collect())
}
