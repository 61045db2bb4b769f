//! `suite.jsonl`, and PNG files in `images/`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::partial::{PartialFile, unwritable};
use super::{Sink, Slice, create_folder};
use crate::suite::SuiteError;

/// The file while it is written.
pub(super) struct Lines {
    folder: PathBuf,
    place: PartialFile,
    file: BufWriter<File>,
}

impl Lines {
    /// Begins the file; images are written as they come.
    pub fn create(folder: &Path) -> Result<Self, SuiteError> {
        create_folder(&folder.join("images"))?;
        let (place, file) = PartialFile::create(folder.join("suite.jsonl"))?;
        Ok(Self { folder: folder.into(), place, file: BufWriter::new(file) })
    }
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
            let line = line.and_then(|()| self.file.write_all(b"\n"));
            line.map_err(|error| unwritable(&self.place.path, error))?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<PathBuf, SuiteError> {
        self.file.flush().map_err(|error| unwritable(&self.place.path, error))?;
        self.place.keep()
    }
}
