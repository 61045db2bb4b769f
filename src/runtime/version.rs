//! Which release a library file is, without opening it as a library: from its name, from a marker inside the file, or from
//! the Python package around it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A release of ONNX Runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 1 in 1.31.2.
    pub major: u32,
    /// 31 in 1.31.2.
    pub minor: u32,
    /// 2 in 1.31.2.
    pub patch: u32,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Version {
    /// Reads `1.31`, `1.31.2`, `1.31.2rc1` or `1.32.0.dev2026`; what follows the third number does not count. `None`
    /// where there are not at least two numbers: the `1` of `libonnxruntime.so.1` says nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = [0u32; 3];
        let mut rest = text.trim();
        for (place, number) in numbers.iter_mut().enumerate() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            if digits == 0 {
                if place < 2 {
                    return None;
                }
                break;
            }
            *number = rest[..digits].parse().ok()?;
            match rest[digits..].strip_prefix('.') {
                Some(after) => rest = after,
                None if place == 0 => return None,
                None => break,
            }
        }
        Some(Self { major: numbers[0], minor: numbers[1], patch: numbers[2] })
    }

    /// From `libonnxruntime.so.1.31.1` or `libonnxruntime.1.31.1.dylib`.
    pub(super) fn in_file_name(name: &str) -> Option<Self> {
        let tail = name.strip_prefix("libonnxruntime.")?;
        Self::parse(tail.strip_prefix("so.").or_else(|| tail.strip_suffix(".dylib"))?)
    }

    /// The release of the library at `path`, where anything tells.
    pub fn of_library(path: &Path) -> Option<Self> {
        let name = |path: &Path| Self::in_file_name(path.file_name()?.to_str()?);
        name(path)
            .or_else(|| name(&path.canonicalize().ok()?))
            .or_else(|| marker(File::open(path).ok()?).ok().flatten())
            .or_else(|| of_package_around(path))
    }
}

/// ELF builds carry the symbol version `VERS_1.31.1`; Windows builds a UTF-16 resource `ProductVersion`.
fn marker(mut file: impl Read) -> io::Result<Option<Version>> {
    const STEP: usize = 1 << 20;
    const LONGEST: usize = 256;
    let resource: Vec<u8> = "ProductVersion".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut window: Vec<u8> = Vec::with_capacity(STEP + LONGEST);
    loop {
        let read = file.by_ref().take(STEP as u64).read_to_end(&mut window)?;
        let found = after(&window, b"VERS_")
            .find_map(|tail| terminated(tail.iter().copied()))
            .or_else(|| after(&window, &resource).find_map(|tail| terminated(utf16_text(tail))));
        if found.is_some() || read == 0 {
            return Ok(found);
        }
        // A marker that lies across the border is seen whole in the next window.
        window.drain(..window.len().saturating_sub(LONGEST));
    }
}

/// What follows each occurrence of `needle`.
fn after<'a>(window: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let first = needle[0];
    (0..window.len())
        .filter(move |&at| window[at] == first)
        .filter_map(move |at| window[at..].strip_prefix(needle))
}

/// The low bytes of a UTF-16 string, without the padding zeros that a resource has before its value.
fn utf16_text(tail: &[u8]) -> impl Iterator<Item = u8> {
    tail.chunks_exact(2).map(|unit| if unit[1] == 0 { unit[0] } else { b'?' }).skip_while(|&byte| byte == 0)
}

/// A version up to its closing zero; `None` where the zero is not in sight, so that no number is cut short.
fn terminated(text: impl Iterator<Item = u8>) -> Option<Version> {
    let mut digits = String::new();
    for byte in text.take(64) {
        if byte == 0 {
            return Version::parse(&digits);
        }
        digits.push(char::from(byte));
    }
    None
}

/// `site-packages/onnxruntime/capi/<library>` has `site-packages/onnxruntime*-<version>.dist-info/METADATA` beside it.
fn of_package_around(library: &Path) -> Option<Version> {
    let capi = library.parent().filter(|dir| dir.ends_with("onnxruntime/capi"))?;
    let mut folders: Vec<_> = capi.parent()?.parent()?.read_dir().ok()?.flatten().map(|e| e.path()).collect();
    folders.sort();
    folders.into_iter().find_map(|folder| {
        let name = folder.file_name()?.to_str()?;
        if !(name.starts_with("onnxruntime") && name.ends_with(".dist-info")) {
            return None;
        }
        let metadata = std::fs::read_to_string(folder.join("METADATA")).ok()?;
        metadata.lines().find_map(|line| Version::parse(line.strip_prefix("Version:")?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::fake::put;

    #[test]
    fn numbers_are_read_and_tails_ignored() {
        let version = |major, minor, patch| Some(Version { major, minor, patch });
        assert_eq!(Version::parse("1.31.1"), version(1, 31, 1));
        assert_eq!(Version::parse("1.31"), version(1, 31, 0));
        assert_eq!(Version::parse("1.32.0.dev20261101"), version(1, 32, 0));
        assert_eq!(Version::parse("1.31.2rc1+cu13"), version(1, 31, 2));
        assert_eq!(Version::parse("1.31.2.20261023.3.6af1a93"), version(1, 31, 2));
        for not_a_version in ["", "1", "one.two", ".1", "1.x", "99999999999.1"] {
            assert_eq!(Version::parse(not_a_version), None, "{not_a_version}");
        }
        assert!(Version::parse("1.9.1") < Version::parse("1.31.0"), "by number, not by letter");
    }

    #[test]
    fn a_file_name_tells_where_it_can() {
        let said = |name| Version::in_file_name(name).map(|v| v.to_string());
        assert_eq!(said("libonnxruntime.so.1.31.1").as_deref(), Some("1.31.1"));
        assert_eq!(said("libonnxruntime.1.31.1.dylib").as_deref(), Some("1.31.1"));
        for silent in ["libonnxruntime.so", "libonnxruntime.so.1", "onnxruntime.dll", "libonnxruntime.dylib"]
        {
            assert_eq!(said(silent), None, "{silent}");
        }
    }

    #[test]
    fn a_marker_inside_is_found_wherever_it_lies() {
        let mut windows = b"MZ....".to_vec();
        windows.extend("ProductVersion\0\0\u{0}1.31.1.20261023\0".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(marker(&windows[..]).unwrap(), Version::parse("1.31.1"));
        // Around the border of the first window, byte by byte.
        for start in (1 << 20) - 14..=(1 << 20) + 2 {
            let mut elf = vec![b'V'; start];
            elf.extend_from_slice(b"\0VERS_1.31.1\0");
            assert_eq!(marker(&elf[..]).unwrap(), Version::parse("1.31.1"), "at {start}");
        }
        assert_eq!(marker(&b"\x7fELF VERS_ VERS_x VERS_1.31"[..]).unwrap(), None);
    }

    #[test]
    fn the_package_around_tells_when_the_file_does_not() {
        let site = tempfile::tempdir().unwrap();
        let capi = site.path().join("onnxruntime/capi");
        std::fs::create_dir_all(&capi).unwrap();
        let info = site.path().join("onnxruntime_gpu-1.31.1.dist-info");
        std::fs::create_dir_all(&info).unwrap();
        put(info.join("METADATA"), "Name: onnxruntime-gpu\nVersion: 1.31.1\n").unwrap();
        let library = capi.join("onnxruntime.dll");
        put(&library, "MZ").unwrap();
        assert_eq!(Version::of_library(&library), Version::parse("1.31.1"));
    }
}
