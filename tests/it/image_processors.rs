//! Image processors against those of transformers (Pillow backend), with the settings of published models:
//! `export_scripts/golden_image_processors.py` wrote what they make of awkward sizes. Shapes, grids and token counts must be
//! the same, and pixels within one step of 255.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crossmodal::model::family::ImageTensor;
use crossmodal::model::{ModelDirectory, Precision};
use image::{Rgb, RgbImage};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Golden {
    config: Value,
    processor: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    kind: String,
    width: u32,
    height: u32,
    seed: u32,
    #[serde(default)]
    tensors: BTreeMap<String, Tensor>,
    tokens: Option<usize>,
    /// What stands in the prompt: pieces, and how often each is repeated.
    #[serde(default)]
    expanded: Vec<(String, usize)>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Tensor {
    shape: Vec<usize>,
    /// Flat index and value.
    #[serde(default)]
    samples: Vec<(usize, f64)>,
    mean: Option<f64>,
    /// All of a small tensor.
    values: Option<Vec<i64>>,
}

impl Case {
    fn image(&self) -> RgbImage {
        let (width, height) = (self.width, self.height);
        RgbImage::from_fn(width, height, |x, y| {
            Rgb([0, 1, 2].map(|c| match self.kind.as_str() {
                "noise" => ((3 * x * x + 5 * y * y + (c + 1) * x * y + 17 * self.seed + 50 * c) % 256) as u8,
                "smooth" => {
                    let across = (x * 255) / (width - 1).max(1) * (c + 1);
                    let down = (y * 255) / (height - 1).max(1) * (3 - c);
                    ((across + down) / 4) as u8
                }
                other => panic!("an image of the kind {other}"),
            }))
        })
    }
}

/// A model directory as far as a family reads it: graphs are not opened.
fn directory(model: Value, golden: &Golden, at: &Path) -> ModelDirectory {
    let mut processor = golden.processor.clone();
    processor["image_processor"] = golden.config.clone();
    let mut tokenizer = json!({});
    if model["model_type"] == "gemma3" {
        tokenizer["image_token"] = "<image_soft_token>".into();
    }
    fs::create_dir(at.join("onnx")).unwrap();
    for graph in ["vision_encoder", "embed_tokens", "decoder_model_merged"] {
        fs::write(at.join(format!("onnx/{graph}.onnx")), "").unwrap();
    }
    let files = [
        ("config.json", model),
        ("processor_config.json", processor),
        ("tokenizer_config.json", tokenizer),
        ("tokenizer.json", json!({})),
    ];
    for (name, content) in files {
        fs::write(at.join(name), content.to_string()).unwrap();
    }
    ModelDirectory::open(at, Precision::Fp32).unwrap()
}

fn processes_as_transformers_does(name: &str, model: Value) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/image-processors/{name}.json"));
    let golden: Golden = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert!(golden.cases.len() >= 10, "{name}: {} cases", golden.cases.len());
    let folder = tempfile::tempdir().unwrap();
    let family = directory(model, &golden, folder.path()).family().unwrap();
    let deviations = golden.config["image_std"].as_array().into_iter().flatten();
    // Phi-4-multimodal's is not among the settings: it is 0.5.
    let step = 1.0 / 255.0 / deviations.map(|std| std.as_f64().unwrap()).fold(0.5, f64::min);
    for case in &golden.cases {
        let at = format!("{name}, {} {}x{}", case.kind, case.width, case.height);
        let pixels = match (family.pixels(&case.image()), &case.error) {
            (Ok(pixels), None) => pixels,
            (Err(_), Some(_)) => continue,
            (Ok(_), Some(error)) => panic!("{at}: transformers refuses this: {error}"),
            (Err(error), None) => panic!("{at}: {error}"),
        };
        assert_eq!(Some(pixels.tokens), case.tokens, "{at}: tokens");
        let expanded: String = case.expanded.iter().map(|(piece, count)| piece.repeat(*count)).collect();
        assert!(pixels.expansion == expanded, "{at}: another expansion");
        assert!(case.tensors.contains_key("pixel_values"), "{at}");
        for (name, expected) in &case.tensors {
            let Some((_, found)) = pixels.inputs.iter().find(|(input, _)| input == name) else {
                assert!(expected.values.is_some(), "{at}: no `{name}`"); // a count that the shapes hold as well
                continue;
            };
            // The reference has a batch of one image in front of tiles.
            let shape = &expected.shape[expected.shape.len() - found.shape().len()..];
            assert_eq!(found.shape(), shape, "{at}: {name}");
            let values: Vec<f64> = match found {
                ImageTensor::Float(values) => values.iter().map(|value| f64::from(*value)).collect(),
                ImageTensor::Int(values) => values.iter().map(|value| *value as f64).collect(),
                ImageTensor::Bool(values) => values.iter().map(|value| f64::from(u8::from(*value))).collect(),
            };
            for (index, expected) in &expected.samples {
                let difference = (values[*index] - expected).abs();
                assert!(difference <= step, "{at}: {name}[{index}] is {} for {expected}", values[*index]);
            }
            if let Some(mean) = expected.mean {
                let found = values.iter().sum::<f64>() / values.len() as f64;
                assert!((found - mean).abs() < 1e-3, "{at}: {name} has the mean {found} for {mean}");
            }
            if let Some(whole) = &expected.values {
                assert_eq!(
                    values,
                    whole.iter().map(|value| *value as f64).collect::<Vec<_>>(),
                    "{at}: {name}"
                );
            }
        }
    }
}

macro_rules! goldens {
    ($($name:ident: $model:tt)*) => {$(
        #[test]
        fn $name() {
            processes_as_transformers_does(stringify!($name), json!($model));
        }
    )*};
}

goldens! {
    gemma3: {"model_type": "gemma3", "image_token_index": 9}
    gemma3_plain: {"model_type": "gemma3", "image_token_index": 9}
    idefics3: {"model_type": "idefics3", "image_token_id": 9}
    internvl: {"model_type": "internvl", "image_token_id": 9}
    llava: {"model_type": "llava", "image_token_index": 9, "vision_config": {"patch_size": 14}}
    llava_next: {"model_type": "llava_next", "image_token_index": 9, "vision_config": {"patch_size": 14}}
    llava_onevision: {"model_type": "llava_onevision", "image_token_index": 9, "vision_config": {"patch_size": 14}}
    llava_pad: {"model_type": "llava", "image_token_index": 9, "vision_config": {"patch_size": 14}}
    paligemma_224: {"model_type": "paligemma", "image_token_index": 9, "vision_config": {"patch_size": 14}}
    paligemma_448: {"model_type": "paligemma", "image_token_index": 9, "vision_config": {"patch_size": 14}}
    phi3_v: {"model_type": "phi3_v"}
    phi4mm: {"model_type": "phi4mm"}
    qwen2_5_vl: {"model_type": "qwen2_5_vl", "image_token_id": 9}
    qwen2_vl: {"model_type": "qwen2_vl", "image_token_id": 9}
    qwen3_vl: {"model_type": "qwen3_vl", "image_token_id": 9}
    smolvlm: {"model_type": "smolvlm", "image_token_id": 9}
    smolvlm_plain: {"model_type": "smolvlm", "image_token_id": 9}
}
