//! What is said of prompts: answers, tokens, probabilities, entropies, texts and accuracy.

use rayon::prelude::*;

use super::join::Joined;
use super::texts;
use crate::analysis::estimates::{Part, Ratios, mean_by_group, share_part};
use crate::analysis::statistics::bootstrap::{GroupBootstrap, quantile};
use crate::analysis::summary::{Distance, Estimate, Paired, PromptFidelity, TextFidelity};
use crate::analysis::tables::PromptRow;

/// A prompt in both runs.
pub(super) trait Pair {
    /// Whether it failed in neither run.
    fn answered(&self) -> bool;
    /// Whether all that the runs say of it is the same to the last bit.
    fn is_identical(&self) -> bool;
}

impl Pair for (&PromptRow, &PromptRow) {
    fn answered(&self) -> bool {
        !self.0.failed && !self.1.failed
    }

    fn is_identical(&self) -> bool {
        self.0 == self.1
    }
}

/// A share with its interval, and over how many prompts.
type Share = (u64, Option<Estimate>);

/// The figures of these prompts.
pub(super) fn fidelity(joined: &Joined<PromptRow>, resampling: &GroupBootstrap) -> PromptFidelity {
    let both = || joined.both.iter().copied();
    let pairs: Vec<(&PromptRow, &PromptRow)> = both().filter(Pair::answered).collect();
    let count = |holds: &dyn Fn(&PromptRow, &PromptRow) -> bool| {
        pairs.iter().filter(|(reference, run)| holds(reference, run)).count() as u64
    };
    let share = |same: &dyn Fn(&PromptRow, &PromptRow) -> Option<bool>| -> Share {
        let of = |(one, other): &(&'_ PromptRow, &PromptRow)| {
            same(one, other).map(|same| f64::from(u8::from(same)))
        };
        let values: Vec<(&str, f64)> =
            pairs.iter().filter_map(|pair| Some((pair.0.group_id.as_str(), of(pair)?))).collect();
        (values.len() as u64, mean_by_group(&values, resampling))
    };
    let (scored, accuracy) = accuracy(&pairs, resampling);
    PromptFidelity {
        joined: joined.both.len() as u64,
        only_reference: joined.only_reference.len() as u64,
        only_run: joined.only_run.len() as u64,
        failed_reference: both().filter(|(reference, _)| reference.failed).count() as u64,
        failed_run: both().filter(|(_, run)| run.failed).count() as u64,
        compared: pairs.len() as u64,
        other_prompt: count(&|reference, run| {
            let known = reference
                .hashes
                .iter()
                .zip(&run.hashes)
                .filter_map(|(one, other)| one.as_ref().zip(other.as_ref()));
            known.into_iter().any(|(one, other)| one != other)
        }),
        same_answers: count(&|reference, run| reference.answer == run.answer),
        both_unparsed: count(&|reference, run| reference.answer.is_none() && run.answer.is_none()),
        answer_agreement: share(&|reference, run| Some(reference.answer == run.answer)).1,
        top1_agreement: share(&|reference, run| Some(reference.top1_token? == run.top1_token?)).1,
        option_logprob: distance(pairs.iter().flat_map(|(reference, run)| option_changes(reference, run))),
        entropy: distance(
            pairs.iter().filter_map(|(reference, run)| Some(run.entropy? - reference.entropy?)),
        ),
        texts: written(&pairs, resampling),
        scored,
        accuracy,
    }
}

/// Run minus reference of each option's log-probability; none where the options are not the same or not scored.
fn option_changes<'a>(reference: &'a PromptRow, run: &'a PromptRow) -> impl Iterator<Item = f64> + 'a {
    let same =
        reference.options == run.options && reference.option_logprobs.len() == run.option_logprobs.len();
    let pairs = reference.option_logprobs.iter().zip(&run.option_logprobs).filter(move |_| same);
    pairs.map(|(one, other)| other - one)
}

/// Differences that are no finite number (two options without any probability) are left out.
fn distance(changes: impl Iterator<Item = f64>) -> Option<Distance> {
    let changes: Vec<f64> = changes.filter(|change| change.is_finite()).collect();
    let mean = |sum: f64| sum / changes.len() as f64;
    let mut sizes: Vec<f64> = changes.iter().map(|change| change.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    Some(Distance {
        values: changes.len() as u64,
        max: *sizes.last()?,
        mean: mean(sizes.iter().sum()),
        p95: quantile(&sizes, 0.95),
        mean_change: mean(changes.iter().sum()),
    })
}

fn written(pairs: &[(&PromptRow, &PromptRow)], resampling: &GroupBootstrap) -> Option<TextFidelity> {
    let texts: Vec<(&str, &str, &str)> = pairs
        .iter()
        .filter_map(|(one, other)| {
            Some((one.group_id.as_str(), one.text.as_deref()?, other.text.as_deref()?))
        })
        .collect();
    let mean_of = |value: fn(&str, &str) -> f64| {
        let value = |&(group, one, other): &(_, &str, &str)| (group, value(one, other));
        mean_by_group(&texts.par_iter().map(value).collect::<Vec<_>>(), resampling)
    };
    (!texts.is_empty()).then(|| TextFidelity {
        texts: texts.len() as u64,
        same: mean_of(|one, other| f64::from(u8::from(one == other))),
        distance: mean_of(texts::distance),
    })
}

fn accuracy(pairs: &[(&PromptRow, &PromptRow)], resampling: &GroupBootstrap) -> (u64, Paired) {
    let scored = || pairs.iter().filter(|(one, other)| one.correct.is_some() && other.correct.is_some());
    let parts = scored().flat_map(|(reference, run)| {
        [reference, run].into_iter().enumerate().map(|(side, row)| -> (&str, usize, [Part; 1]) {
            (&row.group_id, side, [share_part(row.correct)])
        })
    });
    let [accuracy] = Ratios::stratified(2, parts).paired(resampling);
    (scored().count() as u64, accuracy)
}
