//! REST and REST+ (arXiv 2512.08923): the same questions as text and as images of that text.
//!
//! A group is an item. Its *content* is the whole question. It is shown as text (`text`), and for each rendering as an
//! image to be transcribed (`ocr`), as an image to be answered (`image`), as an image of its stem or context with the
//! rest as text (`mixed`), and as the model's own transcription (`ocr-first`). Answers are written freely and read
//! ([`super::answers`]).
//!
//! The paper leaves open, and we chose: the wording of the prompts; page width, margin and point size (the typesetter's
//! defaults); and where a question with a number as answer is parted: before its last sentence that asks. An item of one
//! sentence has no context, and no `mixed`. Items of several tasks stand in turn, so that the first ones are of all.

mod asking;
mod files;
mod filters;
mod item;
mod prompts;
mod rows;
mod schema;
mod sources;
mod spec;
mod task;
mod template;
mod variants;

pub use filters::MAX_CHARACTERS;
pub use prompts::SHIPPED as SHIPPED_PROMPTS;
pub use spec::RestSpec;
pub use task::Task;

use super::seeding::hex_digest;
use super::{Group, ImageSource, Part, PresentationKind, Suite, SuiteError, SuiteSpec, soebench};
use crate::render::typeset::{DEFAULT_MARGIN_IN, DEFAULT_PAGE_WIDTH_IN, DEFAULT_SIZE_PT, TextSpec, typeset};
use asking::Asking;
use filters::Filters;
use item::Item;
use prompts::Prompts;
use sources::Sources;
use variants::Variant;

/// REST: one rendering.
pub const REST: &str = "rest";

/// REST+: ten renderings.
pub const REST_PLUS: &str = "rest-plus";

/// The suites that are made here.
pub const NAMES: [&str; 3] = [REST, REST_PLUS, soebench::NAME];

/// Raised when the presentations change, so that runs of different content never mix.
const CONTENT_VERSION: u32 = 1;

/// What is typeset to see whether the page is one, and whether the fonts are still the same.
const SAMPLE_LETTERS: &str = "Sphinx of black quartz, judge my vow: 0123456789 (A + B = 7)?";

/// Questions as text and as images.
pub struct Rest {
    name: String,
    items: Vec<Item>,
    variants: Vec<Variant>,
    prompts: Prompts,
    page: Page,
    /// Instead of the prompts' limits.
    max_new_tokens: Option<usize>,
    fingerprint: String,
    notes: Vec<String>,
}

/// How pages are set.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Page {
    width_in: f32,
    margin_in: f32,
    size_pt: f32,
}

impl Rest {
    /// Reads (or generates) and checks everything that `spec` names.
    ///
    /// # Errors
    /// When a file does not fit its task's schema, the prompts lack something, a setting is none of the suite's, or nothing
    /// can be typeset on the page.
    pub fn open(spec: &SuiteSpec) -> Result<Self, SuiteError> {
        let rest = &spec.rest;
        let setting = SuiteError::Setting;
        if rest.max_new_tokens == Some(0) {
            return Err(setting("--max-new-tokens 0: expected 1 or more".into()));
        }
        let filters = Filters {
            max_characters: rest.max_characters.unwrap_or(MAX_CHARACTERS),
            keep_latex: rest.keep_latex,
        };
        let prompts = Prompts::open(spec.prompts.as_deref())?;
        let all = if spec.name == REST_PLUS { variants::rest_plus() } else { variants::rest() };
        let variants = variants::select(all, &rest.variants)?;
        let page = Page {
            width_in: rest.page_width_in.unwrap_or(DEFAULT_PAGE_WIDTH_IN),
            margin_in: rest.margin_in.unwrap_or(DEFAULT_MARGIN_IN),
            size_pt: rest.point_size.unwrap_or(DEFAULT_SIZE_PT),
        };
        let looks = page.looks(&variants)?;
        let tallies = sources(spec)?.read(&filters)?;
        let notes = tallies.iter().flat_map(|tally| tally.notes(&filters)).collect();
        let items = in_turn(tallies.into_iter().map(|tally| tally.items).collect());
        if items.is_empty() {
            return Err(setting(format!(
                "the suite {} has no items: none was read, or all were dropped",
                spec.name
            )));
        }
        let content = serde_json::to_string(&items).map_err(|error| setting(error.to_string()))?;
        let fingerprint = hex_digest(format!(
            "rest v{CONTENT_VERSION} soebench v{} prompts={} page={page:?} variants={variants:?} looks={looks} limit={:?}\n{content}",
            soebench::CONTENT_VERSION,
            prompts.digest,
            rest.max_new_tokens,
        ));
        Ok(Self {
            name: spec.name.clone(),
            items,
            variants,
            prompts,
            page,
            max_new_tokens: rest.max_new_tokens,
            fingerprint,
            notes,
        })
    }
}

