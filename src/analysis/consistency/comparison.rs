//! Comparisons: one item in one rendering, answered as text, as image and mixed.
//!
//! An item that has no mixed row in any rendering is not shown mixed by its suite; its text and image are compared. A
//! comparison that lacks an answer which the item should have is incomplete, and enters no figure.

use super::items::{Item, answered};
use crate::analysis::summary::{Incomplete, IncompleteReason, Modality, Unparsed};
use crate::analysis::tables::ConsistencyRow;

/// Which item, in which rendering.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place<'a> {
    /// The item's number.
    pub item: usize,
    /// Its group.
    pub group: &'a str,
    /// Its task.
    pub task: &'a str,
    /// The rendering.
    pub variant: &'a str,
    pub font: Option<&'a str>,
    pub dpi: Option<i32>,
    pub color: &'a str,
    /// Character error rate of the transcription, where one was made.
    pub cer: Option<f64>,
    /// Whether the transcription is perfect.
    pub ocr_correct: bool,
}

/// A complete comparison.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparison<'a> {
    pub place: Place<'a>,
    pub text: &'a ConsistencyRow,
    pub image: &'a ConsistencyRow,
    /// `None` for an item that is not shown mixed.
    pub mixed: Option<&'a ConsistencyRow>,
    /// Whether all answers are the same.
    pub agree: bool,
}

impl Comparison<'_> {
    /// The row of a modality.
    pub fn row(&self, modality: Modality) -> Option<&ConsistencyRow> {
        match modality {
            Modality::Text => Some(self.text),
            Modality::Image => Some(self.image),
            Modality::Mixed => self.mixed,
        }
    }

    /// Right or wrong in each modality that the item has; `None` where that is not known of every answer.
    pub fn score(&self) -> Option<Vec<bool>> {
        Modality::ALL.into_iter().filter_map(|modality| self.row(modality)).map(|row| row.correct).collect()
    }

    /// Whether the answer in a modality is right, if the comparison is scored and the item has that modality.
    pub fn right(&self, modality: Modality) -> Option<bool> {
        self.score()?;
        self.row(modality)?.correct
    }
}

/// All comparisons of a run, in the order of items and renderings.
pub(super) struct Comparisons<'a> {
    pub complete: Vec<Comparison<'a>>,
    pub incomplete: Vec<(Place<'a>, Modality, IncompleteReason)>,
}

impl Comparisons<'_> {
    /// How many are incomplete for which reason; reasons that do not occur are left out.
    pub fn reasons(&self) -> Vec<Incomplete> {
        let of = |modality, reason| {
            let same = self.incomplete.iter().filter(|(_, lacks, why)| (*lacks, *why) == (modality, reason));
            Incomplete { modality, reason, comparisons: same.count() as u64 }
        };
        Modality::ALL
            .into_iter()
            .flat_map(|modality| {
                [of(modality, IncompleteReason::Failed), of(modality, IncompleteReason::Missing)]
            })
            .filter(|reason| reason.comparisons > 0)
            .collect()
    }
}

/// Makes the comparisons of all items.
pub(super) fn comparisons<'a>(items: &[Item<'a>], unparsed: Unparsed) -> Comparisons<'a> {
    let mut found = Comparisons { complete: Vec::new(), incomplete: Vec::new() };
    for (number, item) in items.iter().enumerate() {
        let has_mixed = item.has_mixed();
        for (variant, rendered) in &item.renderings {
            let (font, dpi, color) = rendered.look();
            let cer = rendered.cer();
            let place = Place {
                item: number,
                group: item.group,
                task: item.task,
                variant,
                font,
                dpi,
                color,
                cer,
                ocr_correct: cer == Some(0.0),
            };
            let rows = || -> Result<_, (Modality, IncompleteReason)> {
                let text = present(Modality::Text, item.text)?;
                let image = present(Modality::Image, rendered.image)?;
                let mixed = has_mixed.then(|| present(Modality::Mixed, rendered.mixed)).transpose()?;
                Ok((text, image, mixed))
            };
            match rows() {
                Ok((text, image, mixed)) => {
                    let agree =
                        [Some(image), mixed].into_iter().flatten().all(|row| same(text, row, unparsed));
                    found.complete.push(Comparison { place, text, image, mixed, agree });
                }
                Err((modality, reason)) => found.incomplete.push((place, modality, reason)),
            }
        }
    }
    found
}

fn present(
    modality: Modality,
    row: Option<&ConsistencyRow>,
) -> Result<&ConsistencyRow, (Modality, IncompleteReason)> {
    let reason = if row.is_some() { IncompleteReason::Failed } else { IncompleteReason::Missing };
    answered(row).ok_or((modality, reason))
}

/// Whether two rows have the same answer.
pub(super) fn same(one: &ConsistencyRow, other: &ConsistencyRow, unparsed: Unparsed) -> bool {
    match (&one.answer, &other.answer) {
        (None, None) => unparsed == Unparsed::Agree,
        (one, other) => one == other,
    }
}
