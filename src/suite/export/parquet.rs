//! `suite.parquet`: rows with their images, as Hugging Face `datasets` would write them.
//!
//! The key-value metadata `huggingface` says which columns are images, so that `datasets` decodes them by itself.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Int32Array, ListArray, RecordBatch, StringArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

use super::partial::{PartialFile, unwritable};
use super::{Sink, Slice, create_folder};
use crate::suite::SuiteError;
use crate::suite::row::{Row, RowImage, RowMessage, RowPart, RowReading, Tags};

/// Most bytes of one row group: a reader that wants one row decodes up to this much.
const MAX_ROW_GROUP_BYTES: usize = 32 << 20;

/// The file while it is written.
pub(super) struct Table {
    place: PartialFile,
    writer: ArrowWriter<File>,
}

impl Table {
    /// Begins the file.
    pub fn create(folder: &Path) -> Result<Self, SuiteError> {
        create_folder(folder)?;
        let (place, file) = PartialFile::create(folder.join("suite.parquet"))?;
        let begin = || {
            let properties = WriterProperties::builder()
                .set_created_by(concat!("crossmodal version ", env!("CARGO_PKG_VERSION")).into())
                .set_compression(Compression::ZSTD(ZstdLevel::default()))
                .set_max_row_group_bytes(Some(MAX_ROW_GROUP_BYTES));
            let schema = batch(&Slice { rows: Vec::new(), images: Vec::new() })?.schema();
            ArrowWriter::try_new(file, schema, Some(properties.build()))
        };
        let writer = begin().map_err(|error| refused(&place.path, &error))?;
        Ok(Self { place, writer })
    }
}

fn refused(path: &Path, error: &ParquetError) -> SuiteError {
    unwritable(path, std::io::Error::other(error.to_string()))
}

impl Sink for Table {
    fn write(&mut self, slice: &Slice) -> Result<(), SuiteError> {
        let written = batch(slice).map_err(ParquetError::from).and_then(|batch| self.writer.write(&batch));
        written.map_err(|error| refused(&self.place.path, &error))
    }

    fn finish(self: Box<Self>) -> Result<PathBuf, SuiteError> {
        let Self { place, writer } = *self;
        writer.close().map_err(|error| refused(&place.path, &error))?;
        place.keep()
    }
}

/// What `datasets` calls the columns' types.
fn features() -> Value {
    let text = || json!({"dtype": "string", "_type": "Value"});
    let number = || json!({"dtype": "int32", "_type": "Value"});
    let part = json!({"type": text(), "text": text(), "image": {"_type": "Image"}, "written": text()});
    let tag = |(name, tag): &(&str, Tag)| {
        (name.to_string(), if matches!(tag, Tag::Number(_)) { number() } else { text() })
    };
    let tags: serde_json::Map<String, Value> = TAGS.iter().map(tag).collect();
    json!({"info": {"features": {
        "item_id": text(), "group_id": text(), "presentation": text(),
        "messages": [{"role": text(), "content": [part]}],
        "options": [{"name": text(), "spellings": [text()]}],
        "answer": text(), "vision_answer": text(), "text_answer": text(),
        "tags": tags,
    }}})
}

/// A tag's column.
enum Tag {
    Text(fn(&Tags) -> Option<&str>),
    Number(fn(&Tags) -> Option<i32>),
}

const TAGS: [(&str, Tag); 14] = [
    ("control", Tag::Text(|tags| Some(tags.control.as_str()))),
    ("dv", Tag::Number(|tags| tags.dv)),
    ("dt", Tag::Number(|tags| tags.dt)),
    ("target", Tag::Text(|tags| tags.target.as_deref())),
    ("vision_item", Tag::Text(|tags| tags.vision_item.as_deref())),
    ("text_item", Tag::Text(|tags| tags.text_item.as_deref())),
    ("task", Tag::Text(|tags| tags.task.as_deref())),
    ("variant", Tag::Text(|tags| tags.variant.as_deref())),
    ("font", Tag::Text(|tags| tags.font.as_deref())),
    ("dpi", Tag::Number(|tags| tags.dpi)),
    ("color", Tag::Text(|tags| tags.color.as_deref())),
    ("reading", Tag::Text(|tags| tags.reading.map(RowReading::as_str))),
    ("max_new_tokens", Tag::Number(|tags| tags.max_new_tokens)),
    ("fault", Tag::Text(|tags| tags.fault.as_deref())),
];

