//! The search order: which directories are looked into, what is made of what lies there, and which library is used.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::environment::Environment;
use super::error::RuntimeError;
use super::version::Version;
use super::{Flavor, OLDEST_USABLE, cache, cuda, library, python};

/// Who led to a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// `--ort-dylib`.
    Flag,
    /// `ORT_DYLIB_PATH`.
    Variable,
    /// The active Python environment.
    PythonEnvironment,
    /// The directory of the executable.
    BesideExecutable,
    /// What `crossmodal runtime install` made.
    Cache,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Flag => "--ort-dylib",
            Self::Variable => "ORT_DYLIB_PATH",
            Self::PythonEnvironment => "Python environment",
            Self::BesideExecutable => "beside the executable",
            Self::Cache => "cache",
        })
    }
}

/// The library to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its absolute path.
    pub path: PathBuf,
    /// Its version as far as the file tells; `None` leaves the question to whoever opens it.
    pub version: Option<String>,
    /// Who led to it.
    pub origin: Origin,
    /// Whether the CUDA execution provider lies beside it.
    pub gpu_build: bool,
    /// Whether the OpenVINO execution provider lies beside it.
    pub openvino_build: bool,
    /// For a GPU build: the directories of CUDA, cuDNN and TensorRT libraries that were found as Python wheels and are to
    /// be loaded after ONNX Runtime and before the first GPU session, the most fitting first.
    pub cuda_dirs: Vec<PathBuf>,
}

impl Found {
    fn new(env: &Environment, path: PathBuf, version: Option<Version>, origin: Origin) -> Self {
        let gpu_build = library::has_provider(&path, "cuda");
        let openvino_build = library::has_provider(&path, "openvino");
        let cuda_dirs = if gpu_build { cuda::library_dirs(env, &path) } else { Vec::new() };
        Self { path, version: version.map(|v| v.to_string()), origin, gpu_build, openvino_build, cuda_dirs }
    }

    fn serves(&self, flavor: Flavor) -> bool {
        match flavor {
            Flavor::Cpu => true,
            Flavor::Gpu => self.gpu_build,
            Flavor::Openvino => self.openvino_build,
        }
    }
}

/// One place and what was found there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// What kind of place.
    pub origin: Origin,
    /// What was found.
    pub outcome: Outcome,
}

/// What a place holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A library that can be used.
    Suitable(Found),
    /// A library that is too old.
    TooOld {
        /// The library.
        path: PathBuf,
        /// Its version.
        version: Version,
    },
    /// A directory without the library.
    Empty(PathBuf),
    /// No library for another reason.
    Nothing(String),
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Suitable(found) => {
                let version = found.version.as_deref().unwrap_or("of unknown version");
                write!(f, "{} ({version})", found.path.display())
            }
            Self::TooOld { path, version } => {
                write!(f, "{} ({version}, too old: needs {OLDEST_USABLE} or newer)", path.display())
            }
            Self::Empty(dir) => write!(f, "no library in {}", dir.display()),
            Self::Nothing(why) => f.write_str(why),
        }
    }
}

/// All places in order, and the decision.
#[derive(Debug)]
pub struct SearchReport {
    /// The places that are searched when the user names nothing; what the user named comes first where it is usable.
    pub looked: Vec<Looked>,
    /// What is used.
    pub decision: Result<Found, RuntimeError>,
}

/// The places of the search, in order. Each is looked at only when those before had nothing: asking a Python takes time.
const PLACES: [fn(&Environment) -> Vec<Looked>; 4] =
    [python_environment_by_path, python_environment_asked, beside_executable, in_cache];

/// The first library that serves `flavor`; what the user named is taken as it is.
pub(super) fn find(
    env: &Environment,
    explicit: Option<&Path>,
    flavor: Flavor,
) -> Result<Found, RuntimeError> {
    if let Some((origin, path)) = named_by_user(env, explicit) {
        return named(env, origin, &path);
    }
    let mut looked = Vec::new();
    for place in PLACES {
        for seen in place(env) {
            match seen.outcome {
                Outcome::Suitable(found) if found.serves(flavor) => return Ok(found),
                _ => looked.push(seen),
            }
        }
    }
    Err(match flavor {
        Flavor::Cpu => RuntimeError::NotFound { looked },
        _ => RuntimeError::NoSuchBuild { flavor, looked },
    })
}

pub(super) fn report(env: &Environment, explicit: Option<&Path>) -> SearchReport {
    let mut looked: Vec<Looked> = PLACES.iter().flat_map(|place| place(env)).collect();
    let decision = match named_by_user(env, explicit) {
        Some((origin, path)) => {
            let decision = named(env, origin, &path);
            let outcome = match &decision {
                Ok(found) => Outcome::Suitable(found.clone()),
                Err(_) => Outcome::Nothing(format!("{} cannot be used", path.display())),
            };
            looked.insert(0, Looked { origin, outcome });
            decision
        }
        None => {
            let suitable = looked.iter().find_map(|seen| match &seen.outcome {
                Outcome::Suitable(found) => Some(found.clone()),
                _ => None,
            });
            suitable.ok_or_else(|| RuntimeError::NotFound { looked: looked.clone() })
        }
    };
    SearchReport { looked, decision }
}

