//! Consistency over several models: does it go with how alike they represent image and text?

use serde::{Deserialize, Serialize};

use super::{BestDepth, ByModality, Estimate, Representation};

/// In place of a depth: that at which each model is best, which differs from model to model.
pub const BEST_DEPTH: &str = "best";
/// The depths that every model has.
pub const DECODER_ENDS: [&str; 2] = ["input", "output"];

/// One model of the comparison: the pooled figures of its analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelRow {
    /// Run identifier.
    pub run: String,
    /// Model name.
    pub model: String,
    /// Suite name.
    pub suite: String,
    /// RER over all comparisons.
    pub rer: Option<Estimate>,
    /// RER over the OCR-correct ones.
    pub rer_ocr_correct: Option<Estimate>,
    /// CFR over all comparisons.
    pub cfr: Option<Estimate>,
    /// CFR over the OCR-correct ones.
    pub cfr_ocr_correct: Option<Estimate>,
    /// Accuracy over all comparisons.
    pub accuracy: ByModality<Option<Estimate>>,
    /// Representations by depth.
    pub representations: Vec<Representation>,
    /// Where they are most alike.
    #[serde(default)]
    pub best_depth: Option<BestDepth>,
}

impl ModelRow {
    /// The representations at a depth, or with [`BEST_DEPTH`] where the model is best by this measure.
    pub fn at_depth(&self, depth: &str, alignment: Alignment) -> Option<&Representation> {
        let depth = match (depth, self.best_depth.as_ref(), alignment) {
            (BEST_DEPTH, best, Alignment::Cosine) => &best?.cosine,
            (BEST_DEPTH, best, Alignment::Retrieval) => best?.retrieval.as_ref()?,
            _ => depth,
        };
        self.representations.iter().find(|at| at.depth == depth)
    }
}

/// What of the representations is correlated with RER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alignment {
    /// Mean cosine of image and text.
    Cosine,
    /// Bidirectional retrieval accuracy.
    Retrieval,
}

impl Alignment {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Retrieval => "retrieval",
        }
    }
}

/// Pearson's correlation of RER with a measure of alignment, over the models of one suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlignmentCorrelation {
    /// Suite.
    pub suite: String,
    /// "all" or "ocr-correct": the comparisons of RER.
    pub subset: String,
    /// Depth of the representations, or [`BEST_DEPTH`].
    pub depth: String,
    /// The measure.
    pub alignment: Alignment,
    /// Models with both numbers.
    pub models: u64,
    /// Pearson's r; `None` under three models, or where a side is constant.
    pub r: Option<f64>,
    /// Its square.
    pub r_squared: Option<f64>,
    /// Two-sided p-value.
    pub p_value: Option<f64>,
}

/// Several models side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelComparison {
    /// The models, in the order of the analyses.
    pub models: Vec<ModelRow>,
    /// Correlations over them, by suite, subset, depth and measure.
    pub correlations: Vec<AlignmentCorrelation>,
}
