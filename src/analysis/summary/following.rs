//! Which modality a model follows when the two disagree (arXiv 2511.02243).

use serde::{Deserialize, Serialize};

use super::{Estimate, LayersAnalysis};

/// How many conflict cases there are, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Conflict cases of the suite (controls apart).
    pub cases: u64,
    /// Cases of which a presentation failed (its row has `status = error`).
    pub failed: u64,
    /// Cases whose two unimodal answers are both the designed ones: the only ones that enter the figures below.
    pub analysed: u64,
    /// Analysed cases that follow the text (Ym = Yt).
    pub text: u64,
    /// Analysed cases that follow the image (Ym = Yv).
    pub vision: u64,
    /// Analysed cases that follow neither, an answer that is no option included.
    pub other: u64,
}

/// One bin of the curve P(text following | dH_rel).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurveBin {
    /// Lower edge, included.
    pub low: f64,
    /// Upper edge, excluded (included in the last bin).
    pub high: f64,
    /// Mean dH_rel of the cases in the bin; `None` when it is empty.
    pub mean_dh_rel: Option<f64>,
    /// Text-following plus vision-following cases in the bin.
    pub cases: u64,
    /// Share of them that follows the text, with its interval; `None` under the least number of cases a bin needs.
    pub text_following: Option<Estimate>,
}

/// Where the curve crosses one half.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum BalancePoint {
    /// It crosses here (dH_rel): in the middle of the gap between the last fitted value above 0.5 and the first one below,
    /// or in the middle of the stretch that is exactly 0.5. The interval is that of the resamples that cross; below 0 = inherent vision preference, above 0 = text preference.
    Crossing(Estimate),
    /// Text wins over the whole observed range.
    AlwaysText,
    /// The image wins over the whole observed range.
    AlwaysVision,
}

/// The decreasing logistic curve `p = 1 / (1 + exp(-(intercept + slope * dH_rel)))`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Logistic {
    /// Intercept (log-odds at dH_rel = 0).
    pub intercept: f64,
    /// Slope (log-odds for one unit of dH_rel); negative when the law holds.
    pub slope: f64,
    /// `-intercept / slope`, where that lies inside [-2, 2] and the slope is negative.
    pub balance_point: Option<Estimate>,
}

/// How far the raw curve departs from a falling one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Monotonicity {
    /// Case-weighted mean absolute distance between the bins' shares and their isotonic fit.
    pub distance: f64,
    /// Permutation p-value: share of label shuffles with as small a distance or a smaller one (small = more monotone than
    /// chance). The data themselves count as one of the shuffles, so that it is never 0.
    pub p_value: f64,
    /// Spearman's rho between dH_rel and text following, over cases.
    pub spearman_rho: Option<f64>,
}

/// The curve and its fits for one set of cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Text-following plus vision-following cases with a dH_rel.
    pub cases: u64,
    /// All bins on [-2, 2], empty ones included.
    pub bins: Vec<CurveBin>,
    /// The isotonic (decreasing, pool-adjacent-violators) fit over cases: its knots as (dH_rel, p), by rising dH_rel.
    pub isotonic: Vec<(f64, f64)>,
    /// The logistic fit; `None` where the two classes are separable, one is absent, or dH_rel is constant.
    pub logistic: Option<Logistic>,
    /// The balance point by the isotonic fit.
    pub balance_point: BalancePoint,
    /// Departure from a monotone curve; `None` with fewer than two filled bins.
    pub monotonicity: Option<Monotonicity>,
}

/// A named subset with its own curve (the halves below and above the median of Ht + Hv).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurveSplit {
    /// "low" (Ht + Hv up to the median) or "high".
    pub name: String,
    /// Its curve.
    pub curve: Curve,
}

/// Unimodal behaviour at one difficulty tier (a dv for vision-only rows, a dt for text-only rows). A tier in which no
/// prompt is known to be right or wrong has no row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TierRow {
    /// The tier's number.
    pub tier: i32,
    /// Prompts answered (the mean entropy and the accuracy are over those of which they are known).
    pub prompts: u64,
    /// Mean entropy over the whole vocabulary, nats; `None` where no prompt has one (imported answers).
    pub entropy: Option<Estimate>,
    /// Share of right answers.
    pub accuracy: Estimate,
}

/// Following in one cell of visual difficulty x text difficulty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CellRow {
    /// Visual tier.
    pub dv: i32,
    /// Text tier.
    pub dt: i32,
    /// Analysed cases.
    pub analysed: u64,
    /// ... of which follow the text.
    pub text: u64,
    /// ... the image.
    pub vision: u64,
    /// ... neither.
    pub other: u64,
    /// Mean dH_rel of the analysed cases.
    pub mean_dh_rel: Option<f64>,
}

/// One control: how often the answer to the bimodal prompt is the image's, the text's, or another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControlRow {
    /// "text-irrelevant" or "image-irrelevant".
    pub control: String,
    /// Cases that ran.
    pub cases: u64,
    /// Answered as the text-only prompt of the control is designed to be answered.
    pub designed_text: u64,
    /// Answered as the image is designed to be answered.
    pub designed_vision: u64,
    /// Anything else: no option, or an answer that both are designed to give.
    pub other: u64,
}

/// The choices behind the figures (each is an option of `analyze`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FollowingSettings {
    /// Width of a bin of dH_rel. Default 0.25.
    pub bin_width: f64,
    /// Least number of cases for a bin to count. Default 20.
    pub min_bin_cases: u64,
    /// Bootstrap resamples. Default 2000.
    pub bootstrap: u32,
    /// Confidence of the intervals. Default 0.95.
    pub confidence: f64,
    /// Label shuffles of the permutation test. Default 2000.
    pub permutations: u32,
    /// Seed of both.
    pub seed: u64,
}

impl Default for FollowingSettings {
    fn default() -> Self {
        Self {
            bin_width: 0.25,
            min_bin_cases: 20,
            bootstrap: 2000,
            confidence: 0.95,
            permutations: 2000,
            seed: 0,
        }
    }
}

/// Which modality one model follows on one suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FollowingAnalysis {
    /// Run identifier (the tables' `run` column).
    pub run: String,
    /// Model name.
    pub model: String,
    /// Suite name.
    pub suite: String,
    /// How it was computed.
    pub settings: FollowingSettings,
    /// Case counts.
    pub counts: Counts,
    /// Text-following ratio TFR = text / (text + vision); VFR = 1 - TFR. `None` when neither occurs.
    pub tfr: Option<Estimate>,
    /// Share of *other* among the analysed cases.
    pub other_rate: Option<Estimate>,
    /// The curve over all analysed cases.
    pub curve: Option<Curve>,
    /// The same below and above the median total entropy.
    pub splits: Vec<CurveSplit>,
    /// Following by dv x dt.
    pub cells: Vec<CellRow>,
    /// Vision-only behaviour by dv.
    pub vision_tiers: Vec<TierRow>,
    /// Text-only behaviour by dt.
    pub text_tiers: Vec<TierRow>,
    /// The controls.
    pub controls: Vec<ControlRow>,
    /// What the model would say after each layer; `None` where the run has no table `layers`.
    #[serde(default)]
    pub layers: Option<LayersAnalysis>,
}
