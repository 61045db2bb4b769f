//! The folders of a table (one for each model and suite) and the batches of rows in its parts.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::columns::Columns;
use crate::analysis::error::AnalysisError;

/// Rows decoded at a time.
const BATCH_ROWS: usize = 8192;

/// One model's rows of one suite, in one table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition {
    /// Value of the folder `model=`.
    pub model: String,
    /// Value of the folder `suite=`.
    pub suite: String,
}

impl Partition {
    /// Its folder.
    pub fn folder(&self, run_dir: &Path, table: &str) -> PathBuf {
        table_folder(run_dir, table)
            .join(format!("model={}", self.model))
            .join(format!("suite={}", self.suite))
    }
}

/// The partitions of a table, sorted by model and suite.
///
/// # Errors
/// When there are none, or a folder cannot be read.
pub fn partitions(run_dir: &Path, table: &'static str) -> Result<Vec<Partition>, AnalysisError> {
    let found = partitions_if_any(run_dir, table)?;
    if found.is_empty() {
        return Err(AnalysisError::NoTable { table, folder: table_folder(run_dir, table) });
    }
    Ok(found)
}

/// The partitions of a table that a run need not have, sorted by model and suite.
pub(in crate::analysis) fn partitions_if_any(
    run_dir: &Path,
    table: &str,
) -> Result<Vec<Partition>, AnalysisError> {
    let folder = table_folder(run_dir, table);
    let mut found = Vec::new();
    if folder.is_dir() {
        for (model, model_folder) in values_of("model=", &folder)? {
            for (suite, _) in values_of("suite=", &model_folder)? {
                found.push(Partition { model: model.clone(), suite });
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Hands every batch of every part in `folder` to `visit`, with the columns named and no others.
pub(super) fn for_each_batch(
    folder: &Path,
    names: &[&str],
    mut visit: impl FnMut(&Columns) -> Result<(), AnalysisError>,
) -> Result<(), AnalysisError> {
    let nothing = |columns: &Columns| visit(columns).map(|()| None::<()>);
    find_in_batches(folder, names, nothing).map(|_| ())
}

/// What `visit` finds in the first batch in which it finds something.
pub(super) fn find_in_batches<T>(
    folder: &Path,
    names: &[&str],
    mut visit: impl FnMut(&Columns) -> Result<Option<T>, AnalysisError>,
) -> Result<Option<T>, AnalysisError> {
    for path in parts(folder)? {
        let (schema, batches) = decode(&path, names)?;
        let mut first_row = 0;
        for batch in &batches {
            if let Some(found) = visit(&Columns { path: &path, schema: &schema, batch, first_row })? {
                return Ok(Some(found));
            }
            first_row += batch.num_rows();
        }
    }
    Ok(None)
}

/// The whole file's schema, and its rows in the columns named. The decoder panics on some damaged files; that is an
/// error of the file like any other.
fn decode(path: &Path, names: &[&str]) -> Result<(SchemaRef, Vec<RecordBatch>), AnalysisError> {
    let corrupt =
        |source: Box<dyn Error + Send + Sync>| AnalysisError::Corrupt { path: path.to_owned(), source };
    let file = File::open(path).map_err(|source| AnalysisError::Read { path: path.to_owned(), source })?;
    let decoded = catch_unwind(AssertUnwindSafe(|| -> Result<_, Box<dyn Error + Send + Sync>> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
        let schema = builder.schema().clone();
        let wanted =
            (0..schema.fields().len()).filter(|&at| names.contains(&schema.field(at).name().as_str()));
        let projection = ProjectionMask::roots(builder.parquet_schema(), wanted);
        let reader = builder.with_projection(projection).with_batch_size(BATCH_ROWS).build()?;
        Ok((schema, reader.collect::<Result<Vec<_>, _>>()?))
    }));
    decoded.unwrap_or_else(|_| Err("the decoder panicked".into())).map_err(corrupt)
}

fn table_folder(run_dir: &Path, table: &str) -> PathBuf {
    run_dir.join("tables").join(format!("table={table}"))
}

/// The parts of a folder, by name.
fn parts(folder: &Path) -> Result<Vec<PathBuf>, AnalysisError> {
    let is_part = |path: &PathBuf| {
        path.file_name()
            .and_then(OsStr::to_str)
            .is_some_and(|n| n.starts_with("part-") && n.ends_with(".parquet"))
    };
    let mut parts: Vec<PathBuf> = entries(folder)?.into_iter().filter(is_part).collect();
    if parts.is_empty() {
        return Err(AnalysisError::NoParts { folder: folder.to_owned() });
    }
    parts.sort();
    Ok(parts)
}

fn values_of(key: &str, folder: &Path) -> Result<Vec<(String, PathBuf)>, AnalysisError> {
    let value_of = |path: PathBuf| {
        let value = path.file_name()?.to_str()?.strip_prefix(key)?.to_owned();
        path.is_dir().then_some((value, path))
    };
    Ok(entries(folder)?.into_iter().filter_map(value_of).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, AnalysisError> {
    let failed = |source| AnalysisError::Read { path: folder.to_owned(), source };
    fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()).map_err(failed))
        .collect()
}
