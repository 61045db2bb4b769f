//! The rules of the house that the compiler does not know.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Files of `src/`, tests apart, in which `needle` stands in code, by path below `src/`.
fn files_with(needle: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let holds = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(needle))
    };
    let below = |path: &PathBuf| path.strip_prefix(&root).unwrap().display().to_string();
    let tests =
        |path: &PathBuf| path.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("tests"));
    sources(&root).iter().filter(|path| !tests(path) && holds(path)).map(below).collect()
}

fn in_room(room: &str, needle: &str) -> Vec<String> {
    files_with(needle).into_iter().filter(|file| file.starts_with(room)).collect()
}

#[test]
fn only_model_names_ort() {
    let naming = [files_with(" ort::"), files_with("(ort::"), files_with("<ort::")].concat();
    assert!(naming.iter().any(|file| file.starts_with("model/")), "the search finds nothing at all");
    let outside: Vec<String> = naming.into_iter().filter(|file| !file.starts_with("model/")).collect();
    assert_eq!(outside, Vec::<String>::new());
}

#[test]
fn analysis_never_touches_a_model() {
    for room in ["crate::model", "crate::prepare", "crate::render", "crate::suite"] {
        assert_eq!(in_room("analysis/", room), Vec::<String>::new(), "{room}");
    }
}

#[test]
fn data_flows_one_way() {
    // A room may look up the stream (to what it works on), not down it. Two pairs of neighbours know each other: a suite
    // describes scenes in the words of `render`, and a model's family processes pixels with `prepare`.
    for (room, down) in [
        (
            "suite/",
            &["crate::prepare", "crate::model", "crate::engine", "crate::record", "crate::analysis"][..],
        ),
        ("render/", &["crate::prepare", "crate::model", "crate::engine", "crate::record"]),
        ("prepare/", &["crate::engine", "crate::record", "crate::analysis"]),
        ("model/", &["crate::engine", "crate::record", "crate::analysis"]),
        ("engine/", &["crate::record", "crate::analysis", "crate::report", "crate::cli"]),
        ("record/", &["crate::analysis", "crate::report", "crate::cli"]),
        ("analysis/", &["crate::report", "crate::cli"]),
        ("report/", &["crate::record", "crate::engine", "crate::model", "crate::cli"]),
    ] {
        for needle in down {
            assert_eq!(in_room(room, needle), Vec::<String>::new(), "{room} looks down at {needle}");
        }
    }
}

#[test]
fn only_record_runtime_and_export_make_files() {
    let makers = [files_with("File::create"), files_with("fs::rename"), files_with("OpenOptions")].concat();
    let allowed = |file: &String| {
        file.starts_with("record/") || file.starts_with("runtime/") || file.starts_with("suite/export/")
    };
    let outside: Vec<String> = makers.into_iter().filter(|file| !allowed(file)).collect();
    assert_eq!(outside, Vec::<String>::new());
}
