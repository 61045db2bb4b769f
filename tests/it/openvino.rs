//! `--ep openvino` against the CPU provider of the same library; skipped where that library is not installed
//! (`crossmodal runtime install --openvino`).

use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use crossmodal::record::Table;
use crossmodal::runtime::{Flavor, find_build};

use crate::program::{run, stderr};
use crate::tables::read;

fn library() -> Option<PathBuf> {
    match find_build(None, Flavor::Openvino) {
        Ok(found) => Some(found.path),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

/// All logits of a run of the shipped model with `arguments`, and what the run said.
fn logits(library: &Path, arguments: &[&str]) -> (Vec<f32>, String) {
    let out = tempfile::tempdir().unwrap();
    let mut command = run("color-recognition", out.path());
    command.env("ORT_DYLIB_PATH", library).args(["--limit", "2", "--top-k", "all", "--sessions", "1"]);
    let (code, said) = stderr(command.args(arguments));
    assert_eq!(code, Some(0), "{said}");
    let column = |batch: arrow_array::RecordBatch| {
        let lists = batch.column_by_name("logits").unwrap().as_list::<i32>().clone();
        lists.values().as_primitive::<Float32Type>().values().to_vec()
    };
    (read(out.path(), Table::Logits).into_iter().flat_map(column).collect(), said)
}

/// Root of the mean square of the difference over that of `expected`.
fn relative_error(expected: &[f32], found: &[f32]) -> f64 {
    assert_eq!(expected.len(), found.len());
    let square = |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>();
    let difference = square(&mut expected.iter().zip(found).map(|(a, b)| a - b));
    (difference / square(&mut expected.iter().copied())).sqrt()
}

#[test]
fn f32_is_exact_and_bf16_is_near_and_both_say_where_graphs_run() {
    let Some(library) = library() else { return };
    let (expected, said) = logits(&library, &["--ep", "cpu"]);
    assert!(!said.contains("OpenVINO"), "{said}");
    let (exact, said) = logits(&library, &["--ep", "openvino"]);
    assert!(said.contains("note: vision encoder: ") && said.contains(" nodes by OpenVINO; "), "{said}");
    assert!(said.contains("; decoder by cpu\n"), "{said}");
    let error = relative_error(&expected, &exact);
    assert!(error < 1e-5, "f32: {error}");
    let (near, _) = logits(&library, &["--ep", "openvino", "--arithmetic", "bf16"]);
    let error = relative_error(&expected, &near);
    assert!(error > 1e-4 && error < 0.05, "bf16 is not what ran, or far off: {error}");
}

#[test]
fn the_number_of_threads_does_not_show() {
    let Some(library) = library() else { return };
    let (one, _) = logits(&library, &["--ep", "openvino", "--threads", "1"]);
    let (two, _) = logits(&library, &["--ep", "openvino", "--threads", "2"]);
    assert!(one == two);
}