fn batch(slice: &Slice) -> Result<RecordBatch, ArrowError> {
    let rows = &slice.rows;
    let images: HashMap<&str, &[u8]> =
        slice.images.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let texts = |text: fn(&Row) -> Option<&str>| column(rows.iter().map(text));
    let columns = record(vec![
        ("item_id", texts(|row| Some(&row.item_id))),
        ("group_id", texts(|row| Some(&row.group_id))),
        ("presentation", texts(|row| Some(row.presentation.as_str()))),
        ("messages", messages(rows, &images)?),
        ("options", options(rows)?),
        ("answer", texts(|row| row.answer.as_deref())),
        ("vision_answer", texts(|row| row.vision_answer.as_deref())),
        ("text_answer", texts(|row| row.text_answer.as_deref())),
        ("tags", tags(rows)?),
    ])?;
    let (fields, arrays, _) = columns.into_parts();
    // Within Arrow's own schema, which is where `datasets` looks for it.
    let described = HashMap::from([("huggingface".to_string(), features().to_string())]);
    RecordBatch::try_new(Arc::new(Schema::new_with_metadata(fields, described)), arrays)
}

fn messages(rows: &[Row], images: &HashMap<&str, &[u8]>) -> Result<ArrayRef, ArrowError> {
    let messages: Vec<&RowMessage> = rows.iter().flat_map(|row| &row.messages).collect();
    let parts: Vec<&RowPart> = messages.iter().flat_map(|message| &message.content).collect();
    let kind = |part: &&RowPart| match part {
        RowPart::Text { .. } => Some("text"),
        RowPart::Image { .. } => Some("image"),
        RowPart::Written { .. } => Some("written"),
    };
    let text = |part: &&'_ RowPart| if let RowPart::Text { text } = part { Some(text.clone()) } else { None };
    let shown = |part: &&RowPart| match part {
        RowPart::Image { image: RowImage::Path(path) } => Some(path.clone()),
        _ => None,
    };
    let paths: Vec<Option<String>> = parts.iter().map(shown).collect();
    let bytes = paths.iter().map(|path| images.get(path.as_deref()?).copied());
    let image = record_where(
        vec![
            ("bytes", Arc::new(bytes.collect::<BinaryArray>()) as ArrayRef),
            ("path", column(paths.iter().map(Option::as_deref))),
        ],
        Some(paths.iter().map(Option::is_some).collect()),
    )?;
    let written = |part: &&RowPart| match part {
        RowPart::Written { written } => Some(written.as_str()),
        _ => None,
    };
    let texts: Vec<Option<String>> = parts.iter().map(text).collect();
    let content = record(vec![
        ("type", column(parts.iter().map(kind))),
        ("text", column(texts.iter().map(Option::as_deref))),
        ("image", Arc::new(image)),
        ("written", column(parts.iter().map(written))),
    ])?;
    let role = |message: &&RowMessage| Some(message.role.as_str());
    let message = record(vec![
        ("role", column(messages.iter().map(role))),
        ("content", lists(messages.iter().map(|message| message.content.len()), Arc::new(content))?),
    ])?;
    lists(rows.iter().map(|row| row.messages.len()), Arc::new(message))
}

fn options(rows: &[Row]) -> Result<ArrayRef, ArrowError> {
    let options: Vec<_> = rows.iter().flat_map(|row| &row.options).collect();
    let spellings =
        column(options.iter().flat_map(|option| &option.spellings).map(|spelling| Some(spelling.as_str())));
    let option = record(vec![
        ("name", column(options.iter().map(|option| Some(option.name.as_str())))),
        ("spellings", lists(options.iter().map(|option| option.spellings.len()), spellings)?),
    ])?;
    lists(rows.iter().map(|row| row.options.len()), Arc::new(option))
}

fn tags(rows: &[Row]) -> Result<ArrayRef, ArrowError> {
    let values = |(name, tag): &(&'static str, Tag)| {
        let array = match tag {
            Tag::Text(text) => column(rows.iter().map(|row| text(&row.tags))),
            Tag::Number(number) => Arc::new(rows.iter().map(|row| number(&row.tags)).collect::<Int32Array>()),
        };
        (*name, array)
    };
    Ok(Arc::new(record(TAGS.iter().map(values).collect())?))
}

fn column<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn lists(lengths: impl Iterator<Item = usize>, values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let element = Arc::new(Field::new("element", values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(element, OffsetBuffer::from_lengths(lengths), values, None)?))
}

fn record(columns: Vec<(&str, ArrayRef)>) -> Result<StructArray, ArrowError> {
    record_where(columns, None)
}

fn record_where(
    columns: Vec<(&str, ArrayRef)>,
    is_there: Option<NullBuffer>,
) -> Result<StructArray, ArrowError> {
    let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let fields: Fields = columns.iter().map(field).collect();
    StructArray::try_new(fields, columns.into_iter().map(|(_, array)| array).collect(), is_there)
}
