//! The user's cache: where it is, what is installed in it, and how a folder gets into it whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::error::RuntimeError;
use super::pins::Flavor;
use super::version::Version;

/// Names a folder's files and sizes; written last.
const RECORD: &str = "installed.json";
/// An installation that was killed leaves a folder with this prefix, which nothing takes for a library's.
const STAGING_PREFIX: &str = ".staging-";
/// No installation takes as long as this: what is left of an older one is swept.
const STAGING_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// What was installed, from which wheels, and which files must be there for it to be whole.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// `(wheel file, SHA-256)`.
    pub(super) wheels: Vec<(String, String)>,
    /// `(path below the folder, bytes)`.
    pub(super) files: Vec<(PathBuf, u64)>,
}

/// Where ONNX Runtime libraries are installed.
pub(super) fn runtime_dir(env: &Environment) -> Option<PathBuf> {
    Some(root(env)?.join("runtime"))
}

/// `$CROSSMODAL_CACHE`, or `crossmodal` in the platform's own cache directory.
pub(super) fn root(env: &Environment) -> Option<PathBuf> {
    let root = env.path_variable("CROSSMODAL_CACHE").or_else(|| {
        let platform_cache = match env.platform.os {
            "windows" => env.path_variable("LOCALAPPDATA"),
            "macos" => Some(env.home.as_ref()?.join("Library").join("Caches")),
            _ => env.path_variable("XDG_CACHE_HOME").or_else(|| Some(env.home.as_ref()?.join(".cache"))),
        };
        Some(platform_cache?.join("crossmodal"))
    })?;
    // A relative cache would be another one in each directory, and a library is opened by its whole path.
    std::path::absolute(root).ok()
}

/// `onnxruntime-<version>`, with `-gpu` or `-openvino` behind it.
pub(super) fn folder_name(version: &str, flavor: Flavor) -> String {
    match flavor {
        Flavor::Cpu => format!("onnxruntime-{version}"),
        Flavor::Gpu => format!("onnxruntime-{version}-gpu"),
        Flavor::Openvino => format!("onnxruntime-{version}-openvino"),
    }
}

/// The folders of installed libraries: newest first, and of one version the GPU build first (it runs on the CPU too).
pub(super) fn folders(runtime_dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = runtime_dir.read_dir() else {
        return Vec::new();
    };
    let mut found: Vec<(Option<Version>, String)> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter_map(|name| Some((Version::parse(name.strip_prefix("onnxruntime-")?), name)))
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, name)| runtime_dir.join(name)).collect()
}

/// Whether `folder` holds every file that its record names, in its full size.
pub(super) fn is_whole(folder: &Path) -> bool {
    let record =
        fs::read(folder.join(RECORD)).ok().and_then(|json| serde_json::from_slice::<Record>(&json).ok());
    record.is_some_and(|record| {
        record.files.iter().all(|(name, bytes)| {
            fs::metadata(folder.join(name)).is_ok_and(|found| found.is_file() && found.len() == *bytes)
        })
    })
}

/// A new folder in the cache that goes away when it is dropped, on the file system of what it will become.
pub(super) fn staging(runtime_dir: &Path) -> Result<tempfile::TempDir, RuntimeError> {
    fs::create_dir_all(runtime_dir)
        .and_then(|()| {
            sweep(runtime_dir);
            tempfile::Builder::new().prefix(STAGING_PREFIX).tempdir_in(runtime_dir)
        })
        .map_err(|source| RuntimeError::io("make a folder in the cache", runtime_dir, source))
}

/// Removes what killed installations left. Failing to tidy up is no reason not to install.
fn sweep(runtime_dir: &Path) {
    let Ok(entries) = runtime_dir.read_dir() else {
        return;
    };
    for entry in entries.flatten() {
        let is_staging = entry.file_name().to_str().is_some_and(|name| name.starts_with(STAGING_PREFIX));
        let age = entry
            .metadata()
            .and_then(|found| found.modified())
            .ok()
            .and_then(|then| SystemTime::now().duration_since(then).ok());
        if is_staging && age.is_some_and(|age| age > STAGING_LIFETIME) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Writes the record into `tree` and renames `tree` to `folder`. Where another process was faster, its folder stays;
/// a folder that is not whole is moved into `aside`, to be removed with it.
pub(super) fn publish(tree: &Path, record: &Record, folder: &Path, aside: &Path) -> Result<(), RuntimeError> {
    let record_path = tree.join(RECORD);
    write_record(&record_path, record)
        .map_err(|source| RuntimeError::io("write the record of the installation", &record_path, source))?;
    sync_dir(tree);
    let mut put = fs::rename(tree, folder);
    if put.is_err() && folder.exists() && !is_whole(folder) {
        // Should another process move it first, the second rename says whether there is still something in the way.
        let _ = fs::rename(folder, aside.join("replaced"));
        put = fs::rename(tree, folder);
    }
    match put {
        Err(_) if is_whole(folder) => Ok(()),
        Err(source) => Err(RuntimeError::io("put the installation in its place", folder, source)),
        Ok(()) => {
            if let Some(parent) = folder.parent() {
                sync_dir(parent);
            }
            Ok(())
        }
    }
}

fn write_record(path: &Path, record: &Record) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(&serde_json::to_vec_pretty(record)?)?;
    file.sync_all()
}

/// Makes names durable where directories can be synced (not on Windows); the files themselves are synced already.
fn sync_dir(dir: &Path) {
    if let Ok(dir) = File::open(dir) {
        let _ = dir.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::environment::Platform;
    use crate::runtime::fake::Machine;

    #[test]
    fn each_platform_has_its_own_cache() {
        let mut env = Machine::new().env;
        env.variables.clear();
        env.home = Some("/home/user".into());
        let mut cache_on = |os: &'static str, name: &str, value: &str| {
            env.platform = Platform { os, arch: "x86_64" };
            env.variables = [(name.into(), value.into())].into();
            runtime_dir(&env)
        };
        if cfg!(unix) {
            let dir = |path: &str| Some(PathBuf::from(path));
            assert_eq!(cache_on("linux", "_", ""), dir("/home/user/.cache/crossmodal/runtime"));
            assert_eq!(cache_on("linux", "XDG_CACHE_HOME", "/xdg"), dir("/xdg/crossmodal/runtime"));
            assert_eq!(cache_on("macos", "_", ""), dir("/home/user/Library/Caches/crossmodal/runtime"));
            assert_eq!(cache_on("windows", "LOCALAPPDATA", "/local"), dir("/local/crossmodal/runtime"));
            assert_eq!(cache_on("linux", "CROSSMODAL_CACHE", "/mine"), dir("/mine/runtime"));
        }
        assert_eq!(cache_on("windows", "_", ""), None);
    }

    #[test]
    fn the_newest_folder_comes_first_and_unfinished_ones_never() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "onnxruntime-1.9.0",
            "onnxruntime-1.31.1",
            "onnxruntime-1.31.1-gpu",
            "onnxruntime-1.24.1-openvino",
            ".staging-onnxruntime-2.0.0",
        ] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let names: Vec<_> = folders(dir.path()).iter().map(|f| f.file_name().unwrap().to_owned()).collect();
        assert_eq!(
            names,
            [
                "onnxruntime-1.31.1-gpu",
                "onnxruntime-1.31.1",
                "onnxruntime-1.24.1-openvino",
                "onnxruntime-1.9.0"
            ]
        );
    }
}
