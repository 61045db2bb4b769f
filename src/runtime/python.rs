//! The active Python environment: its `site-packages` by path, or where its interpreter would import a package from.

use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::environment::Environment;

/// An interpreter that has not answered by then is not waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Finds the package without importing it. The current directory is taken off the path first: a folder that happens to
/// be called `onnxruntime` there is not a Python environment's package.
const WHERE_IS_ONNXRUNTIME: &str = "
import sys
sys.path = [p for p in sys.path if p]
import importlib.util, json
spec = importlib.util.find_spec('onnxruntime')
print(json.dumps(list(spec.submodule_search_locations or []) if spec else []))
";

/// `site-packages` of the active virtual and Conda environments, by path alone.
pub(super) fn site_packages(env: &Environment) -> Vec<PathBuf> {
    ["VIRTUAL_ENV", "CONDA_PREFIX"]
        .iter()
        .filter_map(|name| env.path_variable(name))
        .flat_map(|prefix| site_packages_of(&prefix))
        .collect()
}

/// `lib/python3.*/site-packages`, or `Lib/site-packages` on Windows.
fn site_packages_of(prefix: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = match prefix.join("lib").read_dir() {
        Ok(entries) => entries
            .flatten()
            .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with("python")))
            .map(|entry| entry.path().join("site-packages"))
            .collect(),
        Err(_) => Vec::new(),
    };
    found.sort();
    found.push(prefix.join("Lib").join("site-packages"));
    found.retain(|dir| dir.is_dir());
    found.dedup();
    found
}

/// The package folders from which the interpreter would import `onnxruntime`; `Err` says why it cannot be asked.
pub(super) fn onnxruntime_packages(env: &Environment) -> Result<Vec<PathBuf>, String> {
    let python = env.python.display();
    let mut command = Command::new(&env.python);
    command.args(["-c", WHERE_IS_ONNXRUNTIME]);
    let answer = match answer_within(&mut command, ANSWER_TIMEOUT) {
        Ok(Some(answer)) => answer,
        Ok(None) => {
            return Err(format!("{python} gave no answer within {} s", ANSWER_TIMEOUT.as_secs()));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(format!("no {python} in PATH")),
        Err(error) => return Err(format!("{python} cannot be asked: {error}")),
    };
    // A sitecustomize may have printed something before.
    let line = answer.lines().next_back().unwrap_or_default();
    serde_json::from_str::<Vec<PathBuf>>(line)
        .map_err(|_| format!("{python} cannot be asked: it printed {line:?}"))
}

/// Standard output of `command`; `None` where it had to be stopped. The output goes through a file, so that neither
/// side waits for the other's pipe.
fn answer_within(command: &mut Command, timeout: Duration) -> io::Result<Option<String>> {
    let mut output = tempfile::tempfile()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::from(output.try_clone()?))
        .stderr(Stdio::null())
        .spawn()?;
    let deadline = Instant::now() + timeout;
    while child.try_wait()?.is_none() {
        if Instant::now() >= deadline {
            // It may have ended just now: then there is nothing to stop, and it is still reaped.
            let _ = child.kill();
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    output.rewind()?;
    let mut text = Vec::new();
    output.read_to_end(&mut text)?;
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::runtime::fake::Machine;

    #[test]
    fn an_interpreter_that_does_not_answer_is_stopped() {
        let mut sleeper = Command::new("sleep");
        sleeper.arg("60");
        let start = Instant::now();
        assert_eq!(answer_within(&mut sleeper, Duration::from_millis(50)).unwrap(), None);
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn the_last_line_is_the_answer_and_no_python_is_no_error() {
        let mut machine = Machine::new();
        assert!(onnxruntime_packages(&machine.env).unwrap_err().ends_with("in PATH"));
        machine.python("echo hello from sitecustomize; echo '[\"/there/onnxruntime\"]'");
        assert_eq!(onnxruntime_packages(&machine.env).unwrap(), [PathBuf::from("/there/onnxruntime")]);
        machine.python("echo oops");
        assert!(onnxruntime_packages(&machine.env).unwrap_err().contains("it printed \"oops\""));
    }
}
