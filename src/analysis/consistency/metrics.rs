//! RER, MMC, CFR and accuracies (arXiv 2512.08923) over sets of comparisons.

use std::collections::BTreeMap;

use super::comparison::{Comparison, Place};
use crate::analysis::estimates::{Part, Ratios, share_part};
use crate::analysis::statistics::bootstrap::GroupBootstrap;
use crate::analysis::summary::{
    ByModality, ConsistencyMetrics, Estimate, Modality, Rates, Rendering, TaskMetrics, VariantMetrics,
};

/// RER, MMC, all right, CFR, then accuracy and unparsed by modality.
const RATES: usize = 10;

/// The figures over these comparisons.
pub(super) fn metrics(
    complete: &[&Comparison],
    incomplete: &[&Place],
    resampling: &GroupBootstrap,
) -> ConsistencyMetrics {
    let scores: Vec<Vec<bool>> = complete.iter().filter_map(|one| one.score()).collect();
    let ratios = Ratios::new(complete.iter().map(|one| (one.place.group, parts(one))));
    ConsistencyMetrics {
        comparisons: complete.len() as u64,
        incomplete: incomplete.len() as u64,
        scored: scores.len() as u64,
        covered: scores.iter().filter(|score| score.contains(&true)).count() as u64,
        rates: rates(ratios.pooled(resampling)),
    }
}

/// The mean of the tasks' figures.
pub(super) fn macro_mean(complete: &[&Comparison], resampling: &GroupBootstrap) -> Rates {
    let mut tasks: Vec<&str> = complete.iter().map(|one| one.place.task).collect();
    tasks.sort_unstable();
    tasks.dedup();
    let stratum = |one: &Comparison| tasks.partition_point(|task| *task < one.place.task);
    let observations = complete.iter().map(|one| (one.place.group, stratum(one), parts(one)));
    rates(Ratios::stratified(tasks.len().max(1), observations).averaged(resampling))
}

/// The figures of each task, by name.
pub(super) fn by_task(
    complete: &[&Comparison],
    incomplete: &[&Place],
    resampling: &GroupBootstrap,
) -> Vec<TaskMetrics> {
    let of_task = |(task, set): (&str, Set)| TaskMetrics {
        task: task.to_owned(),
        metrics: metrics(&set.complete, &set.incomplete, resampling),
    };
    split(complete, incomplete, |place| place.task).into_iter().map(of_task).collect()
}

/// The figures of each rendering, by name.
pub(super) fn by_variant(
    complete: &[&Comparison],
    incomplete: &[&Place],
    resampling: &GroupBootstrap,
) -> Vec<VariantMetrics> {
    let of_variant = |(variant, set): (&str, Set)| VariantMetrics {
        rendering: set.rendering(variant),
        metrics: metrics(&set.complete, &set.incomplete, resampling),
    };
    split(complete, incomplete, |place| place.variant).into_iter().map(of_variant).collect()
}

/// Comparisons that share a task or a rendering.
#[derive(Default)]
struct Set<'s, 'a> {
    complete: Vec<&'s Comparison<'a>>,
    incomplete: Vec<&'s Place<'a>>,
}

impl Set<'_, '_> {
    fn rendering(&self, variant: &str) -> Rendering {
        let place = self.complete.iter().map(|one| &one.place).chain(self.incomplete.iter().copied()).next();
        Rendering {
            variant: variant.to_owned(),
            font: place.and_then(|place| place.font).map(str::to_owned),
            dpi: place.and_then(|place| place.dpi),
            color: place.map_or(super::items::BLACK, |place| place.color).to_owned(),
        }
    }
}

fn split<'s, 'a>(
    complete: &[&'s Comparison<'a>],
    incomplete: &[&'s Place<'a>],
    name_of: impl Fn(&Place<'a>) -> &'a str,
) -> BTreeMap<&'a str, Set<'s, 'a>> {
    let mut sets: BTreeMap<&str, Set> = BTreeMap::new();
    for one in complete {
        sets.entry(name_of(&one.place)).or_default().complete.push(one);
    }
    for place in incomplete {
        sets.entry(name_of(place)).or_default().incomplete.push(place);
    }
    sets
}

/// What a comparison adds to RER, MMC and CFR.
pub(super) fn shares(one: &Comparison) -> [Part; 3] {
    let score = one.score();
    let any = score.as_ref().map(|score| score.contains(&true));
    let all = score.as_ref().map(|score| !score.contains(&false));
    let failed = any.filter(|any| *any).and(all).map(|all| !all);
    [share_part(Some(one.agree)), share_part(any), share_part(failed)]
}

/// What a comparison adds to each rate.
fn parts(one: &Comparison) -> [Part; RATES] {
    let [rer, mmc, cfr] = shares(one);
    let all = one.score().map(|score| !score.contains(&false));
    let right = |modality| share_part(one.right(modality));
    let unparsed = |modality| share_part(one.row(modality).map(|row| row.answer.is_none()));
    let [right_text, right_image, right_mixed] = Modality::ALL.map(right);
    let [unparsed_text, unparsed_image, unparsed_mixed] = Modality::ALL.map(unparsed);
    [
        rer,
        mmc,
        share_part(all),
        cfr,
        right_text,
        right_image,
        right_mixed,
        unparsed_text,
        unparsed_image,
        unparsed_mixed,
    ]
}

fn rates(of: [Option<Estimate>; RATES]) -> Rates {
    let by_modality =
        |first: usize| ByModality { text: of[first], image: of[first + 1], mixed: of[first + 2] };
    Rates {
        rer: of[0],
        mmc: of[1],
        all_right: of[2],
        cfr: of[3],
        accuracy: by_modality(4),
        unparsed: by_modality(7),
    }
}
