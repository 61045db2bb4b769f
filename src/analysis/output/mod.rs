//! An analysis as bytes: JSON text, and Parquet tables for the lake. Where the bytes go is the caller's business.

mod consistency;
mod following;
mod parquet_table;

pub use consistency::{EFFECTS_TABLE, METRICS_TABLE, effects_parquet, metrics_parquet};
pub use following::{CURVE_TABLE, SUMMARY_TABLE, curve_parquet, summary_parquet};

use super::error::AnalysisError;
use super::summary::Analysis;

/// The analysis as a JSON document `{"following": [...], "consistency": [...], "models": {...} or null}`, indented, with a
/// line feed at the end.
pub fn to_json(analysis: &Analysis) -> Result<String, AnalysisError> {
    let mut text = serde_json::to_string_pretty(analysis).map_err(AnalysisError::EncodeJson)?;
    text.push('\n');
    Ok(text)
}

/// The Parquet tables of an analysis, by name: those of each section that it has.
pub fn to_parquet(analysis: &Analysis) -> Result<Vec<(&'static str, Vec<u8>)>, AnalysisError> {
    let mut tables = Vec::new();
    if !analysis.following.is_empty() {
        tables.push((CURVE_TABLE, curve_parquet(&analysis.following)?));
        tables.push((SUMMARY_TABLE, summary_parquet(&analysis.following)?));
    }
    if !analysis.consistency.is_empty() {
        tables.push((METRICS_TABLE, metrics_parquet(&analysis.consistency)?));
        tables.push((EFFECTS_TABLE, effects_parquet(&analysis.consistency)?));
    }
    Ok(tables)
}
