//! Decoders are edited when they are loaded so that the LM head runs on the tokens that are asked for: the logits are the
//! unedited graph's.

use std::path::Path;

use crossmodal::model::graph::Edit;
use crossmodal::model::{
    DecoderInput, Depths, GraphFile, LogitPositions, Model, ModelDirectory, OnnxRuntime, Precision, Probe,
    ProbeInput, Seen, SessionSettings,
};
use ndarray::{Array2, Array3, Axis};

use crate::models::{copy_of, folder_of};
use crate::program::library;

const BATCH: usize = 2;
const LENGTH: usize = 5;

fn load(path: &Path, precision: Precision) -> Model {
    let directory = ModelDirectory::open(path, precision).unwrap();
    let runtime = OnnxRuntime::open(library(), &[]).unwrap();
    let settings =
        SessionSettings { probe: Probe { lens: false, sums: Depths::Output }, ..SessionSettings::default() };
    Model::load(runtime, &directory, settings).unwrap()
}

/// Logits of `asked` tokens and hidden states of all.
fn decode(model: &mut Model, asked: &[(usize, usize)]) -> (Array2<f32>, Array3<f32>) {
    let ids = Array2::from_shape_fn((BATCH, LENGTH), |(row, token)| 3 + (7 * token + 5 * row) as i64);
    let input = DecoderInput {
        embeds: model.embed(ids, &[]).unwrap(),
        lengths: vec![LENGTH; BATCH],
        positions: Array3::from_shape_fn((1, BATCH, LENGTH), |(_, _, token)| token as i64),
        token_types: Array2::zeros((BATCH, LENGTH)),
        deepstack: Vec::new(),
        asked: asked.to_vec(),
    };
    let weights =
        Array3::from_shape_fn((BATCH, LENGTH, LENGTH), |(_, sum, token)| f32::from(u8::from(sum == token)));
    let probe = ProbeInput { weights, ..ProbeInput::default() };
    let mut seen = vec![Seen::default(); BATCH];
    let mut rows: Vec<&mut Seen> = seen.iter_mut().collect();
    let output = model.decode(input, &mut rows, &probe).unwrap();
    (output.logits.rows().to_owned(), output.sums.unwrap().index_axis_move(Axis(2), 0))
}

/// Largest difference of logits, of the largest logit: products of other sizes add in another order.
const TOLERANCE: f32 = 1e-6;

/// The directory's decoder gives the same with the edit as without.
fn equals_unedited(name: &str, path: &Path, precision: Precision, tolerance: f32) {
    let unedited = copy_of(path);
    let directory = ModelDirectory::open(unedited.path(), precision).unwrap();
    let file = directory.graph(GraphFile::Decoder);
    let mut bytes = std::fs::read(file).unwrap();
    // A node that wants the logits of all tokens.
    let mut edit = Edit::default();
    edit.node("Shape", "", &["logits"], &["shape_of_logits"]);
    edit.apply(&mut bytes).unwrap();
    std::fs::write(file, bytes).unwrap();

    let mut edited = load(path, precision);
    let mut unedited = load(unedited.path(), precision);
    assert_eq!(edited.logit_positions(), LogitPositions::Asked, "{name}");
    assert_ne!(unedited.logit_positions(), LogitPositions::Asked, "{name}");

    let all: Vec<(usize, usize)> =
        (0..BATCH).flat_map(|row| (0..LENGTH).map(move |place| (row, place))).collect();
    let (expected, expected_hidden) = decode(&mut unedited, &all);
    for asked in [&[(1, 3), (0, 4), (1, 3), (0, 0)][..], &[(0, LENGTH - 1), (1, LENGTH - 1)], &[]] {
        let (logits, hidden) = decode(&mut edited, asked);
        assert_eq!(logits.dim(), (asked.len(), expected.ncols()), "{name}");
        for (row, (sequence, place)) in logits.rows().into_iter().zip(asked) {
            let expected = expected.row(sequence * LENGTH + place);
            let difference = (&row - &expected).iter().fold(0f32, |most, by| most.max(by.abs()));
            let scale = expected.iter().fold(1f32, |most, logit| most.max(logit.abs()));
            assert!(difference <= tolerance * scale, "{name}: logits differ by {difference} of {scale}");
        }
        assert_eq!(hidden, expected_hidden, "{name}");
    }
}

#[test]
fn fixtures_give_what_they_gave() {
    let families = "gemma3 idefics3 internvl llava llava_next llava_onevision paligemma phi3_v phi4mm qwen2_5_vl \
                    qwen2_vl qwen3_vl smolvlm";
    for family in families.split_whitespace() {
        equals_unedited(family, &folder_of("tests/models", family), Precision::Fp32, TOLERANCE);
    }
}

#[test]
fn shipped_models_give_what_they_gave() {
    equals_unedited("tiny-reader", &folder_of("onnx", "tiny-reader"), Precision::Fp32, TOLERANCE);
    for precision in [Precision::Fp32, Precision::Int8] {
        equals_unedited(
            &format!("tiny-llava, {precision:?}"),
            &folder_of("onnx", "tiny-llava"),
            precision,
            TOLERANCE,
        );
    }
}

/// The LLaVA fixture with a decoder that is nothing but an LM head (`export_scripts/lm_heads.py`).
fn with_head(name: &str) -> tempfile::TempDir {
    let copy = copy_of(&folder_of("tests/models", "llava"));
    let head = folder_of("tests/models/lm_heads", &format!("{name}.onnx"));
    std::fs::copy(head, copy.path().join("onnx/decoder_model_merged.onnx")).unwrap();
    copy
}

#[test]
fn heads_of_all_kinds_give_what_they_gave() {
    for name in ["number_to_keep", "gemm", "tied_capped", "int8_fused", "nbits"] {
        equals_unedited(name, with_head(name).path(), Precision::Fp32, TOLERANCE);
    }
    // Eleven bits.
    equals_unedited("half", with_head("half").path(), Precision::Fp32, 1e-3);
}

#[test]
fn a_head_at_the_last_token_is_left_as_it_is() {
    let directory = with_head("last_only");
    let mut model = load(directory.path(), Precision::Fp32);
    assert_eq!(model.logit_positions(), LogitPositions::All);
    let ids = Array2::from_elem((1, LENGTH), 7);
    let input = DecoderInput {
        embeds: model.embed(ids, &[]).unwrap(),
        lengths: vec![LENGTH],
        positions: Array3::zeros((1, 1, LENGTH)),
        token_types: Array2::zeros((1, LENGTH)),
        deepstack: Vec::new(),
        asked: vec![(0, LENGTH - 1)],
    };
    assert_eq!(
        model.decode(input, &mut [&mut Seen::default()], &ProbeInput::default()).unwrap().logits.rows().dim(),
        (1, 40)
    );
}