/// Where the items are that `spec` names.
fn sources(spec: &SuiteSpec) -> Result<Sources, SuiteError> {
    let setting = SuiteError::Setting;
    let generated = spec.rest.unknowns.is_some() || spec.rest.coefficients.is_some() || spec.seed != 0;
    let settings = soebench::Settings {
        items: spec.groups.unwrap_or(soebench::DEFAULT_ITEMS),
        seed: spec.seed,
        unknowns: spec.rest.unknowns.unwrap_or(soebench::DEFAULT_UNKNOWNS),
        coefficient: spec.rest.coefficients.unwrap_or(soebench::DEFAULT_COEFFICIENT),
    };
    if !spec.controls {
        return Err(setting(format!("--no-controls: the suite {} has no controls", spec.name)));
    }
    if spec.images.is_some() {
        return Err(setting(format!("--images: the images of the suite {} are rendered", spec.name)));
    }
    if spec.name == soebench::NAME {
        return match spec.data.as_slice() {
            [] => Ok(Sources::generated(settings)),
            _ => Err(setting("--data: the items of the suite soebench are generated".into())),
        };
    }
    let has_generated = spec.data.is_empty() || spec.data.iter().any(|data| data == soebench::NAME);
    if !has_generated && (generated || spec.groups.is_some()) {
        return Err(setting(
            "--groups, --seed, --unknowns and --coefficients are for items that are generated; add --data soebench for \
             them, or take the first items with --limit"
                .into(),
        ));
    }
    if spec.data.is_empty() {
        Ok(Sources::shipped(settings, spec.groups))
    } else {
        Sources::named(&spec.data, settings)
    }
}

/// One item of each list in turn, so that the first ones are of all tasks.
fn in_turn(lists: Vec<Vec<Item>>) -> Vec<Item> {
    let mut lists: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut items = Vec::new();
    loop {
        let before = items.len();
        items.extend(lists.iter_mut().filter_map(Iterator::next));
        if items.len() == before {
            return items;
        }
    }
}

impl Page {
    /// A digest of some letters in all renderings: it changes with the typesetter and its fonts. What is wrong with the page
    /// is wrong for every item, and is found here.
    fn looks(&self, variants: &[Variant]) -> Result<String, SuiteError> {
        let picture = |variant: &Variant| {
            let picture = typeset(&self.image(variant, "", SAMPLE_LETTERS))
                .map_err(|error| SuiteError::Setting(error.to_string()))?;
            Ok(hex_digest(picture.as_raw()))
        };
        Ok(hex_digest(variants.iter().map(picture).collect::<Result<Vec<_>, SuiteError>>()?.concat()))
    }

    /// An image of `text`, as `variant` renders it for `item`.
    fn image(&self, variant: &Variant, item: &str, text: &str) -> TextSpec {
        TextSpec {
            text: text.into(),
            font: variant.font,
            size_pt: self.size_pt,
            dpi: variant.dpi,
            color: variant.color(item).1,
            page_width_in: self.width_in,
            margin_in: self.margin_in,
        }
    }
}

impl Suite for Rest {
    fn name(&self) -> &str {
        &self.name
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn group_count(&self) -> usize {
        self.items.len()
    }

    fn group(&self, index: usize) -> Result<Group, SuiteError> {
        let item = &self.items[index];
        let mut group = Group {
            group_id: item.id.clone(),
            images: Vec::new(),
            presentations: Vec::new(),
            cases: Vec::new(),
        };
        let asking = Asking::of(item, &self.prompts, self.max_new_tokens);
        let wordings = self.prompts.wordings(item.task);
        let text = asking.answered(PresentationKind::Text, None, &wordings.text, None);
        group.presentations.push(text);
        for variant in &self.variants {
            let mut show = |text: &str| {
                group.images.push(ImageSource::Text(Box::new(self.page.image(variant, &item.id, text))));
                Part::Image(group.images.len() - 1)
            };
            let whole = show(&asking.content);
            let part = (!item.body.shown().is_empty()).then(|| show(item.body.shown()));
            let ocr = group.presentations.len();
            let rendered = Some(variant);
            let answered = |kind, template, part| asking.answered(kind, rendered, template, part);
            group.presentations.push(asking.transcribed(variant, &self.prompts.ocr, whole.clone()));
            group.presentations.push(answered(PresentationKind::Image, &wordings.image, Some(whole)));
            group
                .presentations
                .extend(part.map(|part| answered(PresentationKind::Mixed, &wordings.mixed, Some(part))));
            let written = Some(Part::Written(ocr));
            group.presentations.push(answered(PresentationKind::OcrFirst, &wordings.ocr_first, written));
        }
        Ok(group)
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}
