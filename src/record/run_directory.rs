//! The run directory: found or made, locked, resumed, completed.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::atomic::{self, TEMPORARY_PREFIX};
use super::log::append;
use super::tables::Context;
use super::{Manifest, Part, PartContext, RecordError, Shard, UnitLog, parquet_file};
use crate::engine::{Sizes, UnitResult};
use crate::suite::seeding::hex_digest;

const MANIFEST: &str = "manifest.json";
const PROGRESS: &str = "progress";
const LOCK: &str = ".lock";

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing was done yet.
    Fresh,
    /// These units are missing.
    Missing(Vec<usize>),
    /// All is done.
    Complete,
}

/// A run directory that is open for writing.
pub struct RunDirectory {
    path: PathBuf,
    manifest: Manifest,
    done: BTreeMap<usize, Done>,
    shard: Option<Shard>,
    _locks: Vec<File>,
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> RecordError {
    let path = path.to_path_buf();
    move |source| RecordError::Io { action, path, source }
}

/// A line of `progress.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Done {
    unit: usize,
    prompts: usize,
    failed_rows: usize,
    parts: Vec<Part>,
}

/// A place for a run that is writable, ours, and locked; nothing of a run is in it yet, or a run that can go on.
pub struct ClaimedDirectory {
    path: PathBuf,
    existing: Option<Manifest>,
    shard: Option<Shard>,
    locks: Vec<File>,
}

impl RunDirectory {
    /// Makes sure that the place can be used, before anything costly is done. Shards of one run share it with each other.
    ///
    /// # Errors
    /// When it cannot be written, is in use, or holds something that is no run.
    pub fn claim(path: &Path, shard: Option<Shard>) -> Result<ClaimedDirectory, RecordError> {
        fs::create_dir_all(path).map_err(io("create", path))?;
        if read_manifest(path)?.is_none() {
            let mut entries = fs::read_dir(path).map_err(io("read", path))?.flatten();
            let ours = |name: &str| name.starts_with(LOCK) || name.starts_with(TEMPORARY_PREFIX);
            if entries.any(|entry| !ours(&entry.file_name().to_string_lossy())) {
                return Err(RecordError::NotARun { path: path.into() });
            }
        }
        let mut locks = vec![lock(path, LOCK, shard.is_some())?];
        if let Some(shard) = shard {
            locks.push(lock(path, &format!("{LOCK}-{}", shard.file_name()), false)?);
        }
        // Only what is read under the lock counts: another process may have begun or completed the run meanwhile.
        let existing = read_manifest(path)?;
        Ok(ClaimedDirectory { path: path.into(), existing, shard, locks })
    }
}

impl ClaimedDirectory {
    /// Begins the run that `manifest` describes, or goes on where it stopped.
    ///
    /// # Errors
    /// When the directory holds another run, or cannot be written.
    pub fn begin(self, manifest: Manifest) -> Result<RunDirectory, RecordError> {
        let Self { path, existing, shard, locks } = self;
        let manifest = match existing {
            Some(existing) => match existing.difference(&manifest) {
                None => existing,
                Some(difference) => return Err(RecordError::OtherRun { path, difference }),
            },
            None => {
                write_json(&path.join(MANIFEST), &manifest)?;
                manifest
            }
        };
        for folder in ["tables", "log"] {
            let folder = path.join(folder);
            fs::create_dir_all(&folder).map_err(io("create", &folder))?;
        }
        // What another shard is writing is not ours to remove.
        if shard.is_none() {
            remove_temporary_files(&path)?;
        }
        let mut directory = RunDirectory { path, manifest, done: BTreeMap::new(), shard, _locks: locks };
        directory.refresh()?;
        // A part that has gone since then makes its unit missing again.
        directory.manifest.complete &= directory.done.len() == directory.manifest.units;
        Ok(directory)
    }
}

impl RunDirectory {
    /// What the run is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How far it is.
    pub fn state(&self) -> State {
        if self.manifest.complete {
            return State::Complete;
        }
        let missing: Vec<usize> =
            (0..self.manifest.units).filter(|unit| !self.done.contains_key(unit)).collect();
        if missing.len() == self.manifest.units { State::Fresh } else { State::Missing(missing) }
    }

