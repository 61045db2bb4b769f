//! What rows of a group say of each other: the unimodal rows of a conflict, and what the model wrote for another row.

use crate::suite::row::{Row, RowReading};
use crate::suite::{ConflictCase, NO_VARIANT, PresentationKind};

/// What of a row others refer to, and what it refers to.
#[derive(Debug, Clone)]
pub(super) struct Links {
    /// Its item.
    pub item_id: String,
    /// How it is shown.
    pub kind: PresentationKind,
    /// Name of its rendering.
    pub variant: String,
    vision_item: Option<String>,
    text_item: Option<String>,
    written: Vec<PresentationKind>,
    is_generated: bool,
}

/// A row of a group by its index, and what is wrong with it.
pub(super) type WrongRow = (usize, String);

impl Links {
    /// Those of a row.
    pub fn of(row: &Row) -> Self {
        Self {
            item_id: row.item_id.clone(),
            kind: row.presentation,
            variant: row.rendering().map_or_else(|| NO_VARIANT.into(), |rendering| rendering.variant),
            vision_item: row.tags.vision_item.clone(),
            text_item: row.tags.text_item.clone(),
            written: row.written().collect(),
            is_generated: row.reading() != RowReading::OptionToken,
        }
    }
}

/// The group's conflict cases: a conflict row with the unimodal rows that its tags name, else the group's only ones.
pub(super) fn cases(rows: &[Links]) -> Result<Vec<ConflictCase>, WrongRow> {
    let conflicts = (0..rows.len()).filter(|&row| rows[row].kind == PresentationKind::Conflict);
    conflicts
        .map(|conflict| {
            let row = &rows[conflict];
            let at = |reason: String| (conflict, reason);
            let (vision, text) = (PresentationKind::VisionOnly, PresentationKind::TextOnly);
            Ok(ConflictCase {
                conflict,
                vision: unimodal(rows, row, "vision_item", row.vision_item.as_deref(), vision).map_err(at)?,
                text: unimodal(rows, row, "text_item", row.text_item.as_deref(), text).map_err(at)?,
            })
        })
        .collect()
}

fn unimodal(
    rows: &[Links],
    of: &Links,
    tag: &str,
    item: Option<&str>,
    kind: PresentationKind,
) -> Result<usize, String> {
    let of_kind: Vec<usize> = (0..rows.len()).filter(|&row| rows[row].kind == kind).collect();
    let kind = kind.as_str();
    match item {
        Some(item) => {
            let named = || of_kind.iter().copied().filter(|&row| rows[row].item_id == item);
            let alike = named().find(|&row| rows[row].variant == of.variant);
            alike
                .or_else(|| named().next())
                .ok_or_else(|| format!("tag `{tag}` names {item:?}, which is no {kind} row of its group"))
        }
        None if of_kind.len() == 1 => Ok(of_kind[0]),
        None => Err(format!(
            "a conflict row needs the tag `{tag}` when its group has {} {kind} rows (with one it is clear)",
            of_kind.len()
        )),
    }
}

/// The row of the same item and variant that is shown as `kind`.
pub(super) fn source_of_written(
    rows: &[Links],
    of: usize,
    kind: PresentationKind,
) -> Result<usize, WrongRow> {
    let row = &rows[of];
    let is_source =
        |other: &Links| other.item_id == row.item_id && other.variant == row.variant && other.kind == kind;
    let kind = kind.as_str();
    let at = |reason: String| (of, reason);
    let source = rows.iter().position(is_source).ok_or_else(|| {
        at(format!(
            "a part holds what was written for presentation {kind}, but its group has no {kind} row of item {:?} and variant {}",
            row.item_id, row.variant
        ))
    })?;
    match &rows[source] {
        _ if source == of => Err(at(format!(
            "a part holds what was written for presentation {kind}, which is this row itself"
        ))),
        Links { is_generated: false, .. } => Err(at(format!(
            "a part holds what was written for presentation {kind}, for which only the next token is asked: give that row another `reading`"
        ))),
        Links { written, .. } if !written.is_empty() => Err(at(format!(
            "a part holds what was written for presentation {kind}, which itself holds what was written; only one step is taken"
        ))),
        _ => Ok(source),
    }
}

/// Whether all that the rows of a group say of each other is so.
pub(super) fn check(rows: &[Links]) -> Result<(), WrongRow> {
    cases(rows)?;
    for (at, row) in rows.iter().enumerate() {
        for kind in &row.written {
            source_of_written(rows, at, *kind)?;
        }
    }
    Ok(())
}
