//! A file that has its name only once it is whole.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::suite::SuiteError;

/// The place of a file that is being written under another name. Dropped before it is kept, it leaves nothing behind.
pub(super) struct PartialFile {
    /// Where the file is to be.
    pub path: PathBuf,
    temporary: PathBuf,
}

impl PartialFile {
    /// Begins the file.
    pub fn create(path: PathBuf) -> Result<(Self, File), SuiteError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!(".partial-{name}-{}", std::process::id()));
        let file = File::create(&temporary).map_err(|error| unwritable(&path, error))?;
        Ok((Self { path, temporary }, file))
    }

    /// Gives the file its name.
    pub fn keep(self) -> Result<PathBuf, SuiteError> {
        fs::rename(&self.temporary, &self.path).map_err(|error| unwritable(&self.path, error))?;
        Ok(self.path.clone())
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary);
    }
}

/// The complaint that a file cannot be written.
pub(super) fn unwritable(path: &Path, source: std::io::Error) -> SuiteError {
    SuiteError::Io { action: "write", path: path.into(), source }
}
