//! P(text following | dH_rel) over the cases that follow a modality: bins, fits, balance point and monotonicity.

use super::resampling;
use crate::analysis::bins::{LIMIT, bin_of, edges};
use crate::analysis::statistics::bootstrap::{Interval, number_groups};
use crate::analysis::statistics::isotonic::{Crossing, DecreasingFit, Point};
use crate::analysis::statistics::logistic::{self, LogisticFit, Observation};
use crate::analysis::statistics::permutation::{LabelledBin, test_decrease};
use crate::analysis::statistics::spearman;
use crate::analysis::summary::{
    BalancePoint, Curve, CurveBin, Estimate, FollowingSettings, Logistic, Monotonicity,
};
use crate::analysis::tables::FollowingRow;

/// A case that follows the text or the image, and has a dH_rel.
#[derive(Debug, Clone, Copy)]
pub(super) struct CurveCase<'a> {
    group: &'a str,
    dh_rel: f64,
    text: bool,
    /// Ht + Hv, nats.
    pub total_entropy: Option<f64>,
}

impl<'a> CurveCase<'a> {
    /// `None` where dH_rel is null (Ht + Hv = 0).
    pub fn of(row: &'a FollowingRow, text: bool) -> Option<Self> {
        let total_entropy = row.h_text.zip(row.h_vision).map(|(text, vision)| text + vision);
        Some(Self { group: &row.group_id, dh_rel: row.dh_rel?, text, total_entropy })
    }
}

/// The curve of these cases; `None` without cases.
pub(super) fn curve(cases: &[CurveCase], settings: &FollowingSettings) -> Option<Curve> {
    let mut cases = cases.to_vec();
    cases.sort_by(|one, other| {
        one.dh_rel.total_cmp(&other.dh_rel).then((one.text, one.group).cmp(&(other.text, other.group)))
    });
    let (group_of, groups) = number_groups(cases.iter().map(|case| case.group));
    let sample = Sample { cases: &cases, group_of, edges: edges(settings.bin_width) };

    let whole = sample.figures(|_| 1.0, None);
    let isotonic = whole.isotonic?;
    let start = whole.logistic;
    let bins = whole.bins.len();
    let intervals = resampling(settings).intervals(groups, bins + 2, |times| {
        let figures = sample.figures(|group| f64::from(times[group]), start);
        let shares = figures.bins.iter().map(BinCount::share);
        shares.chain([figures.crossing(), figures.logistic.and_then(inside_crossing)]).collect()
    });

    let with = |value: f64, interval: Option<Interval>| Estimate { value, interval };
    let enough = |bin: &BinCount| bin.cases >= settings.min_bin_cases as f64;
    Some(Curve {
        cases: cases.len() as u64,
        bins: std::iter::zip(&whole.bins, &intervals)
            .zip(sample.edges.windows(2))
            .map(|((bin, interval), edge)| CurveBin {
                low: edge[0],
                high: edge[1],
                mean_dh_rel: (bin.cases > 0.0).then(|| bin.dh_rel / bin.cases),
                cases: bin.cases as u64,
                text_following: bin.share().filter(|_| enough(bin)).map(|share| with(share, *interval)),
            })
            .collect(),
        isotonic: isotonic.knots(),
        logistic: start.map(|fit| Logistic {
            intercept: fit.intercept,
            slope: fit.slope,
            balance_point: inside_crossing(fit).map(|value| with(value, intervals[bins + 1])),
        }),
        balance_point: match isotonic.crossing(0.5) {
            Crossing::At(value) => BalancePoint::Crossing(with(value, intervals[bins])),
            Crossing::Above => BalancePoint::AlwaysText,
            Crossing::Below => BalancePoint::AlwaysVision,
        },
        monotonicity: monotonicity(&sample, whole.bins.iter().filter(|bin| enough(bin)), settings),
    })
}

/// The cases by rising dH_rel.
struct Sample<'a> {
    cases: &'a [CurveCase<'a>],
    /// Number of each case's group.
    group_of: Vec<usize>,
    edges: Vec<f64>,
}

/// What is computed on the data and again on each resample.
struct Figures {
    bins: Vec<BinCount>,
    isotonic: Option<DecreasingFit>,
    logistic: Option<LogisticFit>,
}

/// Sums over the cases of a bin, by weight.
#[derive(Clone, Copy, Default)]
struct BinCount {
    cases: f64,
    text: f64,
    dh_rel: f64,
}

impl BinCount {
    fn share(&self) -> Option<f64> {
        (self.cases > 0.0).then(|| self.text / self.cases)
    }
}

impl Sample<'_> {
    fn figures(&self, weight_of: impl Fn(usize) -> f64, start: Option<LogisticFit>) -> Figures {
        let mut bins = vec![BinCount::default(); self.edges.len() - 1];
        let mut observations = Vec::with_capacity(self.cases.len());
        for (case, &group) in self.cases.iter().zip(&self.group_of) {
            let weight = weight_of(group);
            if weight == 0.0 {
                continue;
            }
            let bin = &mut bins[bin_of(&self.edges, case.dh_rel)];
            bin.cases += weight;
            bin.text += weight * f64::from(u8::from(case.text));
            bin.dh_rel += weight * case.dh_rel;
            observations.push(Observation { x: case.dh_rel, positive: case.text, weight });
        }
        let point =
            |one: &Observation| Point { x: one.x, y: f64::from(u8::from(one.positive)), weight: one.weight };
        Figures {
            bins,
            isotonic: DecreasingFit::new(observations.iter().map(point)),
            logistic: logistic::fit(&observations, start),
        }
    }
}

impl Figures {
    fn crossing(&self) -> Option<f64> {
        match self.isotonic.as_ref()?.crossing(0.5) {
            Crossing::At(x) => Some(x),
            Crossing::Above | Crossing::Below => None,
        }
    }
}

/// Where a falling logistic curve crosses one half, if that is a possible dH_rel.
fn inside_crossing(fit: LogisticFit) -> Option<f64> {
    let x = -fit.intercept / fit.slope;
    (fit.slope < 0.0 && x.abs() <= LIMIT).then_some(x)
}

fn monotonicity<'b>(
    sample: &Sample,
    filled: impl Iterator<Item = &'b BinCount>,
    settings: &FollowingSettings,
) -> Option<Monotonicity> {
    let labelled: Vec<LabelledBin> =
        filled.map(|bin| LabelledBin { cases: bin.cases as u64, labelled: bin.text as u64 }).collect();
    let test = test_decrease(&labelled, settings.permutations, settings.seed)?;
    let pairs: Vec<(f64, f64)> =
        sample.cases.iter().map(|case| (case.dh_rel, f64::from(u8::from(case.text)))).collect();
    Some(Monotonicity { distance: test.distance, p_value: test.p_value, spearman_rho: spearman::rho(&pairs) })
}
