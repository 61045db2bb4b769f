use std::fs;

use super::*;
use crate::runtime::fake::{Machine, put};

fn find(env: &Environment, explicit: Option<&Path>) -> Result<Found, RuntimeError> {
    super::find(env, explicit, Flavor::Cpu)
}

/// The error's text, with the machine's root (which changes) written as `/`.
fn message(machine: &Machine, error: &RuntimeError) -> String {
    error.to_string().replace(&machine.path("").display().to_string(), "/")
}

#[test]
fn each_place_comes_before_those_after_it() {
    let mut machine = Machine::new();
    machine.set("ORT_DYLIB_PATH", &machine.path("variable"));
    let flag = machine.library("flag", "1.31.1");
    let in_order = [
        (machine.library("variable", "1.31.1"), Origin::Variable),
        (machine.active_venv("1.31.1"), Origin::PythonEnvironment),
        (machine.library("user-site/onnxruntime/capi", "1.32.0"), Origin::PythonEnvironment),
        (machine.library("exe", "1.31.1"), Origin::BesideExecutable),
        (machine.library("exe/onnxruntime/lib", "1.31.1"), Origin::BesideExecutable),
        (machine.library("home/.cache/crossmodal/runtime/onnxruntime-1.31.1-gpu", "1.31.1"), Origin::Cache),
        (machine.library("home/.cache/crossmodal/runtime/onnxruntime-1.31.1", "1.31.1"), Origin::Cache),
    ];
    machine.python(&format!("echo '[\"{}\"]'", machine.path("user-site/onnxruntime").display()));
    assert_eq!(find(&machine.env, Some(&flag)).unwrap().origin, Origin::Flag);
    for (path, origin) in in_order {
        let found = find(&machine.env, None).unwrap();
        assert_eq!((&found.path, found.origin), (&path, origin));
        let reported = report(&machine.env, None).decision.unwrap();
        assert_eq!(reported, found, "the report decides as the search does");
        fs::remove_file(path).unwrap();
        if origin == Origin::Variable {
            machine.env.variables.remove(std::ffi::OsStr::new("ORT_DYLIB_PATH"));
        }
    }
    assert!(matches!(find(&machine.env, None), Err(RuntimeError::NotFound { .. })));
}

#[test]
fn a_named_directory_is_searched_where_packages_keep_libraries() {
    let machine = Machine::new();
    let inside = machine.library("site-packages/onnxruntime/capi", "1.31.1");
    let found = find(&machine.env, Some(&machine.path("site-packages"))).unwrap();
    assert_eq!((found.path, found.version.as_deref()), (inside, Some("1.31.1")));
}

