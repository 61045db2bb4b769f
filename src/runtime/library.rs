//! Library files in a directory: which names count on which platform, and whether a file is a shared library at all.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::environment::Platform;
use super::version::Version;

/// What a usable directory holds, for messages.
pub(super) fn expected_name(platform: Platform) -> &'static str {
    match platform.os {
        "windows" => "onnxruntime.dll",
        "macos" => "libonnxruntime.dylib or libonnxruntime.<version>.dylib",
        _ => "libonnxruntime.so or libonnxruntime.so.<version>",
    }
}

/// Whether `name` is that of the library itself, not of its Python binding or of a provider.
pub(super) fn is_library_name(name: &str, platform: Platform) -> bool {
    let versioned =
        |middle: &str| !middle.is_empty() && middle.split('.').all(|part| part.parse::<u32>().is_ok());
    match platform.os {
        "windows" => name.eq_ignore_ascii_case("onnxruntime.dll"),
        "macos" => {
            name == "libonnxruntime.dylib"
                || name
                    .strip_prefix("libonnxruntime.")
                    .and_then(|tail| tail.strip_suffix(".dylib"))
                    .is_some_and(versioned)
        }
        _ => name == "libonnxruntime.so" || name.strip_prefix("libonnxruntime.so.").is_some_and(versioned),
    }
}

/// Whether the file starts as ELF, Mach-O or PE files do. A Git LFS pointer or an unfinished download does not.
pub(super) fn is_shared_library(path: &Path) -> bool {
    let mut head = [0u8; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok()
        && (&head == b"\x7fELF"
            || head.starts_with(b"MZ")
            || matches!(head, [0xcf | 0xce, 0xfa, 0xed, 0xfe] | [0xca, 0xfe, 0xba, 0xbe | 0xbf]))
}

/// Whether the execution provider that keeps itself in a file of its own (`cuda`, `openvino`) lies beside `library`.
pub(super) fn has_provider(library: &Path, provider: &str) -> bool {
    [format!("libonnxruntime_providers_{provider}.so"), format!("onnxruntime_providers_{provider}.dll")]
        .iter()
        .any(|name| library.with_file_name(name).is_file())
}

/// The newest library directly in `dir`, with its version where that can be told. `Err` is the file that has the right
/// name but is no shared library, when there is nothing better.
pub(super) fn newest_in(
    dir: &Path,
    platform: Platform,
) -> Result<Option<(PathBuf, Option<Version>)>, PathBuf> {
    let mut names: Vec<_> = match dir.read_dir() {
        Ok(entries) => entries.flatten().map(|entry| entry.file_name()).collect(),
        Err(_) => return Ok(None),
    };
    names.retain(|name| name.to_str().is_some_and(|name| is_library_name(name, platform)));
    names.sort();
    let mut best: Option<(PathBuf, Option<Version>)> = None;
    let mut unusable = None;
    for path in names.into_iter().map(|name| dir.join(name)) {
        if !is_shared_library(&path) {
            unusable.get_or_insert(path);
            continue;
        }
        let version = Version::of_library(&path);
        if best.as_ref().is_none_or(|(_, newest)| version > *newest) {
            best = Some((path, version));
        }
    }
    match (best, unusable) {
        (None, Some(path)) => Err(path),
        (best, _) => Ok(best),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::fake::put;

    const LINUX: Platform = Platform { os: "linux", arch: "x86_64" };
    const MACOS: Platform = Platform { os: "macos", arch: "aarch64" };
    const WINDOWS: Platform = Platform { os: "windows", arch: "x86_64" };

    #[test]
    fn only_the_library_itself_counts() {
        for name in ["libonnxruntime.so", "libonnxruntime.so.1", "libonnxruntime.so.1.31.1"] {
            assert!(is_library_name(name, LINUX), "{name}");
        }
        assert!(is_library_name("libonnxruntime.1.31.1.dylib", MACOS));
        assert!(is_library_name("onnxruntime.dll", WINDOWS));
        for name in [
            "libonnxruntime_providers_shared.so",
            "libonnxruntime.so.bak",
            "libonnxruntime.so.",
            "onnxruntime.dll",
        ] {
            assert!(!is_library_name(name, LINUX), "{name}");
        }
    }

    #[test]
    fn of_several_the_newest_is_taken_and_broken_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(newest_in(dir.path(), LINUX), Ok(None));
        let pointer = dir.path().join("libonnxruntime.so.1.40.0");
        put(&pointer, "version https://git-lfs.github.com/spec/v1").unwrap();
        assert_eq!(newest_in(dir.path(), LINUX), Err(pointer));
        for version in ["1.9.0", "1.31.1"] {
            let name = format!("libonnxruntime.so.{version}");
            put(dir.path().join(name), b"\x7fELF").unwrap();
        }
        let newest = dir.path().join("libonnxruntime.so.1.31.1");
        assert_eq!(newest_in(dir.path(), LINUX), Ok(Some((newest, Version::parse("1.31.1")))));
    }
}
