//! The key figures of one analysis, as tiles.

use crate::analysis::summary::{ConsistencyAnalysis, Estimate, Modality};
use crate::report::number;

struct Tile {
    name: String,
    value: String,
    note: String,
}

/// The tiles as a description list.
#[must_use]
pub fn tiles(analysis: &ConsistencyAnalysis) -> String {
    let tiles: String = [
        rate("Render-equivalence rate", "RER", analysis, |rates| rates.rer),
        rate("Cross-modality failure rate", "CFR", analysis, |rates| rates.cfr),
        rate("Max modal coverage", "MMC", analysis, |rates| rates.mmc),
        transcribed(analysis),
        accuracy(analysis, Modality::Text),
        accuracy(analysis, Modality::Image),
        accuracy(analysis, Modality::Mixed),
        unparsed(analysis),
    ]
    .iter()
    .map(|Tile { name, value, note }| {
        format!("<div><dt>{name}</dt><dd class=\"value\">{value}</dd><dd class=\"note\">{note}</dd></div>")
    })
    .collect();
    format!("<dl class=\"tiles four\">{tiles}</dl>")
}

fn rate(
    name: &str,
    short: &str,
    analysis: &ConsistencyAnalysis,
    pick: fn(&crate::analysis::summary::Rates) -> Option<Estimate>,
) -> Tile {
    let (all, gated) = (pick(&analysis.all.pooled.rates), pick(&analysis.ocr_correct.pooled.rates));
    Tile {
        name: format!("{name}, {short}"),
        value: value(all),
        note: format!("{}; OCR-correct {}", ends(all), number::optional_estimate(gated, 2)),
    }
}

fn transcribed(analysis: &ConsistencyAnalysis) -> Tile {
    let all = analysis.ocr.first();
    Tile {
        name: "Transcribed perfectly".to_string(),
        value: value(all.and_then(|row| row.perfect)),
        note: all.map_or_else(
            || "nothing was transcribed".to_string(),
            |row| format!("{}; mean CER {}", ends(row.perfect), number::optional_estimate(row.cer, 3)),
        ),
    }
}

fn accuracy(analysis: &ConsistencyAnalysis, modality: Modality) -> Tile {
    let accuracy = *analysis.all.pooled.rates.accuracy.of(modality);
    Tile { name: format!("Accuracy, {}", modality.as_str()), value: value(accuracy), note: ends(accuracy) }
}

/// In percent, for all modalities in one tile.
fn unparsed(analysis: &ConsistencyAnalysis) -> Tile {
    let percent = |modality: Modality| {
        let share = analysis.all.pooled.rates.unparsed.of(modality).map(|share| 100.0 * share.value);
        number::optional(share, 0)
    };
    Tile {
        name: "Unparseable answers, %".to_string(),
        value: Modality::ALL.map(percent).join(" <span class=\"soft\">/</span> "),
        note: "text / image / mixed".to_string(),
    }
}

fn value(of: Option<Estimate>) -> String {
    number::optional(of.map(|of| of.value), 2)
}

fn ends(of: Option<Estimate>) -> String {
    of.as_ref()
        .and_then(number::interval)
        .map_or_else(|| "no interval".to_string(), |ends| number::brackets(ends, 2))
}
