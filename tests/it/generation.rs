//! Greedy generation equals transformers' `generate(do_sample=False)`, token by token: five prompts of unlike length in one
//! batch, 64 tokens, with the model's own stop tokens and with another one (`export_scripts/golden_generation.py`).

use std::path::Path;

use crossmodal::engine::{Finish, GenerationSettings, encode_images, generate};
use crossmodal::model::{Model, ModelDirectory, OnnxRuntime, Precision, SessionSettings};
use crossmodal::prepare::{Preparer, Prompt};
use serde::Deserialize;

use crate::models::{Case, folder_of};
use crate::program::library;

const NEW_TOKENS: usize = 64;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    stop_tokens: Vec<u32>,
    /// What was written after each prompt.
    tokens: Vec<Vec<u32>>,
}

/// Another token in every place that a number divides.
fn spoiled(tokens: &[u32], every: usize) -> Vec<u32> {
    let place = |(place, token): (usize, &u32)| if (place + 1) % every == 0 { token ^ 1 } else { *token };
    tokens.iter().enumerate().map(place).collect()
}

fn equals_transformers(family: &str) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/generation/{family}.json"));
    let golden: Golden = serde_json::from_slice(&std::fs::read(golden).unwrap()).unwrap();
    let directory = ModelDirectory::open(&folder_of("tests/models", family), Precision::Fp32).unwrap();
    let preparer = Preparer::open(&directory).unwrap();
    assert_eq!(preparer.stop_tokens(), golden.runs[0].stop_tokens, "{family}: stop tokens");
    let unit = preparer.prepare(0, golden.cases.iter().map(Case::group).collect());
    let runtime = OnnxRuntime::open(library(), &[]).unwrap();
    let settings = SessionSettings::default();
    let mut model = Model::load(runtime, &directory, settings).unwrap();
    let features = encode_images(&mut model, &unit.images);
    let prompts: Vec<&Prompt> = unit.prompts.iter().map(|prompt| prompt.as_ref().unwrap()).collect();
    assert_eq!(prompts.len(), 5);
    for run in &golden.runs {
        let settings = GenerationSettings {
            max_new_tokens: NEW_TOKENS,
            stop_tokens: &run.stop_tokens,
            keep_logits: false,
            drafts: None,
        };
        let mut run_on = |prompts: &[&Prompt], drafts: Option<&[Vec<u32>]>| {
            generate(&mut model, prompts, &features, GenerationSettings { drafts, ..settings }).unwrap()
        };
        let (together, plain) = run_on(&prompts, None);
        for (place, (found, expected)) in together.iter().zip(&run.tokens).enumerate() {
            assert_eq!(&found.tokens, expected, "{family}, prompt {place}, together");
            let stopped = expected.last().is_some_and(|token| run.stop_tokens.contains(token));
            assert_eq!(found.finish, if stopped { Finish::Stop } else { Finish::Length });
            let (alone, _) = run_on(&prompts[place..=place], None);
            assert_eq!(&alone[0].tokens, expected, "{family}, prompt {place}, alone");
        }
        // What a model writes as expected takes a twentieth of the passes.
        for (place, tokens) in run.tokens.iter().enumerate().filter(|(_, tokens)| tokens.len() == NEW_TOKENS)
        {
            let draft = std::slice::from_ref(tokens);
            let (_, work) = run_on(&prompts[place..=place], Some(draft));
            assert!(20 * work.decode_steps < NEW_TOKENS, "{family}, prompt {place}: {work:?}");
        }
        // Drafts that are right, right in part, and wrong change the number of passes only.
        for (what, wrong_every) in [("right", usize::MAX), ("partly right", 7), ("wrong", 1)] {
            let drafts: Vec<Vec<u32>> =
                run.tokens.iter().map(|tokens| spoiled(tokens, wrong_every)).collect();
            let (drafted, work) = run_on(&prompts, Some(&drafts));
            for (place, (found, expected)) in drafted.iter().zip(&run.tokens).enumerate() {
                assert_eq!(&found.tokens, expected, "{family}, prompt {place}, {what} drafts");
            }
            if what == "right" {
                assert!(work.decode_steps * 3 < plain.decode_steps, "{family}: {work:?} against {plain:?}");
            }
        }
    }
}

#[test]
fn llava() {
    equals_transformers("llava");
}

#[test]
fn qwen2_vl() {
    equals_transformers("qwen2_vl");
}

#[test]
fn smolvlm() {
    equals_transformers("smolvlm");
}
