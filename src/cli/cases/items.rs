//! The items that a report shows in all their renderings: those whose answers differ first.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use super::{groups_of, picture, spread};
use crate::analysis::tables::{AnswerRow, ConsistencyRow, Partition, Shown, read_answers, read_consistency};
use crate::cli::error::CliError;
use crate::report::{AnswerView, ItemView, RenderingView};
use crate::suite::{Group, PresentationKind, Suite};

/// Largest width of a rendering in the page, pixels.
const RENDERING_WIDTH_PX: u32 = 360;
/// Largest height of a rendering in the page, pixels.
const RENDERING_HEIGHT_PX: u32 = 720;

/// Items with their renderings and answers: three of four are such whose answers differ, as far as there are; both kinds
/// evenly spread over the run.
pub(in crate::cli) fn sample(
    run: &Path,
    partition: &Partition,
    suite: Option<&dyn Suite>,
    count: usize,
) -> Result<Vec<ItemView>, CliError> {
    let rows = read_consistency(run, partition)?;
    let items: Vec<Item> = rows.chunk_by(|one, next| one.item_id == next.item_id).map(Item::of).collect();
    let chosen = choose(&items, count);
    let groups = groups_of(suite, chosen.iter().map(|item| item.rows[0].group_id.as_str()).collect());
    let names: HashSet<&str> = chosen.iter().map(|item| item.rows[0].item_id.as_str()).collect();
    let written = read_answers(run, partition, |item, _| names.contains(item))?;
    let written: HashMap<(&str, &str, &str), &AnswerRow> = written
        .iter()
        .map(|row| ((row.item_id.as_str(), row.presentation.as_str(), row.variant.as_str()), row))
        .collect();
    Ok(chosen.iter().map(|item| item.view(groups.get(&item.rows[0].group_id), &written)).collect())
}

/// An item's rows, sorted by presentation and variant.
struct Item<'a> {
    rows: &'a [ConsistencyRow],
    /// Whether its answers are not all the same; one that cannot be parsed is like no other.
    differs: bool,
}

impl<'a> Item<'a> {
    fn of(rows: &'a [ConsistencyRow]) -> Self {
        let compared = [Shown::Text, Shown::Image, Shown::Mixed];
        let answered = rows.iter().filter(|row| compared.contains(&row.shown) && !row.failed);
        let answers: HashSet<Option<&str>> = answered.map(|row| row.answer.as_deref()).collect();
        Self { rows, differs: answers.len() > 1 || answers.contains(&None) }
    }

    fn view(&self, group: Option<&Group>, written: &HashMap<(&str, &str, &str), &AnswerRow>) -> ItemView {
        let answer = |row: &ConsistencyRow| {
            let written = written.get(&(row.item_id.as_str(), row.shown.as_str(), row.variant.as_str()));
            AnswerView {
                answer: row.answer.clone(),
                raw_text: written.and_then(|row| row.raw_text.clone()).unwrap_or_default(),
                correct: row.correct,
                error: row.failed.then(|| {
                    written
                        .and_then(|row| row.error.clone())
                        .unwrap_or_else(|| "no reason is recorded".into())
                }),
            }
        };
        let mut renderings: BTreeMap<&str, RenderingView> = BTreeMap::new();
        let mut text = None;
        for row in self.rows {
            if row.shown == Shown::Text {
                text = Some(answer(row));
                continue;
            }
            let view = renderings.entry(&row.variant).or_insert_with(|| RenderingView {
                variant: row.variant.clone(),
                ..RenderingView::default()
            });
            match row.shown {
                Shown::Mixed => view.mixed = Some(answer(row)),
                Shown::OcrFirst => view.ocr_first = Some(answer(row)),
                Shown::Ocr => (view.transcription, view.cer) = (Some(answer(row)), row.cer),
                Shown::Image | Shown::Text => view.image = Some(answer(row)),
            }
        }
        let item = &self.rows[0];
        for view in renderings.values_mut() {
            let picture = group.and_then(|group| {
                let shown = group.presentations.iter().find(|shown| {
                    shown.kind == PresentationKind::Image
                        && shown.item_id == item.item_id
                        && shown.variant() == view.variant
                })?;
                picture::first(group, shown, RENDERING_WIDTH_PX, RENDERING_HEIGHT_PX)
            });
            view.size = picture.as_ref().map(|picture| picture.dimensions());
            view.png = picture.as_ref().and_then(picture::png);
        }
        ItemView {
            item_id: item.item_id.clone(),
            task: item.task.clone(),
            // What a transcription should be is the picture itself.
            expected: self
                .rows
                .iter()
                .filter(|row| row.shown != Shown::Ocr)
                .find_map(|row| row.expected.clone()),
            text,
            renderings: renderings.into_values().collect(),
        }
    }
}

/// Items that differ, then such that do not.
fn choose<'i, 'a>(items: &'i [Item<'a>], count: usize) -> Vec<&'i Item<'a>> {
    let (differing, alike): (Vec<&Item>, Vec<&Item>) = items.iter().partition(|item| item.differs);
    let of_alike = alike.len().min((count / 4).max(count.saturating_sub(differing.len())));
    let of_differing = differing.len().min(count - of_alike);
    [spread(&differing, of_differing), spread(&alike, of_alike)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(differing: usize, alike: usize) -> Vec<Item<'static>> {
        (0..differing + alike).map(|number| Item { rows: &[], differs: number < differing }).collect()
    }

    #[test]
    fn three_of_four_items_differ_as_far_as_there_are() {
        for (differing, alike, count, expected) in [
            (50, 50, 12, (9, 3)),
            (2, 50, 12, (2, 10)),
            (50, 1, 12, (11, 1)),
            (1, 1, 12, (1, 1)),
            (9, 9, 0, (0, 0)),
        ] {
            let items = items(differing, alike);
            let chosen = choose(&items, count);
            let found = chosen.iter().filter(|item| item.differs).count();
            assert_eq!((found, chosen.len() - found), expected, "{differing} and {alike}");
            assert!(chosen.is_sorted_by_key(|item| !item.differs), "those that differ come first");
        }
    }
}
