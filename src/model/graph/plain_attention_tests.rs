use ndarray::{Array, ArrayD};
use ort::session::{Session, SessionInputValue};
use ort::value::Tensor;
use proptest::prelude::*;

use super::*;
use crate::model::OnnxRuntime;
use crate::model::graph::Graph;

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

fn keeps_its_features(family: &str, inputs: impl Fn() -> Inputs) {
    let mut model = graph(family);
    let before = features(&model, &inputs);
    let attentions =
        Graph::read(&model).unwrap().nodes.iter().filter(|node| node.operator == "Attention").count();
    assert_eq!(write_out_attention(&mut model), Ok(attentions), "{family}");
    assert!(attentions > 0 && !Graph::read(&model).unwrap().has("Attention"));
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
    let write = |attributes: &[Vec<u8>], inputs: &[&str], element: u64| {
        let (mut graph, mut model) = (Vec::new(), Vec::new());
        node(&mut graph, "Attention", inputs, "y", attributes);
        let (mut tensor, mut kind, mut value) = (Vec::new(), Vec::new(), Vec::new());
        put_number(TENSOR_ELEMENT, element, &mut tensor);
        put_field(TYPE_TENSOR, &tensor, &mut kind);
        put_field(VALUE_NAME, b"q", &mut value);
        put_field(VALUE_TYPE, &kind, &mut value);
        put_field(GRAPH_VALUE_INFO, &value, &mut graph);
        put_field(MODEL_GRAPH, &graph, &mut model);
        write_out_attention(&mut model).unwrap()
    };
    let scale = || {
        let mut attribute = vec![ATTRIBUTE_FLOAT_TAG];
        attribute.extend(0.5f32.to_le_bytes());
        put_field(ATTRIBUTE_NAME, b"scale", &mut attribute);
        put_number(ATTRIBUTE_TYPE, 1, &mut attribute);
        attribute
    };
    let causal = |flag: u64| {
        let mut attribute = Vec::new();
        put_field(ATTRIBUTE_NAME, b"is_causal", &mut attribute);
        put_number(ATTRIBUTE_INT, flag, &mut attribute);
        put_number(ATTRIBUTE_TYPE, KIND_INT, &mut attribute);
        attribute
    };
    assert_eq!(write(&[scale(), causal(0)], &["q", "k", "v"], FLOAT), 1);
    assert_eq!(write(&[scale(), causal(1)], &["q", "k", "v"], FLOAT), 0, "causal");
    assert_eq!(write(&[], &["q", "k", "v"], FLOAT), 0, "no scale");
    assert_eq!(write(&[scale()], &["q", "k", "v", "", "past", "past"], FLOAT), 0, "a past");
    assert_eq!(write(&[scale()], &["q", "k", "v", "m"], FLOAT), 0, "a mask of unknown type");
    assert_eq!(write(&[scale()], &["q", "k", "v"], 10), 0, "float16");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = write_out_attention(&mut bytes);
    }
}
