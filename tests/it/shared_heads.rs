//! Decoders whose heads share keys and values are rewritten when they are loaded: the logits stay.

use crossmodal::model::{
    DecoderInput, Model, ModelDirectory, OnnxRuntime, Past, Precision, ProbeInput, SessionSettings,
};
use ndarray::{Array2, Array3};

use crate::models::folder_of;
use crate::program::library;

const BATCH: usize = 2;

/// Logits after `tokens` new tokens on `past` ones, the first row padded by one.
fn decode(model: &mut Model, past: Option<&Past>, past_tokens: usize, tokens: usize) -> (Array2<f32>, Past) {
    let ids = Array2::from_shape_fn((BATCH, tokens), |(row, token)| 3 + (7 * token + 5 * row) as i64);
    let input = DecoderInput {
        embeds: model.embed(ids, &[]).unwrap(),
        mask: Array2::from_shape_fn((BATCH, past_tokens + tokens), |(row, token)| i64::from(row + token > 0)),
        positions: Array3::from_shape_fn((1, BATCH, tokens), |(_, row, token)| {
            (past_tokens + token + row) as i64 - 1
        })
        .mapv(|position| position.max(0)),
        token_types: Array2::zeros((BATCH, tokens)),
        deepstack: Vec::new(),
        asked: (0..BATCH).map(|row| (row, tokens - 1)).collect(),
    };
    let output = model.decode(input, past, &ProbeInput::default()).unwrap();
    (output.logits, output.past)
}

#[test]
fn logits_stay() {
    let families = "gemma3 idefics3 internvl llava llava_next llava_onevision paligemma phi4mm qwen2_5_vl qwen2_vl \
                    qwen3_vl smolvlm";
    for family in families.split_whitespace() {
        let directory = ModelDirectory::open(&folder_of("tests/models", family), Precision::Fp32).unwrap();
        let runtime = OnnxRuntime::open(library(), &[]).unwrap();
        let [rewritten, unchanged] = [true, false].map(|rewrite_graphs| {
            let settings = SessionSettings { rewrite_graphs, ..SessionSettings::default() };
            let mut model = Model::load(runtime, &directory, settings).unwrap();
            let (first, past) = decode(&mut model, None, 0, 5);
            let (second, past) = decode(&mut model, Some(&past), 5, 1);
            let (third, past) = decode(&mut model, Some(&past), 6, 3);
            // More than run side by side.
            let (fourth, _) = decode(&mut model, Some(&past), 9, 20);
            [first, second, third, fourth]
        });
        for (step, (rewritten, unchanged)) in rewritten.iter().zip(&unchanged).enumerate() {
            let largest = (rewritten - unchanged)
                .iter()
                .fold(0f32, |largest, difference| largest.max(difference.abs()));
            assert!(largest < 1e-5, "{family}, step {step}: {largest}");
        }
    }
}
