//! Suites on published data: what they say when it is missing or wrong, and that they run.

use std::fs;
use std::path::Path;
use std::process::Command;

use crossmodal::record::Table;
use crossmodal::suite::export::row_of;
use crossmodal::suite::seeding::hex_digest;
use crossmodal::suite::{SuiteSpec, open};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use super::{golden, refused};
use crate::program::{program, stderr, succeed};
use crate::tables::texts;

fn items() -> Value {
    let item = |image: &str, vision: &str, text: &str| {
        json!({"image_id": image, "task": "color", "question": "What color is it?", "answer_vision": vision,
               "answer_text": text, "context": "It is painted."})
    };
    json!([
        item("000000000001", "red", "blue"),
        item("000000000002", "red", "blue"),
        item("000000000001", "red", "Red ")
    ])
}

fn coco(folder: &Path) {
    fs::create_dir_all(folder.join("coco/train2014")).unwrap();
    let photograph = RgbImage::from_pixel(30, 30, Rgb([200, 0, 0]));
    photograph.save(folder.join("coco/train2014/COCO_train2014_000000000001.jpg")).unwrap();
}

fn run(model: &str, suite: &str, folder: &Path) -> Command {
    let mut command = program();
    command.args(["run", "--progress", "none", "--suite", suite, "--out"]).arg(folder.join("run"));
    command.arg("--model").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(model));
    command
}

#[test]
fn mc2_runs_and_only_what_is_missing_fails() {
    let folder = tempfile::tempdir().unwrap();
    coco(folder.path());
    let data = folder.path().join("items.json");
    fs::write(&data, items().to_string()).unwrap();
    let mut command = run("tests/models/qwen2_vl", "mc2", folder.path());
    command.arg("--data").arg(&data).arg("--images").arg(folder.path().join("coco"));
    let (code, message) = stderr(&mut command);
    assert_eq!(code, Some(0), "{message}");
    let out = folder.path().join("run");
    let errors = texts(&out, Table::Outcomes, "error");
    let place = folder.path().display().to_string();
    let told: Vec<String> = texts(&out, Table::Outcomes, "item_id")
        .into_iter()
        .zip(texts(&out, Table::Outcomes, "presentation"))
        .zip(errors)
        .map(|((item, kind), error)| format!("{item} {kind}: {}", error.replace(&place, "FOLDER")))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn material_recognition_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = run("tests/models/qwen2_vl", "material-recognition", folder.path());
    succeed(command.arg("--data").arg(golden("clevr")).args(["--limit", "1", "--no-controls"]));
    let out = folder.path().join("run");
    assert_eq!(texts(&out, Table::Outcomes, "status"), ["ok"; 24]);
    assert_eq!(texts(&out, Table::Following, "item_id").len(), 16);
}

#[test]
fn what_mc2_cannot_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    coco(folder.path());
    fs::create_dir(folder.path().join("no-images")).unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let mut lacking = items();
    lacking[1].as_object_mut().unwrap().remove("answer_text");
    let mut empty = items();
    empty[0]["question"] = json!(" ");
    let files = [
        ("items.json", items()),
        ("lacking.json", lacking),
        ("empty.json", empty),
        ("object.json", json!({"items": []})),
        ("none.json", json!([])),
    ];
    for (name, content) in files {
        fs::write(folder.path().join(name), content.to_string()).unwrap();
    }
    fs::write(
        folder.path().join("prompts.toml"),
        "version = 1\nquestion = '{question}'\nwith_context = ''\nfirst = ['A']\nsecond = ['B']",
    )
    .unwrap();
    let (items, coco) = (place("items.json"), place("coco"));
    let complaints: String = [
        vec![],
        vec!["--data", &items],
        vec!["--data", &place("gone.json"), "--images", &coco],
        vec!["--data", &items, "--images", &place("gone")],
        vec!["--data", &items, "--images", &place("no-images")],
        vec!["--data", &place("lacking.json"), "--images", &coco],
        vec!["--data", &place("empty.json"), "--images", &coco],
        vec!["--data", &place("object.json"), "--images", &coco],
        vec!["--data", &place("none.json"), "--images", &coco],
        vec!["--data", &items, "--images", &coco, "--seed", "1"],
        vec!["--data", &items, "--images", &coco, "--prompts", &place("prompts.toml")],
    ]
    .iter()
    .map(|arguments| refused(&[&["mc2"], &arguments[..]].concat(), folder.path()))
    .collect();
    insta::assert_snapshot!(complaints);
}

