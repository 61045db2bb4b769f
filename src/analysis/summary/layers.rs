//! What a model would answer after each of its decoder layers when the modalities disagree (arXiv 2511.02243).

use serde::{Deserialize, Serialize};

use super::Estimate;
pub use crate::analysis::tables::layers::Class;

/// The choices behind the figures of layers (each is an option of `analyze`). Bins and resampling are those of the analysis
/// of following.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LayersSettings {
    /// A case is ambiguous when its dH_rel is at most this far from the balance point. Default 0.5, as in the paper.
    pub ambiguous_width: f64,
    /// Least number of cases for a cell of the heat map to have a mean. Default 5: a cell is a mean of logits, and needs
    /// fewer cases than a bin of the curve, which is a share.
    pub min_cell_cases: u64,
}

impl Default for LayersSettings {
    fn default() -> Self {
        Self { ambiguous_width: 0.5, min_cell_cases: 5 }
    }
}

/// How many cases have which class after one layer; those of unknown class are in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCounts {
    /// Layer, from 1.
    pub layer: i32,
    /// Cases whose top-1 is the image's answer.
    pub vision: u64,
    /// ... the text's answer.
    pub text: u64,
    /// ... neither.
    pub other: u64,
}

/// A set of cases, layer by layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerSet {
    /// [`Self::CONFLICT`], [`Self::AMBIGUOUS`], [`Self::CLEAR`], or the name of a control.
    pub name: String,
    /// Cases of which a class is known.
    pub cases: u64,
    /// Mean oscillations of a case: switches between vision and text from layer to layer, the layers that say neither left
    /// out. `None` without cases.
    pub oscillations: Option<Estimate>,
    /// Classes by layer.
    pub classes: Vec<ClassCounts>,
}

impl LayerSet {
    /// All analysed conflict cases.
    pub const CONFLICT: &str = "conflict";
    /// Those near the balance point.
    pub const AMBIGUOUS: &str = "ambiguous";
    /// Those away from it.
    pub const CLEAR: &str = "clear";
}

/// One cell of layer x dH_rel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeatCell {
    /// Layer, from 1.
    pub layer: i32,
    /// Lower edge of the bin of dH_rel, included.
    pub low: f64,
    /// Upper edge, excluded (included in the last bin).
    pub high: f64,
    /// Cases in the cell.
    pub cases: u64,
    /// Mean of logit(Yt) - logit(Yv); `None` under the least number of cases a cell needs.
    pub logit_difference: Option<f64>,
}

/// A case after one layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrajectoryPoint {
    /// Layer, from 1.
    pub layer: i32,
    /// The most probable token's text.
    pub top1_text: Option<String>,
    /// Whose answer it is.
    pub class: Option<Class>,
    /// logit(Yt) - logit(Yv).
    pub logit_difference: Option<f64>,
}

/// One case through the layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trajectory {
    /// The case.
    pub item_id: String,
    /// Text difficulty.
    pub dt: i32,
    /// Relative uncertainty.
    pub dh_rel: Option<f64>,
    /// "text", "vision" or "other".
    pub follows: Option<String>,
    /// Its oscillations.
    pub oscillations: u32,
    /// By layer.
    pub points: Vec<TrajectoryPoint>,
}

/// One image with texts of rising difficulty: an example, chosen because its cases switch most often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trajectories {
    /// The group.
    pub group_id: String,
    /// Visual difficulty of the image.
    pub dv: i32,
    /// The image's answer.
    pub expected_vision: Option<String>,
    /// The text's answer.
    pub expected_text: Option<String>,
    /// dt 0, 1 and 2.
    pub cases: Vec<Trajectory>,
}

/// The logit lens over conflict cases: the residual stream after each layer through the model's own final norm and
/// unembedding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayersAnalysis {
    /// How it was computed.
    pub settings: LayersSettings,
    /// Number of the last layer.
    pub layers: i32,
    /// Analysed conflict cases.
    pub analysed: u64,
    /// ... of which have rows in the table `layers`; only these enter the figures.
    pub probed: u64,
    /// ... of which have no dH_rel, and so are in no region and no cell.
    pub unplaced: u64,
    /// The run's own balance point (isotonic fit), as a point: its uncertainty is not in the intervals. `None` where the
    /// curve does not cross one half, so that there are no regions.
    pub balance_point: Option<f64>,
    /// All analysed conflict cases, the two regions, and each control, whatever its cases answer alone.
    pub sets: Vec<LayerSet>,
    /// Mean oscillations, ambiguous minus clear, on the same resamples.
    pub difference: Option<Estimate>,
    /// Layer x dH_rel: every layer by every bin, empty ones included.
    pub heat_map: Vec<HeatCell>,
    /// An example; `None` where no image has analysed cases of dt 0, 1 and 2 that were probed.
    pub trajectories: Option<Trajectories>,
}

impl LayersAnalysis {
    /// The set of this name.
    pub fn set(&self, name: &str) -> Option<&LayerSet> {
        self.sets.iter().find(|set| set.name == name)
    }
}
