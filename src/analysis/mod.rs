//! What it means: tables in, numbers with intervals out. Reads Parquet only; never touches a model.

pub mod statistics;
pub mod summary;
