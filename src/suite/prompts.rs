//! The prompt file of the conflict suites: wordings as data, so that a user can change them without touching code.

use std::path::Path;

use serde::Deserialize;

use super::seeding::hex_digest;
use super::{AnswerOption, SuiteError};
use crate::render::scene::ShapeKind;

/// The wordings that ship with the program.
pub const BUILT_IN: &str = include_str!("../../data/prompts/color-recognition.toml");

/// A parsed and checked prompt file.
#[derive(Debug, Clone)]
pub struct Prompts {
    /// The question, with `{target}`.
    pub question: String,
    /// The command that follows it.
    pub command: String,
    /// Shapes that are drawn.
    pub shapes: Vec<ShapeKind>,
    /// Things that are never drawn, for the image-irrelevant control.
    pub shapes_never_drawn: Vec<String>,
    /// Objects for the two-step descriptions.
    pub bridges: Vec<String>,
    /// Wordings by text tier: `wordings[dt]`.
    pub wordings: Vec<Vec<String>>,
    /// The answers.
    pub answers: Vec<Answer>,
    /// SHA-256 of the file's text, hex.
    pub digest: String,
}

/// One answer of the suite.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Name in tables.
    pub name: String,
    /// Spellings a model may use.
    pub spellings: Vec<String>,
    /// Real things that always have this property (dt 2).
    pub entities: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    question: String,
    command: String,
    shapes: Vec<String>,
    shapes_never_drawn: Vec<String>,
    bridges: Vec<String>,
    descriptions: Vec<Descriptions>,
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Descriptions {
    dt: usize,
    wordings: Vec<String>,
}

impl Prompts {
    /// The wordings that ship with the program.
    ///
    /// # Errors
    /// Never, as long as the shipped file is sound (a test sees to it).
    pub fn built_in() -> Result<Self, SuiteError> {
        Self::parse(BUILT_IN, "(built in)")
    }

    /// Reads a user's file.
    ///
    /// # Errors
    /// When it cannot be read, does not parse, or lacks a wording, a shape or an answer.
    pub fn read(path: &Path) -> Result<Self, SuiteError> {
        let text = std::fs::read_to_string(path).map_err(|source| SuiteError::Io {
            action: "read",
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
        if !file.question.contains("{target}") {
            return Err(wrong("`question` has no {target}".into()));
        }
        let mut wordings = vec![Vec::new(); 3];
        for tier in file.descriptions {
            let needed: &[&str] = match tier.dt {
                0 => &["{target}", "{color}"],
                1 => &["{target}", "{color}", "{bridge}"],
                2 => &["{target}", "{entity}"],
                dt => return Err(wrong(format!("`descriptions` has dt = {dt}, expected 0, 1 or 2"))),
            };
            for wording in &tier.wordings {
                if let Some(lacking) = needed.iter().find(|placeholder| !wording.contains(**placeholder)) {
                    return Err(wrong(format!("the dt {} wording {wording:?} has no {lacking}", tier.dt)));
                }
            }
            wordings[tier.dt].extend(tier.wordings);
        }
        if let Some(dt) = wordings.iter().position(Vec::is_empty) {
            return Err(wrong(format!("there is no wording for dt = {dt}")));
        }
        let shapes: Vec<ShapeKind> = file
            .shapes
            .iter()
            .map(|name| {
                ShapeKind::from_name(name).ok_or_else(|| {
                    let known: Vec<_> = ShapeKind::ALL.iter().map(|shape| shape.name()).collect();
                    wrong(format!("`shapes` names {name:?}; shapes that can be drawn: {}", known.join(", ")))
                })
            })
            .collect::<Result<_, _>>()?;
        for (field, few) in [
            ("shapes (two or more)", shapes.len() < 2),
            ("shapes_never_drawn", file.shapes_never_drawn.is_empty()),
            ("bridges", file.bridges.is_empty()),
        ] {
            if few {
                return Err(wrong(format!("`{field}` has too few entries")));
            }
        }
        for answer in &file.answers {
            if answer.spellings.is_empty() || answer.entities.is_empty() {
                return Err(wrong(format!(
                    "answer {:?} needs at least one spelling and one entity",
                    answer.name
                )));
            }
        }
        Ok(Self {
            question: file.question,
            command: file.command,
            shapes,
            shapes_never_drawn: file.shapes_never_drawn,
            bridges: file.bridges,
            wordings,
            answers: file.answers,
            digest: hex_digest(text),
        })
    }

    /// The question about `target`, followed by the command.
    pub fn ask(&self, target: &str) -> String {
        format!("{} {}", self.question.replace("{target}", target), self.command)
    }

    /// The answers as options of a question.
    pub fn options(&self) -> Vec<AnswerOption> {
        let option =
            |answer: &Answer| AnswerOption { name: answer.name.clone(), spellings: answer.spellings.clone() };
        self.answers.iter().map(option).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_sound() {
        let prompts = Prompts::built_in().unwrap();
        assert_eq!(prompts.answers.len(), 6);
        assert!(prompts.wordings.iter().all(|tier| tier.len() >= 4));
        for name in &prompts.shapes_never_drawn {
            assert!(ShapeKind::from_name(name).is_none(), "{name} can be drawn");
        }
    }

    #[test]
    fn a_wording_without_its_color_is_named() {
        let text = BUILT_IN.replace("The {target} is {color}.", "The {target} is here.");
        let message = Prompts::parse(&text, "mine.toml").unwrap_err().to_string();
        assert!(message.contains("mine.toml") && message.contains("has no {color}"), "{message}");
    }
}
