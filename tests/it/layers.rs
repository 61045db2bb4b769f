//! Every layer of every family: the residual stream that is found in a graph is transformers' `output_hidden_states`
//! (`export_scripts/golden_layers.py` wrote it), and the logit lens what its norm and LM head make of it.

use crossmodal::engine::{Answered, Depth, EvaluationSettings, LayerMeans, evaluate};
use crossmodal::model::{
    DecoderInput, Depths, LogitPositions, Model, ModelDirectory, OnnxRuntime, Precision, Probe, ProbeInput,
    Seen, SessionSettings,
};
use crossmodal::prepare::{OptionTokens, Preparer};
use crossmodal::suite::{AnswerOption, Group};
use ndarray::{Array2, Array3, Array4, s};
use serde::Deserialize;

use crate::models::{Case, copy_of, folder_of};
use crate::program::library;

/// Largest difference between a state and its reference.
const STATE_TOLERANCE: f32 = 1e-3;

/// Largest difference between a logit and its reference.
const LOGIT_TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Described {
    layers: usize,
    hidden: usize,
    vocabulary: usize,
    cases: [String; 2],
}

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

/// What transformers says of one case.
struct Golden {
    described: Described,
    /// [layers + 2, 3, hidden].
    states: Vec<f32>,
    /// [layers, vocabulary].
    lens: Vec<f32>,
}

impl Golden {
    /// The mean image token, the mean text token and the last token at a depth.
    fn at(&self, depth: usize) -> [&[f32]; 3] {
        let hidden = self.described.hidden;
        [0, 1, 2].map(|sum| &self.states[(3 * depth + sum) * hidden..][..hidden])
    }

    fn check_means(&self, name: &str, means: &[LayerMeans]) {
        let layers = self.described.layers;
        let between = (1..=layers).map(Depth::Layer);
        let depths: Vec<Depth> = [Depth::Input].into_iter().chain(between).chain([Depth::Output]).collect();
        assert_eq!(means.iter().map(|means| means.depth).collect::<Vec<_>>(), depths, "{name}");
        for (place, means) in means.iter().enumerate() {
            let [image, text, last] = self.at(place);
            let found =
                [(means.image.as_deref(), image), (Some(&means.text), text), (Some(&means.last), last)];
            for (found, expected) in found {
                let Some(found) = found else {
                    assert!(expected.iter().all(|value| *value == 0.0), "{name}: an image is missing");
                    continue;
                };
                let difference = largest_difference(found, expected);
                assert!(difference < STATE_TOLERANCE, "{name}, {:?}: differs by {difference}", means.depth);
            }
        }
    }

    fn check_lens(&self, name: &str, answer: &Answered, options: &OptionTokens) {
        assert_eq!(answer.layers.len(), self.described.layers, "{name}");
        for (found, expected) in answer.layers.iter().zip(self.lens.chunks_exact(self.described.vocabulary)) {
            let best = expected.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert!((found.logit - best).abs() < LOGIT_TOLERANCE, "{name}: {} for {best}", found.logit);
            assert_eq!(expected[found.token as usize], best, "{name}");
            assert_eq!(found.option, options.option_of(found.token), "{name}");
            for (found, tokens) in found.option_logits.iter().zip(&options.tokens) {
                let logits = tokens.iter().map(|&token| expected[token as usize]);
                let expected = logits.fold(f32::NEG_INFINITY, f32::max);
                assert!((found - expected).abs() < LOGIT_TOLERANCE, "{name}: {found} for {expected}");
            }
        }
        // After the last layer the lens is the model itself.
        let (last, (token, logit)) = (answer.layers.last().unwrap(), answer.scores.top[0]);
        assert_eq!((last.token, last.option), (token, answer.scores.answer), "{name}");
        assert!((last.logit - logit).abs() < LOGIT_TOLERANCE, "{name}: {} for {logit}", last.logit);
    }
}

fn largest_difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max)
}

/// The two cases of a family that are known layer by layer.
fn goldens(family: &str) -> Vec<(Case, Golden)> {
    let folder = folder_of("tests/golden/models", family);
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let described = || serde_json::from_slice::<Described>(&read("layers.json")).unwrap();
    let bytes = read("layers.f32");
    let numbers: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let of_cases = numbers.chunks_exact(numbers.len() / 2);
    let Cases { mut cases } = serde_json::from_slice(&read("cases.json")).unwrap();
    let of_case = |(name, numbers): (String, &[f32])| {
        let place = cases.iter().position(|case| case.is_asked(&name)).unwrap();
        let described = described();
        let (states, lens) = numbers.split_at((described.layers + 2) * 3 * described.hidden);
        (cases.remove(place), Golden { described, states: states.to_vec(), lens: lens.to_vec() })
    };
    described().cases.into_iter().zip(of_cases).map(of_case).collect()
}

