//! Attention in vision encoders is fused when they are loaded: the features are the unfused graph's.

use std::path::Path;

use crossmodal::model::family::{ImageTensor, Pixels};
use crossmodal::model::{Graphs, Model, ModelDirectory, OnnxRuntime, Precision, SessionSettings};
use image::{Rgb, RgbImage};
use ndarray::{Array2, Axis, Slice};

use crate::models::{copy_of, folder_of};
use crate::program::library;

/// Largest difference of features, of the largest feature.
const TOLERANCE: f32 = 1e-5;

/// Features of a picture whose pixels are `changed` before they are encoded.
fn features(path: &Path, precision: Precision, graphs: Graphs, changed: impl Fn(&mut Pixels)) -> Array2<f32> {
    let settings = SessionSettings { graphs, ..SessionSettings::default() };
    features_with(settings, path, precision, changed)
}

fn features_with(
    settings: SessionSettings,
    path: &Path,
    precision: Precision,
    changed: impl Fn(&mut Pixels),
) -> Array2<f32> {
    let directory = ModelDirectory::open(path, precision).unwrap();
    let runtime = OnnxRuntime::open(library(), &[]).unwrap();
    let mut model = Model::load(runtime, &directory, settings).unwrap();
    let image = RgbImage::from_fn(90, 70, |x, y| Rgb([x * y, 3 * x, 5 * y + x].map(|c| (c % 251) as u8)));
    let mut pixels = directory.family().unwrap().pixels(&image).unwrap();
    changed(&mut pixels);
    model.encode_images(&[&pixels]).unwrap().remove(0).rows
}

fn largest(array: &Array2<f32>) -> f32 {
    array.iter().fold(0f32, |most, value| most.max(value.abs()))
}

fn equals_unfused(name: &str, path: &Path) {
    let [fused, unfused] =
        [Graphs::Own, Graphs::Exported].map(|graphs| features(path, Precision::Fp32, graphs, |_| ()));
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

/// Says of the lower rows of every view that they are padding.
fn pad(pixels: &mut Pixels) {
    for (role, tensor) in &mut pixels.inputs {
        if let ("pixel_attention_mask", ImageTensor::Bool(mask)) = (*role, tensor) {
            let height = mask.len_of(Axis(1)) as isize;
            mask.slice_axis_mut(Axis(1), Slice::from(height / 2..)).fill(false);
        }
    }
}

#[test]
fn padding_is_masked_as_before() {
    for family in ["idefics3", "smolvlm"] {
        let path = folder_of("tests/models", family);
        let [fused, unfused] =
            [Graphs::Own, Graphs::Exported].map(|graphs| features(&path, Precision::Fp32, graphs, pad));
        let apart = largest(&(&fused - &unfused));
        assert!(apart <= TOLERANCE * largest(&unfused), "{family}: features differ by {apart}");
        let whole = features(&path, Precision::Fp32, Graphs::Own, |_| ());
        let moved = largest(&(&whole - &unfused));
        assert!(
            moved > 100.0 * TOLERANCE * largest(&whole),
            "{family}: the mask moved features by {moved} only"
        );
    }
}

/// Rounding may move a number over the edge of a quantization step: another step is no worse.
#[test]
fn a_quantized_encoder_is_as_near_to_the_whole_one() {
    let path = folder_of("onnx", "tiny-llava");
    let of = |precision, graphs| features(&path, precision, graphs, |_| ());
    let whole = of(Precision::Fp32, Graphs::Exported);
    let [fused, unfused] = [Graphs::Own, Graphs::Exported].map(|graphs| {
        let apart = of(Precision::Int8, graphs) - &whole;
        apart.pow2().mean().unwrap().sqrt()
    });
    assert!(fused > 0.0 && fused < 1.1 * unfused, "from fp32: fused {fused}, unfused {unfused}");
}

#[test]
fn a_quantized_encoder_gives_the_same_bits_on_any_number_of_threads() {
    let path = folder_of("onnx", "tiny-llava");
    let [one, two] = [1, 2].map(|intra_threads| {
        let settings = SessionSettings { intra_threads, ..SessionSettings::default() };
        features_with(settings, &path, Precision::Int8, |_| ())
    });
    assert_eq!(one, two);
}
