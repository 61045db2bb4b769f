//! Running the program: the binary, the shipped model, and the ONNX Runtime that `demo` would use too.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The shipped model.
pub fn tiny_llava() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx/tiny-llava")
}

/// The ONNX Runtime library; installed into the cache when the machine has none, as `demo` does it.
pub fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let found = crossmodal::runtime::find_or_install(None, &mut |line| eprintln!("{line}"));
        found.unwrap_or_else(|error| panic!("the tests need ONNX Runtime: {error}")).path
    })
}

/// The program with a library; arguments are to be added.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crossmodal"));
    command.env("ORT_DYLIB_PATH", library()).env_remove("CROSSMODAL_EP").env_remove("CROSSMODAL_THREADS");
    command
}

/// `crossmodal run` of the shipped model on `suite` into `out`.
pub fn run(suite: &str, out: &Path) -> Command {
    let mut command = program();
    command.arg("run").arg("--model").arg(tiny_llava()).args(["--suite", suite]).arg("--out").arg(out);
    command.args(["--progress", "plain"]);
    command
}

/// Runs the command: its exit code, and what it wrote to standard error.
pub fn stderr(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Runs the command, which must succeed.
pub fn succeed(command: &mut Command) {
    let (code, message) = stderr(command);
    assert_eq!(code, Some(0), "{message}");
}