/// Answers to both cases, run together and one by one.
fn layers_equal_transformers(family: &str) {
    let directory = ModelDirectory::open(&folder_of("tests/models", family), Precision::Fp32).unwrap();
    let preparer = Preparer::open(&directory).unwrap();
    let runtime = OnnxRuntime::open(library(), &[]).unwrap();
    let probe = Probe { lens: true, sums: Depths::All };
    let settings = SessionSettings { probe, ..SessionSettings::default() };
    let mut model = Model::load(runtime, &directory, settings).unwrap();
    let goldens = goldens(family);
    let options: Vec<AnswerOption> = ["yes", "one"].map(AnswerOption::named).into();
    let groups: Vec<Group> = goldens
        .iter()
        .map(|(case, _)| {
            let mut group = case.group();
            group.presentations[0].options = options.clone().into();
            group
        })
        .collect();
    let mut answers = |groups: Vec<Group>| {
        let unit = preparer.prepare(0, groups);
        let settings = EvaluationSettings {
            batch_tokens: 2048,
            top_k: 1,
            embeddings: true,
            probed: Some(8),
            drafts: true,
            sharing: true,
        };
        let options = unit.prompts[0].as_ref().unwrap().options.clone();
        (evaluate(&mut model, &preparer, unit, &settings).answers, options)
    };
    for cases in [0..2, 0..1, 1..2] {
        let (answers, options) = answers(groups[cases.clone()].to_vec());
        for ((case, golden), answer) in goldens[cases].iter().zip(&answers) {
            let name = format!("{family}, {}", case.name);
            let answer = answer.as_ref().unwrap_or_else(|error| panic!("{name}: {error}"));
            golden.check_means(&name, &answer.means);
            golden.check_lens(&name, answer, &options);
        }
    }
}

macro_rules! families {
    ($($family:ident)*) => {$(
        #[test]
        fn $family() {
            layers_equal_transformers(stringify!($family));
        }
    )*};
}

families! {
    gemma3 idefics3 internvl llava llava_next llava_onevision paligemma phi3_v phi4mm qwen2_5_vl qwen2_vl qwen3_vl
    smolvlm
}

const BATCH: usize = 2;
const TOKENS: usize = 5;
const HIDDEN: usize = 16;
const VOCABULARY: usize = 40;
const LAYERS: usize = 2;

/// A decoder of `export_scripts/residuals.py` in the place of the LLaVA fixture's.
fn by_another_exporter(name: &str) -> Model {
    let copy = copy_of(&folder_of("tests/models", "llava"));
    let decoder = folder_of("tests/models/residuals", &format!("{name}.onnx"));
    std::fs::copy(decoder, copy.path().join("onnx/decoder_model_merged.onnx")).unwrap();
    let directory = ModelDirectory::open(copy.path(), Precision::Fp32).unwrap();
    let probe = Probe { lens: true, sums: Depths::All };
    let settings = SessionSettings { probe, ..SessionSettings::default() };
    Model::load(OnnxRuntime::open(library(), &[]).unwrap(), &directory, settings).unwrap()
}

fn tokens(range: std::ops::Range<usize>) -> DecoderInput {
    let embed =
        |row: usize, token: usize, i: usize| ((31 * row + 17 * token + 7 * i) % 23) as f32 / 23.0 * 4.0 - 2.0;
    let new = range.len();
    DecoderInput {
        embeds: Array3::from_shape_fn((BATCH, new, HIDDEN), |(row, token, i)| {
            embed(row, range.start + token, i)
        }),
        lengths: vec![new; BATCH],
        positions: Array3::from_shape_fn((1, BATCH, new), |(_, _, token)| (range.start + token) as i64),
        token_types: Array2::zeros((BATCH, new)),
        deepstack: Vec::new(),
        asked: (0..BATCH).map(|row| (row, new - 1)).collect(),
    }
}

