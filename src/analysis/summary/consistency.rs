//! Whether the same content is answered alike as text, as image and mixed (REST, arXiv 2512.08923).
//!
//! A *comparison* is one item in one rendering: its answer to the text, to the image and, where the suite has it, to the
//! mixed presentation. It is *complete* when all of them were answered without an error.

use serde::{Deserialize, Serialize};

use super::{BestDepth, Estimate, Representation, SimilarityMatrix};

/// Whether two answers that no option or number could be read from are the same answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Unparsed {
    /// They are: the model failed alike.
    Agree,
    /// They never agree with anything.
    #[default]
    Disagree,
}

/// The choices behind the figures (each is an option of `analyze`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConsistencySettings {
    /// How unparseable answers compare. The paper leaves it open; default: they disagree.
    pub unparsed: Unparsed,
    /// Bootstrap resamples. Default 2000.
    pub bootstrap: u32,
    /// Confidence of the intervals. Default 0.95.
    pub confidence: f64,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl Default for ConsistencySettings {
    fn default() -> Self {
        Self { unparsed: Unparsed::default(), bootstrap: 2000, confidence: 0.95, seed: 0 }
    }
}

/// A way to show the content of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Modality {
    /// The whole question as text.
    Text,
    /// The whole question as image.
    Image,
    /// A part of it as image, the rest as text.
    Mixed,
}

impl Modality {
    /// All of them, in the order of tables and figures.
    pub const ALL: [Self; 3] = [Self::Text, Self::Image, Self::Mixed];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Mixed => "mixed",
        }
    }
}

/// One value for each modality.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ByModality<T> {
    /// Of the text.
    pub text: T,
    /// Of the image.
    pub image: T,
    /// Of both mixed.
    pub mixed: T,
}

impl<T> ByModality<T> {
    /// The value of one.
    pub fn of(&self, modality: Modality) -> &T {
        match modality {
            Modality::Text => &self.text,
            Modality::Image => &self.image,
            Modality::Mixed => &self.mixed,
        }
    }
}

/// The shares of the method, over a set of comparisons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Render-equivalence rate: share of complete comparisons whose answers are all the same, right or wrong.
    pub rer: Option<Estimate>,
    /// Max modal coverage N_c / N: share of scored comparisons that are right in at least one modality.
    pub mmc: Option<Estimate>,
    /// Share of scored comparisons that are right in all modalities.
    pub all_right: Option<Estimate>,
    /// Cross-modality failure rate: share of the N_c that is not right in all modalities, = 1 - all_right / MMC.
    pub cfr: Option<Estimate>,
    /// Share of right answers over the scored comparisons.
    pub accuracy: ByModality<Option<Estimate>>,
    /// Share of answers that nothing could be read from, over the complete comparisons.
    pub unparsed: ByModality<Option<Estimate>>,
}

/// The figures over a set of comparisons, each counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ConsistencyMetrics {
    /// Complete comparisons.
    pub comparisons: u64,
    /// Comparisons left out because an answer is missing or failed.
    pub incomplete: u64,
    /// N: complete comparisons of which every answer is known to be right or wrong.
    pub scored: u64,
    /// N_c: scored comparisons that are right in at least one modality.
    pub covered: u64,
    /// The shares.
    #[serde(flatten)]
    pub rates: Rates,
}

/// The figures of one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskMetrics {
    /// Its name; "none" where the table names none.
    pub task: String,
    /// Its figures.
    #[serde(flatten)]
    pub metrics: ConsistencyMetrics,
}

/// How a rendering looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rendering {
    /// Its name, such as `dejavu-sans-200-red`.
    pub variant: String,
    /// Its font.
    pub font: Option<String>,
    /// Its resolution, dots per inch.
    pub dpi: Option<i32>,
    /// The color of its letters; black where the table names none.
    pub color: String,
}

/// The figures of one rendering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantMetrics {
    /// The rendering.
    #[serde(flatten)]
    pub rendering: Rendering,
    /// Its figures.
    #[serde(flatten)]
    pub metrics: ConsistencyMetrics,
}

/// A paired t-test of per-item accuracy (the mean over the item's renderings) between two modalities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ModalityTest {
    /// One modality.
    pub first: Modality,
    /// The other.
    pub second: Modality,
    /// Items with both.
    pub items: u64,
    /// Mean of (accuracy in `first` - accuracy in `second`) over items.
    pub difference: Option<Estimate>,
    /// Student's t; `None` where the differences have no variance.
    pub t: Option<f64>,
    /// items - 1.
    pub degrees_of_freedom: u64,
    /// Two-sided p-value.
    pub p_value: Option<f64>,
}

/// All figures of one subset of the comparisons.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SubsetAnalysis {
    /// All comparisons together.
    pub pooled: ConsistencyMetrics,
    /// Every task's shares averaged, each task counted once; CFR is the mean of the tasks' CFR.
    pub macro_mean: Rates,
    /// By task.
    pub by_task: Vec<TaskMetrics>,
    /// By rendering.
    pub by_variant: Vec<VariantMetrics>,
    /// Between modalities, pooled over tasks.
    pub tests: Vec<ModalityTest>,
}

