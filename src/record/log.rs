//! The log table: time, host, threads and speed of every unit. Outside the promise of equal bytes.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::RecordError;
use crate::engine::Work;

/// One line of `log/units.jsonl`.
#[derive(Debug, Clone, Serialize)]
pub struct UnitLog {
    /// The unit.
    pub unit: usize,
    /// When it was written, seconds since 1970.
    pub unix_secs: f64,
    /// Prompts in it.
    pub prompts: usize,
    /// ... that failed.
    pub failed: usize,
    /// Wall time on its worker.
    pub worker_secs: f64,
    /// Time before, in which its worker waited for a prepared unit.
    pub idle_secs: f64,
    /// ... of the worker's time in the vision encoder.
    pub vision_secs: f64,
    /// ... in the embedding and the decoder, over the prompts.
    pub decoder_secs: f64,
    /// ... writing answers.
    pub generation_secs: f64,
    /// ... reading distributions.
    pub scoring_secs: f64,
    /// Encoding and writing its parts.
    pub write_secs: f64,
    /// What was done: images, tokens, passes.
    #[serde(flatten)]
    pub work: Work,
    /// Models that run at a time.
    pub sessions: usize,
    /// Threads inside an operator of each.
    pub intra_threads: usize,
    /// Execution provider.
    pub provider: &'static str,
    /// This machine's name.
    pub host: String,
}

pub(super) fn append(path: &Path, line: &impl Serialize, sync: bool) -> Result<(), RecordError> {
    let io = |source| RecordError::Io { action: "write", path: path.into(), source };
    let mut text = serde_json::to_string(line).map_err(|error| io(error.into()))?;
    text.push('\n');
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(io)?;
    file.write_all(text.as_bytes()).map_err(io)?;
    if sync { file.sync_all().map_err(io) } else { Ok(()) }
}
