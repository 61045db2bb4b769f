//! The directories of CUDA, cuDNN and TensorRT libraries that came as Python wheels. The GPU build does not find them by
//! itself (they are on no library path), so whoever opens it loads them too: after ONNX Runtime, before a CUDA session.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::python;

/// What a GPU build needs: `nvidia/*/lib` and TensorRT beside it first, then those of the active Python environment, each
/// with the order of names inside.
pub(super) fn library_dirs(env: &Environment, library: &Path) -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = Vec::new();
    if let Some(dir) = library.parent() {
        roots.push(dir.to_path_buf());
        if dir.ends_with("onnxruntime/capi") {
            roots.extend(dir.parent().and_then(Path::parent).map(Path::to_path_buf));
        }
    }
    roots.extend(python::site_packages(env));
    let mut dirs: Vec<PathBuf> = Vec::new();
    for dir in roots.iter().flat_map(|root| below(root)) {
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }
    dirs
}

fn below(root: &Path) -> Vec<PathBuf> {
    let mut packages: Vec<PathBuf> = match root.join("nvidia").read_dir() {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(_) => Vec::new(),
    };
    packages.sort();
    let mut dirs: Vec<PathBuf> =
        packages.iter().flat_map(|package| ["lib", "bin"].map(|sub| package.join(sub))).collect();
    dirs.push(root.join("tensorrt_libs"));
    dirs.retain(|dir| dir.is_dir());
    dirs
}
