//! Weights of linear layers that lie in files, read once for all sessions of the process: copies of a model share them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Result, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use crate::model::kernels::Panels;

/// Weights that sessions have, by where they are.
#[derive(Default)]
pub(in crate::model) struct StoredWeights(Mutex<HashMap<(Place, Version), Weak<Panels>>>);

/// Where weights are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub file: String,
    /// Of their first byte.
    pub offset: u64,
    /// Inputs and outputs.
    pub sizes: [usize; 2],
    /// Whether they are [outputs, inputs].
    pub transposed: bool,
}

/// What changes as a file does: its length and when it was written.
type Version = (u64, Option<SystemTime>);

impl StoredWeights {
    /// The weights in the order of the product. One reads at a time, so that none reads what another is reading.
    ///
    /// # Errors
    /// When the file cannot be read, or ends before them.
    pub(super) fn read(&self, place: &Place) -> Result<Arc<Panels>> {
        // Nothing else is opened: a pipe would wait for a writer.
        if !std::fs::metadata(&place.file)?.is_file() {
            return Err(ErrorKind::InvalidInput.into());
        }
        let mut file = File::open(&place.file)?;
        let found = file.metadata()?;
        let bytes = place.sizes.iter().try_fold(4u64, |bytes, size| bytes.checked_mul(*size as u64));
        let end = bytes.and_then(|bytes| bytes.checked_add(place.offset));
        if end.is_none_or(|end| found.len() < end) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let key = (place.clone(), (found.len(), found.modified().ok()));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(weights) = known.get(&key).and_then(Weak::upgrade) {
            return Ok(weights);
        }
        file.seek(SeekFrom::Start(place.offset))?;
        let weights = Arc::new(Panels::read(file, place.sizes, place.transposed)?);
        known.retain(|_, weights| weights.strong_count() > 0);
        known.insert(key, Arc::downgrade(&weights));
        Ok(weights)
    }
}

impl Place {
    /// An error that names the place.
    pub(super) fn unreadable(&self, error: &Error) -> String {
        let Self { file, offset, sizes, .. } = self;
        format!("{file}: cannot read weights {sizes:?} at byte {offset}; is the file whole? {error}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "made-up files")]
    fn weights_are_read_once_while_someone_has_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        let written = |seconds: u64| {
            std::fs::write(&path, [0; 4 * 128]).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        written(1);
        let file = path.to_str().unwrap().to_string();
        let place = Place { file, offset: 0, sizes: [8, 8], transposed: false };
        let stored = StoredWeights::default();
        let first = stored.read(&place).unwrap();
        assert!(Arc::ptr_eq(&first, &stored.read(&place).unwrap()));
        let others = [
            Place { transposed: true, ..place.clone() },
            Place { sizes: [4, 16], ..place.clone() },
            Place { offset: 4, ..place.clone() },
        ];
        for other in others {
            assert!(!Arc::ptr_eq(&first, &stored.read(&other).unwrap()), "{other:?}");
        }
        // A file that was written anew is another one.
        written(2);
        assert!(!Arc::ptr_eq(&first, &stored.read(&place).unwrap()));
        // Nobody has them any more.
        drop(first);
        let again = stored.read(&place).unwrap();
        assert_eq!((again.inputs, Arc::strong_count(&again), stored.0.lock().unwrap().len()), (8, 1, 1));
        assert!(stored.read(&Place { offset: 4 * 64 + 4, ..place }).is_err());
    }
}
