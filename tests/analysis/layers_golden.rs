//! The analysis of layers and of representations by depth against numpy, from the tables of a synthetic run.

use std::path::PathBuf;
use std::sync::OnceLock;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use crossmodal::analysis::output::{
    classes_parquet, heat_map_parquet, layers_summary_parquet, to_json, to_parquet, trajectories_parquet,
};
use crossmodal::analysis::summary::{Class, Estimate, LayerSet, LayersAnalysis};
use crossmodal::analysis::{Analysis, AnalysisSettings, analyze, table};
use serde::Deserialize;

use crate::tables_of_a_run::read;
use crate::{assert_close, golden};

#[derive(Deserialize)]
struct Golden {
    conflicts: Conflicts,
    pairs: Pairs,
}

#[derive(Deserialize)]
struct Conflicts {
    balance_point: f64,
    analysed: u64,
    probed: u64,
    unplaced: u64,
    sets: Vec<Set>,
    difference: f64,
    difference_interval: (f64, f64),
    heat_map: Vec<Cell>,
}

#[derive(Deserialize)]
struct Set {
    name: String,
    cases: u64,
    oscillations: f64,
    interval: (f64, f64),
    /// [layer]: vision, text, other.
    classes: Vec<[u64; 3]>,
}

#[derive(Deserialize)]
struct Cell {
    layer: i32,
    low: f64,
    cases: u64,
    logit_difference: Option<f64>,
}

#[derive(Deserialize)]
struct Pairs {
    depths: Vec<Depth>,
    best_retrieval: String,
    best_cosine: String,
    matrix: Matrix,
}

#[derive(Deserialize)]
struct Depth {
    depth: String,
    pairs: u64,
    cosine: f64,
    interval: (f64, f64),
    image_to_text: f64,
    text_to_image: f64,
    retrieval: f64,
}

#[derive(Deserialize)]
struct Matrix {
    depth: String,
    variant: String,
    items: Vec<String>,
    similarities: Vec<Vec<f64>>,
}

fn run() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/analysis/layers")
}

fn analysis() -> &'static Analysis {
    static ANALYSIS: OnceLock<Analysis> = OnceLock::new();
    ANALYSIS.get_or_init(|| analyze(&[run()], &AnalysisSettings::default()).unwrap())
}

fn layers() -> &'static LayersAnalysis {
    analysis().following[0].layers.as_ref().unwrap()
}

#[track_caller]
fn assert_estimate(found: Option<Estimate>, value: f64, (low, high): (f64, f64), tolerance: f64) {
    let found = found.unwrap();
    assert_close(found.value, value, 1e-9);
    // The intervals come from other draws: they agree within the error of the bootstrap itself.
    let interval = found.interval.unwrap();
    assert_close(interval.0, low, tolerance);
    assert_close(interval.1, high, tolerance);
}

#[test]
fn oscillations_of_regions_and_controls_are_those_of_the_reference() {
    let (found, expected) = (layers(), golden::<Golden>("layers.json").conflicts);
    assert_close(found.balance_point.unwrap(), expected.balance_point, 1e-12);
    assert_eq!(
        (found.analysed, found.probed, found.unplaced),
        (expected.analysed, expected.probed, expected.unplaced)
    );
    assert!(found.probed > 500);
    assert_eq!(found.sets.len(), expected.sets.len());
    for (set, want) in found.sets.iter().zip(&expected.sets) {
        assert_eq!((&set.name, set.cases), (&want.name, want.cases));
        assert_estimate(set.oscillations, want.oscillations, want.interval, 0.03);
        let classes: Vec<[u64; 3]> = set.classes.iter().map(|at| [at.vision, at.text, at.other]).collect();
        assert_eq!(classes, want.classes, "{}", set.name);
    }
    assert_estimate(found.difference, expected.difference, expected.difference_interval, 0.03);
}

#[test]
fn every_cell_of_the_heat_map_is_that_of_the_reference() {
    let (found, expected) = (layers(), golden::<Golden>("layers.json").conflicts.heat_map);
    assert_eq!(found.heat_map.len(), expected.len());
    for (cell, want) in found.heat_map.iter().zip(&expected) {
        assert_eq!((cell.layer, cell.low, cell.cases), (want.layer, want.low, want.cases));
        assert_eq!(cell.logit_difference.is_some(), want.logit_difference.is_some(), "{cell:?}");
        assert_close(
            cell.logit_difference.unwrap_or_default(),
            want.logit_difference.unwrap_or_default(),
            1e-9,
        );
    }
}

