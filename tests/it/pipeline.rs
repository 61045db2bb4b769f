//! Units that are prepared while models are loaded.

use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use crossmodal::engine::EvaluationSettings;
use crossmodal::engine::pipeline::{Ending, Pipeline, Preparation, Units};
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
    suite.groups.lock().unwrap().clear();
    let preparation = Preparation { suite: &suite, units, preparer: &preparer };
    let ahead = preparation.ahead(0..3);
    assert_eq!(*suite.groups.lock().unwrap(), [0, 1, 2, 3, 4, 5]);

    let directory = ModelDirectory::open(&tiny_llava(), Precision::Fp32).unwrap();
    let runtime = OnnxRuntime::open(library(), &[]).unwrap();
    let mut models = [Model::load(runtime, &directory, SessionSettings::default()).unwrap()];
    let settings = EvaluationSettings {
        batch_tokens: 2048,
        top_k: 1,
        embeddings: false,
        probed: None,
        drafts: true,
        sharing: true,
    };
    let pipeline = Pipeline { preparation, settings, stop: &AtomicBool::new(false) };
    let mut done = Vec::new();
    // A run that goes on: the first unit is done already.
    let ending = pipeline.run(
        &[1, 2, 3],
        ahead,
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
