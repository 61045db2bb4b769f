//! `crossmodal suite list` and `suite show`.

use std::process::Command;

use crossmodal::suite::catalogue::KNOWN;
use crossmodal::suite::{Group, SuiteSpec, open};
use image::RgbImage;
use serde_json::Value;

use super::golden;
use crate::program::{program, tiny_llava};

fn stdout(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn list_names_every_suite_with_its_size_and_needs() {
    insta::assert_snapshot!(stdout(program().args(["suite", "list"])));
    let listed: Value = serde_json::from_str(&stdout(program().args(["suite", "list", "--json"]))).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), KNOWN.len());
}

#[test]
fn the_sizes_that_are_listed_are_so() {
    let suite = open(&SuiteSpec::default()).unwrap();
    let prompts = |group: Group| group.presentations.len();
    let size = |name: &str| KNOWN.iter().find(|suite| suite.name == name).unwrap().size.replace(',', "");
    let of_group = prompts(suite.group(0).unwrap());
    assert_eq!(
        size("color-recognition"),
        format!("{} groups {} prompts", suite.group_count(), suite.group_count() * of_group)
    );
    let data = vec![golden("clevr").display().to_string()];
    let clevr = open(&SuiteSpec { name: "shape-recognition".into(), data, ..SuiteSpec::default() }).unwrap();
    let of_group = prompts(clevr.group(0).unwrap());
    for name in ["shape-recognition", "material-recognition"] {
        assert_eq!(size(name), format!("300 groups {} prompts", 300 * of_group));
    }
}

#[test]
fn show_names_the_first_items() {
    insta::assert_snapshot!(stdout(program().args(["suite", "show"]).arg(golden("suites/rows.jsonl"))));
}

#[test]
fn show_tells_an_item_as_the_model_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program();
    command.args(["suite", "show"]).arg(golden("suites/datasets")).args(["--item", "q"]);
    command.arg("--out").arg(folder.path()).arg("--model").arg(tiny_llava());
    insta::assert_snapshot!(stdout(&mut command));
    let written = image::open(folder.path().join("q-01.png")).unwrap().into_rgb8();
    assert_eq!(written, RgbImage::from_pixel(5, 4, image::Rgb([255, 0, 0])));
}

#[test]
fn show_writes_json_that_is_a_row() {
    let mut command = program();
    command.args(["suite", "show"]).arg(golden("suites/rows.jsonl"));
    command.args(["--item", "c", "--json"]);
    let shown: Value = serde_json::from_str(&stdout(&mut command)).unwrap();
    let row = &shown[0];
    assert_eq!(row["messages"][0]["content"][0]["image"], "g1-00.png");
    assert_eq!(row["images"][0]["width"], 5);
    assert_eq!(row["options"][0]["spellings"][2], "scarlet");
    assert_eq!(row["tags"]["vision_item"], "v");
}

#[test]
fn the_row_that_help_shows_is_one() {
    let help = stdout(program().args(["suite", "export", "--help"]));
    let (_, row) = help.split_once("A row of your own (as one line of a .jsonl file):").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.jsonl");
    std::fs::write(&path, row.replace('\n', " ")).unwrap();
    let group = super::open_path(&path).group(0).unwrap();
    assert_eq!(group.presentations[0].key(), ("sky", "vision-only", "none"));
}
