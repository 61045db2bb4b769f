//! The tables of the analysis of consistency, in long form: a row a figure, and a row a level of a factor.

use super::parquet_table::{booleans, counts, encode, numbers, texts};
use crate::analysis::error::AnalysisError;
use crate::analysis::summary::{
    ConsistencyAnalysis, ConsistencyMetrics, EffectLevel, EffectMeasures, Estimate, Modality, Rates,
    SubsetAnalysis,
};

/// Name of the table of [`metrics_parquet`].
pub const METRICS_TABLE: &str = "consistency_metrics";
/// Name of the table of [`effects_parquet`].
pub const EFFECTS_TABLE: &str = "consistency_effects";

/// The table `consistency_metrics`: one row a figure, with columns run, model, suite, subset (all, ocr-correct), scope
/// (pooled, macro, task, variant, depth), name (of the task, variant or depth), metric, value, lower, upper. A figure that
/// could not be computed is a row without value.
pub fn metrics_parquet(analyses: &[ConsistencyAnalysis]) -> Result<Vec<u8>, AnalysisError> {
    let rows: Vec<(&ConsistencyAnalysis, Metric)> =
        analyses.iter().flat_map(|of| metrics(of).into_iter().map(move |row| (of, row))).collect();
    let ends = |at: fn((f64, f64)) -> f64| numbers(rows.iter().map(|(_, row)| row.interval.map(at)));
    encode(
        METRICS_TABLE,
        vec![
            ("run", texts(rows.iter().map(|(of, _)| Some(of.run.as_str())))),
            ("model", texts(rows.iter().map(|(of, _)| Some(of.model.as_str())))),
            ("suite", texts(rows.iter().map(|(of, _)| Some(of.suite.as_str())))),
            ("subset", texts(rows.iter().map(|(_, row)| Some(row.place.subset)))),
            ("scope", texts(rows.iter().map(|(_, row)| Some(row.place.scope)))),
            ("name", texts(rows.iter().map(|(_, row)| row.place.name))),
            ("metric", texts(rows.iter().map(|(_, row)| Some(row.metric.as_str())))),
            ("value", numbers(rows.iter().map(|(_, row)| row.value))),
            ("lower", ends(|ends| ends.0)),
            ("upper", ends(|ends| ends.1)),
        ],
    )
}

/// The table `consistency_effects`: one row a factor, level and measure, with columns run, model, suite, factor (dpi, font,
/// color), level, reference, comparisons, measure (accuracy, cer, rer), value, lower, upper, and the paired difference to
/// the reference: difference, difference_lower, difference_upper.
pub fn effects_parquet(analyses: &[ConsistencyAnalysis]) -> Result<Vec<u8>, AnalysisError> {
    type Pick = fn(&EffectMeasures) -> Option<Estimate>;
    const MEASURES: [(&str, Pick); 3] =
        [("accuracy", |of| of.accuracy), ("cer", |of| of.cer), ("rer", |of| of.rer)];
    struct Row<'a> {
        of: &'a ConsistencyAnalysis,
        at: &'a EffectLevel,
        measure: &'static str,
        value: Option<Estimate>,
        difference: Option<Estimate>,
    }
    let rows: Vec<Row> = analyses
        .iter()
        .flat_map(|of| of.effects.iter().map(move |at| (of, at)))
        .flat_map(|(of, at)| {
            MEASURES.map(|(measure, pick)| Row {
                of,
                at,
                measure,
                value: pick(&at.at_level),
                difference: at.difference.as_ref().and_then(pick),
            })
        })
        .collect();
    let value = |part: fn(Estimate) -> Option<f64>| numbers(rows.iter().map(|row| row.value.and_then(part)));
    let difference =
        |part: fn(Estimate) -> Option<f64>| numbers(rows.iter().map(|row| row.difference.and_then(part)));
    let point = |estimate: Estimate| Some(estimate.value);
    let lower = |estimate: Estimate| Some(estimate.interval?.0);
    let upper = |estimate: Estimate| Some(estimate.interval?.1);
    encode(
        EFFECTS_TABLE,
        vec![
            ("run", texts(rows.iter().map(|row| Some(row.of.run.as_str())))),
            ("model", texts(rows.iter().map(|row| Some(row.of.model.as_str())))),
            ("suite", texts(rows.iter().map(|row| Some(row.of.suite.as_str())))),
            ("factor", texts(rows.iter().map(|row| Some(row.at.factor.as_str())))),
            ("level", texts(rows.iter().map(|row| Some(row.at.level.as_str())))),
            ("reference", booleans(rows.iter().map(|row| row.at.reference))),
            ("comparisons", counts(rows.iter().map(|row| row.at.comparisons))),
            ("measure", texts(rows.iter().map(|row| Some(row.measure)))),
            ("value", value(point)),
            ("lower", value(lower)),
            ("upper", value(upper)),
            ("difference", difference(point)),
            ("difference_lower", difference(lower)),
            ("difference_upper", difference(upper)),
        ],
    )
}

/// What a figure is about.
#[derive(Clone, Copy)]
struct Place<'a> {
    subset: &'static str,
    scope: &'static str,
    name: Option<&'a str>,
}

struct Metric<'a> {
    place: Place<'a>,
    metric: String,
    value: Option<f64>,
    interval: Option<(f64, f64)>,
}

