use std::io::Write;
use std::path::{Path, PathBuf};

use super::*;
use crate::runtime::fake::{Machine, library_bytes, put};
use crate::runtime::pins::Pin;

const WHEEL: &str = "onnxruntime-1.31.1-cp312-cp312-manylinux_2_28_x86_64.whl";

/// A wheel as PyPI has it, in small; returns its SHA-256.
fn make_wheel(path: &Path) -> String {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in [
        ("onnxruntime/__init__.py", b"import this".to_vec()),
        ("onnxruntime/LICENSE", b"MIT".to_vec()),
        ("onnxruntime/capi/libonnxruntime.so.1.31.1", library_bytes("1.31.1")),
        ("onnxruntime/capi/libonnxruntime_providers_shared.so", b"\x7fELF".to_vec()),
        ("onnxruntime/capi/onnxruntime_pybind11_state.so", vec![0; 1 << 16]),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap();
    wheel::sha256(path).unwrap()
}

/// The one build on offer, with that hash.
fn builds(sha256: &str) -> Vec<Build> {
    let pin =
        Pin { package: "onnxruntime", version: "1.31.1", sha256: sha256.to_owned().leak(), megabytes: 24 };
    let platform = crate::runtime::Platform { os: "linux", arch: "x86_64" };
    vec![Build {
        flavor: Flavor::Cpu,
        platform,
        pip_platforms: &["manylinux_2_28_x86_64"],
        pins: vec![pin].leak(),
    }]
}

/// A machine whose pip copies a wheel from beside; with the wheel's hash.
fn machine_with_pip() -> (Machine, String) {
    let mut machine = Machine::new();
    let wheel = machine.path(WHEEL);
    let sha256 = make_wheel(&wheel);
    machine.python(&format!(
        r#"[ "$3" = --version ] && exit 0
while [ "$1" != -d ]; do shift; done
echo "$3" >> "{log}"
cp "{wheel}" "$2""#,
        log = machine.path("pip.log").display(),
        wheel = wheel.display()
    ));
    (machine, sha256)
}

fn cache_of(machine: &Machine) -> PathBuf {
    machine.path("home/.cache/crossmodal/runtime")
}

fn names_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        dir.read_dir().unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn install_quietly(machine: &Machine, builds: &[Build], flavor: Flavor) -> Result<Found, RuntimeError> {
    install(&machine.env, builds, flavor, &mut |_| {})
}

/// The error's text, with the machine's root and the staging folder's name (which change) taken out.
fn failure(machine: &Machine, builds: &[Build], flavor: Flavor) -> String {
    let text = install_quietly(machine, builds, flavor).unwrap_err().to_string();
    let text = text.replace(&machine.path("").display().to_string(), "/");
    match text.find(".staging-") {
        Some(at) => format!("{}.staging-*{}", &text[..at], &text[at + ".staging-".len() + 6..]),
        None => text,
    }
}

#[test]
fn an_installation_is_found_and_not_repeated() {
    let (machine, sha256) = machine_with_pip();
    let builds = builds(&sha256);
    let found = install_quietly(&machine, &builds, Flavor::Cpu).unwrap();
    let folder = cache_of(&machine).join("onnxruntime-1.31.1");
    assert_eq!(found.path, folder.join("libonnxruntime.so.1.31.1"));
    assert_eq!((found.version.as_deref(), found.origin), (Some("1.31.1"), Origin::Cache));
    assert_eq!(
        names_in(&folder),
        ["LICENSE", "installed.json", "libonnxruntime.so.1.31.1", "libonnxruntime_providers_shared.so"]
    );
    assert_eq!(names_in(&cache_of(&machine)), ["onnxruntime-1.31.1"], "nothing is left of the work");
    assert_eq!(crate::runtime::search::find(&machine.env, None, Flavor::Cpu).unwrap(), found);
    let mut said = Vec::new();
    install(&machine.env, &builds, Flavor::Cpu, &mut |line| said.push(line.to_owned())).unwrap();
    assert_eq!(said, ["onnxruntime 1.31.1 is installed already"]);
    assert_eq!(fs::read_to_string(machine.path("pip.log")).unwrap(), "onnxruntime==1.31.1\n");
}

#[test]
fn a_library_is_installed_only_where_none_is_found_and_none_was_named() {
    let (mut machine, sha256) = machine_with_pip();
    let builds = builds(&sha256);
    let get = |machine: &Machine, explicit| find_or_install(&machine.env, &builds, explicit, &mut |_| {});
    let missing = machine.path("missing.so");
    assert!(matches!(get(&machine, Some(&missing)), Err(RuntimeError::ExplicitMissing { .. })));
    assert!(!cache_of(&machine).exists());
    assert_eq!(get(&machine, None).unwrap().origin, Origin::Cache);
    machine.active_venv("1.31.1");
    assert_eq!(get(&machine, None).unwrap().origin, Origin::PythonEnvironment);
}

#[test]
fn a_damaged_installation_is_replaced() {
    let (machine, sha256) = machine_with_pip();
    let found = install_quietly(&machine, &builds(&sha256), Flavor::Cpu).unwrap();
    put(&found.path, b"\x7fELF cut short").unwrap();
    put(cache_of(&machine).join(".staging-of-another"), "still at work").unwrap();
    install_quietly(&machine, &builds(&sha256), Flavor::Cpu).unwrap();
    assert_eq!(fs::read(&found.path).unwrap(), library_bytes("1.31.1"));
    assert_eq!(names_in(&cache_of(&machine)), [".staging-of-another", "onnxruntime-1.31.1"]);
}

#[test]
fn installations_at_the_same_time_all_succeed() {
    let (machine, sha256) = machine_with_pip();
    let builds = builds(&sha256);
    let together = std::sync::Barrier::new(4);
    let found: Vec<Found> = std::thread::scope(|scope| {
        let one = || {
            together.wait();
            install_quietly(&machine, &builds, Flavor::Cpu).unwrap()
        };
        let running: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(found.iter().all(|one| one == &found[0]));
    assert!(cache::is_whole(found[0].path.parent().unwrap()));
    assert_eq!(names_in(&cache_of(&machine)), ["onnxruntime-1.31.1"]);
}

#[test]
fn another_wheel_than_the_pinned_one_is_refused_and_nothing_is_left() {
    let (machine, sha256) = machine_with_pip();
    let text = failure(&machine, &builds(&"0".repeat(64)), Flavor::Cpu).replace(&sha256, "<of the wheel>");
    insta::assert_snapshot!(text, @r#"onnxruntime-1.31.1-cp312-cp312-manylinux_2_28_x86_64.whl is not the pinned build: its SHA-256 should be 0000000000000000000000000000000000000000000000000000000000000000 and is <of the wheel>. Nothing was installed. Your package index may serve a rebuilt wheel (`python3 -m pip config list` shows which one it is); if you trust it, install the package into a Python environment instead"#);
    assert!(names_in(&cache_of(&machine)).is_empty());
}

#[test]
fn without_python_or_pip_the_error_says_how_to_get_them() {
    let mut machine = Machine::new();
    let builds = builds("");
    insta::assert_snapshot!(failure(&machine, &builds, Flavor::Cpu), @r#"`/bin/python3 -m pip` is needed to download ONNX Runtime, and there is no /bin/python3: install Python with pip (`apt-get install python3-pip` on Debian and Ubuntu, `dnf install python3-pip` on Fedora and RHEL), or set ORT_DYLIB_PATH to an ONNX Runtime library"#);
    machine.python("echo '/usr/bin/python3: No module named pip' >&2; exit 1");
    insta::assert_snapshot!(failure(&machine, &builds, Flavor::Cpu), @r#"
    `/bin/python3 -m pip` is needed to download ONNX Runtime, and it does not run: /usr/bin/python3: No module named pip
    Install pip (`apt-get install python3-pip` on Debian and Ubuntu, `dnf install python3-pip` on Fedora and RHEL, or `/bin/python3 -m ensurepip --upgrade`), or install the package some other way (`uv pip install onnxruntime==1.31.1` in a uv environment), or set ORT_DYLIB_PATH to an ONNX Runtime library
    "#);
    machine.env.platform.os = "macos";
    machine.env.platform.arch = "aarch64";
    let text = failure(&machine, crate::runtime::pins::BUILDS, Flavor::Cpu);
    assert!(text.contains("brew install python"), "{text}");
    assert!(!cache_of(&machine).exists());
}

#[test]
fn pips_own_last_words_are_repeated() {
    let mut machine = Machine::new();
    machine.python(
        r#"[ "$3" = --version ] && exit 0
for n in 1 2 3 4 5 6 7; do echo "WARNING: Retrying, attempt $n" >&2; done
echo "ERROR: No matching distribution found for onnxruntime==1.31.1" >&2
exit 1"#,
    );
    insta::assert_snapshot!(failure(&machine, &builds(""), Flavor::Cpu), @r#"
    pip could not download onnxruntime==1.31.1; its last words:
    WARNING: Retrying, attempt 3
    WARNING: Retrying, attempt 4
    WARNING: Retrying, attempt 5
    WARNING: Retrying, attempt 6
    WARNING: Retrying, attempt 7
    ERROR: No matching distribution found for onnxruntime==1.31.1
    The command was `/bin/python3 -m pip download --no-deps --only-binary=:all: --python-version 3.12 --implementation cp --platform manylinux_2_28_x86_64 --disable-pip-version-check --no-input --progress-bar off -d /home/.cache/crossmodal/runtime/.staging-*/wheels onnxruntime==1.31.1`. Without a network, fetch that wheel elsewhere, unzip it, and set ORT_DYLIB_PATH to its onnxruntime/capi directory
    "#);
    assert!(names_in(&cache_of(&machine)).is_empty());
}

#[test]
fn a_platform_without_a_tested_build_is_told_what_to_do() {
    let mut machine = Machine::new();
    let pinned = crate::runtime::pins::BUILDS;
    machine.env.platform = crate::runtime::Platform { os: "linux-musl", arch: "x86_64" };
    insta::assert_snapshot!(failure(&machine, pinned, Flavor::Cpu), @r#"no pinned onnxruntime build for this platform (linux-musl x86_64): install the onnxruntime package, 1.24.0 or newer, into a Python environment and run crossmodal inside it, or set ORT_DYLIB_PATH to the library"#);
    machine.env.platform = crate::runtime::Platform { os: "macos", arch: "aarch64" };
    insta::assert_snapshot!(failure(&machine, pinned, Flavor::Gpu), @r#"no pinned onnxruntime-gpu build for this platform (macos aarch64): install the onnxruntime-gpu package, 1.24.0 or newer, into a Python environment and run crossmodal inside it, or set ORT_DYLIB_PATH to the library"#);
}

/// Uses the network: `CROSSMODAL_CACHE=/tmp/try cargo test --lib -- --ignored --nocapture the_pinned_build`.
#[test]
#[ignore = "downloads 24 MB from the machine's package index"]
fn the_pinned_build_installs_from_the_real_index() {
    let mut env = Environment::of_this_process();
    let cache = tempfile::tempdir().unwrap();
    env.variables.entry("CROSSMODAL_CACHE".into()).or_insert_with(|| cache.path().into());
    let found =
        install(&env, crate::runtime::pins::BUILDS, Flavor::Cpu, &mut |line| println!("{line}")).unwrap();
    println!("{found:#?}");
    assert_eq!(found.version.as_deref(), Some(crate::runtime::PINNED_VERSION));
}
