//! Attention in vision encoders is fused when they are loaded: the features are the unfused graph's.

use std::path::Path;

use crossmodal::model::{Model, ModelDirectory, OnnxRuntime, Precision, SessionSettings};
use image::{Rgb, RgbImage};
use ndarray::Array2;

use crate::models::{copy_of, folder_of};
use crate::program::library;

/// Largest difference of features, of the largest feature.
const TOLERANCE: f32 = 1e-5;

fn features(path: &Path, rewrite_graphs: bool) -> Array2<f32> {
    let directory = ModelDirectory::open(path, Precision::Fp32).unwrap();
    let runtime = OnnxRuntime::open(library(), &[]).unwrap();
    let settings = SessionSettings { rewrite_graphs, ..SessionSettings::default() };
    let mut model = Model::load(runtime, &directory, settings).unwrap();
    let image = RgbImage::from_fn(90, 70, |x, y| Rgb([x * y, 3 * x, 5 * y + x].map(|c| (c % 251) as u8)));
    let pixels = directory.family().unwrap().pixels(&image).unwrap();
    model.encode_images(&[&pixels]).unwrap().remove(0).rows
}

fn equals_unfused(name: &str, path: &Path) {
    let [fused, unfused] = [true, false].map(|rewrite| features(path, rewrite));
    let largest = |array: &Array2<f32>| array.iter().fold(0f32, |most, value| most.max(value.abs()));
    let (difference, scale) = (largest(&(&fused - &unfused)), largest(&unfused));
    assert!(scale > 0.0, "{name}");
    assert!(difference <= TOLERANCE * scale, "{name}: features differ by {difference} of {scale}");
}

#[test]
fn fixtures_give_what_they_gave() {
    let families = "gemma3 idefics3 internvl llava llava_next llava_onevision paligemma phi3_v phi4mm qwen2_5_vl \
                    qwen2_vl qwen3_vl smolvlm";
    for family in families.split_whitespace() {
        equals_unfused(family, &folder_of("tests/models", family));
    }
}

/// `export_scripts/attentions.py` made these.
#[test]
fn written_out_attention_gives_what_it_gave() {
    for name in ["torchscript", "eager", "masked_keys"] {
        let copy = copy_of(&folder_of("tests/models", "llava"));
        let encoder = folder_of("tests/models/attentions", &format!("{name}.onnx"));
        std::fs::copy(encoder, copy.path().join("onnx/vision_encoder.onnx")).unwrap();
        equals_unfused(name, copy.path());
    }
}
