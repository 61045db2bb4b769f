//! Consistency over several models: does it go with how alike they represent image and text?

use serde::{Deserialize, Serialize};

use super::{ByModality, Estimate, Representation};

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
    /// Depth of the representations.
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