    /// Reads again what is done: other shards may have gone on.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn refresh(&mut self) -> Result<(), RecordError> {
        self.done = self.read_progress()?;
        Ok(())
    }

    /// Units that are done.
    pub fn units_done(&self) -> usize {
        self.done.len()
    }

    /// Prompts of the units that are done, and how many of them failed.
    pub fn rows(&self) -> (usize, usize) {
        self.done.values().fold((0, 0), |sums, done| (sums.0 + done.prompts, sums.1 + done.failed_rows))
    }

    /// Writes a unit's parts, and then that it is done. Returns its number of failed rows.
    ///
    /// # Errors
    /// When a part cannot be encoded or written; the unit is then not done.
    pub fn write_unit(&mut self, result: &UnitResult, sizes: Sizes) -> Result<usize, RecordError> {
        let unit = result.unit.index;
        let context = Context {
            run: &self.manifest.run,
            profile: self.manifest.settings.profile,
            hidden_size: sizes.hidden,
            top_k: self.manifest.settings.top_k.min(sizes.vocabulary),
        };
        let part_context = PartContext {
            run: self.manifest.run.clone(),
            crossmodal: self.manifest.crossmodal.clone(),
            fingerprints: self.manifest.fingerprints.clone(),
        };
        let mut parts = Vec::new();
        for &table in &self.manifest.settings.tables {
            let relative = format!(
                "tables/table={}/model={}/suite={}/part-{unit:05}.parquet",
                table.as_str(),
                self.manifest.model,
                self.manifest.suite
            );
            let path = self.path.join(&relative);
            let batch = table
                .batch(&context, result)
                .map_err(|error| RecordError::Encode { path: path.clone(), source: error.into() })?;
            let bytes = parquet_file::encode(table, &batch, &part_context, &path)?;
            let io = |source| RecordError::Io { action: "write", path: path.clone(), source };
            fs::create_dir_all(path.parent().unwrap_or(&self.path)).map_err(io)?;
            atomic::write(&path, &bytes).map_err(io)?;
            parts.push(Part {
                path: relative,
                rows: batch.num_rows(),
                bytes: bytes.len() as u64,
                sha256: hex_digest(&bytes),
            });
        }
        let failed_rows = result.answers.iter().filter(|answer| answer.is_err()).count();
        let done = Done { unit, prompts: result.answers.len(), failed_rows, parts };
        append(&self.progress_file(), &done, true)?;
        self.done.insert(unit, done);
        Ok(failed_rows)
    }

    /// Adds a line to the log table.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn log(&self, line: &UnitLog) -> Result<(), RecordError> {
        append(&self.path.join("log/units.jsonl"), line, false)
    }

    /// Says in the manifest that all is done.
    ///
    /// # Errors
    /// When the manifest cannot be written.
    pub fn complete(&mut self) -> Result<(), RecordError> {
        let (rows, failed_rows) = self.rows();
        let mut parts: Vec<Part> = self.done.values().flat_map(|done| done.parts.clone()).collect();
        parts.sort();
        let manifest = Manifest {
            complete: true,
            prompts: Some(rows),
            failed_rows: Some(failed_rows),
            parts,
            ..self.manifest.clone()
        };
        write_json(&self.path.join(MANIFEST), &manifest)?;
        self.manifest = manifest;
        Ok(())
    }

    /// The file of this process' units.
    fn progress_file(&self) -> PathBuf {
        let name = self.shard.map(|shard| format!("-{}", shard.file_name())).unwrap_or_default();
        self.path.join(format!("{PROGRESS}{name}.jsonl"))
    }

    /// Units that are done, by whichever process: those whose line is whole and whose parts are there in full size.
    fn read_progress(&self) -> Result<BTreeMap<usize, Done>, RecordError> {
        let mut done = BTreeMap::new();
        for entry in fs::read_dir(&self.path).map_err(io("read", &self.path))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(PROGRESS) && name.ends_with(".jsonl") {
                let lines = self.read_lines(&entry.path())?;
                done.extend(lines.into_iter().map(|line| (line.unit, line)));
            }
        }
        let whole = |part: &Part| {
            fs::metadata(self.path.join(&part.path)).is_ok_and(|metadata| metadata.len() == part.bytes)
        };
        done.retain(|&unit, done: &mut Done| unit < self.manifest.units && done.parts.iter().all(whole));
        Ok(done)
    }

    fn read_lines(&self, path: &Path) -> Result<Vec<Done>, RecordError> {
        let bytes = fs::read(path).map_err(io("read", path))?;
        let text = String::from_utf8_lossy(&bytes);
        // A line that was cut off by a kill is a unit that is not done; in another shard's file, one that it is writing.
        let lines: Vec<Done> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if !text.is_empty() && !text.ends_with('\n') && path == self.progress_file() {
            let kept: String =
                lines.iter().filter_map(|done| Some(serde_json::to_string(done).ok()? + "\n")).collect();
            atomic::write(path, kept.as_bytes()).map_err(io("write", path))?;
        }
        Ok(lines)
    }
}

/// Locks a file of the run directory, for this process alone or with others.
fn lock(run: &Path, name: &str, shared: bool) -> Result<File, RecordError> {
    let path = run.join(name);
    let file = File::create(&path).map_err(io("write", &path))?;
    match if shared { file.try_lock_shared() } else { file.try_lock() } {
        Err(TryLockError::WouldBlock) => Err(RecordError::InUse { path: run.into() }),
        // Some network file systems have no locks; then the user's word must do.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// What a killed process was writing.
fn remove_temporary_files(run: &Path) -> Result<(), RecordError> {
    let mut folders = vec![run.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(io("read", &folder))?.flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX) {
                fs::remove_file(&path).map_err(io("remove", &path))?;
            }
        }
    }
    Ok(())
}

/// The manifest of a run directory; `None` when there is none.
///
/// # Errors
/// When it is there but broken.
pub fn read_manifest(run: &Path) -> Result<Option<Manifest>, RecordError> {
    let path = run.join(MANIFEST);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| RecordError::Broken {
            path,
            reason: format!("not a manifest of ours: {error}"),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(RecordError::Io { action: "read", path, source }),
    }
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), RecordError> {
    let io = |source| RecordError::Io { action: "write", path: path.into(), source };
    let mut text = serde_json::to_string_pretty(value).map_err(|error| io(error.into()))?;
    text.push('\n');
    atomic::write(path, text.as_bytes()).map_err(io)
}
