//! What an analysis says: plain, serialisable values that `analyze` prints and writes as JSON and that `report` draws.
//!
//! Nothing is computed here. An absent number is `None`, never NaN.

mod comparison;
mod consistency;
mod following;
mod layers;
mod models;
mod representation;

use serde::{Deserialize, Serialize};

pub use comparison::*;
pub use consistency::*;
pub use following::*;
pub use layers::*;
pub use models::*;
pub use representation::*;

/// A number with its bootstrap interval (resampled by group).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value on all the data.
    pub value: f64,
    /// Lower and upper end of the interval; `None` where too few resamples gave a value.
    pub interval: Option<(f64, f64)>,
}

impl Estimate {
    /// One minus the number: VFR from TFR. The ends of the interval change places.
    pub fn complement(self) -> Self {
        Self { value: 1.0 - self.value, interval: self.interval.map(|(low, high)| (1.0 - high, 1.0 - low)) }
    }
}

/// All that was analysed: a run may have conflict cases, the same content shown in several ways, or both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// Which modality is followed, by run, model and suite.
    pub following: Vec<FollowingAnalysis>,
    /// Whether the same content is answered alike, by run, model and suite.
    pub consistency: Vec<ConsistencyAnalysis>,
    /// The same over models, where there are several consistency analyses.
    pub models: Option<ModelComparison>,
}

/// The choices behind the figures.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AnalysisSettings {
    /// Of the analysis of following.
    pub following: FollowingSettings,
    /// Of the analysis of consistency.
    pub consistency: ConsistencySettings,
    /// Of the analysis of layers.
    pub layers: LayersSettings,
}
