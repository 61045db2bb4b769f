//! `suite.jsonl`, and PNG files in `images/`.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Sink, Slice, create_folder, partial};
use crate::suite::SuiteError;

/// The file while it is written.
pub(super) struct Lines {
    folder: PathBuf,
    path: PathBuf,
    file: BufWriter<File>,
}

impl Lines {
    /// Begins the file; images are written as they come.
    pub fn create(folder: &Path) -> Result<Self, SuiteError> {
        create_folder(&folder.join("images"))?;
        let path = folder.join("suite.jsonl");
        let file = File::create(partial(&path)).map_err(|error| unwritable(&path, error))?;
        Ok(Self { folder: folder.into(), path, file: BufWriter::new(file) })
    }
}

fn unwritable(path: &Path, source: std::io::Error) -> SuiteError {
    SuiteError::Io { action: "write", path: path.into(), source }
}

impl Sink for Lines {
    fn write(&mut self, slice: &Slice) -> Result<(), SuiteError> {
        for (name, bytes) in &slice.images {
            let path = self.folder.join(name);
            let written = File::create(&path).and_then(|mut file| file.write_all(bytes));
            written.map_err(|error| unwritable(&path, error))?;
        }
        for row in &slice.rows {
            let line = serde_json::to_writer(&mut self.file, row).map_err(std::io::Error::from);
            line.and_then(|()| self.file.write_all(b"\n")).map_err(|error| unwritable(&self.path, error))?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<PathBuf, SuiteError> {
        let whole = self.file.flush().and_then(|()| fs::rename(partial(&self.path), &self.path));
        whole.map_err(|error| unwritable(&self.path, error))?;
        Ok(self.path)
    }
}
