use ndarray::{Array, ArrayD};
use ort::session::{Session, SessionInputValue};
use ort::value::Tensor;

use super::*;
use crate::model::OnnxRuntime;

type Inputs = Vec<(&'static str, SessionInputValue<'static>)>;

fn graph(family: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    std::fs::read(folder.join(family).join("onnx/vision_encoder.onnx")).unwrap()
}

fn pixels(shape: &[usize]) -> SessionInputValue<'static> {
    let mut state = 7u32;
    let noise = ArrayD::from_shape_simple_fn(shape.to_vec(), || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    });
    Tensor::from_array(noise).unwrap().into()
}

/// Features of the vision encoder in `model`.
fn features(model: &[u8], inputs: impl Fn() -> Inputs) -> Vec<f32> {
    let library = crate::runtime::find_or_install(None, &mut |line| eprintln!("{line}")).unwrap().path;
    let runtime = OnnxRuntime::open(&library, &[]).unwrap();
    let mut session = Session::builder(&runtime.environment).unwrap().commit_from_memory(model).unwrap();
    let outputs = session.run(inputs()).unwrap();
    outputs["image_features"].try_extract_array::<f32>().unwrap().iter().copied().collect()
}

/// Writes attention out; how many operators are left.
fn written_out(model: &mut Vec<u8>) -> usize {
    let mut edit = Edit::default();
    write_out_attention(&Graph::read(model).unwrap(), &mut edit);
    edit.apply(model).unwrap();
    let graph = Graph::read(model).unwrap();
    graph.nodes.iter().filter(|node| node.operator == "Attention").count()
}

fn keeps_its_features(family: &str, inputs: impl Fn() -> Inputs) {
    let mut model = graph(family);
    let before = features(&model, &inputs);
    assert!(Graph::read(&model).unwrap().has("Attention"), "{family}");
    assert_eq!(written_out(&mut model), 0, "{family}");
    let after = features(&model, &inputs);
    assert_eq!(before.len(), after.len());
    let farthest = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let largest = before.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    assert!(farthest <= 1e-5 * largest, "{family}: {farthest} of {largest}");
}

#[test]
fn features_without_a_mask_stay() {
    keeps_its_features("llava", || vec![("pixel_values", pixels(&[2, 3, 56, 56]))]);
}

#[test]
fn features_with_a_mask_stay() {
    // The second view is padded on the right.
    let mask = || Array::from_shape_fn((1, 2, 64, 64), |(_, view, _, column)| view == 0 || column < 32);
    keeps_its_features("smolvlm", || {
        vec![
            ("pixel_values", pixels(&[1, 2, 3, 64, 64])),
            ("pixel_attention_mask", Tensor::from_array(mask()).unwrap().into()),
        ]
    });
}

#[test]
fn features_with_a_mask_between_images_stay() {
    let grid = || Array::from_shape_vec((2, 3), vec![1i64, 4, 6, 1, 2, 4]).unwrap();
    keeps_its_features("qwen2_vl", || {
        vec![("pixel_values", pixels(&[32, 384])), ("grid_thw", Tensor::from_array(grid()).unwrap().into())]
    });
}

#[test]
fn what_does_more_than_is_written_out_stays_as_it_is() {
    let file = graph("llava");
    let read = Graph::read(&file).unwrap();
    let attention = read.nodes.iter().find(|node| node.operator == "Attention").unwrap();
    let inputs = &attention.inputs[..3];
    // One more attention over the same queries, keys and values.
    let left = |inputs: &[&str], attributes: &[Attribute]| {
        let (mut model, mut edit) = (file.clone(), Edit::default());
        edit.node_with("Attention", "", inputs, &["another"], attributes);
        edit.apply(&mut model).unwrap();
        written_out(&mut model)
    };
    let scale = Attribute::Float("scale", 0.5);
    assert_eq!(left(inputs, &[scale, Attribute::Integer("is_causal", 0)]), 0);
    assert_eq!(left(inputs, &[scale, Attribute::Integer("is_causal", 1)]), 1, "causal");
    assert_eq!(left(inputs, &[scale, Attribute::Float("softcap", 30.0)]), 1, "a cap");
    assert_eq!(left(inputs, &[]), 1, "no scale");
    assert_eq!(left(&[inputs, &["", "past", "past"]].concat(), &[scale]), 1, "a past");
    assert_eq!(left(&[inputs, &["mask"]].concat(), &[scale]), 1, "a mask of unknown type");
    assert_eq!(left(&["queries", "keys", "values"], &[scale]), 1, "unknown queries");
}
