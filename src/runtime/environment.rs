//! What the search reads of the machine, as a value: a test makes its own, and no test touches the process environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Operating system and processor, in the words of `std::env::consts`; a musl build says `linux-musl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform {
    /// `linux`, `linux-musl`, `macos`, `windows`, ...
    pub os: &'static str,
    /// `x86_64`, `aarch64`, ...
    pub arch: &'static str,
}

impl Platform {
    /// The platform this program was built for.
    pub fn of_this_program() -> Self {
        let os = if cfg!(all(target_os = "linux", target_env = "musl")) {
            "linux-musl"
        } else {
            std::env::consts::OS
        };
        Self { os, arch: std::env::consts::ARCH }
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.os, self.arch)
    }
}

/// Everything outside the arguments that decides where ONNX Runtime is found.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Environment variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// The user's home directory, where there is one.
    pub home: Option<PathBuf>,
    /// The directory of the running executable, where it is known.
    pub executable_dir: Option<PathBuf>,
    /// The Python to ask, as a path or as a name to be looked up in `PATH`.
    pub python: PathBuf,
    /// Which library names and which builds are meant.
    pub platform: Platform,
}

impl Environment {
    /// The process's own environment.
    pub fn of_this_process() -> Self {
        let platform = Platform::of_this_program();
        Self {
            variables: std::env::vars_os().collect(),
            home: std::env::home_dir(),
            executable_dir: std::env::current_exe()
                .and_then(|exe| exe.canonicalize())
                .ok()
                .and_then(|exe| exe.parent().map(Path::to_path_buf)),
            // Windows has no `python3` but for a stub that opens a shop.
            python: PathBuf::from(if platform.os == "windows" { "python" } else { "python3" }),
            platform,
        }
    }

    /// A variable as a path; one that is set to nothing counts as unset.
    pub fn path_variable(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(std::ffi::OsStr::new(name)).filter(|value| !value.is_empty()).map(PathBuf::from)
    }
}
