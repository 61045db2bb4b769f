//! An analysis as bytes: JSON text, and Parquet tables for the lake. Where the bytes go is the caller's business.

mod consistency;
mod following;
mod layers;
mod parquet_table;

pub use consistency::{EFFECTS_TABLE, METRICS_TABLE, effects_parquet, metrics_parquet};
pub use following::{CURVE_TABLE, SUMMARY_TABLE, curve_parquet, summary_parquet};
pub use layers::{
    CLASSES_TABLE, HEAT_MAP_TABLE, LAYERS_SUMMARY_TABLE, TRAJECTORIES_TABLE, classes_parquet,
    heat_map_parquet, layers_summary_parquet, trajectories_parquet,
};

use serde::Serialize;

use super::error::AnalysisError;
use super::summary::Analysis;

/// An [`Analysis`] or a [`Comparison`](super::summary::Comparison) as a JSON document, indented, with a line feed at the
/// end; the former is `{"following": [...], "consistency": [...], "models": {...} or null}`.
pub fn to_json(figures: &impl Serialize) -> Result<String, AnalysisError> {
    let mut text = serde_json::to_string_pretty(figures).map_err(AnalysisError::EncodeJson)?;
    text.push('\n');
    Ok(text)
}

/// The Parquet tables of an analysis, by name: those of each section that it has.
pub fn to_parquet(analysis: &Analysis) -> Result<Vec<(&'static str, Vec<u8>)>, AnalysisError> {
    let mut tables = Vec::new();
    if !analysis.following.is_empty() {
        tables.push((CURVE_TABLE, curve_parquet(&analysis.following)?));
        tables.push((SUMMARY_TABLE, summary_parquet(&analysis.following)?));
        tables.extend(layers::tables(&analysis.following)?);
    }
    if !analysis.consistency.is_empty() {
        tables.push((METRICS_TABLE, metrics_parquet(&analysis.consistency)?));
        tables.push((EFFECTS_TABLE, effects_parquet(&analysis.consistency)?));
    }
    Ok(tables)
}
