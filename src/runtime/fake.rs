//! A made-up machine for the tests: its own home, cache, environment and Python; nothing of the real one is read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::environment::{Environment, Platform};

pub(super) struct Machine {
    dir: tempfile::TempDir,
    pub(super) env: Environment,
}

impl Machine {
    /// Linux on x86-64, with an empty home and no Python.
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_path_buf();
        fs::create_dir_all(root.join("exe")).unwrap();
        let env = Environment {
            variables: BTreeMap::new(),
            home: Some(root.join("home")),
            executable_dir: Some(root.join("exe")),
            python: root.join("bin/python3"),
            platform: Platform { os: "linux", arch: "x86_64" },
        };
        Self { dir, env }
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub(super) fn set(&mut self, name: &str, path: &Path) {
        self.env.variables.insert(name.into(), path.into());
    }

    /// A file that passes for the library of that version, below the machine's root.
    pub(super) fn library(&self, dir: &str, version: &str) -> PathBuf {
        let path = self.path(dir).join("libonnxruntime.so");
        fs::create_dir_all(self.path(dir)).unwrap();
        put(&path, library_bytes(version)).unwrap();
        path
    }

    /// A virtual environment, active, with ONNX Runtime of that version.
    pub(super) fn active_venv(&mut self, version: &str) -> PathBuf {
        self.set("VIRTUAL_ENV", &self.path("venv"));
        self.library("venv/lib/python3.12/site-packages/onnxruntime/capi", version)
    }

    /// Gives the machine a Python that runs `script` in a shell. The file is written by another process: were it ever
    /// open for writing in this one, a test that forks at that moment would keep it from being run ("text file busy").
    #[cfg(unix)]
    pub(super) fn python(&mut self, script: &str) {
        fs::create_dir_all(self.path("bin")).unwrap();
        let written = std::process::Command::new("sh")
            .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod 755 "$0""#])
            .arg(&self.env.python)
            .arg(script)
            .status();
        assert!(written.unwrap().success());
    }
}

pub(super) fn library_bytes(version: &str) -> Vec<u8> {
    format!("\x7fELF....\0VERS_{version}\0....").into_bytes()
}

/// Writes a made-up file.
#[allow(clippy::disallowed_methods, reason = "half a made-up file is no loss")]
pub(super) fn put(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
    fs::write(path, bytes)
}
