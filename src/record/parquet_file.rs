//! One part file: how a table's rows are encoded.

use std::path::Path;

use arrow_array::RecordBatch;
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::tables::holds_floats;
use super::{Fingerprints, RecordError, Table};

/// Version of the tables' schema; raised when a column changes its meaning or type.
pub const SCHEMA_VERSION: u32 = 2;

/// Most bytes of one row group, uncompressed.
const MAX_ROW_GROUP_BYTES: usize = 64 << 20;

/// Zstandard level: 3 is where the ratio stops rising quickly.
const ZSTD_LEVEL: i32 = 3;

/// What stands in every part's key-value metadata.
#[derive(Debug, Clone)]
pub struct PartContext {
    /// The `run` column.
    pub run: String,
    /// Version of the program.
    pub crossmodal: String,
    /// What determines the content.
    pub fingerprints: Fingerprints,
}

/// Encodes a part.
///
/// # Errors
/// When Parquet refuses the batch; `path` is only named in the error.
pub(super) fn encode(
    table: Table,
    batch: &RecordBatch,
    context: &PartContext,
    path: &Path,
) -> Result<Vec<u8>, RecordError> {
    let refused = |source| RecordError::Encode { path: path.into(), source };
    let properties = properties(table, batch, context).map_err(refused)?;
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).map_err(refused)?;
    writer.write(batch).map_err(refused)?;
    writer.close().map_err(refused)?;
    Ok(bytes)
}

fn properties(
    table: Table,
    batch: &RecordBatch,
    context: &PartContext,
) -> Result<WriterProperties, parquet::errors::ParquetError> {
    let schema = batch.schema();
    let described = ArrowSchemaConverter::new().convert(&schema)?;
    let mut builder = WriterProperties::builder()
        .set_created_by(format!("crossmodal version {}", context.crossmodal))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_bytes(Some(MAX_ROW_GROUP_BYTES))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(metadata(table, context)))
        .set_sorting_columns(Some(sorting(batch)));
    for (leaf, column) in described.columns().iter().enumerate() {
        let root = described.get_column_root_idx(leaf);
        if holds_floats(schema.field(root).data_type()) {
            let path = ColumnPath::new(column.path().parts().to_vec());
            builder = builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::BYTE_STREAM_SPLIT);
        }
    }
    Ok(builder.build())
}

fn metadata(table: Table, context: &PartContext) -> Vec<KeyValue> {
    let Fingerprints { model, suite, settings } = &context.fingerprints;
    [
        ("crossmodal.table", table.as_str()),
        ("crossmodal.schema_version", &SCHEMA_VERSION.to_string()),
        ("crossmodal.version", &context.crossmodal),
        ("crossmodal.run", &context.run),
        ("crossmodal.model_fingerprint", model),
        ("crossmodal.suite_fingerprint", suite),
        ("crossmodal.settings_fingerprint", settings),
    ]
    .into_iter()
    .map(|(key, value)| KeyValue::new(key.to_string(), value.to_string()))
    .collect()
}

/// Rows are sorted by `item_id`, `presentation`, `variant` (and `depth` of embeddings, `layer` of layers). Sorting columns are numbered by leaf,
/// and all of them stand before the first nested column.
fn sorting(batch: &RecordBatch) -> Vec<SortingColumn> {
    ["item_id", "presentation", "variant", "depth", "layer"]
        .iter()
        .filter_map(|name| batch.schema().index_of(name).ok())
        .map(|index| SortingColumn { column_idx: index as i32, descending: false, nulls_first: false })
        .collect()
}
