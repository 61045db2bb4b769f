//! The prompt file of REST: wordings, how long answers may be, and where they are stated.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::task::Task;
use super::template::{Slot, Template};
use crate::suite::SuiteError;
use crate::suite::answers::{AnswerKind, PatternTable, Patterns, Reading};
use crate::suite::seeding::hex_digest;

/// The prompt files that ship with the program, by name; the first is the default.
pub const SHIPPED: [(&str, &str); 2] = [
    ("rest", include_str!("../../../data/prompts/rest.toml")),
    ("rest-brief", include_str!("../../../data/prompts/rest-brief.toml")),
];

/// A parsed and checked prompt file.
#[derive(Debug, Clone)]
pub(super) struct Prompts {
    pub ocr: Template,
    choice: Wordings,
    number: Wordings,
    limits: Limits,
    choice_patterns: Patterns,
    number_patterns: Patterns,
    /// SHA-256 of the file's text, and of the patterns that hold with it, hex.
    pub digest: String,
}

/// The wordings of one kind of answer.
#[derive(Debug, Clone)]
pub(super) struct Wordings {
    pub text: Template,
    pub image: Template,
    pub mixed: Template,
    pub ocr_first: Template,
}

/// Tokens to write at most.
#[derive(Debug, Clone, Deserialize)]
struct Limits {
    ocr: usize,
    answer: usize,
    /// Of the answers to single tasks.
    #[serde(flatten)]
    tasks: BTreeMap<Task, usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    max_new_tokens: Limits,
    ocr: OcrWording,
    choice: WordingTable,
    number: WordingTable,
    #[serde(default)]
    answers: AnswerTables,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OcrWording {
    prompt: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordingTable {
    text: String,
    image: String,
    mixed: String,
    ocr_first: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerTables {
    choice: Option<PatternTable>,
    number: Option<PatternTable>,
}

impl Prompts {
    /// The file at `path`, or a shipped one of that name; the default when `None`.
    pub fn open(path: Option<&Path>) -> Result<Self, SuiteError> {
        let named = |(name, _): &&(&str, &str)| path.is_none_or(|path| path == Path::new(name));
        if let Some((name, text)) = SHIPPED.iter().find(named) {
            return Self::parse(text, name);
        }
        let path = path.unwrap_or(Path::new(""));
        let text = std::fs::read_to_string(path).map_err(|source| SuiteError::Io {
            action: "read the prompts",
            path: path.into(),
            source,
        })?;
        Self::parse(&text, &path.display().to_string())
    }

    fn parse(text: &str, path: &str) -> Result<Self, SuiteError> {
        let wrong = |reason: String| SuiteError::Prompts { path: path.into(), reason };
        let file: File = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if file.version != 1 {
            return Err(wrong(format!("`version` is {}, expected 1", file.version)));
        }
        let limits = file.max_new_tokens;
        if [limits.ocr, limits.answer].iter().chain(limits.tasks.values()).any(|limit| *limit == 0) {
            return Err(wrong("`max_new_tokens` has a 0, expected 1 or more".into()));
        }
        let patterns = |kind: AnswerKind, table: Option<PatternTable>, name: &str| match table {
            None => Ok(Patterns::built_in(kind)),
            Some(table) => table.compile(kind).map_err(|error| wrong(format!("`answers.{name}`: {error}"))),
        };
        let template = |name: &str, text: &str, slots: &[&[Slot]]| {
            // A text in three quotes may begin on a line of its own (which TOML takes care of) and end on one.
            Template::parse(name, text.strip_suffix('\n').unwrap_or(text), slots).map_err(wrong)
        };
        let wordings = |kind: &str, table: WordingTable, text: &[&[Slot]], beside: Slot| {
            let template =
                |name: &str, text: &str, slots: &[&[Slot]]| template(&format!("{kind}.{name}"), text, slots);
            Ok::<_, SuiteError>(Wordings {
                text: template("text", &table.text, text)?,
                image: template("image", &table.image, &[&[Slot::Image]])?,
                mixed: template("mixed", &table.mixed, &[&[Slot::Image, beside]])?,
                ocr_first: template("ocr_first", &table.ocr_first, &[&[Slot::Transcription]])?,
            })
        };
        let content: &[Slot] = &[Slot::Content];
        Ok(Self {
            ocr: template("ocr.prompt", &file.ocr.prompt, &[&[Slot::Image]])?,
            choice: wordings("choice", file.choice, &[content, &[Slot::Stem, Slot::Options]], Slot::Options)?,
            number: wordings(
                "number",
                file.number,
                &[content, &[Slot::Context, Slot::Question]],
                Slot::Question,
            )?,
            limits,
            choice_patterns: patterns(AnswerKind::Choice, file.answers.choice, "choice")?,
            number_patterns: patterns(AnswerKind::Number, file.answers.number, "number")?,
            digest: hex_digest(format!("{text}\n{}", crate::suite::answers::BUILT_IN)),
        })
    }

    /// The wordings for items of a task.
    pub fn wordings(&self, task: Task) -> &Wordings {
        if task.answers() == AnswerKind::Choice { &self.choice } else { &self.number }
    }

    /// How answers to a task are read.
    pub fn reading(&self, task: Task) -> Reading {
        let kind = task.answers();
        let patterns = if kind == AnswerKind::Choice { &self.choice_patterns } else { &self.number_patterns };
        Reading { kind, patterns: patterns.clone() }
    }

    /// Tokens of an answer to a task, at most.
    pub fn answer_limit(&self, task: Task) -> usize {
        self.limits.tasks.get(&task).copied().unwrap_or(self.limits.answer)
    }

    /// Tokens of a transcription, at most.
    pub fn ocr_limit(&self) -> usize {
        self.limits.ocr
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_files_are_sound() {
        let (rest, brief) =
            (Prompts::open(None).unwrap(), Prompts::open(Some("rest-brief".as_ref())).unwrap());
        let limits = |prompts: &Prompts| {
            (prompts.ocr_limit(), prompts.answer_limit(Task::Arc), prompts.answer_limit(Task::SoeBench))
        };
        assert_eq!(limits(&rest), (1024, 1024, 2048));
        assert_eq!(limits(&brief), (400, 8, 8));
        assert_ne!(rest.digest, brief.digest);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        for (from, to, message) in [
            ("version = 1", "version = 2", "`version` is 2, expected 1"),
            ("answer = 8", "answer = 0", "`max_new_tokens` has a 0"),
            ("answer = 8", "answer = 8\nmmlu2 = 8", "unknown variant `mmlu2`"),
            ("[choice]", "[choice]\nvideo = ''", "unknown field `video`"),
            ("[ocr]\nprompt", "[ocr]\nwords", "unknown field `words`"),
            (
                r"{content}\nAnswer with a number.",
                "Answer.",
                "`number.text` needs the placeholders {content}",
            ),
            ("{options}", "{question}", "`choice.mixed` needs the placeholders {image} {options}"),
            ("version = 1", "version = 1\nanswers.number.patterns = ['is (']", "`answers.number`: pattern"),
            (
                "version = 1",
                "version = 1\nanswers.number = { patterns = ['=(.*)'], tests = [{ text = '=4', answer = '5' }] }",
                "`answers.number`: the test of \"=4\" reads \"4\", expected \"5\"",
            ),
        ] {
            let text = SHIPPED[1].1.replace(from, to);
            let found = Prompts::parse(&text, "mine.toml").unwrap_err().to_string();
            assert!(found.contains(message) && found.contains("mine.toml"), "{found}");
        }
    }
}
