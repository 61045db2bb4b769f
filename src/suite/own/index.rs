//! Where the rows of each group stand: made in one pass over the files, which also checks every row.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::path::PathBuf;
use std::sync::Arc;

use super::links::{self, Links};
use super::source::Source;
use crate::suite::pictures::{UNREADABLE, digest_of_file};
use crate::suite::row::{Row, RowImage, RowPart};
use crate::suite::seeding::hex_digest;
use crate::suite::{PresentationKind, SuiteError};

/// Where a row stands.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Index of its file.
    pub source: usize,
    /// See [`super::source::Placed::at`].
    pub at: u64,
    /// See [`super::source::Placed::number`].
    pub number: u64,
    /// Digest of its content, pictures included (but for those in files of their own).
    pub digest: String,
}

/// The rows of a group, in the order of the files.
#[derive(Debug)]
pub(super) struct GroupEntry {
    /// The group's name.
    pub group_id: String,
    /// Its rows.
    pub rows: Vec<Entry>,
}

/// All groups.
pub(super) struct Index {
    /// In the order in which they begin.
    pub groups: Vec<GroupEntry>,
    /// Digest of the rows and their pictures, of those groups that are kept.
    pub digest: String,
}

impl Index {
    /// Reads and checks all rows; `limit` keeps the first groups only.
    pub fn of(sources: &[Arc<Source>], limit: usize) -> Result<Self, SuiteError> {
        let mut reader = Reader::default();
        for (source, file) in sources.iter().enumerate() {
            for placed in file.rows(0)? {
                let placed = placed?;
                let wrong = |reason| file.wrong_row(placed.number, reason);
                placed.row.check().map_err(wrong)?;
                let entry =
                    Entry { source, at: placed.at, number: placed.number, digest: digest(&placed.row) };
                reader.add(sources, &placed.row, entry)?;
            }
        }
        reader.finish(sources, limit)
    }
}

/// A row's digest: what stands in it, with pictures in it by digest.
pub(super) fn digest(row: &Row) -> String {
    let mut row = row.clone();
    for part in row.messages.iter_mut().flat_map(|message| &mut message.content) {
        if let RowPart::Image { image: image @ RowImage::Embedded(_) } = part
            && let RowImage::Embedded(bytes) = &*image
        {
            *image = RowImage::Path(hex_digest(bytes));
        }
    }
    // Rows are plain data: they have no field that JSON could refuse.
    hex_digest(serde_json::to_vec(&row).unwrap_or_default())
}

#[derive(Default)]
struct Reader {
    groups: Vec<GroupEntry>,
    links: Vec<Vec<Links>>,
    /// Image files of each group, in order.
    files: Vec<Vec<PathBuf>>,
    group_at: HashMap<String, usize>,
    /// The first row of each key.
    seen: HashMap<(String, PresentationKind, String), (usize, u64)>,
}

impl Reader {
    fn add(&mut self, sources: &[Arc<Source>], row: &Row, entry: Entry) -> Result<(), SuiteError> {
        let links = Links::of(row);
        match self.seen.entry((links.item_id.clone(), links.kind, links.variant.clone())) {
            Slot::Vacant(slot) => _ = slot.insert((entry.source, entry.number)),
            Slot::Occupied(slot) => {
                let (source, number) = *slot.get();
                let (item, kind, variant) = slot.key();
                return Err(sources[entry.source].wrong_row(
                    entry.number,
                    format!(
                        "`item_id` {item:?} with presentation {} and variant {variant} stands at {} already; the three together must be unique",
                        kind.as_str(),
                        sources[source].place(number)
                    ),
                ));
            }
        }
        let at = *self.group_at.entry(row.group_id.clone()).or_insert_with(|| {
            self.groups.push(GroupEntry { group_id: row.group_id.clone(), rows: Vec::new() });
            self.links.push(Vec::new());
            self.files.push(Vec::new());
            self.groups.len() - 1
        });
        let folder = sources[entry.source].folder();
        let paths = row.images().filter_map(|image| match image {
            RowImage::Path(path) => Some(folder.join(path)),
            RowImage::Embedded(_) => None,
        });
        self.files[at].extend(paths);
        self.links[at].push(links);
        self.groups[at].rows.push(entry);
        Ok(())
    }

    fn finish(mut self, sources: &[Arc<Source>], limit: usize) -> Result<Index, SuiteError> {
        for (group, links) in self.groups.iter().zip(&self.links) {
            links::check(links).map_err(|(row, reason)| {
                let entry = &group.rows[row];
                sources[entry.source].wrong_row(entry.number, reason)
            })?;
        }
        self.groups.truncate(limit);
        let mut content = String::new();
        for entry in self.groups.iter().flat_map(|group| &group.rows) {
            content += &entry.digest;
        }
        let mut known: HashMap<&PathBuf, String> = HashMap::new();
        for path in self.files.iter().take(self.groups.len()).flatten() {
            // A picture that is mended or exchanged makes another suite; one that is missing is a fact like any other.
            let digest = || digest_of_file(path).unwrap_or_else(|_| UNREADABLE.into());
            content += known.entry(path).or_insert_with(digest);
        }
        Ok(Index { groups: self.groups, digest: hex_digest(content) })
    }
}
