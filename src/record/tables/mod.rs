//! The tables: which columns they have, and how a unit's answers become their rows.
//!
//! Small tables that join on `(run, item_id, presentation, variant)`; scoring never scans vectors. Rows of a part are sorted by
//! that key.

mod embeddings;
mod following;
mod layers;
mod logits;
mod outcomes;
mod vectors;

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use serde::{Deserialize, Serialize};

use crate::engine::{Answered, PromptTokens, UnitResult};
use crate::prepare::Prompt;
use crate::suite::{Group, Presentation};

/// A table of a run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Table {
    /// One row a prompt: answer, probabilities, entropy, status.
    Outcomes,
    /// One row a prompt: the best tokens and their logits.
    Logits,
    /// One row a prompt and depth: mean image token, mean text token, last token.
    Embeddings,
    /// One row a conflict case: Yv, Yt, Ym, Hv, Ht, dH_rel, and what the answer follows.
    Following,
    /// One row a prompt and decoder layer: what the logit lens shows there (as --probe-layers).
    Layers,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 5] =
        [Self::Outcomes, Self::Logits, Self::Embeddings, Self::Following, Self::Layers];

    /// Those that are written where no others are asked for.
    pub const DEFAULT: [Self; 4] = [Self::Outcomes, Self::Logits, Self::Embeddings, Self::Following];

    /// The table's name, as in paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outcomes => "outcomes",
            Self::Logits => "logits",
            Self::Embeddings => "embeddings",
            Self::Following => "following",
            Self::Layers => "layers",
        }
    }

    /// Builds the table's rows of one unit.
    pub(super) fn batch(self, context: &Context, result: &UnitResult) -> Result<RecordBatch, ArrowError> {
        let rows = rows(result);
        match self {
            Self::Outcomes => outcomes::batch(context, &rows),
            Self::Logits => logits::batch(context, &rows),
            Self::Embeddings => embeddings::batch(context, &rows),
            Self::Following => following::batch(context, result),
            Self::Layers => layers::batch(context, result),
        }
    }
}

/// Types of vector columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// `list<element: float>`, signed integers: what Delta, Iceberg, Spark, Trino and BigQuery read.
    #[default]
    Lake,
    /// Fixed-size lists of 16-bit floats: half the size, for Arrow readers.
    Compact,
}

/// What all rows of a run share.
pub(super) struct Context<'a> {
    pub run: &'a str,
    pub profile: Profile,
    /// Length of hidden states.
    pub hidden_size: usize,
    /// Logits kept a prompt.
    pub top_k: usize,
}

/// One prompt with all that is known of it.
#[derive(Clone, Copy)]
struct Row<'a> {
    group: &'a Group,
    presentation: &'a Presentation,
    prompt: Result<&'a Prompt, &'a String>,
    answer: Result<&'a Answered, &'a String>,
    /// Digest of the first image it shows.
    image_hash: Option<&'a str>,
}

/// A unit's rows, sorted by key.
fn rows(result: &UnitResult) -> Vec<Row<'_>> {
    let mut rows = rows_in_order(result);
    rows.sort_by(|a, b| a.presentation.key().cmp(&b.presentation.key()));
    rows
}

fn rows_in_order(result: &UnitResult) -> Vec<Row<'_>> {
    let unit = &result.unit;
    let with_group = unit
        .groups
        .iter()
        .flat_map(|group| group.presentations.iter().map(move |presentation| (group, presentation)));
    with_group
        .zip(unit.prompts.iter().zip(&result.answers))
        .map(|((group, presentation), (prompt, answer))| {
            let first_image = prompt.as_ref().ok().and_then(|prompt| prompt.spans.first());
            let image = first_image.and_then(|span| unit.images[span.image].as_ref().ok());
            Row {
                group,
                presentation,
                prompt: prompt.as_ref(),
                answer: answer.as_ref(),
                image_hash: image.map(|image| image.hash.as_str()),
            }
        })
        .collect()
}

impl<'a> Row<'a> {
    /// What was answered.
    fn answered(&self) -> Option<&'a str> {
        self.answer.ok()?.answer.as_deref()
    }

    /// Tokens of the prompt: ours, or as they were imported.
    fn prompt_tokens(&self) -> Option<PromptTokens> {
        let of =
            |prompt: &Prompt| PromptTokens { text: prompt.text_tokens(), vision: prompt.vision_tokens() };
        self.prompt.ok().map(of).or_else(|| self.answer.ok()?.prompt_tokens)
    }

    fn failure(&self) -> Option<&'a str> {
        self.answer.err().map(String::as_str)
    }

    fn status(&self) -> &'static str {
        if self.answer.is_ok() { "ok" } else { "error" }
    }
}

/// Collects a table's columns: field and values together, so that neither can be forgotten.
#[derive(Default)]
struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    fn push(&mut self, name: &str, nullable: bool, array: ArrayRef) {
        self.fields.push(Field::new(name, array.data_type().clone(), nullable));
        self.arrays.push(array);
    }

    fn text<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a str>) {
        self.push(name, false, Arc::new(StringArray::from_iter_values(values)));
    }

    fn optional_text<'a>(&mut self, name: &str, values: impl Iterator<Item = Option<&'a str>>) {
        self.push(name, true, Arc::new(values.collect::<StringArray>()));
    }

    fn optional_int(&mut self, name: &str, values: impl Iterator<Item = Option<i32>>) {
        self.push(name, true, Arc::new(values.collect::<Int32Array>()));
    }

    fn optional_double(&mut self, name: &str, values: impl Iterator<Item = Option<f64>>) {
        self.push(name, true, Arc::new(values.collect::<arrow_array::Float64Array>()));
    }

    fn optional_bool(&mut self, name: &str, values: impl Iterator<Item = Option<bool>>) {
        self.push(name, true, Arc::new(values.collect::<arrow_array::BooleanArray>()));
    }

    /// The columns that every table begins with.
    fn key(context: &Context, rows: &[Row]) -> Self {
        let mut columns = Self::default();
        columns.text("run", rows.iter().map(|_| context.run));
        columns.text("item_id", rows.iter().map(|row| row.presentation.item_id.as_str()));
        columns.text("group_id", rows.iter().map(|row| row.group.group_id.as_str()));
        columns.text("presentation", rows.iter().map(|row| row.presentation.kind.as_str()));
        columns.text("variant", rows.iter().map(|row| row.presentation.variant()));
        columns.text("control", rows.iter().map(|row| row.presentation.control.as_str()));
        columns
    }

    fn finish(self) -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays)
    }
}

/// A column of lists of strings.
fn strings<'a>(lists: impl Iterator<Item = Vec<&'a str>>) -> Result<ArrayRef, ArrowError> {
    let lists: Vec<Vec<&str>> = lists.collect();
    let values = StringArray::from_iter_values(lists.iter().flatten());
    let offsets = OffsetBuffer::from_lengths(lists.iter().map(Vec::len));
    let element = Arc::new(Field::new("element", DataType::Utf8, false));
    Ok(Arc::new(ListArray::try_new(element, offsets, Arc::new(values), None)?))
}

/// Whether a column holds floats (in lists or not): those are stored as byte streams, without a dictionary.
pub(super) fn holds_floats(data_type: &DataType) -> bool {
    match data_type {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => true,
        DataType::List(element) | DataType::FixedSizeList(element, _) => holds_floats(element.data_type()),
        _ => false,
    }
}
