//! A downloaded wheel: whether it is the pinned one, and the few files of it that are wanted.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::RuntimeError;
use super::pip::file_name;

/// Fails unless the file's SHA-256 is `expected`.
pub(super) fn check(wheel: &Path, expected: &str) -> Result<(), RuntimeError> {
    let found = sha256(wheel).map_err(|source| RuntimeError::io("hash the download", wheel, source))?;
    if found == expected {
        return Ok(());
    }
    Err(RuntimeError::HashMismatch { wheel: file_name(wheel), expected: expected.to_owned(), found })
}

pub(super) fn sha256(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0u8; 1 << 20];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Unpacks the shared libraries and the licences into `tree`, each file synced; returns their paths below `tree` and
/// their sizes.
pub(super) fn unpack(wheel: &Path, tree: &Path) -> Result<Vec<(PathBuf, u64)>, RuntimeError> {
    let bad = |reason: String| RuntimeError::BadWheel { wheel: file_name(wheel), reason };
    let file = File::open(wheel).map_err(|source| RuntimeError::io("open the download", wheel, source))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| bad(error.to_string()))?;
    let mut unpacked = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| bad(error.to_string()))?;
        let name = entry.name().map_err(|error| bad(error.to_string()))?.into_owned();
        let Some(name) = destination(&name) else {
            continue;
        };
        let path = tree.join(&name);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            let mut file = File::create_new(&path)?;
            let bytes = io::copy(&mut entry, &mut file)?;
            file.sync_all()?;
            Ok(bytes)
        });
        match written {
            Ok(bytes) => unpacked.push((name, bytes)),
            Err(source) => return Err(RuntimeError::io("unpack the download", &path, source)),
        }
    }
    Ok(unpacked)
}

/// Where an entry of a wheel goes: ONNX Runtime's libraries and licences to the top, NVIDIA's libraries where their
/// package has them, and their licences beside. `None` for everything else, Python's own binding among it.
fn destination(entry: &str) -> Option<PathBuf> {
    let parts: Vec<&str> = entry.split('/').collect();
    if parts.iter().any(|part| part.is_empty() || *part == ".." || part.contains(['\\', ':'])) {
        return None;
    }
    match parts[..] {
        ["onnxruntime", "capi", file] if is_library(file) && !file.contains("pybind11") => Some(file.into()),
        ["onnxruntime", file @ ("LICENSE" | "ThirdPartyNotices.txt")] => Some(file.into()),
        ["nvidia", _, "lib" | "bin", file] if is_library(file) => Some(parts.iter().collect()),
        [info, "licenses", "License.txt"] => {
            let package = info.strip_suffix(".dist-info").filter(|package| package.starts_with("nvidia"))?;
            Some(Path::new("nvidia").join(format!("{package}-License.txt")))
        }
        _ => None,
    }
}

fn is_library(file: &str) -> bool {
    file.ends_with(".so") || file.contains(".so.") || file.ends_with(".dylib") || file.ends_with(".dll")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_licences_are_wanted_and_nothing_else() {
        let goes_to = |entry| destination(entry).map(|path| path.to_string_lossy().replace('\\', "/"));
        for (entry, there) in [
            ("onnxruntime/capi/libonnxruntime.so.1.31.1", "libonnxruntime.so.1.31.1"),
            ("onnxruntime/capi/libonnxruntime_providers_cuda.so", "libonnxruntime_providers_cuda.so"),
            ("onnxruntime/capi/libonnxruntime.1.31.1.dylib", "libonnxruntime.1.31.1.dylib"),
            ("onnxruntime/capi/onnxruntime.dll", "onnxruntime.dll"),
            ("onnxruntime/LICENSE", "LICENSE"),
            ("nvidia/cu13/lib/libcudart.so.13", "nvidia/cu13/lib/libcudart.so.13"),
            ("nvidia_cufft-12.5.dist-info/licenses/License.txt", "nvidia/nvidia_cufft-12.5-License.txt"),
        ] {
            assert_eq!(goes_to(entry).as_deref(), Some(there));
        }
        for entry in [
            "onnxruntime/capi/onnxruntime_pybind11_state.cpython-312-x86_64-linux-gnu.so",
            "onnxruntime/capi/_pybind_state.py",
            "onnxruntime/tools/libonnxruntime.so",
            "nvidia/../lib/libcudart.so.13",
            "/nvidia/cu13/lib/libcudart.so.13",
            "nvidia/cu13/lib/..\\..\\evil.dll",
            "nvidia/cu13/include/cuda.h",
        ] {
            assert_eq!(goes_to(entry), None, "{entry}");
        }
    }
}
