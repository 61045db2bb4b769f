//! Units on their way to the models: those that are prepared while models are loaded, and what ends it all early.

use std::convert::Infallible;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use crossmodal::engine::EvaluationSettings;
use crossmodal::engine::pipeline::{Ending, Pipeline, PipelineError};
use crossmodal::engine::preparation::{Ahead, Preparation, Units};
use crossmodal::model::{Model, ModelDirectory, OnnxRuntime, Precision, SessionSettings};
use crossmodal::prepare::Preparer;
use crossmodal::suite::{self, Group, Suite, SuiteError, SuiteSpec};

use crate::program::{library, tiny_llava};

/// A suite that remembers which groups it was asked for; one of them it cannot give.
struct Asked {
    suite: Box<dyn Suite>,
    groups: Mutex<Vec<usize>>,
    broken: Option<usize>,
}

impl Suite for Asked {
    fn name(&self) -> &str {
        self.suite.name()
    }

    fn fingerprint(&self) -> String {
        self.suite.fingerprint()
    }

    fn group_count(&self) -> usize {
        self.suite.group_count()
    }

    fn group(&self, index: usize) -> Result<Group, SuiteError> {
        self.groups.lock().unwrap().push(index);
        match self.broken == Some(index) {
            true => Err(SuiteError::Row { place: format!("group {index}"), reason: "broken".into() }),
            false => self.suite.group(index),
        }
    }
}

fn asked(broken: Option<usize>) -> Asked {
    let spec = SuiteSpec { name: "soebench".into(), groups: Some(8), ..SuiteSpec::default() };
    Asked { suite: suite::open(&spec).unwrap(), groups: Mutex::default(), broken }
}

fn preparer() -> Preparer {
    Preparer::open(&ModelDirectory::open(&tiny_llava(), Precision::Fp32).unwrap()).unwrap()
}

fn model() -> Model {
    let directory = ModelDirectory::open(&tiny_llava(), Precision::Fp32).unwrap();
    let runtime = OnnxRuntime::open(library(), &[]).unwrap();
    Model::load(runtime, &directory, SessionSettings::default()).unwrap()
}

const SETTINGS: EvaluationSettings = EvaluationSettings {
    batch_tokens: 2048,
    top_k: 1,
    embeddings: false,
    probed: None,
    drafts: true,
    sharing: true,
};

#[test]
fn what_cannot_be_prepared_ahead_ends_it() {
    let (suite, preparer) = (asked(Some(3)), preparer());
    let preparation = Preparation { suite: &suite, units: Units::of(&suite, Some(2)), preparer: &preparer };
    let ahead = preparation.ahead(0..4);
    assert_eq!(ahead.iter().map(|unit| unit.index).collect::<Vec<_>>(), [0]);
}

#[test]
fn units_that_were_prepared_ahead_are_run_and_not_prepared_again() {
    let (suite, preparer) = (asked(None), preparer());
    let units = Units::of(&suite, Some(2));
    let preparation = Preparation { suite: &suite, units, preparer: &preparer };
    let asked = || suite.groups.lock().unwrap().len();
    let (mut models, ahead) = Ahead::meanwhile(preparation, 0..3, || {
        while asked() < 6 {
            std::thread::yield_now();
        }
        [model()]
    });
    assert_eq!(*suite.groups.lock().unwrap(), [0, 1, 2, 3, 4, 5]);

    let stop = AtomicBool::new(false);
    let pipeline = Pipeline { preparation, settings: SETTINGS, stop: &stop };
    let mut done = Vec::new();
    // A run that goes on: the first unit is done already.
    let ending = pipeline.run(
        &[1, 2, 3],
        ahead.units,
        &mut models,
        |result, _| {
            assert!(result.answers.iter().all(Result::is_ok));
            let images = result.unit.images.iter().flatten();
            assert!(images.map(|image| image.pixels.inputs.len()).eq([0, 0, 0, 0]), "pixels are let go");
            done.push(result.unit.index);
            Ok::<(), Infallible>(())
        },
        || {},
    );
    assert_eq!((ending.unwrap(), done), (Ending::Complete, vec![1, 2, 3]));
    assert_eq!(*suite.groups.lock().unwrap(), [0, 1, 2, 3, 4, 5, 6, 7], "each once");
}

#[test]
fn a_pipeline_ends_where_the_suite_or_the_receiver_fails_and_where_it_is_stopped() {
    for copies in [1, 2] {
        let preparer = preparer();
        let mut models: Vec<Model> = (0..copies).map(|_| model()).collect();
        let mut run = |suite: &Asked, stop: bool, taken: usize| {
            let preparation = Preparation { suite, units: Units::of(suite, Some(1)), preparer: &preparer };
            let stop = AtomicBool::new(stop);
            let pipeline = Pipeline { preparation, settings: SETTINGS, stop: &stop };
            let mut done = 0;
            let sink = |_, _| {
                done += 1;
                if done > taken { Err(fmt::Error) } else { Ok(()) }
            };
            let all: Vec<usize> = (0..8).collect();
            let ending = pipeline.run(&all, preparation.ahead(0..1), &mut models, sink, || {});
            (ending, done)
        };
        let (ending, done) = run(&asked(Some(5)), false, 8);
        assert!(matches!(ending, Err(PipelineError::Suite(SuiteError::Row { .. }))));
        assert!(done <= 5, "{done}");
        let (ending, done) = run(&asked(None), false, 2);
        assert!(matches!(ending, Err(PipelineError::Sink(fmt::Error))));
        assert_eq!(done, 3, "nothing more is handed over");
        let (ending, done) = run(&asked(None), true, 8);
        assert!(matches!(ending, Ok(Ending::Interrupted)));
        assert_eq!(done, 0);
    }
}
