//! Against transformers' own words: `export_scripts/golden_tiny_llava.py` wrote what the same weights say in PyTorch, what
//! its processor makes of awkward images, and what its chat template and tokenizer make of the same messages.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crossmodal::engine::{Depth, EvaluationSettings, evaluate};
use crossmodal::model::family::ImageTensor;
use crossmodal::model::{
    Depths, Graphs, Model, ModelDirectory, OnnxRuntime, Precision, Probe, SessionSettings,
};
use crossmodal::prepare::Preparer;
use crossmodal::render::load::load;
use crossmodal::render::resize::{Filter, resize};
use crossmodal::suite::seeding::hex_digest;
use crossmodal::suite::{self, Group, Part, Presentation, SuiteSpec};
use image::{Rgb, RgbImage};
use serde::Deserialize;

use crate::program::{library, tiny_llava};

/// Largest difference between a logit and its reference.
const LOGIT_TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Case {
    item_id: String,
    presentation: String,
    prompt: String,
    input_ids: Vec<i64>,
    image_sha256: Option<String>,
    generated_ids: Vec<u32>,
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tiny-llava").join(name)
}

/// A `.npy` file's shape and raw data.
fn npy(name: &str) -> (Vec<usize>, Vec<u8>) {
    let bytes = std::fs::read(golden(name)).unwrap();
    assert_eq!(&bytes[..6], b"\x93NUMPY", "{name}");
    let header_end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8(bytes[10..header_end].to_vec()).unwrap();
    assert!(header.contains("'fortran_order': False"), "{header}");
    let shape = header.split_once("'shape': (").unwrap().1.split_once(')').unwrap().0;
    let shape = shape.split(',').filter_map(|size| size.trim().parse().ok()).collect();
    (shape, bytes[header_end..].to_vec())
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect()
}

fn cases() -> Vec<Case> {
    serde_json::from_slice(&std::fs::read(golden("cases.json")).unwrap()).unwrap()
}

/// The two groups that the goldens were made from.
fn groups() -> Vec<Group> {
    let suite = suite::open(&SuiteSpec { groups: Some(2), ..SuiteSpec::default() }).unwrap();
    (0..suite.group_count()).map(|index| suite.group(index).unwrap()).collect()
}

fn preparer() -> Preparer {
    Preparer::open(&ModelDirectory::open(&tiny_llava(), Precision::Fp32).unwrap()).unwrap()
}

fn key(row: &Presentation) -> (String, String) {
    (row.item_id.clone(), row.kind.as_str().to_string())
}

#[test]
fn prompts_tokens_and_pictures_are_those_of_the_reference() {
    let preparer = preparer();
    let groups = groups();
    let rows: Vec<(&Group, &Presentation)> =
        groups.iter().flat_map(|group| group.presentations.iter().map(move |row| (group, row))).collect();
    let unit = preparer.prepare(0, groups.clone());
    let prompts: HashMap<(String, String), usize> =
        rows.iter().enumerate().map(|(index, (_, row))| (key(row), index)).collect();
    let cases = cases();
    assert_eq!(cases.len(), 50);
    for case in cases {
        let index = prompts[&(case.item_id.clone(), case.presentation.clone())];
        let (group, row) = rows[index];
        assert_eq!(preparer.render(row).unwrap(), case.prompt, "{}", case.item_id);
        assert_eq!(unit.prompts[index].as_ref().unwrap().ids, case.input_ids, "{}", case.item_id);
        let shown = row.messages[0].content.iter().find_map(|part| match part {
            Part::Image(image) => Some(hex_digest(load(&group.images[*image]).unwrap().as_raw())),
            Part::Text(_) | Part::Written(_) => None,
        });
        assert_eq!(shown, case.image_sha256, "{}", case.item_id);
    }
}

