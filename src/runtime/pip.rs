//! Downloads through the machine's own pip, which knows its index, proxy and certificates better than we could.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::environment::{Environment, Platform};
use super::error::RuntimeError;
use super::pins::Pin;

/// How much of pip's output an error repeats.
const LAST_LINES: usize = 6;

/// Fails, with the way to get it, where there is no pip.
pub(super) fn require(env: &Environment) -> Result<(), RuntimeError> {
    let advice = how_to_get_pip(env.platform);
    let python = env.python.clone();
    match Command::new(&python).args(["-m", "pip", "--version"]).stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(RuntimeError::NoPip { python, said: last_lines(&output), advice }),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
            Err(RuntimeError::NoPython { python, advice })
        }
        Err(source) => Err(RuntimeError::io("run Python", &python, source)),
    }
}

/// Downloads one wheel into `folder`, which must be empty, and returns its path. Its content is not looked at.
pub(super) fn download(
    env: &Environment,
    pin: &Pin,
    platforms: &[&str],
    folder: &Path,
) -> Result<PathBuf, RuntimeError> {
    let requirement = format!("{}=={}", pin.package, pin.version);
    let mut command = Command::new(&env.python);
    command.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"]);
    command.args(["--python-version", "3.12", "--implementation", "cp"]);
    for platform in platforms {
        command.args(["--platform", platform]);
    }
    command.args(["--disable-pip-version-check", "--no-input", "--progress-bar", "off", "-d"]);
    command.arg(folder).arg(&requirement).stdin(Stdio::null());
    let output = command.output().map_err(|source| RuntimeError::io("run pip", &env.python, source))?;
    if !output.status.success() {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let command = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        return Err(RuntimeError::PipFailed { requirement, said: last_lines(&output), command });
    }
    let mut found: Vec<PathBuf> = folder
        .read_dir()
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|source| RuntimeError::io("list what pip downloaded", folder, source))?
        .into_iter()
        .map(|entry| entry.path())
        .collect();
    match found.pop() {
        Some(wheel) if found.is_empty() && wheel.extension().is_some_and(|e| e == "whl") => Ok(wheel),
        other => {
            found.extend(other);
            let mut names: Vec<String> = found.iter().map(|path| file_name(path)).collect();
            names.sort();
            Err(RuntimeError::NotOneWheel { requirement, found: names })
        }
    }
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn how_to_get_pip(platform: Platform) -> &'static str {
    match platform.os {
        "macos" => "`brew install python`",
        "windows" => "`winget install Python.Python.3.12`",
        _ => {
            "`apt-get install python3-pip` on Debian and Ubuntu, `dnf install python3-pip` on Fedora and RHEL"
        }
    }
}

/// The end of standard error, or of standard output where that is silent.
fn last_lines(output: &std::process::Output) -> String {
    let said = [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
    let Some(text) = said.iter().find(|text| !text.is_empty()) else {
        return format!("(nothing; it ended with {})", output.status);
    };
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}
