//! A run against a reference run: every figure against numpy and scikit-learn, and what holds whatever the figures.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use crossmodal::analysis::summary::{Comparison, Distance, Estimate, Paired, Verdict};
use crossmodal::analysis::{ConsistencySettings, compare};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::assert_close;
use crate::consistency_golden::assert_same;
use crate::run_directory::Run;

const FINGERPRINT: &str = "crossmodal.suite_fingerprint";

/// `reference` or `run` of `tests/golden/comparison`, which `export_scripts/golden_comparison.py` writes.
pub fn golden_run(side: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/comparison").join(side)
}

fn expected() -> Value {
    serde_json::from_reader(File::open(golden_run("expected.json")).unwrap()).unwrap()
}

fn comparison(reference: &Path, run: &Path) -> Comparison {
    compare(reference, run, &ConsistencySettings::default()).unwrap()
}

fn golden_comparison() -> Comparison {
    comparison(&golden_run("reference"), &golden_run("run"))
}

/// A copy of a golden run as one part a table, its batches and suite changed.
fn copied(side: &str, suite: &str, change: impl Fn(RecordBatch) -> RecordBatch) -> Run {
    let copy = Run::new();
    for table in ["outcomes", "following"] {
        let models = golden_run(side).join(format!("tables/table={table}"));
        let model = fs::read_dir(models).unwrap().next().unwrap().unwrap().path();
        let parts = fs::read_dir(model.join("suite=golden")).unwrap().map(|part| part.unwrap().path());
        for (number, part) in parts.enumerate() {
            let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(part).unwrap()).unwrap();
            let batches: Vec<RecordBatch> =
                reader.build().unwrap().map(|batch| change(batch.unwrap())).collect();
            let file = File::create(copy.part(table, "copy", suite, number)).unwrap();
            let mut writer = ArrowWriter::try_new(file, batches[0].schema(), None).unwrap();
            batches.iter().for_each(|batch| writer.write(batch).unwrap());
            writer.close().unwrap();
        }
    }
    copy
}

#[test]
fn every_figure_is_that_of_the_reference() {
    let found = serde_json::to_value(golden_comparison()).unwrap();
    let expected = expected();
    for section in ["verdict", "suite", "prompts", "by_presentation", "following", "consistency"] {
        assert_same(&found[section], &expected[section], section);
    }
}

#[test]
fn intervals_are_those_of_another_bootstrap() {
    let expected = expected();
    let found = golden_comparison();
    let following = found.following.unwrap();
    for (name, estimate, tolerance) in [
        ("accuracy", found.prompts.accuracy.change, 0.004),
        ("tfr", following.tfr.change, 0.004),
        ("balance_shift", following.balance_shift, 0.05),
    ] {
        let (low, high) = estimate.unwrap().interval.unwrap();
        let ends = &expected["intervals"][name];
        assert_close(low, ends[0].as_f64().unwrap(), tolerance);
        assert_close(high, ends[1].as_f64().unwrap(), tolerance);
    }
}

#[test]
fn a_run_is_identical_to_itself() {
    let found = comparison(&golden_run("run"), &golden_run("run"));
    assert_eq!(found.verdict, Verdict::Identical);
    let none = Some(Estimate { value: 0.0, interval: Some((0.0, 0.0)) });
    for of in found.by_presentation.iter().map(|of| of.fidelity).chain([found.prompts]) {
        assert_eq!((of.same_answers, of.only_reference, of.only_run), (of.compared, 0, 0));
        for distance in [of.option_logprob, of.entropy].into_iter().flatten() {
            let Distance { mean, p95, max, mean_change, .. } = distance;
            assert_eq!([mean, p95, max, mean_change], [0.0; 4]);
        }
        assert!(of.texts.is_none_or(|texts| texts.distance == none));
        assert!(of.accuracy.change.is_none_or(|change| Some(change) == none));
    }
    let (following, rates) = (found.following.unwrap(), found.consistency.unwrap());
    for change in [following.tfr.change, following.balance_shift, rates.all.rer.change, rates.all.cfr.change]
    {
        assert_eq!(change, none);
    }
    assert!(found.entropies.cells.iter().all(|cell| cell.reference == cell.run));
}