#[test]
fn the_example_has_the_words_of_its_layers() {
    let example = layers().trajectories.as_ref().unwrap();
    let texts: Vec<i32> = example.cases.iter().map(|case| case.dt).collect();
    assert_eq!(texts, [0, 1, 2]);
    for case in &example.cases {
        assert!(case.item_id.starts_with(&format!("{}-dv{}", example.group_id, example.dv)));
        assert_eq!(case.points.len(), 12);
        for point in &case.points {
            let word = match point.class {
                Some(Class::Vision) => " red",
                Some(Class::Text) => " blue",
                Some(Class::Other) => " the",
                None => " <b>",
            };
            assert_eq!(point.top1_text.as_deref(), Some(word));
        }
    }
    assert!(example.cases.iter().map(|case| case.oscillations).sum::<u32>() > 0);
}

#[test]
fn representations_of_every_depth_are_those_of_the_reference() {
    let (found, expected) = (&analysis().consistency[0], golden::<Golden>("layers.json").pairs);
    assert_eq!(found.representations.len(), expected.depths.len());
    for (at, want) in found.representations.iter().zip(&expected.depths) {
        assert_eq!((&at.depth, at.pairs), (&want.depth, want.pairs));
        assert_estimate(at.cosine, want.cosine, want.interval, 0.01);
        for (found, want) in [
            (at.image_to_text, want.image_to_text),
            (at.text_to_image, want.text_to_image),
            (at.retrieval, want.retrieval),
        ] {
            assert_close(found.unwrap().value, want, 1e-9);
        }
    }
    let best = found.best_depth.as_ref().unwrap();
    assert_eq!(
        (&best.cosine, best.retrieval.as_ref()),
        (&expected.best_cosine, Some(&expected.best_retrieval))
    );
    let (matrix, want) = (found.similarities.as_ref().unwrap(), expected.matrix);
    assert_eq!((&matrix.depth, &matrix.variant, &matrix.items), (&want.depth, &want.variant, &want.items));
    for (row, want) in matrix.similarities.iter().zip(&want.similarities) {
        for (found, want) in row.iter().zip(want) {
            assert_close(*found, *want, 1e-12);
        }
    }
}

#[test]
fn the_tables_hold_the_figures() {
    let (of, layers) = (&analysis().following, layers());
    let names: Vec<&str> = to_parquet(analysis()).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names[2..6],
        ["layers_summary", "layers_classes", "layers_heat_map", "layers_trajectories"],
        "{names:?}"
    );
    let summary = read(layers_summary_parquet(of).unwrap());
    let text = |name: &str| summary.column_by_name(name).unwrap().as_string::<i32>().clone();
    let row = (0..summary.num_rows()).find(|&row| {
        text("set").is_valid(row)
            && text("set").value(row) == "clear"
            && text("metric").value(row) == "oscillations"
    });
    let upper = summary.column_by_name("upper").unwrap().as_primitive::<Float64Type>();
    let clear = layers.set(LayerSet::CLEAR).unwrap().oscillations.unwrap();
    assert_eq!(upper.value(row.unwrap()), clear.interval.unwrap().1);

    let classes = read(classes_parquet(of).unwrap());
    assert_eq!(classes.num_rows(), 12 * layers.sets.len());
    let other = classes.column_by_name("other").unwrap().as_primitive::<Int64Type>();
    assert_eq!(other.value(0), layers.sets[0].classes[0].other as i64);

    let cells = read(heat_map_parquet(of).unwrap());
    assert_eq!(cells.num_rows(), layers.heat_map.len());
    let differences = cells.column_by_name("logit_difference").unwrap().as_primitive::<Float64Type>();
    let empty = layers.heat_map.iter().filter(|cell| cell.logit_difference.is_none()).count();
    assert_eq!(differences.null_count(), empty);

    let example = read(trajectories_parquet(of).unwrap());
    let layer = example.column_by_name("layer").unwrap().as_primitive::<Int32Type>();
    assert_eq!((example.num_rows(), layer.value(13)), (36, 2));
}

#[test]
fn the_text_tells_regions_controls_and_layers() {
    let text = table::following(&analysis().following[0]);
    let (_, layers) = text.split_once("\nLayers: ").unwrap();
    insta::assert_snapshot!("layers", format!("Layers: {layers}"));
}

#[test]
fn the_number_of_threads_does_not_change_a_byte() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let again = pool.install(|| analyze(&[run()], &AnalysisSettings::default()).unwrap());
    assert_eq!(to_json(&again).unwrap(), to_json(analysis()).unwrap());
}