/// What leaves each layer, and the last one after the final norm, is transformers' within `tolerance` of the largest state; so
/// are the lens' logits, of the largest logit. The lens after the last layer is the model within `rounding`.
fn equals_transformers(name: &str, golden: &str, tolerance: f32, rounding: f32) {
    let mut model = by_another_exporter(name);
    assert_eq!(model.logit_positions(), LogitPositions::Asked, "{name}");
    assert_eq!((model.lens_layers(), model.sum_depths()), (LAYERS, LAYERS + 1), "{name}");
    let bytes = std::fs::read(folder_of("tests/models/residuals", &format!("{golden}.f32"))).unwrap();
    let numbers: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let (states, lens) = numbers.split_at((LAYERS + 1) * BATCH * TOKENS * HIDDEN);
    let states = Array4::from_shape_vec((LAYERS + 1, BATCH, TOKENS, HIDDEN), states.to_vec()).unwrap();
    let lens = Array4::from_shape_vec((LAYERS, BATCH, TOKENS, VOCABULARY), lens.to_vec()).unwrap();
    let largest =
        |values: &mut dyn Iterator<Item = f32>| values.fold(0f32, |most, value| most.max(value.abs()));

    // The last token comes on top of a past; all of a pass's states are summed one by one.
    let mut seen = vec![Seen::default(); BATCH];
    for range in [0..TOKENS - 1, TOKENS - 1..TOKENS] {
        let new = range.len();
        let probe = ProbeInput {
            probed: vec![(1, new - 1), (0, new - 1)],
            options: (0..VOCABULARY as u32).collect(),
            weights: Array3::from_shape_fn((BATCH, new, new), |(_, sum, token)| {
                f32::from(u8::from(sum == token))
            }),
        };
        let mut before = seen.clone();
        let mut rows: Vec<&mut Seen> = seen.iter_mut().collect();
        let output = model.decode(tokens(range.clone()), &mut rows, &probe).unwrap();
        let found = output.sums.unwrap().permuted_axes([2, 0, 1, 3]);
        let expected = states.slice(s![.., .., range.clone(), ..]);
        for depth in 0..=LAYERS {
            let (found, expected) =
                (found.slice(s![depth, .., .., ..]), expected.slice(s![depth, .., .., ..]));
            let difference = largest(&mut (&found - &expected).into_iter());
            let scale = largest(&mut expected.iter().copied());
            assert!(difference < tolerance * scale, "{name}, depth {depth}: {difference} of {scale}");
        }
        let shown = output.lens.unwrap();
        let logits = shown.options.slice(s![..;-1, .., ..]);
        let expected = lens.slice(s![.., .., range.end - 1, ..]).permuted_axes([1, 0, 2]);
        let difference = largest(&mut (&logits - &expected).into_iter());
        let scale = largest(&mut expected.iter().copied());
        assert!(difference < tolerance * scale, "{name}: the lens' logits differ by {difference} of {scale}");
        let difference =
            largest(&mut (&logits.slice(s![.., LAYERS - 1, ..]) - &output.logits.rows()).into_iter());
        assert!(difference < rounding, "{name}: the lens differs from the model by {difference}");
        for ((token, logit), row) in shown.tokens.iter().zip(&shown.logits).zip(shown.options.rows()) {
            assert_eq!(*logit, row.iter().copied().fold(f32::NEG_INFINITY, f32::max), "{name}");
            assert_eq!(*logit, row[*token as usize], "{name}");
        }
        // What is not asked for does not come, and changes nothing.
        let mut rows: Vec<&mut Seen> = before.iter_mut().collect();
        let bare = model.decode(tokens(range), &mut rows, &ProbeInput::default()).unwrap();
        assert!(bare.lens.is_none() && bare.sums.is_none(), "{name}");
        assert!(largest(&mut (&bare.logits.rows() - &output.logits.rows()).into_iter()) < rounding, "{name}");
    }
}

#[test]
fn graphs_of_other_exporters_equal_transformers() {
    for name in ["torchscript", "fused", "genai", "optimum"] {
        equals_transformers(name, "llama", 1e-4, LOGIT_TOLERANCE);
    }
    equals_transformers("parallel", "phi", 1e-4, LOGIT_TOLERANCE);
}

#[test]
fn graphs_of_other_precisions_come_near() {
    // Sixteen bits round the product of the head itself.
    equals_transformers("fp16", "llama", 4e-3, 4e-3);
    equals_transformers("int8", "llama", 0.05, LOGIT_TOLERANCE);
    equals_transformers("q4", "llama", 0.5, LOGIT_TOLERANCE);
}

/// `export_scripts/lm_heads.py` made these, which are nothing but an LM head.
#[test]
fn a_decoder_without_layers_is_refused_and_still_runs() {
    let copy = copy_of(&folder_of("tests/models", "llava"));
    let head = folder_of("tests/models/lm_heads", "gemm.onnx");
    std::fs::copy(head, copy.path().join("onnx/decoder_model_merged.onnx")).unwrap();
    let directory = ModelDirectory::open(copy.path(), Precision::Fp32).unwrap();
    let runtime = OnnxRuntime::open(library(), &[]).unwrap();
    let load =
        |probe| Model::load(runtime, &directory, SessionSettings { probe, ..SessionSettings::default() });
    for probe in [Probe { lens: true, sums: Depths::None }, Probe { lens: false, sums: Depths::All }] {
        let refusal = load(probe).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refusal.contains("the outputs: expected keys of every layer"), "{refusal}");
        assert!(refusal.contains("no `present.0.key`"), "{refusal}");
    }
    assert_eq!(load(Probe { lens: false, sums: Depths::Output }).unwrap().sum_depths(), 1);
}