#[test]
fn what_attribute_recognition_cannot_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let scenes = fs::read_to_string(golden("clevr/scenes/CLEVR_val_scenes.json")).unwrap();
    let with_scenes = |name: &str, scenes: &str| {
        fs::create_dir_all(folder.path().join(name).join("scenes")).unwrap();
        fs::create_dir_all(folder.path().join(name).join("images/val")).unwrap();
        fs::write(folder.path().join(name).join("scenes/CLEVR_val_scenes.json"), scenes).unwrap();
    };
    with_scenes("cut", &scenes[..scenes.len() / 2]);
    with_scenes("pink", &scenes.replace("\"red\"", "\"pink\""));
    with_scenes("outside", &scenes.replace("CLEVR_val_000003", "../CLEVR_val_000003"));
    with_scenes("large", &scenes.replace("\"small\"", "\"large\""));
    let prompts = fs::read_to_string("data/prompts/attribute-recognition.toml").unwrap();
    fs::write(folder.path().join("one.toml"), prompts.replacen(" {opposite} the {second}", "", 1)).unwrap();
    fs::write(folder.path().join("two.toml"), prompts.replace("name = \"cube\"", "name = \"box\"")).unwrap();
    let clevr = golden("clevr").display().to_string();
    let complaints: String = [
        vec![],
        vec!["--data", &place("gone")],
        vec!["--data", &place("cut")],
        vec!["--data", &place("pink")],
        vec!["--data", &place("outside")],
        vec!["--data", &place("large")],
        vec!["--data", &clevr, "--images", &clevr],
        vec!["--data", &clevr, "--prompts", &place("one.toml")],
        vec!["--data", &clevr, "--prompts", &place("two.toml")],
    ]
    .iter()
    .map(|arguments| refused(&[&["shape-recognition"], &arguments[..]].concat(), folder.path()))
    .collect();
    insta::assert_snapshot!(complaints);
}

#[test]
fn files_are_for_suites_that_read_them() {
    let message = refused(&["color-recognition", "--data", "x"], Path::new("."));
    insta::assert_snapshot!(message, @"error: --data and --images are for suites that are read from published files (see `crossmodal suite list`); color-recognition is none of them");
}

#[test]
fn a_suite_keeps_its_content() {
    // Pinned: what was run yesterday is what runs today. Raise the suite's CONTENT_VERSION when this must change.
    let open = |name: &str, data: Option<&Path>| {
        let data = data.map(|path| path.display().to_string()).into_iter().collect();
        open(&SuiteSpec { name: name.into(), data, limit: Some(2), ..SuiteSpec::default() }).unwrap()
    };
    let digest = |name: &str, data: Option<&Path>| {
        let suite = open(name, data);
        let rows: Vec<String> = super::groups(&*suite)
            .iter()
            .flat_map(|group| {
                (0..group.presentations.len()).map(|row| row_of(group, row, &|image| image.to_string()))
            })
            .map(|row| serde_json::to_string(&row).unwrap())
            .collect();
        hex_digest(rows.concat())[..16].to_string()
    };
    let clevr = golden("clevr");
    let pinned = [
        digest("color-recognition", None),
        digest("shape-recognition", Some(&clevr)),
        digest("material-recognition", Some(&clevr)),
    ];
    insta::assert_debug_snapshot!(pinned);
}
