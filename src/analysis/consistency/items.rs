//! The rows of an item, by how they show it.

use std::collections::BTreeMap;

use crate::analysis::tables::{ConsistencyRow, Shown};

/// The task of items for which the table names none.
const NO_TASK: &str = "none";
/// The color of renderings for which the table names none.
pub(super) const BLACK: &str = "black";

/// An item with all its rows.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    /// Its group: resampled together.
    pub group: &'a str,
    /// Its task.
    pub task: &'a str,
    /// Its row as text.
    pub text: Option<&'a ConsistencyRow>,
    /// Its renderings by variant.
    pub renderings: BTreeMap<&'a str, Rendered<'a>>,
}

/// One rendering of an item, with the rows that show it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rendered<'a> {
    pub image: Option<&'a ConsistencyRow>,
    pub mixed: Option<&'a ConsistencyRow>,
    pub ocr: Option<&'a ConsistencyRow>,
    pub ocr_first: Option<&'a ConsistencyRow>,
}

impl<'a> Rendered<'a> {
    /// Font, resolution and color, by the first row that names them.
    pub fn look(&self) -> (Option<&'a str>, Option<i32>, &'a str) {
        let rows = || [self.image, self.mixed, self.ocr, self.ocr_first].into_iter().flatten();
        (
            rows().find_map(|row| row.font.as_deref()),
            rows().find_map(|row| row.dpi),
            rows().find_map(|row| row.color.as_deref()).unwrap_or(BLACK),
        )
    }

    /// Character error rate of its transcription, where that was made.
    pub fn cer(&self) -> Option<f64> {
        answered(self.ocr)?.cer
    }
}

impl Item<'_> {
    /// Whether the suite shows it mixed at all.
    pub fn has_mixed(&self) -> bool {
        self.renderings.values().any(|rendered| rendered.mixed.is_some())
    }
}

/// A row that did not fail.
pub(super) fn answered(row: Option<&ConsistencyRow>) -> Option<&ConsistencyRow> {
    row.filter(|row| !row.failed)
}

/// Whether a row's answer is right, where it was answered and that is known.
pub(super) fn right(row: Option<&ConsistencyRow>) -> Option<bool> {
    answered(row)?.correct
}

/// The items by name.
pub(super) fn items(rows: &[ConsistencyRow]) -> Vec<Item<'_>> {
    let mut items: BTreeMap<&str, Item> = BTreeMap::new();
    for row in rows {
        let item = items.entry(&row.item_id).or_insert_with(|| Item {
            group: &row.group_id,
            task: row.task.as_deref().unwrap_or(NO_TASK),
            text: None,
            renderings: BTreeMap::new(),
        });
        if row.shown == Shown::Text {
            item.text = Some(row);
            continue;
        }
        let rendered = item.renderings.entry(&row.variant).or_default();
        let place = match row.shown {
            Shown::Ocr => &mut rendered.ocr,
            Shown::Mixed => &mut rendered.mixed,
            Shown::OcrFirst => &mut rendered.ocr_first,
            Shown::Image | Shown::Text => &mut rendered.image,
        };
        *place = Some(row);
    }
    items.into_values().collect()
}