#[test]
fn in_the_other_order_changes_have_the_other_sign() {
    let (forth, back) = (golden_comparison(), comparison(&golden_run("run"), &golden_run("reference")));
    assert_eq!(forth.verdict, back.verdict);
    let of = |of: &Comparison| {
        let (following, rates) = (of.following.unwrap(), of.consistency.unwrap());
        let paired = [
            of.prompts.accuracy,
            following.tfr,
            rates.all.rer,
            rates.all.mmc,
            rates.all.cfr,
            rates.ocr_correct.rer,
        ];
        (paired, following.balance_shift)
    };
    let ((forth_paired, forth_shift), (back_paired, back_shift)) = (of(&forth), of(&back));
    for (there, again) in std::iter::zip(forth_paired, back_paired) {
        let Paired { reference, run, change } = again;
        assert_eq!((there.reference, there.run), (run, reference));
        assert_negated(there.change, change);
    }
    assert_negated(forth_shift, back_shift);
    for (there, again) in [
        (forth.prompts.entropy, back.prompts.entropy),
        (forth.prompts.option_logprob, back.prompts.option_logprob),
    ] {
        let (there, again) = (there.unwrap(), again.unwrap());
        assert_close(there.mean_change, -again.mean_change, 1e-12);
        assert_eq!(
            (there.values, there.mean, there.p95, there.max),
            (again.values, again.mean, again.p95, again.max)
        );
    }
    let cells = |of: &Comparison, turned: bool| {
        let place = |one: u32, other: u32| if turned { (other, one) } else { (one, other) };
        let mut cells: Vec<_> =
            of.entropies.cells.iter().map(|cell| (place(cell.reference, cell.run), cell.prompts)).collect();
        cells.sort_unstable();
        cells
    };
    assert_eq!(cells(&forth, false), cells(&back, true));
}

#[track_caller]
fn assert_negated(one: Option<Estimate>, other: Option<Estimate>) {
    let (one, other) = (one.unwrap(), other.unwrap());
    let ((low, high), (other_low, other_high)) = (one.interval.unwrap(), other.interval.unwrap());
    assert_close(one.value, -other.value, 1e-12);
    assert_close(low, -other_high, 1e-12);
    assert_close(high, -other_low, 1e-12);
}

#[test]
fn a_part_of_a_run_has_the_same_answers_and_is_not_identical() {
    let part = copied("reference", "golden", |batch| batch.slice(0, batch.num_rows() * 2 / 3));
    let found = comparison(&golden_run("reference"), part.path());
    let prompts = found.prompts;
    assert_eq!(found.verdict, Verdict::SameAnswers { compared: prompts.compared });
    assert!(prompts.only_reference > 150 && prompts.only_run == 0, "{prompts:?}");
    assert_eq!(prompts.accuracy.change.unwrap().value, 0.0);
}

/// The message, with the temporary folder as COPY and the golden one as GOLDEN.
fn message(run: &Run) -> String {
    let error = compare(&golden_run("reference"), run.path(), &ConsistencySettings::default()).unwrap_err();
    let golden = golden_run("reference").display().to_string();
    error.to_string().replace(run.path().to_str().unwrap(), "COPY").replace(&golden, "GOLDEN")
}

#[test]
fn runs_of_other_suites_are_not_compared() {
    assert_eq!(
        message(&copied("run", "other", |batch| batch)),
        "expected two runs of one suite, but GOLDEN is of `golden` and COPY of `other`"
    );
    let elsewhere = |batch: RecordBatch| {
        let mut metadata = batch.schema().metadata().clone();
        metadata.insert(FINGERPRINT, "0123456789abcdef");
        let schema = batch.schema().as_ref().clone().with_metadata(metadata);
        batch.with_schema(schema.into()).unwrap()
    };
    assert_eq!(
        message(&copied("run", "golden", elsewhere)),
        "GOLDEN and COPY are both of the suite `golden`, but with other content (its fingerprint is 5eed5eed5eed in the \
         former, 0123456789ab in the latter); repeat one of them with the other's --seed, --groups, --prompts, \
         --presentations and --data"
    );
}

#[test]
fn items_that_do_not_join_are_not_compared() {
    let of_a_control = |batch: RecordBatch| {
        let schema = batch.schema();
        let columns = schema.fields().iter().map(|field| {
            let source = if field.name() == "control" { "item_id" } else { field.name() };
            (field.name().clone(), batch.column_by_name(source).unwrap().clone(), true)
        });
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    };
    assert_eq!(
        message(&copied("run", "golden", of_a_control)),
        "no prompt of COPY is in GOLDEN: expected rows with the same item_id, group_id, presentation, variant and \
         control; compare runs of the same items"
    );
}

#[test]
fn a_folder_with_two_models_is_not_one_run() {
    let run = copied("run", "golden", |batch| batch);
    fs::copy(run.part("outcomes", "copy", "golden", 0), run.part("outcomes", "other", "golden", 0)).unwrap();
    assert_eq!(
        message(&run),
        "expected one model on one suite in COPY, found copy on golden, other on golden; give a run's own directory"
    );
}
