//! The prompt file of both suites, checked.

use std::path::Path;

use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use super::Attribute;
use crate::suite::prompts::Answer;
use crate::suite::wordings::{PromptFile, fill};
use crate::suite::{AnswerOption, SuiteError};

/// The wordings that ship with the program.
pub const BUILT_IN: &str = include_str!("../../../data/prompts/attribute-recognition.toml");

/// Text tiers (dt 0-3).
pub(super) const TEXT_TIERS: usize = 4;

/// What the wordings of each text tier must speak of.
const PLACEHOLDERS: [&[&str]; TEXT_TIERS] = [
    &["target", "value"],
    &["target", "value", "bridge"],
    &["target", "entity"],
    &["target", "value", "first", "second", "side", "opposite"],
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    question: String,
    command: String,
    target: String,
    colors_never_drawn: Vec<String>,
    sides: Vec<[String; 2]>,
    shape: OfAttribute,
    material: OfAttribute,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfAttribute {
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

/// The wordings for one attribute.
pub(super) struct Prompts {
    question: String,
    command: String,
    target: String,
    /// Colors that no object has.
    pub colors_never_drawn: Vec<String>,
    sides: Vec<[String; 2]>,
    bridges: Vec<String>,
    wordings: [Vec<String>; TEXT_TIERS],
    /// In the order of the attribute's values.
    pub answers: Vec<Answer>,
    /// SHA-256 of the file's text, hex.
    pub digest: String,
    attribute: Attribute,
}

impl Prompts {
    /// Reads the user's file, or the one that ships with the program.
    pub fn read(path: Option<&Path>, attribute: Attribute) -> Result<Self, SuiteError> {
        let file = PromptFile::<Content>::read(path, BUILT_IN)?;
        let content = &file.content;
        if content.version != 1 {
            return Err(file.wrong(format!("`version` is {}, expected 1", content.version)));
        }
        file.require("`question`", &content.question, &["target"])?;
        file.require("`target`", &content.target, &["color"])?;
        let section = attribute.as_str();
        let of = match attribute {
            Attribute::Shape => &content.shape,
            Attribute::Material => &content.material,
        };
        for (name, few) in [
            ("colors_never_drawn", content.colors_never_drawn.is_empty()),
            ("sides", content.sides.is_empty()),
            ("bridges (two or more)", of.bridges.len() < 2),
        ] {
            if few {
                return Err(file.wrong(format!("`{name}` has too few entries")));
            }
        }
        let names: Vec<&str> = of.answers.iter().map(|answer| answer.name.as_str()).collect();
        if names != attribute.values() {
            return Err(file.wrong(format!(
                "`{section}.answers` are {}, expected {} in this order",
                names.join(", "),
                attribute.values().join(", ")
            )));
        }
        if let Some(answer) =
            of.answers.iter().find(|answer| answer.spellings.is_empty() || answer.entities.is_empty())
        {
            return Err(
                file.wrong(format!("answer {:?} needs at least one spelling and one entity", answer.name))
            );
        }
        let wordings = wordings(&file, section, &of.descriptions)?;
        let PromptFile { content, digest, .. } = file;
        let of = match attribute {
            Attribute::Shape => content.shape,
            Attribute::Material => content.material,
        };
        Ok(Self {
            question: content.question,
            command: content.command,
            target: content.target,
            colors_never_drawn: content.colors_never_drawn,
            sides: content.sides,
            bridges: of.bridges,
            wordings,
            answers: of.answers,
            digest,
            attribute,
        })
    }

    /// What the object of a color is called.
    pub fn target(&self, color: &str) -> String {
        fill(&self.target, &[("color", color)])
    }

    /// The question about `target`, followed by the command.
    pub fn ask(&self, target: &str) -> String {
        let question = fill(&self.question, &[("attribute", self.attribute.as_str()), ("target", target)]);
        format!("{question} {}", self.command)
    }

    /// The answers as options of a question.
    pub fn options(&self) -> Vec<AnswerOption> {
        let option =
            |answer: &Answer| AnswerOption { name: answer.name.clone(), spellings: answer.spellings.clone() };
        self.answers.iter().map(option).collect()
    }

    /// The description of tier `dt` that gives `target` the value of `answer`.
    pub fn describe(&self, dt: usize, target: &str, answer: &Answer, rng: &mut ChaCha8Rng) -> String {
        let wording = self.wordings[dt].choose(rng).map_or("", String::as_str);
        let objects: Vec<&String> = self.bridges.sample(rng, 2).collect();
        let entity = answer.entities.choose(rng).map_or("", String::as_str);
        let [side, opposite] =
            self.sides.choose(rng).map_or(["", ""], |sides| sides.each_ref().map(String::as_str));
        let values = [
            ("target", target),
            ("value", &answer.name),
            ("bridge", objects[0]),
            ("first", objects[0]),
            ("second", objects[1]),
            ("entity", entity),
            ("side", side),
            ("opposite", opposite),
            ("attribute", self.attribute.as_str()),
        ];
        fill(wording, &values)
    }
}

fn wordings(
    file: &PromptFile<Content>,
    section: &str,
    descriptions: &[Descriptions],
) -> Result<[Vec<String>; TEXT_TIERS], SuiteError> {
    let mut wordings: [Vec<String>; TEXT_TIERS] = Default::default();
    for tier in descriptions {
        let Some(placeholders) = PLACEHOLDERS.get(tier.dt) else {
            return Err(file.wrong(format!("`{section}.descriptions` has dt = {}, expected 0 to 3", tier.dt)));
        };
        for wording in &tier.wordings {
            file.require(&format!("the {section} wording of dt {}", tier.dt), wording, placeholders)?;
        }
        wordings[tier.dt].extend(tier.wordings.iter().cloned());
    }
    match wordings.iter().position(Vec::is_empty) {
        Some(dt) => Err(file.wrong(format!("`{section}.descriptions` has no wording for dt = {dt}"))),
        None => Ok(wordings),
    }
}