fn named_by_user(env: &Environment, explicit: Option<&Path>) -> Option<(Origin, PathBuf)> {
    let by_flag = explicit.map(|path| (Origin::Flag, path.to_path_buf()));
    by_flag.or_else(|| Some((Origin::Variable, env.path_variable("ORT_DYLIB_PATH")?)))
}

/// What the user named, or an error that says what is wrong with it.
fn named(env: &Environment, origin: Origin, given: &Path) -> Result<Found, RuntimeError> {
    let expected = library::expected_name(env.platform);
    let path = std::path::absolute(given).unwrap_or_else(|_| given.to_path_buf());
    let not_a_library = |path: PathBuf| RuntimeError::ExplicitNotALibrary { origin, path, expected };
    let (path, version) = if path.is_dir() {
        let mut best = None;
        for below in ["", "lib", "capi", "onnxruntime/capi"] {
            let dir = if below.is_empty() { path.clone() } else { path.join(below) };
            best = library::newest_in(&dir, env.platform).map_err(not_a_library)?;
            if best.is_some() {
                break;
            }
        }
        best.ok_or(RuntimeError::ExplicitEmpty { origin, path, expected })?
    } else if !path.exists() {
        return Err(RuntimeError::ExplicitMissing { origin, path, expected });
    } else if !library::is_shared_library(&path) {
        return Err(not_a_library(path));
    } else {
        let version = Version::of_library(&path);
        (path, version)
    };
    match version {
        Some(version) if version < OLDEST_USABLE => {
            Err(RuntimeError::ExplicitTooOld { origin, path, version })
        }
        version => Ok(Found::new(env, path, version, origin)),
    }
}

/// What one directory holds.
pub(super) fn look_in(env: &Environment, origin: Origin, dir: &Path) -> Looked {
    let outcome = match library::newest_in(dir, env.platform) {
        Ok(Some((path, Some(version)))) if version < OLDEST_USABLE => Outcome::TooOld { path, version },
        Ok(Some((path, version))) => Outcome::Suitable(Found::new(env, path, version, origin)),
        Ok(None) => Outcome::Empty(dir.to_path_buf()),
        Err(path) => Outcome::Nothing(format!("{} is no shared library", path.display())),
    };
    Looked { origin, outcome }
}

fn nothing(origin: Origin, why: String) -> Vec<Looked> {
    vec![Looked { origin, outcome: Outcome::Nothing(why) }]
}

fn python_environment_by_path(env: &Environment) -> Vec<Looked> {
    let dirs = python::site_packages(env).into_iter().map(|site| site.join("onnxruntime").join("capi"));
    dirs.map(|dir| look_in(env, Origin::PythonEnvironment, &dir)).collect()
}

/// The interpreter knows more places than the active environment's own: the user's packages, the system's.
fn python_environment_asked(env: &Environment) -> Vec<Looked> {
    let origin = Origin::PythonEnvironment;
    match python::onnxruntime_packages(env) {
        Err(why) => nothing(origin, why),
        Ok(packages) if packages.is_empty() => {
            nothing(origin, format!("{} has no onnxruntime package", env.python.display()))
        }
        Ok(packages) => packages
            .iter()
            .map(|package| package.join("capi"))
            // Looked at by path already.
            .filter(|dir| !python::site_packages(env).iter().any(|site| dir.starts_with(site)))
            .map(|dir| look_in(env, origin, &dir))
            .collect(),
    }
}

fn beside_executable(env: &Environment) -> Vec<Looked> {
    let origin = Origin::BesideExecutable;
    let Some(dir) = env.executable_dir.as_deref() else {
        return nothing(origin, "the executable's directory is not known".to_owned());
    };
    let mut looked: Vec<Looked> = ["onnxruntime", "onnxruntime/lib", "onnxruntime/capi"]
        .iter()
        .map(|below| look_in(env, origin, &dir.join(below)))
        .filter(|seen| !matches!(seen.outcome, Outcome::Empty(_)))
        .collect();
    looked.insert(0, look_in(env, origin, dir));
    looked
}

fn in_cache(env: &Environment) -> Vec<Looked> {
    let Some(runtime_dir) = cache::runtime_dir(env) else {
        return nothing(Origin::Cache, "no cache directory is known".to_owned());
    };
    let folders = cache::folders(&runtime_dir);
    if folders.is_empty() {
        return nothing(Origin::Cache, format!("nothing installed in {}", runtime_dir.display()));
    }
    folders.iter().map(|folder| look_in(env, Origin::Cache, folder)).collect()
}

#[cfg(test)]
#[cfg(unix)]
#[path = "search_tests.rs"]
mod tests;
