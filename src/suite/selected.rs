//! A suite of which only some presentations are asked.

use super::seeding::hex_digest;
use super::{ConflictCase, Group, Part, PresentationKind, Suite, SuiteError};

/// The presentations of these kinds, with the images that they show and the conflict cases between them.
pub(super) struct Selected {
    suite: Box<dyn Suite>,
    kinds: Vec<PresentationKind>,
}

impl Selected {
    /// Keeps the presentations of these kinds.
    ///
    /// # Errors
    /// When one shows what is written for another that is left out.
    pub fn new(suite: Box<dyn Suite>, mut kinds: Vec<PresentationKind>) -> Result<Self, SuiteError> {
        if kinds.contains(&PresentationKind::OcrFirst) && !kinds.contains(&PresentationKind::Ocr) {
            return Err(SuiteError::Setting(
                "--presentations: ocr-first shows the model what it wrote for ocr; add ocr, or leave ocr-first out".into(),
            ));
        }
        kinds.sort();
        kinds.dedup();
        Ok(Self { suite, kinds })
    }
}

impl Suite for Selected {
    fn name(&self) -> &str {
        self.suite.name()
    }

    fn fingerprint(&self) -> String {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
        hex_digest(format!("{} of {}", kinds.join(","), self.suite.fingerprint()))
    }

    fn group_count(&self) -> usize {
        self.suite.group_count()
    }

    fn group(&self, index: usize) -> Result<Group, SuiteError> {
        let mut group = self.suite.group(index)?;
        let kept = renumbered(&group.presentations, |row| self.kinds.contains(&row.kind));
        let shown = |image: usize| {
            let shows = |part: &Part| *part == Part::Image(image);
            let rows = group.presentations.iter().zip(&kept).filter(|(_, kept)| kept.is_some());
            rows.flat_map(|(row, _)| &row.messages).any(|message| message.content.iter().any(shows))
        };
        let images: Vec<usize> = (0..group.images.len()).collect();
        let images = renumbered(&images, |image| shown(*image));
        let case = |case: &ConflictCase| {
            Some(ConflictCase {
                conflict: kept[case.conflict]?,
                vision: kept[case.vision]?,
                text: kept[case.text]?,
            })
        };
        group.cases = group.cases.iter().filter_map(case).collect();
        let mut place = kept.iter();
        group.presentations.retain(|_| place.next().is_some_and(Option::is_some));
        let mut place = images.iter();
        group.images.retain(|_| place.next().is_some_and(Option::is_some));
        for row in &mut group.presentations {
            for part in row.messages.iter_mut().flat_map(|message| &mut message.content) {
                let place = match part {
                    Part::Text(_) => continue,
                    Part::Image(image) => images.get(*image).copied().flatten().map(Part::Image),
                    Part::Written(written) => kept.get(*written).copied().flatten().map(Part::Written),
                };
                *part = place.ok_or_else(|| {
                    let reason = format!(
                        "--presentations: {} of {:?} shows what was written for a presentation that is left out",
                        row.kind.as_str(),
                        row.item_id
                    );
                    SuiteError::Setting(reason)
                })?;
            }
        }
        Ok(group)
    }

    fn notes(&self) -> Vec<String> {
        self.suite.notes()
    }
}

/// The new place of each that is kept.
fn renumbered<T>(all: &[T], keep: impl Fn(&T) -> bool) -> Vec<Option<usize>> {
    let mut next = 0..;
    all.iter().map(|one| if keep(one) { next.next() } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::{Presentation, SuiteSpec, open};

    fn group(kinds: &[PresentationKind]) -> Group {
        let spec = SuiteSpec { presentations: kinds.to_vec(), ..SuiteSpec::default() };
        open(&spec).unwrap().group(0).unwrap()
    }

    #[test]
    fn images_and_cases_go_with_their_rows() {
        let texts = group(&[PresentationKind::TextOnly]);
        assert!(texts.images.is_empty() && texts.cases.is_empty());
        assert!(texts.presentations.iter().all(|row| row.kind == PresentationKind::TextOnly));

        let all = group(&[]);
        let conflict: Vec<PresentationKind> =
            vec![PresentationKind::Conflict, PresentationKind::VisionOnly, PresentationKind::TextOnly];
        assert_eq!(group(&conflict), all);

        let seen = group(&[PresentationKind::VisionOnly]);
        assert_eq!(seen.images, all.images);
        let of_all: Vec<&Presentation> =
            all.presentations.iter().filter(|row| row.kind == PresentationKind::VisionOnly).collect();
        assert_eq!(seen.presentations.iter().collect::<Vec<_>>(), of_all);
    }
}
