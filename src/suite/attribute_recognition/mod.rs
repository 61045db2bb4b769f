//! Attribute recognition (arXiv 2511.02243): 300 groups x 4 images x 4 texts, on the scenes of CLEVR.
//!
//! Two suites, one an attribute, because tables, figures and pages are kept by suite. A group has one color and one value of
//! the attribute that its images show (Yv), and another value that its texts state (Yt). Per group: 4 vision-only rows
//! (dv 0-3), 4 text-only rows (dt 0-3), 16 conflict rows, and, unless left out, both controls as in color recognition.
//!
//! What the paper leaves open, and what we chose: the target is told by its color alone, and is the only object of that
//! color in each of its images (so that the question has one answer, which is stricter than one object of that color and
//! value); values of the texts take turns; the text-irrelevant control speaks of another color of CLEVR, the
//! image-irrelevant one of a color that CLEVR does not have.

mod clevr;
mod deal;
mod prompts;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::seq::IndexedRandom;
use rayon::prelude::*;

use super::conflict::ConflictRows;
use super::pictures::{UNREADABLE, digest_of_file};
use super::seeding::{generator, hex_digest};
use super::{AnswerOption, Control, Group, ImageSource, Suite, SuiteError, SuiteSpec};
use clevr::{Color, Object};
use deal::{Dealt, VISUAL_TIERS};
pub use prompts::BUILT_IN;
use prompts::{Prompts, TEXT_TIERS};

/// Groups in the paper's set, an attribute.
pub const DEFAULT_GROUPS: usize = 300;

/// Raised when the generated content changes, so that runs of different content never mix.
const CONTENT_VERSION: u32 = 1;

/// What is asked of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// Cube, sphere or cylinder.
    Shape,
    /// Rubber or metal.
    Material,
}

impl Attribute {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Shape, Self::Material];

    /// The suite that asks for it.
    pub const fn suite_name(self) -> &'static str {
        match self {
            Self::Shape => "shape-recognition",
            Self::Material => "material-recognition",
        }
    }

    /// The attribute of a suite's name.
    pub fn of_suite(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attribute| attribute.suite_name() == name)
    }

    /// What it is called in a question.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shape => "shape",
            Self::Material => "material",
        }
    }

    /// The values that objects have.
    pub fn values(self) -> &'static [&'static str] {
        match self {
            Self::Shape => &["cube", "sphere", "cylinder"],
            Self::Material => &["rubber", "metal"],
        }
    }

    fn of(self, object: &Object) -> &str {
        match self {
            Self::Shape => &object.shape,
            Self::Material => &object.material,
        }
    }

    /// Begins the groups' names.
    fn prefix(self) -> &'static str {
        match self {
            Self::Shape => "sr",
            Self::Material => "mr",
        }
    }
}

/// The suite on a user's CLEVR folder.
pub struct AttributeRecognition {
    attribute: Attribute,
    seed: u64,
    controls: bool,
    prompts: Prompts,
    options: Arc<[AnswerOption]>,
    groups: Vec<Dealt>,
    /// The picture of each scene that is shown, by the scene's index.
    images: Vec<PathBuf>,
    fingerprint: String,
    notes: Vec<String>,
}

