//! Where ONNX Runtime comes from: its shared library is found on this machine, or put there when one asks for it.
//!
//! Nothing is linked and nothing is downloaded while building; the program opens the library when it first needs it. Only
//! `model/` opens it: this room answers with a path. The places are looked at in this order:
//!
//! 1. what the user named: `--ort-dylib`, then `ORT_DYLIB_PATH`. A name that does not lead to a usable library is an
//!    error; nothing else is tried in its stead, so that a run never uses another library than the one asked for;
//! 2. the active Python environment's `onnxruntime` or `onnxruntime-gpu` package (`VIRTUAL_ENV`, `CONDA_PREFIX`, then
//!    whatever `python3` would import; the package itself is never imported);
//! 3. beside the executable;
//! 4. the cache, where `crossmodal runtime install` puts it.
//!
//! In 2 to 4 a library that is too old, or lacks the execution provider that was asked for, is passed over, and named in
//! the error should nothing better turn up.
//!
//! `environment` is what is read of the machine, `version` and `library` tell what a file is, `python`, `cache` and `search`
//! know the places; `pins`, `pip`, `wheel` and `install` put a pinned build into the cache.

mod cache;
mod cuda;
mod environment;
mod error;
mod install;
mod library;
mod pins;
mod pip;
mod python;
mod search;
mod version;
mod wheel;

#[cfg(test)]
mod fake;

use std::path::{Path, PathBuf};

pub use environment::{Environment, Platform};
pub use error::RuntimeError;
pub use pins::{Flavor, PINNED_OPENVINO_VERSION, PINNED_VERSION};
pub use search::{Found, Looked, Origin, Outcome, SearchReport};
pub use version::Version;

/// The oldest ONNX Runtime that can be used: the `ort` crate is built against the API of this release (`api-24`), which
/// later ones keep. Before it, attention of opset 23 gives NaN where rows are padded on the left.
pub const OLDEST_USABLE: Version = Version { major: 1, minor: 24, patch: 0 };

/// The ONNX Runtime library to open. `explicit` is the value of `--ort-dylib`: a file, or a directory that holds it.
///
/// # Errors
/// What the user named is missing, is no library or is too old; or no suitable library is anywhere.
pub fn find(explicit: Option<&Path>) -> Result<Found, RuntimeError> {
    find_build(explicit, Flavor::Cpu)
}

/// As [`find`], for a library with the execution providers of `flavor`. What the user named is not judged here: whoever
/// opens it learns what it offers.
///
/// # Errors
/// Those of [`find`]; or no library with these providers is anywhere.
pub fn find_build(explicit: Option<&Path>, flavor: Flavor) -> Result<Found, RuntimeError> {
    search::find(&Environment::of_this_process(), explicit, flavor)
}

/// A folder of that name in the user's cache, made where it is missing. `None` where there is no cache, or none that can
/// be written: what would be kept there is made anew each time.
pub fn cache_folder(name: &Path) -> Option<PathBuf> {
    let folder = cache::root(&Environment::of_this_process())?.join(name);
    std::fs::create_dir_all(&folder).ok().map(|()| folder)
}

/// As [`find`]; where nothing suitable is found, the pinned CPU build is installed into the cache.
///
/// # Errors
/// Those of [`find`], but for "nothing found", and those of [`install`].
pub fn find_or_install(
    explicit: Option<&Path>,
    progress: &mut dyn FnMut(&str),
) -> Result<Found, RuntimeError> {
    install::find_or_install(&Environment::of_this_process(), pins::BUILDS, explicit, progress)
}

/// Puts the pinned build into the cache, with the machine's own pip; `progress` is told each step in a line.
///
/// # Errors
/// No build is pinned for this machine, pip is missing or fails, a download is not the pinned one, or the cache cannot
/// be written. Whatever fails, the cache holds a whole installation or none.
pub fn install(flavor: Flavor, progress: &mut dyn FnMut(&str)) -> Result<Found, RuntimeError> {
    install::install(&Environment::of_this_process(), pins::BUILDS, flavor, progress)
}

/// Every place that is looked at, in order, with what is there and which one is used.
pub fn search_report(explicit: Option<&Path>) -> SearchReport {
    search::report(&Environment::of_this_process(), explicit)
}
