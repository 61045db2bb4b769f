//! A run against a reference run of the same suite: does int8 answer as fp32 does? Tables of both in, a [`Comparison`] out.
//!
//! `join` brings the rows together; `prompts`, `following` and `consistency` compute what is said of each table, `texts` how
//! far two texts are apart, and `entropies` the grid for the picture.

mod consistency;
mod entropies;
mod following;
mod join;
mod prompts;
mod texts;

use std::collections::BTreeSet;
use std::path::Path;

use self::join::{Joined, join};
use self::prompts::Pair;
use super::consistency::{check, resampling};
use super::error::AnalysisError;
use super::statistics::bootstrap::GroupBootstrap;
use super::summary::{
    ComparedRun, Comparison, ConsistencySettings, PresentationFidelity, PromptFidelity, Verdict,
};
use super::tables::{NO_CONTROL, Partition, PromptRow, PromptTable, outcomes, partitions, read_prompts};

/// Compares a run with a reference run of the same suite; each is one model on one suite, and model names and settings may
/// differ. The result depends on the rows and the settings alone.
///
/// # Errors
/// A setting out of range, a part that cannot be read or lacks a column, a folder with several models or suites, runs of
/// different suites, or runs without a prompt in common: see [`AnalysisError`].
pub fn compare(
    reference: &Path,
    run: &Path,
    settings: &ConsistencySettings,
) -> Result<Comparison, AnalysisError> {
    check(settings)?;
    let sides = [Side::open(reference)?, Side::open(run)?];
    check_same_suite(&sides)?;
    let [one, other] = &sides;
    let joined = join(&one.table.rows, &other.table.rows, PromptRow::key);
    if joined.both.is_empty() {
        return Err(AnalysisError::NothingJoins { reference: reference.into(), run: run.into() });
    }
    let resampling = resampling(settings);
    let prompts = prompts::fidelity(&joined, &resampling);
    Ok(Comparison {
        verdict: verdict(&joined, &prompts),
        reference: one.name(),
        run: other.name(),
        suite: one.partition.suite.clone(),
        settings: *settings,
        prompts,
        by_presentation: by_presentation(&joined, &resampling),
        following: following::fidelity(&sides, &resampling)?,
        consistency: consistency::fidelity(&sides, settings, &resampling)?,
        entropies: entropies::grid(&joined.both),
    })
}

/// One of the two runs.
struct Side<'a> {
    folder: &'a Path,
    partition: Partition,
    table: PromptTable,
}

impl<'a> Side<'a> {
    fn open(folder: &'a Path) -> Result<Self, AnalysisError> {
        let mut found = partitions(folder, outcomes::TABLE)?;
        match (found.pop(), found.is_empty()) {
            (Some(partition), true) => {
                let table = read_prompts(folder, &partition)?;
                Ok(Self { folder, partition, table })
            }
            (last, _) => {
                let names = found.iter().chain(&last).map(|of| format!("{} on {}", of.model, of.suite));
                Err(AnalysisError::SeveralPartitions { folder: folder.into(), found: names.collect() })
            }
        }
    }

    fn name(&self) -> ComparedRun {
        ComparedRun { run: self.table.run.clone(), model: self.partition.model.clone(), precision: None }
    }
}

/// Suites are the same by name and, where both runs say it, by content.
fn check_same_suite([reference, run]: &[Side; 2]) -> Result<(), AnalysisError> {
    if reference.partition.suite != run.partition.suite {
        return Err(AnalysisError::OtherSuite {
            reference: reference.folder.into(),
            reference_suite: reference.partition.suite.clone(),
            run: run.folder.into(),
            run_suite: run.partition.suite.clone(),
        });
    }
    match (&reference.table.suite_fingerprint, &run.table.suite_fingerprint) {
        (Some(one), Some(other)) if one != other => {
            let head = |fingerprint: &str| fingerprint.chars().take(12).collect();
            Err(AnalysisError::OtherSuiteContent {
                reference: reference.folder.into(),
                run: run.folder.into(),
                suite: run.partition.suite.clone(),
                reference_fingerprint: head(one),
                run_fingerprint: head(other),
            })
        }
        _ => Ok(()),
    }
}

fn by_presentation(joined: &Joined<PromptRow>, resampling: &GroupBootstrap) -> Vec<PresentationFidelity> {
    // What belongs to no control comes first.
    let kind_of =
        |row: &PromptRow| (row.presentation.clone(), row.control != NO_CONTROL, row.control.clone());
    let kinds: BTreeSet<_> = joined.rows().map(kind_of).collect();
    let fidelity = |(presentation, _, control): (String, bool, String)| {
        let part = joined.part(|row| row.presentation == presentation && row.control == control);
        let fidelity = prompts::fidelity(&part, resampling);
        PresentationFidelity { presentation, control, fidelity }
    };
    kinds.into_iter().map(fidelity).collect()
}

fn verdict(joined: &Joined<PromptRow>, prompts: &PromptFidelity) -> Verdict {
    let PromptFidelity { compared, same_answers, .. } = *prompts;
    let complete = joined.only_reference.is_empty() && joined.only_run.is_empty();
    match compared - same_answers {
        _ if compared == 0 => Verdict::NothingCompared,
        0 if complete && joined.both.iter().all(Pair::is_identical) => Verdict::Identical,
        0 => Verdict::SameAnswers { compared },
        differ => Verdict::AnswersDiffer { differ, compared },
    }
}
