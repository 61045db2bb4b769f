//! Several runs in, a comparison of their models out; and the tables and the text of an analysis.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use crossmodal::analysis::output::{effects_parquet, metrics_parquet, to_json, to_parquet};
use crossmodal::analysis::summary::{Alignment, Analysis};
use crossmodal::analysis::{AnalysisSettings, ConsistencySettings, analyze, table};

use crate::bad_tables::settings;
use crate::consistency_golden::analysis;
use crate::run_directory::{Profile, Run, following, outcomes, same_content, same_embeddings, write};
use crate::tables_of_a_run::read;

/// Runs of models that differ in their items (every fourth is inconsistent) and in how far image and text are apart.
fn models(angles: &[f32]) -> Analysis {
    let runs: Vec<Run> = angles
        .iter()
        .enumerate()
        .map(|(number, &angle)| {
            let (run, name) = (Run::new(), format!("model-{number}"));
            let items: Vec<usize> = (1..=7 - number).collect();
            write(&run.part("outcomes", &name, "s", 0), same_content(&name, &items));
            write(&run.part("embeddings", &name, "s", 0), same_embeddings(&items, angle));
            run
        })
        .collect();
    let paths: Vec<_> = runs.iter().map(Run::path).collect();
    let consistency = ConsistencySettings { bootstrap: 200, ..ConsistencySettings::default() };
    analyze(&paths, &AnalysisSettings { consistency, ..settings() }).unwrap()
}

#[test]
fn several_runs_are_compared() {
    let found = models(&[0.0, 0.4, 0.8]).models.unwrap();
    let rer: Vec<f64> = found.models.iter().map(|row| row.rer.unwrap().value).collect();
    assert_eq!(rer, [6.0 / 7.0, 5.0 / 6.0, 4.0 / 5.0]);
    let cosine: Vec<f64> =
        found.models.iter().map(|row| row.representations[0].cosine.unwrap().value).collect();
    for (found, angle) in cosine.iter().zip([0.0_f64, 0.4, 0.8]) {
        assert!((found - angle.cos()).abs() < 1e-6, "{found}");
    }
    let correlation = found
        .correlations
        .iter()
        .find(|of| (of.subset.as_str(), of.alignment) == ("all", Alignment::Cosine))
        .unwrap();
    assert_eq!((correlation.models, correlation.depth.as_str()), (3, "output"));
    // numpy.corrcoef([6/7, 5/6, 4/5], cos([0, 0.4, 0.8]))
    assert!((correlation.r.unwrap() - 0.984_879_1).abs() < 1e-6, "{correlation:?}");
    assert!((correlation.r_squared.unwrap() - correlation.r.unwrap().powi(2)).abs() < 1e-15);
}

#[test]
fn two_models_have_no_correlation_and_one_no_comparison() {
    let found = models(&[0.0, 0.4]).models.unwrap();
    assert!(found.correlations.iter().all(|of| of.r.is_none() && of.p_value.is_none()));
    assert_eq!(models(&[0.0]).models, None);
}

#[test]
fn a_run_may_hold_conflicts_and_the_same_content() {
    let run = Run::new();
    write(&run.part("following", "m", "colors", 0), following(&[1, 2, 3], Profile::Plain));
    write(&run.part("outcomes", "m", "colors", 0), outcomes(&[1, 2, 3], Profile::Plain));
    write(&run.part("outcomes", "m", "rest", 0), same_content("run-1", &[1, 2, 3, 4]));
    let found = analyze(&[run.path()], &settings()).unwrap();
    assert_eq!((found.following.len(), found.consistency.len(), found.models.is_none()), (1, 1, true));
    let names: Vec<&str> = to_parquet(&found).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["following_curve", "following_summary", "consistency_metrics", "consistency_effects"]);
    let json: serde_json::Value = serde_json::from_str(&to_json(&found).unwrap()).unwrap();
    let fields: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["following", "consistency", "models"]);
    assert!(json["models"].is_null());
}

/// A run writes every table that it is told to, with or without rows.
#[test]
fn a_table_of_conflicts_may_be_empty() {
    let run = Run::new();
    write(&run.part("following", "m", "rest", 0), following(&[], Profile::Plain));
    write(&run.part("outcomes", "m", "rest", 0), same_content("run-1", &[1, 2, 3, 4]));
    let found = analyze(&[run.path()], &settings()).unwrap();
    assert_eq!((found.following.len(), found.consistency.len()), (0, 1));
}

#[test]
fn the_table_of_metrics_has_a_row_for_every_figure() {
    let found = &analysis().consistency;
    let table = read(metrics_parquet(found).unwrap());
    let text = |name: &str| table.column_by_name(name).unwrap().as_string::<i32>().clone();
    let value = table.column_by_name("value").unwrap().as_primitive::<Float64Type>();
    let of = |subset: &str, scope: &str, name: Option<&str>, metric: &str| {
        let row = (0..table.num_rows()).find(|&row| {
            let named = text("name");
            let found = named.is_valid(row).then(|| named.value(row));
            (text("subset").value(row), text("scope").value(row), found, text("metric").value(row))
                == (subset, scope, name, metric)
        });
        value.value(row.unwrap_or_else(|| panic!("{subset} {scope} {name:?} {metric}")))
    };
    let one = &found[0];
    assert_eq!(of("all", "pooled", None, "rer"), one.all.pooled.rates.rer.unwrap().value);
    assert_eq!(of("ocr-correct", "pooled", None, "cfr"), one.ocr_correct.pooled.rates.cfr.unwrap().value);
    assert_eq!(of("all", "macro", None, "mmc"), one.all.macro_mean.mmc.unwrap().value);
    assert_eq!(of("all", "task", Some("mmlu"), "comparisons"), one.all.by_task[2].metrics.comparisons as f64);
    assert_eq!(of("all", "pooled", None, "text_minus_image_t"), one.all.tests[0].t.unwrap());
    assert_eq!(of("all", "variant", Some("dejavu-sans-50"), "cer"), {
        let row = one.ocr.iter().find(|row| row.variant.as_deref() == Some("dejavu-sans-50"));
        row.unwrap().cer.unwrap().value
    });
    assert_eq!(
        of("all", "depth", Some("output"), "retrieval"),
        one.representations[1].retrieval.unwrap().value
    );
}

#[test]
fn the_table_of_effects_has_three_rows_for_every_level() {
    let found = &analysis().consistency;
    let table = read(effects_parquet(found).unwrap());
    assert_eq!(table.num_rows(), 3 * found[0].effects.len());
    let column = |name: &str| table.column_by_name(name).unwrap().as_primitive::<Float64Type>().clone();
    for (number, at) in found[0].effects.iter().enumerate() {
        assert_eq!(column("value").value(3 * number), at.at_level.accuracy.unwrap().value);
        assert_eq!(column("difference").is_null(3 * number + 2), at.reference);
    }
}

#[test]
fn the_text_is_as_it_is_read() {
    let text = table::consistency(&analysis().consistency[0]);
    insta::assert_snapshot!("consistency", text);
    let models = models(&[0.0, 0.4, 0.8]).models.unwrap();
    insta::assert_snapshot!("models", table::models(&models));
}