/// Why comparisons are incomplete. Each is counted once, by the first modality (text, image, mixed) that it lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incomplete {
    /// The modality without an answer.
    pub modality: Modality,
    /// What became of it.
    pub reason: IncompleteReason,
    /// How many comparisons.
    pub comparisons: u64,
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IncompleteReason {
    /// Its row says `status = error`.
    Failed,
    /// It has no row.
    Missing,
}

/// How well a model transcribes what it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcription {
    /// Rendering; `None` for all together.
    pub variant: Option<String>,
    /// Transcriptions made.
    pub transcriptions: u64,
    /// Transcriptions that failed.
    pub failed: u64,
    /// Mean character error rate, after normalisation; above 1 where far too much was written.
    pub cer: Option<Estimate>,
    /// Share with a character error rate of exactly 0.
    pub perfect: Option<Estimate>,
}

/// What about a rendering is varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Factor {
    /// Resolution, over all fonts in black.
    Dpi,
    /// Font, over all resolutions in black.
    Font,
    /// Color, against black in the same font and resolution.
    Color,
}

impl Factor {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dpi => "dpi",
            Self::Font => "font",
            Self::Color => "color",
        }
    }
}

/// What is measured of a level: means over its comparisons, or mean differences over items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct EffectMeasures {
    /// Accuracy of the image.
    pub accuracy: Option<Estimate>,
    /// Character error rate.
    pub cer: Option<Estimate>,
    /// Render-equivalence rate.
    pub rer: Option<Estimate>,
}

/// One level of a factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectLevel {
    /// The factor.
    pub factor: Factor,
    /// The level: "50", "courier-prime", "red"; "colored" is every color but black.
    pub level: String,
    /// Whether the others are compared with it.
    pub reference: bool,
    /// Complete comparisons at the level.
    pub comparisons: u64,
    /// Means over them.
    pub at_level: EffectMeasures,
    /// Level minus reference, paired by item; `None` for the reference itself and where it was not run.
    pub difference: Option<EffectMeasures>,
}

/// The model's own transcription, solved as text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OcrFirst {
    /// Answers known to be right or wrong.
    pub scored: u64,
    /// Prompts that failed.
    pub failed: u64,
    /// Share of right answers.
    pub accuracy: Option<Estimate>,
    /// Accuracy minus that of the image, paired by item.
    pub against_image: Option<Estimate>,
    /// Accuracy minus that of the text, paired by item.
    pub against_text: Option<Estimate>,
}

/// Whether the image is answered alike in all its renderings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VariantAgreement {
    /// Items with two renderings or more, all answered.
    pub items: u64,
    /// Share of them whose answers are all the same.
    pub share: Option<Estimate>,
}

/// What an answer costs, in tokens of the prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenUse {
    /// Rendering; `None` for all together.
    pub variant: Option<String>,
    /// Complete comparisons whose token counts are known.
    pub comparisons: u64,
    /// Mean tokens of the text prompt.
    pub text_prompt: Option<Estimate>,
    /// Mean vision tokens of the image prompt.
    pub image_prompt_vision: Option<Estimate>,
    /// Mean text tokens of the image prompt.
    pub image_prompt_text: Option<Estimate>,
    /// Tokens of the text prompts for every right answer to them.
    pub text_per_right: Option<Estimate>,
    /// Vision tokens of the image prompts for every right answer to them.
    pub vision_per_right: Option<Estimate>,
    /// All tokens of the image prompts for every right answer to them.
    pub image_per_right: Option<Estimate>,
    /// `vision_per_right / text_per_right`.
    pub vision_ratio: Option<Estimate>,
    /// `image_per_right / text_per_right`.
    pub image_ratio: Option<Estimate>,
}

/// Whether one model answers the same content of one suite alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConsistencyAnalysis {
    /// Run identifier (the tables' `run` column).
    pub run: String,
    /// Model name.
    pub model: String,
    /// Suite name.
    pub suite: String,
    /// How it was computed.
    pub settings: ConsistencySettings,
    /// Items that are shown as image.
    pub items: u64,
    /// Complete comparisons of items that the suite does not show mixed: their answers to text and image are compared.
    pub without_mixed: u64,
    /// What is left out, and why.
    pub incomplete: Vec<Incomplete>,
    /// Over all comparisons.
    pub all: SubsetAnalysis,
    /// Over those whose rendering the model transcribes perfectly (character error rate exactly 0).
    pub ocr_correct: SubsetAnalysis,
    /// Transcription: all together first, then by rendering. Empty where nothing was transcribed.
    pub ocr: Vec<Transcription>,
    /// Resolution, font and color.
    pub effects: Vec<EffectLevel>,
    /// First transcribed, then solved.
    pub ocr_first: Option<OcrFirst>,
    /// Agreement over renderings; `None` where no item has two.
    pub variant_agreement: Option<VariantAgreement>,
    /// Tokens: all together first, then by rendering. Empty where token counts are not known.
    pub tokens: Vec<TokenUse>,
    /// Representations by depth. Empty where the run has no table `embeddings`.
    pub representations: Vec<Representation>,
    /// Where they are most alike; `None` without representations.
    #[serde(default)]
    pub best_depth: Option<BestDepth>,
    /// A sample of items at that depth, each image against each text.
    #[serde(default)]
    pub similarities: Option<SimilarityMatrix>,
}
