//! MC2 (arXiv 2505.20977): photographs of COCO, each with a text that contradicts it and a question with two answers, the
//! image's and the text's.
//!
//! Every item is a group. It is asked in both orders of its answers, as published; an item's name ends in `-vt` where the
//! image's answer stands first, in `-tv` where the text's does. Options are named after the answers and spelled by their
//! letters, so that what a prompt follows does not depend on the order. The published script shows no image beside the text
//! alone, and neither do we.

mod items;

use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;

use super::pictures::{UNREADABLE, digest_of_file};
use super::seeding::hex_digest;
use super::wordings::{PromptFile, fill};
use super::{
    AnswerOption, ConflictCase, Group, ImageSource, Message, Part, Presentation, PresentationKind, Role,
    Suite, SuiteError, SuiteSpec,
};
use items::Item;

/// The suite's name.
pub const NAME: &str = "mc2";

/// The wordings that ship with the program.
pub const BUILT_IN: &str = include_str!("../../../data/prompts/mc2.toml");

/// Raised when what is asked of an item changes, so that runs of different content never mix.
const CONTENT_VERSION: u32 = 1;

/// The prompt file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prompts {
    version: u32,
    question: String,
    with_context: String,
    first: Vec<String>,
    second: Vec<String>,
}

/// The suite on a user's files.
pub struct Mc2 {
    items: Vec<Item>,
    prompts: Prompts,
    fingerprint: String,
    notes: Vec<String>,
}

impl Mc2 {
    /// Opens `--data FILE --images DIR`.
    ///
    /// # Errors
    /// When one of them is not given or not what it should be, or the prompts are wrong.
    pub fn open(spec: &SuiteSpec) -> Result<Self, SuiteError> {
        let (data, images) = match (spec.data.as_slice(), &spec.images) {
            ([data], Some(images)) => (Path::new(data), images.as_path()),
            _ => {
                return Err(SuiteError::Setting(
                    "the suite mc2 needs its items and their photographs: --data FILE, the evaluate_final.json of MC2, and --images DIR, the folder of COCO 2014 with train2014/ and val2014/ in it".into(),
                ));
            }
        };
        if spec.groups.is_some() || spec.seed != 0 || !spec.controls {
            return Err(SuiteError::Setting(
                "--groups, --seed and --no-controls are for suites that are generated; of mc2 --limit takes the first items".into(),
            ));
        }
        let prompts = prompts(spec.prompts.as_deref())?;
        let items = items::read(data, images)?;
        let missing = items.iter().filter(|item| !item.image.is_file()).count();
        if missing == items.len() {
            return Err(SuiteError::File {
                path: images.into(),
                reason: format!(
                    "none of the {missing} items has its image there, the first would be {}; expected the folder of COCO 2014 with train2014/ and val2014/",
                    items[0].image.display()
                ),
            });
        }
        let notes = (missing > 0).then(|| {
            format!(
                "{missing} of {} items have no image below {}: their rows that show it will fail",
                items.len(),
                images.display()
            )
        });
        let fingerprint = fingerprint(&items, &prompts.digest);
        Ok(Self { items, prompts: prompts.content, fingerprint, notes: notes.into_iter().collect() })
    }
}

fn prompts(path: Option<&Path>) -> Result<PromptFile<Prompts>, SuiteError> {
    let file = PromptFile::<Prompts>::read(path, BUILT_IN)?;
    if file.content.version != 1 {
        return Err(file.wrong(format!("`version` is {}, expected 1", file.content.version)));
    }
    file.require("`question`", &file.content.question, &["question", "first", "second"])?;
    file.require("`with_context`", &file.content.with_context, &["context", "question"])?;
    for (name, spellings) in [("first", &file.content.first), ("second", &file.content.second)] {
        if spellings.is_empty() {
            return Err(file.wrong(format!("`{name}` is empty; say how a model may name that answer")));
        }
    }
    Ok(file)
}

/// A picture that is mended or exchanged makes another suite.
fn fingerprint(items: &[Item], prompts: &str) -> String {
    let digest = |item: &Item| {
        let image = digest_of_file(&item.image).unwrap_or_else(|_| UNREADABLE.into());
        let Item { task, question, vision, text, context, .. } = item;
        hex_digest([task, question, vision, text, context, &image].map(hex_digest).concat())
    };
    let items: Vec<String> = items.par_iter().map(digest).collect();
    hex_digest(format!("{NAME} v{CONTENT_VERSION} prompts={prompts} items={}", items.concat()))
}

impl Suite for Mc2 {
    fn name(&self) -> &str {
        NAME
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn group_count(&self) -> usize {
        self.items.len()
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn group(&self, index: usize) -> Result<Group, SuiteError> {
        let item = &self.items[index];
        let group_id = format!("mc2-{index:05}");
        let orders = [("vt", &item.vision, &item.text), ("tv", &item.text, &item.vision)];
        let presentations: Vec<Presentation> = orders
            .into_iter()
            .flat_map(|(order, first, second)| self.rows(item, &format!("{group_id}-{order}"), first, second))
            .collect();
        let cases = (0..presentations.len())
            .step_by(3)
            .map(|vision| ConflictCase { vision, text: vision + 1, conflict: vision + 2 })
            .collect();
        Ok(Group { group_id, images: vec![ImageSource::File(item.image.clone())], presentations, cases })
    }
}

impl Mc2 {
    /// The item in one order of its answers: image alone, text alone, both.
    fn rows(&self, item: &Item, item_id: &str, first: &str, second: &str) -> [Presentation; 3] {
        let Prompts { question, with_context, first: means_first, second: means_second, .. } = &self.prompts;
        let question = fill(question, &[("question", &item.question), ("first", first), ("second", second)]);
        let with_context = fill(with_context, &[("context", &item.context), ("question", &question)]);
        let option = |name: &str, spellings: &[String]| AnswerOption {
            name: name.into(),
            spellings: spellings.to_vec(),
        };
        let options = [option(first, means_first), option(second, means_second)];
        let row = |kind, shows_image: bool, said: &str, answer: Option<&String>| {
            let image = shows_image.then_some(Part::Image(0));
            let content = image.into_iter().chain([Part::Text(said.into())]).collect();
            Presentation {
                options: options.to_vec().into(),
                answer: answer.cloned(),
                vision_answer: Some(item.vision.clone()),
                text_answer: Some(item.text.clone()),
                task: Some(item.task.clone()),
                fault: item.fault.clone(),
                ..Presentation::new(item_id.into(), kind, vec![Message { role: Role::User, content }])
            }
        };
        [
            row(PresentationKind::VisionOnly, true, &question, Some(&item.vision)),
            row(PresentationKind::TextOnly, false, &with_context, Some(&item.text)),
            row(PresentationKind::Conflict, true, &with_context, None),
        ]
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests;