impl<'a> Place<'a> {
    fn plain(self, metric: &str, value: Option<f64>) -> Metric<'a> {
        Metric { place: self, metric: metric.to_owned(), value, interval: None }
    }

    fn count(self, metric: &str, count: u64) -> Metric<'a> {
        self.plain(metric, Some(count as f64))
    }

    fn estimated(self, metric: &str, estimate: Option<Estimate>) -> Metric<'a> {
        let interval = estimate.and_then(|estimate| estimate.interval);
        Metric { interval, ..self.plain(metric, estimate.map(|estimate| estimate.value)) }
    }
}

fn metrics(of: &ConsistencyAnalysis) -> Vec<Metric<'_>> {
    let subsets = [("all", &of.all), ("ocr-correct", &of.ocr_correct)];
    let mut metrics: Vec<Metric> = subsets.into_iter().flat_map(|(name, at)| subset(name, at)).collect();
    let all = Place { subset: "all", scope: "pooled", name: None };
    for row in &of.ocr {
        let place = by_variant(row.variant.as_deref());
        metrics.push(place.count("transcriptions", row.transcriptions));
        metrics.push(place.count("transcriptions_failed", row.failed));
        metrics.push(place.estimated("cer", row.cer));
        metrics.push(place.estimated("transcribed_perfectly", row.perfect));
    }
    if let Some(found) = &of.ocr_first {
        metrics.push(all.estimated("ocr_first_accuracy", found.accuracy));
        metrics.push(all.estimated("ocr_first_minus_image", found.against_image));
        metrics.push(all.estimated("ocr_first_minus_text", found.against_text));
    }
    if let Some(found) = &of.variant_agreement {
        metrics.push(all.count("variant_agreement_items", found.items));
        metrics.push(all.estimated("variant_agreement", found.share));
    }
    for row in &of.tokens {
        let place = by_variant(row.variant.as_deref());
        let figures = [
            ("text_prompt_tokens", row.text_prompt),
            ("image_prompt_vision_tokens", row.image_prompt_vision),
            ("image_prompt_text_tokens", row.image_prompt_text),
            ("text_tokens_per_right", row.text_per_right),
            ("vision_tokens_per_right", row.vision_per_right),
            ("image_tokens_per_right", row.image_per_right),
            ("vision_token_ratio", row.vision_ratio),
            ("image_token_ratio", row.image_ratio),
        ];
        metrics.extend(figures.map(|(metric, figure)| place.estimated(metric, figure)));
    }
    for at in &of.representations {
        let place = Place { subset: "all", scope: "depth", name: Some(&at.depth) };
        metrics.push(place.count("pairs", at.pairs));
        metrics.push(place.estimated("cosine", at.cosine));
        metrics.push(place.estimated("image_to_text", at.image_to_text));
        metrics.push(place.estimated("text_to_image", at.text_to_image));
        metrics.push(place.estimated("retrieval", at.retrieval));
    }
    metrics
}

/// All renderings, or one.
fn by_variant(variant: Option<&str>) -> Place<'_> {
    Place { subset: "all", scope: if variant.is_some() { "variant" } else { "pooled" }, name: variant }
}

fn subset<'a>(subset: &'static str, at: &'a SubsetAnalysis) -> Vec<Metric<'a>> {
    let place = |scope, name: Option<&'a str>| Place { subset, scope, name };
    let pooled = place("pooled", None);
    let mut metrics = figures(pooled, &at.pooled);
    metrics.extend(rates(place("macro", None), &at.macro_mean));
    metrics.extend(at.by_task.iter().flat_map(|of| figures(place("task", Some(&of.task)), &of.metrics)));
    metrics.extend(
        at.by_variant
            .iter()
            .flat_map(|of| figures(place("variant", Some(&of.rendering.variant)), &of.metrics)),
    );
    for test in &at.tests {
        let name = |figure: &str| format!("{}_minus_{}_{figure}", test.first.as_str(), test.second.as_str());
        metrics.push(pooled.count(&name("items"), test.items));
        metrics.push(pooled.estimated(&name("accuracy"), test.difference));
        metrics.push(pooled.plain(&name("t"), test.t));
        metrics.push(pooled.plain(&name("p_value"), test.p_value));
    }
    metrics
}

fn figures<'a>(place: Place<'a>, of: &ConsistencyMetrics) -> Vec<Metric<'a>> {
    let counts = [
        ("comparisons", of.comparisons),
        ("incomplete", of.incomplete),
        ("scored", of.scored),
        ("covered", of.covered),
    ];
    counts
        .into_iter()
        .map(|(metric, count)| place.count(metric, count))
        .chain(rates(place, &of.rates))
        .collect()
}

fn rates<'a>(place: Place<'a>, of: &Rates) -> Vec<Metric<'a>> {
    let mut metrics = vec![
        place.estimated("rer", of.rer),
        place.estimated("mmc", of.mmc),
        place.estimated("all_right", of.all_right),
        place.estimated("cfr", of.cfr),
    ];
    for modality in Modality::ALL {
        let name = modality.as_str();
        metrics.push(place.estimated(&format!("accuracy_{name}"), *of.accuracy.of(modality)));
        metrics.push(place.estimated(&format!("unparsed_{name}"), *of.unparsed.of(modality)));
    }
    metrics
}