#[test]
fn what_the_user_named_is_used_or_refused_but_never_replaced() {
    let mut machine = Machine::new();
    machine.active_venv("1.31.1");
    let text = machine.path("notes.txt");
    put(&text, "not a library").unwrap();
    fs::create_dir(machine.path("empty")).unwrap();
    machine.library("old", "1.19.2");
    let refusal = |machine: &Machine, name: &str| {
        let error = find(&machine.env, Some(&machine.path(name))).unwrap_err();
        assert!(report(&machine.env, Some(&machine.path(name))).decision.is_err());
        message(machine, &error)
    };
    insta::assert_snapshot!(refusal(&machine, "missing.so"), @r#"--ort-dylib names /missing.so, which does not exist: give the ONNX Runtime library (libonnxruntime.so or libonnxruntime.so.<version>) or a directory that holds it, or leave --ort-dylib out to have it searched for"#);
    insta::assert_snapshot!(refusal(&machine, "empty"), @r#"--ort-dylib names the directory /empty, in which there is no libonnxruntime.so or libonnxruntime.so.<version> (nor in its lib, capi or onnxruntime/capi)"#);
    insta::assert_snapshot!(refusal(&machine, "notes.txt"), @r#"--ort-dylib names /notes.txt, which is no shared library (it starts neither as an ELF, a Mach-O nor a PE file does): give the path of libonnxruntime.so or libonnxruntime.so.<version>"#);
    insta::assert_snapshot!(refusal(&machine, "old/libonnxruntime.so"), @r#"--ort-dylib names /old/libonnxruntime.so, which is ONNX Runtime 1.19.2, too old: 1.24.0 or newer is needed; name another, or run `crossmodal runtime install` and leave --ort-dylib out"#);
    machine.set("ORT_DYLIB_PATH", &machine.path("missing.so"));
    let error = find(&machine.env, None).unwrap_err();
    assert!(error.to_string().starts_with("ORT_DYLIB_PATH names"), "{error}");
}

#[test]
fn a_library_that_is_too_old_is_passed_over_and_remembered() {
    let mut machine = Machine::new();
    machine.active_venv("1.19.2");
    let error = find(&machine.env, None).unwrap_err();
    insta::assert_snapshot!(message(&machine, &error), @r#"
    no suitable ONNX Runtime library (1.24.0 or newer) was found
      found 1.19.2 at /venv/lib/python3.12/site-packages/onnxruntime/capi/libonnxruntime.so (Python environment), too old: needs 1.24.0 or newer
    run `crossmodal runtime install` (or `install --gpu`), install the onnxruntime package into the active Python environment, or name a library with --ort-dylib or ORT_DYLIB_PATH
    "#);
    let cached = machine.library("home/.cache/crossmodal/runtime/onnxruntime-1.31.1", "1.31.1");
    assert_eq!(find(&machine.env, None).unwrap().path, cached);
}

#[test]
fn where_nothing_is_the_error_tells_every_place() {
    let mut machine = Machine::new();
    machine.python("exit 1");
    let error = find(&machine.env, None).unwrap_err();
    insta::assert_snapshot!(message(&machine, &error), @r#"
    no suitable ONNX Runtime library (1.24.0 or newer) was found
      Python environment: /bin/python3 cannot be asked: it printed ""
      beside the executable: no library in /exe
      cache: nothing installed in /home/.cache/crossmodal/runtime
    run `crossmodal runtime install` (or `install --gpu`), install the onnxruntime package into the active Python environment, or name a library with --ort-dylib or ORT_DYLIB_PATH
    "#);
}

#[test]
fn a_gpu_build_comes_with_the_directories_of_its_cuda_libraries() {
    let mut machine = Machine::new();
    let library = machine.active_venv("1.31.1");
    let site = machine.path("venv/lib/python3.12/site-packages");
    for dir in ["nvidia/cudnn/lib", "nvidia/cu13/lib", "nvidia/cu13/include", "tensorrt_libs"] {
        fs::create_dir_all(site.join(dir)).unwrap();
    }
    let cpu = find(&machine.env, None).unwrap();
    assert!(!cpu.gpu_build && cpu.cuda_dirs.is_empty());
    put(library.with_file_name("libonnxruntime_providers_cuda.so"), "").unwrap();
    let gpu = find(&machine.env, None).unwrap();
    assert!(gpu.gpu_build);
    let expected = ["nvidia/cu13/lib", "nvidia/cudnn/lib", "tensorrt_libs"].map(|dir| site.join(dir));
    assert_eq!(gpu.cuda_dirs, expected);
}

#[test]
fn a_library_without_the_provider_that_is_asked_for_is_passed_over() {
    let mut machine = Machine::new();
    let plain = machine.active_venv("1.31.1");
    let openvino = |machine: &Machine| super::find(&machine.env, None, Flavor::Openvino);
    let error = openvino(&machine).unwrap_err();
    insta::assert_snapshot!(message(&machine, &error), @r#"
    no library of the package onnxruntime-openvino was found, which this execution provider needs
      Python environment: /venv/lib/python3.12/site-packages/onnxruntime/capi/libonnxruntime.so (1.31.1), without that provider
      Python environment: no /bin/python3 in PATH
      beside the executable: no library in /exe
      cache: nothing installed in /home/.cache/crossmodal/runtime
    run `crossmodal runtime install --openvino`, or name a library with --ort-dylib or ORT_DYLIB_PATH
    "#);
    let folder = "home/.cache/crossmodal/runtime/onnxruntime-1.24.1-openvino";
    let installed = machine.library(folder, "1.24.1");
    put(installed.with_file_name("libonnxruntime_providers_openvino.so"), "").unwrap();
    let found = openvino(&machine).unwrap();
    assert_eq!((&found.path, found.openvino_build, found.gpu_build), (&installed, true, false));
    assert_eq!(find(&machine.env, None).unwrap().path, plain, "others use what they used before");
    assert!(matches!(
        super::find(&machine.env, None, Flavor::Gpu),
        Err(RuntimeError::NoSuchBuild { flavor: Flavor::Gpu, .. })
    ));
    // What the user named is opened, and says itself what it offers.
    assert_eq!(super::find(&machine.env, Some(&plain), Flavor::Openvino).unwrap().path, plain);
}
