//! The tables of the analysis of layers.

use super::parquet_table::{counts, encode, integers, numbers, texts};
use crate::analysis::error::AnalysisError;
use crate::analysis::summary::{
    ClassCounts, Estimate, FollowingAnalysis, HeatCell, LayerSet, LayersAnalysis, Trajectories, Trajectory,
    TrajectoryPoint,
};

/// Name of the table of [`layers_summary_parquet`].
pub const LAYERS_SUMMARY_TABLE: &str = "layers_summary";
/// Name of the table of [`classes_parquet`].
pub const CLASSES_TABLE: &str = "layers_classes";
/// Name of the table of [`heat_map_parquet`].
pub const HEAT_MAP_TABLE: &str = "layers_heat_map";
/// Name of the table of [`trajectories_parquet`].
pub const TRAJECTORIES_TABLE: &str = "layers_trajectories";

/// All tables, of the analyses that have layers; none where none has.
pub(super) fn tables(analyses: &[FollowingAnalysis]) -> Result<Vec<(&'static str, Vec<u8>)>, AnalysisError> {
    if analyses.iter().all(|of| of.layers.is_none()) {
        return Ok(Vec::new());
    }
    Ok(vec![
        (LAYERS_SUMMARY_TABLE, layers_summary_parquet(analyses)?),
        (CLASSES_TABLE, classes_parquet(analyses)?),
        (HEAT_MAP_TABLE, heat_map_parquet(analyses)?),
        (TRAJECTORIES_TABLE, trajectories_parquet(analyses)?),
    ])
}

/// The table `layers_summary`: one row a figure, with columns run, model, suite, set (conflict, ambiguous, clear, a control;
/// null for what is of no set), metric, value, lower, upper.
pub fn layers_summary_parquet(analyses: &[FollowingAnalysis]) -> Result<Vec<u8>, AnalysisError> {
    let rows: Vec<_> =
        with_layers(analyses).flat_map(|(of, layers)| metrics(layers).map(move |row| (of, row))).collect();
    let ends = |at: fn((f64, f64)) -> f64| numbers(rows.iter().map(|(_, row)| row.interval.map(at)));
    encode(
        LAYERS_SUMMARY_TABLE,
        vec![
            ("run", texts(rows.iter().map(|(of, _)| Some(of.run.as_str())))),
            ("model", texts(rows.iter().map(|(of, _)| Some(of.model.as_str())))),
            ("suite", texts(rows.iter().map(|(of, _)| Some(of.suite.as_str())))),
            ("set", texts(rows.iter().map(|(_, row)| row.set))),
            ("metric", texts(rows.iter().map(|(_, row)| Some(row.metric)))),
            ("value", numbers(rows.iter().map(|(_, row)| row.value))),
            ("lower", ends(|ends| ends.0)),
            ("upper", ends(|ends| ends.1)),
        ],
    )
}

/// The table `layers_classes`: one row a set and layer, with columns run, model, suite, set, layer, vision, text, other
/// (cases).
pub fn classes_parquet(analyses: &[FollowingAnalysis]) -> Result<Vec<u8>, AnalysisError> {
    let rows: Vec<(&FollowingAnalysis, &LayerSet, &ClassCounts)> = with_layers(analyses)
        .flat_map(|(of, layers)| layers.sets.iter().map(move |set| (of, set)))
        .flat_map(|(of, set)| set.classes.iter().map(move |at| (of, set, at)))
        .collect();
    let count = |of: fn(&ClassCounts) -> u64| counts(rows.iter().map(|(.., at)| of(at)));
    encode(
        CLASSES_TABLE,
        vec![
            ("run", texts(rows.iter().map(|(of, ..)| Some(of.run.as_str())))),
            ("model", texts(rows.iter().map(|(of, ..)| Some(of.model.as_str())))),
            ("suite", texts(rows.iter().map(|(of, ..)| Some(of.suite.as_str())))),
            ("set", texts(rows.iter().map(|(_, set, _)| Some(set.name.as_str())))),
            ("layer", integers(rows.iter().map(|(.., at)| at.layer))),
            ("vision", count(|at| at.vision)),
            ("text", count(|at| at.text)),
            ("other", count(|at| at.other)),
        ],
    )
}