/// Largest difference to the reference over all cases, and how many best tokens differ.
fn compare_logits(precision: Precision, graphs: Graphs) -> (f32, usize) {
    let directory = ModelDirectory::open(&tiny_llava(), precision).unwrap();
    let runtime = OnnxRuntime::open(library(), &[]).unwrap();
    let settings = SessionSettings {
        probe: Probe { lens: true, sums: Depths::All },
        graphs,
        ..SessionSettings::default()
    };
    let mut model = Model::load(runtime, &directory, settings).unwrap();
    let preparer = preparer();
    let unit = preparer.prepare(0, groups());
    let rows: Vec<(String, String)> =
        unit.groups.iter().flat_map(|group| group.presentations.iter().map(key)).collect();
    let settings = EvaluationSettings {
        batch_tokens: 2048,
        top_k: usize::MAX,
        embeddings: true,
        probed: Some(64),
        drafts: true,
        sharing: true,
    };
    let result = evaluate(&mut model, &preparer, unit, &settings);
    let answers: HashMap<_, _> = rows.into_iter().zip(&result.answers).collect();

    let (shape, bytes) = npy("logits.npy");
    let reference = floats(&bytes);
    let (mut largest, mut other_tokens) = (0f32, 0);
    for (case, expected) in cases().iter().zip(reference.chunks_exact(shape[1])) {
        let answer = answers[&(case.item_id.clone(), case.presentation.clone())].as_ref().unwrap();
        assert_eq!(answer.scores.top.len(), shape[1]);
        for &(token, logit) in &answer.scores.top {
            largest = largest.max((logit - expected[token as usize]).abs());
        }
        other_tokens += usize::from(answer.scores.top[0].0 != case.generated_ids[0]);
        let depths: Vec<Depth> = answer.means.iter().map(|means| means.depth).collect();
        assert_eq!(depths.first().zip(depths.last()), Some((&Depth::Input, &Depth::Output)));
        // The lens after the last layer is the model.
        let last = answer.layers.last().unwrap();
        assert_eq!((last.token, last.option), (answer.scores.top[0].0, answer.scores.answer));
        assert!((last.logit - answer.scores.top[0].1).abs() < LOGIT_TOLERANCE);
    }
    (largest, other_tokens)
}

#[test]
fn logits_equal_those_of_the_reference() {
    let (largest, other_tokens) = compare_logits(Precision::Fp32, Graphs::Own);
    assert!(largest < LOGIT_TOLERANCE, "the largest difference is {largest}");
    assert_eq!(other_tokens, 0);
}

/// Over 9,780 prompts 2.4 % of the best tokens differ, with fused attention in the vision encoder and without.
#[test]
fn int8_answers_are_nearly_always_those_of_the_reference() {
    // The file as it is.
    let (_, other_tokens) = compare_logits(Precision::Int8, Graphs::Exported);
    assert!(other_tokens <= 2, "{other_tokens} of 50 answers differ");
    // Fused attention moves one more over an edge here, and as many back elsewhere.
    let (_, other_tokens) = compare_logits(Precision::Int8, Graphs::Own);
    assert!(other_tokens <= 3, "{other_tokens} of 50 answers differ when graphs are rewritten");
}

#[derive(Deserialize)]
struct PixelGoldens {
    sizes: Vec<(u32, u32)>,
}

#[test]
fn pixels_equal_those_of_the_reference() {
    let goldens: PixelGoldens =
        serde_json::from_slice(&std::fs::read(golden("pixels.json")).unwrap()).unwrap();
    let preparer = preparer();
    for (place, &(width, height)) in goldens.sizes.iter().enumerate() {
        let byte = |value: u32| (value % 256) as u8;
        let image =
            RgbImage::from_fn(width, height, |x, y| Rgb([byte(5 * x + 3 * y), byte(x * y), byte(x ^ y)]));
        let name = format!("pixels/{width}x{height}");

        let (shape, expected) = npy(&format!("{name}.u8.npy"));
        let resized = resize(&image, 64, 64, Filter::Bicubic);
        assert_eq!(shape, [3, 64, 64]);
        for (x, y, pixel) in resized.enumerate_pixels() {
            for channel in 0..3 {
                let at = channel * 64 * 64 + (y * 64 + x) as usize;
                assert_eq!(pixel.0[channel], expected[at], "{name} at ({x}, {y}), channel {channel}");
            }
        }
        if place < 2 {
            let (_, bytes) = npy(&format!("{name}.f32.npy"));
            let found = preparer.family().pixels(&image).unwrap();
            let ImageTensor::Float(values) = &found.inputs[0].1 else { panic!("pixels are floats") };
            let pairs = values.iter().zip(floats(&bytes));
            let largest = pairs.map(|(found, expected)| (found - expected).abs()).fold(0f32, f32::max);
            // Values are in [-1, 1]; far below one step of 2/255.
            assert!(largest < 1e-6, "{name}: {largest}");
        }
    }
}
