//! The color recognition suite (arXiv 2511.02243): 400 groups x 14 images x 3 texts = 16,800 conflict cases.
//!
//! A group has one target shape, one color that its images show (Yv) and another that its texts state (Yt). Per group:
//! 14 vision-only rows (dv 0-13), 3 text-only rows (dt 0-2), 42 conflict rows, and, unless left out, both controls with
//! unimodal rows of their own.

mod answers;
mod tiers;

use std::sync::Arc;

use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::conflict::ConflictRows;
use super::prompts::{Answer, Prompts};
use super::seeding::{generator, hex_digest};
use super::{AnswerOption, Control, Group, ImageSource, Suite, SuiteError};
use crate::render::scene::SceneSpec;
pub use answers::COLORS;
pub use tiers::{VISUAL_TIERS, VisualTier};

/// The suite's name.
pub const NAME: &str = "color-recognition";

/// Groups in the paper's set.
pub const DEFAULT_GROUPS: usize = 400;

/// Text tiers (dt 0-2).
const TEXT_TIERS: usize = 3;

/// Raised when the generated content changes, so that runs of different content never mix.
const CONTENT_VERSION: u32 = 1;

/// The suite's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Number of groups.
    pub groups: usize,
    /// Seed of everything.
    pub seed: u64,
    /// Whether the controls are asked too.
    pub controls: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { groups: DEFAULT_GROUPS, seed: 0, controls: true }
    }
}

/// The generator.
pub struct ColorRecognition {
    settings: Settings,
    prompts: Prompts,
    options: Arc<[AnswerOption]>,
    /// Per group the (image, text) answer, as indices into [`COLORS`].
    answers: Vec<(usize, usize)>,
}

impl ColorRecognition {
    /// A generator for these settings and wordings.
    ///
    /// # Errors
    /// When the prompts' answers are not the six colors.
    pub fn new(settings: Settings, prompts: Prompts) -> Result<Self, SuiteError> {
        let expected: Vec<&str> = COLORS.iter().map(|(name, _)| *name).collect();
        let found: Vec<&str> = prompts.answers.iter().map(|answer| answer.name.as_str()).collect();
        if found != expected {
            return Err(SuiteError::Setting(format!(
                "the color recognition suite needs the answers {} in this order, the prompt file has {}",
                expected.join(", "),
                found.join(", ")
            )));
        }
        let answers = answers::assign(settings.groups, &mut generator(settings.seed, &[NAME, "answers"]));
        let options = prompts.options().into();
        Ok(Self { settings, prompts, options, answers })
    }

    fn scene(
        &self,
        group_id: &str,
        tier: &VisualTier,
        target: usize,
        image: usize,
        text: usize,
    ) -> SceneSpec {
        let shapes = &self.prompts.shapes;
        let distractor_colors = (0..COLORS.len()).filter(|color| ![image, text].contains(color));
        SceneSpec {
            canvas: tier.canvas,
            target: shapes[target],
            target_color: COLORS[image].1,
            target_extent: tier.target,
            distractors: tier.distractors,
            overlapping: tier.overlapping(),
            distractor_shapes: shapes.iter().copied().filter(|shape| *shape != shapes[target]).collect(),
            distractor_colors: distractor_colors.map(|color| COLORS[color].1).collect(),
            seed: self.settings.seed,
            name: format!("{group_id}-dv{:02}", tier.dv),
        }
    }

    /// The description of tier `dt` that gives `target` the color of `answer`.
    fn describe(&self, dt: usize, target: &str, answer: &Answer, rng: &mut ChaCha8Rng) -> String {
        let choose = |from: &[String], rng: &mut ChaCha8Rng| from.choose(rng).cloned().unwrap_or_default();
        choose(&self.prompts.wordings[dt], rng)
            .replace("{target}", target)
            .replace("{color}", &answer.name)
            .replace("{bridge}", &choose(&self.prompts.bridges, rng))
            .replace("{entity}", &choose(&answer.entities, rng))
    }
}

impl Suite for ColorRecognition {
    fn name(&self) -> &str {
        NAME
    }

    fn fingerprint(&self) -> String {
        let Settings { groups, seed, controls } = self.settings;
        let prompts = &self.prompts.digest;
        hex_digest(format!(
            "{NAME} v{CONTENT_VERSION} groups={groups} seed={seed} controls={controls} prompts={prompts}"
        ))
    }

    fn group_count(&self) -> usize {
        self.settings.groups
    }

    fn group(&self, index: usize) -> Result<Group, SuiteError> {
        let (image, text) = self.answers[index];
        let group_id = format!("cr-{index:05}");
        let rng = &mut generator(self.settings.seed, &[NAME, "texts", &group_id]);
        let target = rand::RngExt::random_range(rng, 0..self.prompts.shapes.len());
        let shape = self.prompts.shapes[target].name();
        let stated = &self.prompts.answers[text];
        let visual_tiers = VISUAL_TIERS.map(|tier| tier.dv);
        let mut rows = ConflictRows {
            group_id: &group_id,
            options: &self.options,
            vision_answer: COLORS[image].0,
            text_answer: &stated.name,
            visual_tiers: &visual_tiers,
            presentations: Vec::new(),
            cases: Vec::new(),
        };

        let descriptions: Vec<String> =
            (0..TEXT_TIERS).map(|dt| self.describe(dt, shape, stated, rng)).collect();
        rows.add(Control::None, shape, &self.prompts.ask(shape), &descriptions);
        if self.settings.controls {
            let names: Vec<&str> = self.prompts.shapes.iter().map(|shape| shape.name()).collect();
            let other = names.iter().copied().filter(|name| *name != shape).collect::<Vec<_>>();
            let other = other.choose(rng).copied().unwrap_or(shape);
            let irrelevant: Vec<String> =
                (0..TEXT_TIERS).map(|dt| self.describe(dt, other, stated, rng)).collect();
            rows.add(Control::TextIrrelevant, shape, &self.prompts.ask(shape), &irrelevant);

            let absent = self.prompts.shapes_never_drawn.choose(rng).map_or("star", String::as_str);
            let elsewhere: Vec<String> =
                (0..TEXT_TIERS).map(|dt| self.describe(dt, absent, stated, rng)).collect();
            rows.add(Control::ImageIrrelevant, absent, &self.prompts.ask(absent), &elsewhere);
        }

        let ConflictRows { presentations, cases, .. } = rows;
        let images = VISUAL_TIERS
            .iter()
            .map(|tier| ImageSource::Scene(Box::new(self.scene(&group_id, tier, target, image, text))))
            .collect();
        Ok(Group { images, presentations, cases, group_id })
    }
}

#[cfg(test)]
mod tests;
