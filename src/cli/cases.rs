//! The conflict cases that a report shows: chosen from the tables, with pictures and prompts made anew from the suite.
//! `items` does the same for items that are shown in several ways.

pub(super) mod items;
mod picture;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use image::RgbImage;

use super::error::CliError;
use super::progress::note;
use crate::analysis::tables::{AnswerRow, FollowingRow, NO_CONTROL, Partition, read_answers, read_following};
use crate::record::Manifest;
use crate::report::{CasePrompt, CaseView};
use crate::suite::{self, Group, Part, Presentation, Suite};

/// Longer side of a scene in the page, pixels: 36 of them must stay a page that mails well.
const SCENE_SIDE_PX: u32 = 320;

/// The suite of a run, made anew for its pictures and texts; when it is not what it was, the page goes without them.
pub(super) fn reopened(manifest: &Manifest) -> Option<Box<dyn Suite>> {
    let suite = suite::open(&manifest.suite_spec)
        .ok()
        .filter(|suite| suite.fingerprint() == manifest.fingerprints.suite);
    if suite.is_none() {
        note(
            "note: the suite cannot be made anew as it was (a file or its prompts have moved or changed): no pictures",
        );
    }
    suite
}

/// Those of the items `named`, and cases of every kind, spread over the run, with their pictures and prompts.
pub(super) fn sample(
    run: &Path,
    partition: &Partition,
    suite: Option<&dyn Suite>,
    count: usize,
    named: &[&str],
) -> Result<Vec<CaseView>, CliError> {
    let rows = read_following(run, partition)?;
    let mut chosen: Vec<&FollowingRow> =
        rows.iter().filter(|row| named.contains(&row.item_id.as_str())).take(count).collect();
    let others = choose(&rows, count - chosen.len());
    let others: Vec<_> = others.into_iter().filter(|row| !named.contains(&row.item_id.as_str())).collect();
    chosen.extend(others);
    let groups = groups_of(suite, chosen.iter().map(|row| row.group_id.as_str()).collect());
    let cases: Vec<CaseParts> = chosen.iter().map(|row| CaseParts::of(row, &groups)).collect();
    let wanted: HashSet<(&str, &str)> = cases.iter().flat_map(CaseParts::keys).collect();
    let answers = read_answers(run, partition, |item, presentation| wanted.contains(&(item, presentation)))?;
    let answers: HashMap<(&str, &str), &AnswerRow> =
        answers.iter().map(|row| ((row.item_id.as_str(), row.presentation.as_str()), row)).collect();
    Ok(cases.iter().map(|case| case.view(&answers)).collect())
}

/// Takes from every bucket (what is followed, or which control) in turn, evenly spread within it.
fn choose<'a>(rows: &'a [FollowingRow], count: usize) -> Vec<&'a FollowingRow> {
    // Conflict cases first (text, vision, other, undecided), then each control, whatever it follows.
    let mut buckets: BTreeMap<(bool, &str, u8), Vec<&'a FollowingRow>> = BTreeMap::new();
    for row in rows {
        let control = row.control != NO_CONTROL;
        let follows = row.follows.filter(|_| !control).map_or(u8::MAX, |follows| follows as u8);
        buckets.entry((control, &row.control, follows)).or_default().push(row);
    }
    let mut quotas = vec![0; buckets.len()];
    let sizes: Vec<usize> = buckets.values().map(Vec::len).collect();
    for _ in 0..count {
        let open = (0..sizes.len()).filter(|&bucket| quotas[bucket] < sizes[bucket]);
        let Some(least) = open.min_by_key(|&bucket| quotas[bucket]) else {
            break;
        };
        quotas[least] += 1;
    }
    buckets.values().zip(quotas).flat_map(|(rows, quota)| spread(rows, quota)).collect()
}

/// The groups of these names.
fn groups_of(suite: Option<&dyn Suite>, mut names: HashSet<&str>) -> HashMap<String, Group> {
    let mut found = HashMap::new();
    let Some(suite) = suite else { return found };
    for group in (0..suite.group_count()).filter_map(|index| suite.group(index).ok()) {
        if names.remove(group.group_id.as_str()) {
            found.insert(group.group_id.clone(), group);
        }
        if names.is_empty() {
            break;
        }
    }
    found
}

/// `quota` of these rows, evenly spread.
fn spread<'a, T>(rows: &[&'a T], quota: usize) -> Vec<&'a T> {
    (0..quota).map(|place| rows[(2 * place + 1) * rows.len() / (2 * quota)]).collect()
}

/// A chosen case with its rows in the suite, as far as it is there.
struct CaseParts<'a> {
    row: &'a FollowingRow,
    group: Option<&'a Group>,
    presentations: Vec<&'a Presentation>,
}

impl<'a> CaseParts<'a> {
    fn of(row: &'a FollowingRow, groups: &'a HashMap<String, Group>) -> Self {
        let group = groups.get(&row.group_id);
        let case = group.and_then(|group| {
            group.cases.iter().find(|case| group.presentations[case.conflict].item_id == row.item_id)
        });
        let presentations = match (group, case) {
            (Some(group), Some(case)) => {
                [case.vision, case.text, case.conflict].map(|index| &group.presentations[index]).into()
            }
            _ => Vec::new(),
        };
        Self { row, group, presentations }
    }

    fn keys(&self) -> Vec<(&'a str, &'a str)> {
        if self.presentations.is_empty() {
            return vec![(&self.row.item_id, "conflict")];
        }
        self.presentations.iter().map(|row| (row.item_id.as_str(), row.kind.as_str())).collect()
    }

    fn view(&self, answers: &HashMap<(&str, &str), &AnswerRow>) -> CaseView {
        let row = self.row;
        let picture = self.picture();
        let texts: Vec<String> = self.presentations.iter().map(|row| message_text(row)).collect();
        let prompts = self.keys().into_iter().enumerate().filter_map(|(place, key)| {
            let answer = answers.get(&key)?;
            Some(CasePrompt {
                presentation: answer.presentation.clone(),
                text: texts.get(place).cloned().unwrap_or_default(),
                answer: answer.answer.clone(),
                raw_text: answer.raw_text.clone().unwrap_or_default(),
                entropy: answer.entropy,
                options: answer.options.clone(),
                status: answer.status.clone(),
                error: answer.error.clone(),
            })
        });
        CaseView {
            item_id: row.item_id.clone(),
            group_id: row.group_id.clone(),
            dv: row.dv,
            dt: row.dt,
            control: row.control.clone(),
            image_size: picture.as_ref().map(|picture| picture.dimensions()),
            image_png: picture.as_ref().and_then(picture::png),
            prompts: prompts.collect(),
            expected_vision: row.expected_vision.clone(),
            expected_text: row.expected_text.clone(),
            follows: row.follows.map(|follows| follows.as_str().into()),
            analysed: row.analysed,
            dh_rel: row.dh_rel,
        }
    }

    fn picture(&self) -> Option<RgbImage> {
        picture::first(self.group?, self.presentations.last()?, SCENE_SIDE_PX, SCENE_SIDE_PX)
    }
}

fn message_text(row: &Presentation) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Image(_) => "<image>".into(),
        Part::Written(_) => "<transcription>".into(),
    };
    row.messages.iter().flat_map(|message| &message.content).map(part).collect::<Vec<_>>().join(" ")
}
