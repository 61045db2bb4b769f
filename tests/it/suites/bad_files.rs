//! Files and arguments that are no suite.

use std::fs;

use super::{golden, refused};

#[test]
fn paths_that_hold_no_suite() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    for name in ["empty", "arrow", "both"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("arrow/data-00000-of-00001.arrow"), "").unwrap();
    fs::write(folder.path().join("both/a.jsonl"), "").unwrap();
    fs::write(folder.path().join("both/a.parquet"), "").unwrap();
    fs::write(folder.path().join("blank.jsonl"), "\n\n").unwrap();
    fs::write(folder.path().join("text.parquet"), "item_id,group_id").unwrap();
    fs::write(folder.path().join("rows.csv"), "item_id,group_id").unwrap();
    fs::write(folder.path().join("prose.jsonl"), "What color is the sky?").unwrap();
    let whole = fs::read(golden("suites/datasets/part-0.parquet")).unwrap();
    fs::write(folder.path().join("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    let complaints: String = [
        "nowhere.jsonl",
        "nowhere.parquet",
        "nowhere/*.parquet",
        "empty",
        "arrow",
        "both",
        "both/b*",
        "blank.jsonl",
        "text.parquet",
        "cut.parquet",
        "rows.csv",
        "prose.jsonl",
    ]
    .iter()
    .map(|name| refused(&[&place(name)], folder.path()))
    .collect();
    insta::assert_snapshot!(complaints);
}

#[test]
fn damage_within_a_parquet_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = fs::read(golden("suites/pyarrow/json.parquet")).unwrap();
    bytes[4..60].fill(0xff);
    let path = folder.path().join("damaged.parquet");
    fs::write(&path, bytes).unwrap();
    let message = refused(&[&path.display().to_string()], folder.path());
    assert!(message.starts_with("error: FOLDER/damaged.parquet: it "), "{message}");
}

#[test]
fn an_item_that_is_not_there() {
    let suite = golden("suites/rows.jsonl").display().to_string();
    let complaints: String = [
        vec!["--item", "z"],
        vec!["--item", "q", "--presentation", "conflict"],
        vec!["--item", "q", "--variant", "sans-50"],
    ]
    .iter()
    .map(|arguments| refused(&[&[suite.as_str()], &arguments[..]].concat(), &golden("")))
    .collect();
    insta::assert_snapshot!(complaints);
}