/// The table `layers_heat_map`: one row a layer and bin of dH_rel, with columns run, model, suite, layer, low, high, cases,
/// logit_difference (mean of logit(Yt) - logit(Yv), null under the least number of cases).
pub fn heat_map_parquet(analyses: &[FollowingAnalysis]) -> Result<Vec<u8>, AnalysisError> {
    let rows: Vec<(&FollowingAnalysis, &HeatCell)> = with_layers(analyses)
        .flat_map(|(of, layers)| layers.heat_map.iter().map(move |cell| (of, cell)))
        .collect();
    let number = |of: fn(&HeatCell) -> Option<f64>| numbers(rows.iter().map(|(_, cell)| of(cell)));
    encode(
        HEAT_MAP_TABLE,
        vec![
            ("run", texts(rows.iter().map(|(of, _)| Some(of.run.as_str())))),
            ("model", texts(rows.iter().map(|(of, _)| Some(of.model.as_str())))),
            ("suite", texts(rows.iter().map(|(of, _)| Some(of.suite.as_str())))),
            ("layer", integers(rows.iter().map(|(_, cell)| cell.layer))),
            ("low", number(|cell| Some(cell.low))),
            ("high", number(|cell| Some(cell.high))),
            ("cases", counts(rows.iter().map(|(_, cell)| cell.cases))),
            ("logit_difference", number(|cell| cell.logit_difference)),
        ],
    )
}

/// The table `layers_trajectories`: one row a case of the example and layer, with columns run, model, suite, group_id, dv,
/// item_id, dt, layer, top1_text, class, logit_difference.
pub fn trajectories_parquet(analyses: &[FollowingAnalysis]) -> Result<Vec<u8>, AnalysisError> {
    type Row<'a> = (&'a FollowingAnalysis, &'a Trajectories, &'a Trajectory, &'a TrajectoryPoint);
    let rows: Vec<Row> = with_layers(analyses)
        .filter_map(|(of, layers)| Some((of, layers.trajectories.as_ref()?)))
        .flat_map(|(of, example)| example.cases.iter().map(move |case| (of, example, case)))
        .flat_map(|(of, example, case)| case.points.iter().map(move |point| (of, example, case, point)))
        .collect();
    encode(
        TRAJECTORIES_TABLE,
        vec![
            ("run", texts(rows.iter().map(|(of, ..)| Some(of.run.as_str())))),
            ("model", texts(rows.iter().map(|(of, ..)| Some(of.model.as_str())))),
            ("suite", texts(rows.iter().map(|(of, ..)| Some(of.suite.as_str())))),
            ("group_id", texts(rows.iter().map(|(_, example, ..)| Some(example.group_id.as_str())))),
            ("dv", integers(rows.iter().map(|(_, example, ..)| example.dv))),
            ("item_id", texts(rows.iter().map(|(_, _, case, _)| Some(case.item_id.as_str())))),
            ("dt", integers(rows.iter().map(|(_, _, case, _)| case.dt))),
            ("layer", integers(rows.iter().map(|(.., point)| point.layer))),
            ("top1_text", texts(rows.iter().map(|(.., point)| point.top1_text.as_deref()))),
            ("class", texts(rows.iter().map(|(.., point)| point.class.map(|class| class.as_str())))),
            ("logit_difference", numbers(rows.iter().map(|(.., point)| point.logit_difference))),
        ],
    )
}

fn with_layers(
    analyses: &[FollowingAnalysis],
) -> impl Iterator<Item = (&FollowingAnalysis, &LayersAnalysis)> {
    analyses.iter().filter_map(|of| Some((of, of.layers.as_ref()?)))
}

/// One row of the summary; a figure that could not be computed is a row without value.
struct Metric<'a> {
    set: Option<&'a str>,
    metric: &'static str,
    value: Option<f64>,
    interval: Option<(f64, f64)>,
}

fn metrics(of: &LayersAnalysis) -> impl Iterator<Item = Metric<'_>> {
    let plain = |set, metric, value| Metric { set, metric, value, interval: None };
    let estimated = |set, metric, of: Option<Estimate>| Metric {
        set,
        metric,
        value: of.map(|of| of.value),
        interval: of.and_then(|of| of.interval),
    };
    let whole = [
        plain(None, "layers", Some(f64::from(of.layers))),
        plain(None, "analysed", Some(of.analysed as f64)),
        plain(None, "probed", Some(of.probed as f64)),
        plain(None, "unplaced", Some(of.unplaced as f64)),
        plain(None, "ambiguous_width", Some(of.settings.ambiguous_width)),
        plain(None, "balance_point", of.balance_point),
        estimated(None, "oscillations_ambiguous_minus_clear", of.difference),
    ];
    let sets = of.sets.iter().flat_map(move |set| {
        let name = Some(set.name.as_str());
        [plain(name, "cases", Some(set.cases as f64)), estimated(name, "oscillations", set.oscillations)]
    });
    whole.into_iter().chain(sets)
}
