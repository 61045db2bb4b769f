//! Decoders whose heads share keys and values are rewritten when they are loaded: the logits stay.

use crossmodal::model::{
    DecoderInput, Graphs, Model, ModelDirectory, OnnxRuntime, Precision, ProbeInput, Seen, SessionSettings,
};
use ndarray::{Array2, Array3};

use crate::linear_layers::has_wide_vectors;
use crate::models::folder_of;
use crate::program::library;

const BATCH: usize = 3;

/// Of the largest logit: attention adds in another order.
const TOLERANCE: f32 = 2e-6;

/// Logits after `tokens` new tokens on what was `seen`; the first row has one less.
fn decode(model: &mut Model, seen: &mut [Seen], tokens: usize) -> Array2<f32> {
    decode_rows(model, seen, tokens, 0)
}

/// The same of rows from `first` on.
fn decode_rows(model: &mut Model, seen: &mut [Seen], tokens: usize, first: usize) -> Array2<f32> {
    let batch = seen.len();
    let ids =
        Array2::from_shape_fn((batch, tokens), |(row, token)| 3 + (7 * token + 5 * (first + row)) as i64);
    let before: Vec<usize> = seen.iter().map(Seen::length).collect();
    let lengths: Vec<usize> =
        (first..first + batch).map(|row| (tokens + row).saturating_sub(1).clamp(1, tokens)).collect();
    let input = DecoderInput {
        embeds: model.embed(ids, &[]).unwrap(),
        positions: Array3::from_shape_fn((1, batch, tokens), |(_, row, token)| (before[row] + token) as i64),
        token_types: Array2::zeros((batch, tokens)),
        deepstack: Vec::new(),
        asked: lengths.iter().enumerate().map(|(row, length)| (row, length - 1)).collect(),
        lengths,
    };
    let mut rows: Vec<&mut Seen> = seen.iter_mut().collect();
    model.decode(input, &mut rows, &ProbeInput::default()).unwrap().logits.rows().to_owned()
}

#[test]
fn logits_stay() {
    let families = "gemma3 idefics3 internvl llava llava_next llava_onevision paligemma phi4mm qwen2_5_vl qwen2_vl \
                    qwen3_vl smolvlm";
    for family in families.split_whitespace() {
        let directory = ModelDirectory::open(&folder_of("tests/models", family), Precision::Fp32).unwrap();
        let runtime = OnnxRuntime::open(library(), &[]).unwrap();
        let logits = |graphs| {
            let settings = SessionSettings { graphs, intra_threads: 2, ..SessionSettings::default() };
            let mut model = Model::load(runtime, &directory, settings).unwrap();
            let mut seen = vec![Seen::default(); BATCH];
            // The last are more than run side by side; before them, some are taken back, and two rows go on from the same ones.
            let first = [5, 1, 3].map(|tokens| decode(&mut model, &mut seen, tokens));
            seen.iter_mut().for_each(|seen| *seen = std::mem::take(seen).first(6));
            seen[1] = seen[0].clone();
            let last = [20, 1, 1].map(|tokens| decode(&mut model, &mut seen, tokens));
            [first, last].concat()
        };
        let unchanged = logits(Graphs::Exported);
        for graphs in [Graphs::Own, Graphs::Runtime] {
            for (step, (rewritten, unchanged)) in logits(graphs).iter().zip(&unchanged).enumerate() {
                let largest = (rewritten - unchanged)
                    .iter()
                    .fold(0f32, |largest, difference| largest.max(difference.abs()));
                let of = unchanged.iter().fold(0f32, |most, logit| most.max(logit.abs()));
                assert!(largest < TOLERANCE * of, "{family}, {graphs:?}, step {step}: {largest} of {of}");
            }
        }
    }
}

#[test]
fn an_answer_has_the_same_bits_alone_and_in_company() {
    if !has_wide_vectors() {
        return;
    }
    for family in ["llava", "qwen2_5_vl", "smolvlm", "gemma3"] {
        let directory = ModelDirectory::open(&folder_of("tests/models", family), Precision::Fp32).unwrap();
        let runtime = OnnxRuntime::open(library(), &[]).unwrap();
        let mut model = Model::load(runtime, &directory, SessionSettings::default()).unwrap();
        let mut seen = vec![Seen::default(); BATCH];
        let together = [7, 1, 1, 12, 1].map(|tokens| decode(&mut model, &mut seen, tokens));
        for row in 0..BATCH {
            let mut alone = vec![Seen::default()];
            let steps = [7, 1, 1, 12, 1].map(|tokens| decode_rows(&mut model, &mut alone, tokens, row));
            for (step, (alone, together)) in steps.iter().zip(&together).enumerate() {
                assert_eq!(alone.row(0), together.row(row), "{family}, row {row}, step {step}");
            }
        }
    }
}