impl AttributeRecognition {
    /// Opens `--data DIR`, a CLEVR folder.
    ///
    /// # Errors
    /// When it is not given or no CLEVR folder, not one group can be made of its scenes, or the prompts are wrong.
    pub fn open(attribute: Attribute, spec: &SuiteSpec) -> Result<Self, SuiteError> {
        let name = attribute.suite_name();
        let [data] = spec.data.as_slice() else {
            return Err(SuiteError::Setting(format!(
                "the suite {name} needs a CLEVR folder: --data DIR, with scenes/CLEVR_val_scenes.json and images/val/ in it (CLEVR v1.0 is at https://cs.stanford.edu/people/jcjohns/clevr/)"
            )));
        };
        if spec.images.is_some() {
            return Err(SuiteError::Setting(format!(
                "--images is not for the suite {name}: its images lie in the CLEVR folder that --data names"
            )));
        }
        let folder = Path::new(data);
        let prompts = Prompts::read(spec.prompts.as_deref(), attribute)?;
        let scenes = clevr::read(folder)?;
        let wanted = spec.groups.unwrap_or(DEFAULT_GROUPS);
        let deal = deal::deal(&scenes, attribute, wanted, spec.seed);
        let scarcest = &VISUAL_TIERS[deal.scarcest];
        let shortage = format!(
            "only {} of {wanted} groups can be made of its {} scenes: a group needs a scene of every visual tier, and there are fewest of dv {} (at least {} objects, the target {:?})",
            deal.groups.len(),
            scenes.len(),
            scarcest.dv,
            scarcest.objects.start(),
            scarcest.target
        )
        .to_lowercase();
        if deal.groups.is_empty() {
            return Err(SuiteError::File { path: folder.into(), reason: shortage });
        }
        let notes = (deal.groups.len() < wanted).then(|| format!("{}: {shortage}", folder.display()));
        let images: Vec<PathBuf> =
            scenes.iter().map(|scene| folder.join(clevr::IMAGES).join(&scene.image_filename)).collect();
        let mut suite = Self {
            attribute,
            seed: spec.seed,
            controls: spec.controls,
            options: prompts.options().into(),
            prompts,
            groups: deal.groups,
            images,
            fingerprint: String::new(),
            notes: notes.into_iter().collect(),
        };
        suite.fingerprint = suite.digest();
        Ok(suite)
    }

    /// A digest of settings, wordings, and the pictures that are shown.
    fn digest(&self) -> String {
        let shown: BTreeSet<usize> = self.groups.iter().flat_map(|group| group.scenes).collect();
        let shown: Vec<usize> = shown.into_iter().collect();
        // A picture that is mended or exchanged makes another suite; one that is missing is a fact like any other.
        let digest =
            |scene: &usize| digest_of_file(&self.images[*scene]).unwrap_or_else(|_| UNREADABLE.into());
        let pictures: Vec<String> = shown.par_iter().map(digest).collect();
        hex_digest(format!(
            "{} v{CONTENT_VERSION} seed={} controls={} prompts={} groups={:?} pictures={}",
            self.name(),
            self.seed,
            self.controls,
            self.prompts.digest,
            self.groups,
            pictures.concat()
        ))
    }
}

impl Suite for AttributeRecognition {
    fn name(&self) -> &str {
        self.attribute.suite_name()
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn group_count(&self) -> usize {
        self.groups.len()
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn group(&self, index: usize) -> Result<Group, SuiteError> {
        let Dealt { color, vision, text, scenes } = &self.groups[index];
        let group_id = format!("{}-{index:05}", self.attribute.prefix());
        let rng = &mut generator(self.seed, &[self.name(), "texts", &group_id]);
        let stated = &self.prompts.answers[*text];
        let visual_tiers = VISUAL_TIERS.map(|tier| tier.dv);
        let mut rows = ConflictRows {
            group_id: &group_id,
            options: &self.options,
            vision_answer: self.attribute.values()[*vision],
            text_answer: &stated.name,
            visual_tiers: &visual_tiers,
            presentations: Vec::new(),
            cases: Vec::new(),
        };
        let target = self.prompts.target(color.as_str());
        let mut describe = |target: &str| -> Vec<String> {
            (0..TEXT_TIERS).map(|dt| self.prompts.describe(dt, target, stated, rng)).collect()
        };
        rows.add(Control::None, &target, &self.prompts.ask(&target), &describe(&target));
        if self.controls {
            let rng = &mut generator(self.seed, &[self.name(), "controls", &group_id]);
            let others: Vec<Color> = Color::ALL.into_iter().filter(|other| other != color).collect();
            let other = others.choose(rng).map_or("", |other| other.as_str());
            let irrelevant = describe(&self.prompts.target(other));
            rows.add(Control::TextIrrelevant, &target, &self.prompts.ask(&target), &irrelevant);

            let absent = self.prompts.colors_never_drawn.choose(rng).map_or("", String::as_str);
            let absent = self.prompts.target(absent);
            let elsewhere = describe(&absent);
            rows.add(Control::ImageIrrelevant, &absent, &self.prompts.ask(&absent), &elsewhere);
        }
        let ConflictRows { presentations, cases, .. } = rows;
        let images = scenes.iter().map(|&scene| ImageSource::File(self.images[scene].clone())).collect();
        Ok(Group { images, presentations, cases, group_id })
    }
}

#[cfg(test)]
mod tests;
