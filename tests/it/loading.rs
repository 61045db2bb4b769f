//! Image files of many kinds against Pillow: `export_scripts/golden_image_loading.py` wrote them, and what transformers'
//! `load_image` makes of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossmodal::render::load::load;
use crossmodal::suite::ImageSource;
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    width: u32,
    height: u32,
    tolerance: u8,
    rgb: Option<String>,
    same_as: Option<String>,
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/image-loading").join(name)
}

/// What is wrong with the image as it is loaded, if anything.
fn difference(name: &str, expected: &BTreeMap<String, Expected>) -> Option<String> {
    let wanted = &expected[name];
    let found = match load(&ImageSource::File(golden(name))) {
        Ok(found) => found,
        Err(error) => return Some(error.to_string()),
    };
    if found.dimensions() != (wanted.width, wanted.height) {
        return Some(format!("it has {:?} pixels", found.dimensions()));
    }
    let written = wanted.same_as.as_ref().map_or(wanted, |other| &expected[other]);
    let pixels = STANDARD.decode(written.rgb.as_ref().unwrap()).unwrap();
    let differences: Vec<(usize, u8)> = (found.as_raw().iter().zip(&pixels))
        .map(|(found, wanted)| found.abs_diff(*wanted))
        .enumerate()
        .filter(|&(_, difference)| difference > wanted.tolerance)
        .collect();
    let &(first, _) = differences.first()?;
    let largest = differences.iter().map(|&(_, difference)| difference).max()?;
    let (count, all) = (differences.len(), pixels.len());
    let (found, wanted) = (found.as_raw()[first], pixels[first]);
    Some(format!("{count} of {all} bytes differ, by up to {largest}; byte {first} is {found}, not {wanted}"))
}

#[test]
fn files_of_every_kind_have_the_pixels_that_pillow_reads() {
    let text = std::fs::read(golden("expected.json")).unwrap();
    let expected: BTreeMap<String, Expected> = serde_json::from_slice(&text).unwrap();
    assert!(expected.len() > 60);
    let wrong: Vec<String> = (expected.keys())
        .filter_map(|name| difference(name, &expected).map(|problem| format!("{name}: {problem}")))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn too_large_canvases_are_refused_before_memory_is_taken() {
    let mut wide = std::fs::read(golden("transparent-color.gif")).unwrap();
    wide[6..10].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    let mut large = wide.clone();
    large[6..10].copy_from_slice(&[0x10, 0x4e, 0x10, 0x4e]); // 19984 x 19984
    // The width's entry: one SHORT of 41 becomes one LONG of 65,536.
    let mut long = std::fs::read(golden("la.tiff")).unwrap();
    let width = [0, 1, 3, 0, 1, 0, 0, 0, 41, 0, 0, 0];
    let entry = long.windows(12).position(|bytes| bytes == width).unwrap();
    long[entry..entry + 12].copy_from_slice(&[0, 1, 4, 0, 1, 0, 0, 0, 0, 0, 1, 0]);
    for bytes in [wide, large, long] {
        let error = load(&ImageSource::Bytes(bytes.into())).unwrap_err().to_string();
        assert!(error.starts_with("corrupt image (inline data): "), "{error}");
        assert!(error.contains("limit") || error.contains("memory"), "{error}");
    }
}
