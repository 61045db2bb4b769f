//! What can go wrong between a name and a library that can be opened, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use super::OLDEST_USABLE;
use super::pins::{Flavor, PINNED_VERSION};
use super::search::{Looked, Origin, Outcome};
use super::version::Version;

/// Why there is no ONNX Runtime library to open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// What the user named does not exist.
    #[error(
        "{origin} names {}, which does not exist: give the ONNX Runtime library ({expected}) or a directory that holds \
         it, or leave {origin} out to have it searched for", path.display()
    )]
    ExplicitMissing {
        /// Who named it.
        origin: Origin,
        /// What was named.
        path: PathBuf,
        /// The library's name on this platform.
        expected: &'static str,
    },
    /// The user named a directory without the library.
    #[error(
        "{origin} names the directory {}, in which there is no {expected} (nor in its lib, capi or onnxruntime/capi)",
        path.display()
    )]
    ExplicitEmpty {
        /// Who named it.
        origin: Origin,
        /// The directory.
        path: PathBuf,
        /// The library's name on this platform.
        expected: &'static str,
    },
    /// The user named a file that is not a shared library.
    #[error(
        "{origin} names {}, which is no shared library (it starts neither as an ELF, a Mach-O nor a PE file does): give \
         the path of {expected}", path.display()
    )]
    ExplicitNotALibrary {
        /// Who named it.
        origin: Origin,
        /// The file.
        path: PathBuf,
        /// The library's name on this platform.
        expected: &'static str,
    },
    /// The user named a library that is too old.
    #[error(
        "{origin} names {}, which is ONNX Runtime {version}, too old: {OLDEST_USABLE} or newer is needed; name another, \
         or run `crossmodal runtime install` and leave {origin} out", path.display()
    )]
    ExplicitTooOld {
        /// Who named it.
        origin: Origin,
        /// The library.
        path: PathBuf,
        /// Its version.
        version: Version,
    },
    /// No place holds a suitable library.
    #[error("{}", not_found(looked))]
    NotFound {
        /// Every place that was looked at.
        looked: Vec<Looked>,
    },
    /// There may be libraries, but none with the execution provider that was asked for.
    #[error("{}", no_such_build(*flavor, looked))]
    NoSuchBuild {
        /// What was asked for.
        flavor: Flavor,
        /// Every place that was looked at.
        looked: Vec<Looked>,
    },
    /// The library was found but could not be opened (told by whoever opened it).
    #[error(
        "ONNX Runtime at {} ({origin}) could not be opened: {reason}; name another library with --ort-dylib, or run \
         `crossmodal runtime install`", path.display()
    )]
    Unloadable {
        /// The library.
        path: PathBuf,
        /// How it was found.
        origin: Origin,
        /// What the loader said.
        reason: String,
    },
    /// There is no tested build to install here.
    #[error(
        "no pinned {package} build for this platform ({platform}): install the {package} package, {OLDEST_USABLE} or \
         newer, into a Python environment and run crossmodal inside it, or set ORT_DYLIB_PATH to the library"
    )]
    NoPinnedBuild {
        /// `onnxruntime`, `onnxruntime-gpu` or `onnxruntime-openvino`.
        package: &'static str,
        /// Operating system and processor.
        platform: String,
    },
    /// There is no home and no variable that tells where the cache is.
    #[error(
        "no cache directory is known (neither HOME nor a cache variable is set): set CROSSMODAL_CACHE to a directory"
    )]
    NoCacheDirectory,
    /// There is no Python to run pip.
    #[error("`{} -m pip` is needed to download ONNX Runtime, and there is no {}: install Python with pip ({advice}), \
             or set ORT_DYLIB_PATH to an ONNX Runtime library", python.display(), python.display())]
    NoPython {
        /// The command that was tried.
        python: PathBuf,
        /// How to get it on this platform.
        advice: &'static str,
    },
    /// Python is there, pip is not.
    #[error("`{} -m pip` is needed to download ONNX Runtime, and it does not run: {said}\nInstall pip ({advice}, or `{} -m ensurepip --upgrade`), or \
             install the package some other way (`uv pip install onnxruntime=={PINNED_VERSION}` in a uv environment), \
             or set ORT_DYLIB_PATH to an ONNX Runtime library", python.display(), python.display())]
    NoPip {
        /// The Python that has no pip.
        python: PathBuf,
        /// What it said.
        said: String,
        /// How to get pip on this platform.
        advice: &'static str,
    },
    /// pip ran and failed.
    #[error(
        "pip could not download {requirement}; its last words:\n{said}\nThe command was `{command}`. Without a network, \
             fetch that wheel elsewhere, unzip it, and set ORT_DYLIB_PATH to its onnxruntime/capi directory"
    )]
    PipFailed {
        /// Package and version.
        requirement: String,
        /// The end of pip's output.
        said: String,
        /// What was run.
        command: String,
    },
    /// pip brought something, but not one wheel.
    #[error("pip was to download one wheel of {requirement}, and left {found:?} in its folder")]
    NotOneWheel {
        /// Package and version.
        requirement: String,
        /// The names that were there.
        found: Vec<String>,
    },
    /// What was downloaded is not what was tested.
    #[error(
        "{wheel} is not the pinned build: its SHA-256 should be {expected} and is {found}. Nothing was installed. Your \
             package index may serve a rebuilt wheel (`python3 -m pip config list` shows which one it is); if you trust \
             it, install the package into a Python environment instead"
    )]
    HashMismatch {
        /// The file's name.
        wheel: String,
        /// As pinned in the source.
        expected: String,
        /// As downloaded.
        found: String,
    },
    /// The wheel cannot be unpacked.
    #[error("{wheel} has the pinned SHA-256 but cannot be unpacked: {reason}")]
    BadWheel {
        /// The file's name.
        wheel: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file system operation failed.
    #[error("could not {doing} ({}): {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl RuntimeError {
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { doing, path: path.to_path_buf(), source }
    }
}

fn not_found(looked: &[Looked]) -> String {
    let mut text = format!("no suitable ONNX Runtime library ({OLDEST_USABLE} or newer) was found");
    let mut nothing_usable = true;
    for place in looked {
        if let Outcome::TooOld { path, version } = &place.outcome {
            text += &format!(
                "\n  found {version} at {} ({}), too old: needs {OLDEST_USABLE} or newer",
                path.display(),
                place.origin
            );
            nothing_usable = false;
        }
    }
    if nothing_usable {
        for place in looked {
            text += &format!("\n  {}: {}", place.origin, place.outcome);
        }
    }
    text + "\nrun `crossmodal runtime install` (or `install --gpu`), install the onnxruntime package into the active Python \
            environment, or name a library with --ort-dylib or ORT_DYLIB_PATH"
}

fn no_such_build(flavor: Flavor, looked: &[Looked]) -> String {
    let (package, flag) = (flavor.package(), flavor.install_flag());
    let mut text =
        format!("no library of the package {package} was found, which this execution provider needs");
    for place in looked {
        let note = if matches!(place.outcome, Outcome::Suitable(_)) { ", without that provider" } else { "" };
        text += &format!("\n  {}: {}{note}", place.origin, place.outcome);
    }
    text + &format!(
        "\nrun `crossmodal runtime install{flag}`, or name a library with --ort-dylib or ORT_DYLIB_PATH"
    )
}
