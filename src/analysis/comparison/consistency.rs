//! What became of RER, MMC and CFR.

use super::Side;
use super::join::join;
use crate::analysis::consistency::{RateParts, rate_parts};
use crate::analysis::error::AnalysisError;
use crate::analysis::estimates::Ratios;
use crate::analysis::statistics::bootstrap::GroupBootstrap;
use crate::analysis::summary::{ConsistencyFidelity, ConsistencySettings, RatesFidelity};
use crate::analysis::tables::consistency::shows_same_content;
use crate::analysis::tables::{ConsistencyRow, read_consistency};

/// The figures over the prompts of both runs; `None` where a run does not show the same content in several ways.
pub(super) fn fidelity(
    sides: &[Side; 2],
    settings: &ConsistencySettings,
    resampling: &GroupBootstrap,
) -> Result<Option<ConsistencyFidelity>, AnalysisError> {
    for side in sides {
        if !shows_same_content(side.folder, &side.partition)? {
            return Ok(None);
        }
    }
    let [reference, run] = sides.each_ref().map(|side| read_consistency(side.folder, &side.partition));
    let (reference, run) = shared(&reference?, &run?);
    let comparisons = [rate_parts(&reference, settings.unparsed), rate_parts(&run, settings.unparsed)];
    if comparisons.iter().all(Vec::is_empty) {
        return Ok(None);
    }
    Ok(Some(ConsistencyFidelity {
        all: rates(&comparisons, |_| true, resampling),
        ocr_correct: rates(&comparisons, |one| one.ocr_correct, resampling),
    }))
}

/// The rows that both runs have; what failed in one counts as failed in both, so that the comparisons are the same.
fn shared(
    reference: &[ConsistencyRow],
    run: &[ConsistencyRow],
) -> (Vec<ConsistencyRow>, Vec<ConsistencyRow>) {
    let both = join(reference, run, |row| (&row.item_id, row.shown, &row.variant)).both;
    let with = |row: &ConsistencyRow, failed| ConsistencyRow { failed, ..row.clone() };
    both.into_iter()
        .map(|(one, other)| {
            let failed = one.failed || other.failed;
            (with(one, failed), with(other, failed))
        })
        .unzip()
}

fn rates(
    comparisons: &[Vec<RateParts>; 2],
    holds: impl Fn(&RateParts) -> bool + Copy,
    resampling: &GroupBootstrap,
) -> RatesFidelity {
    let of_side = |side: usize| comparisons[side].iter().filter(move |one| holds(one));
    let parts =
        [0, 1].into_iter().flat_map(|side| of_side(side).map(move |one| (one.group, side, one.parts)));
    let [rer, mmc, cfr] = Ratios::stratified(2, parts).paired(resampling);
    RatesFidelity {
        comparisons_reference: of_side(0).count() as u64,
        comparisons_run: of_side(1).count() as u64,
        rer,
        mmc,
        cfr,
    }
}
