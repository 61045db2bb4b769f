//! `crossmodal compare` and `report --against`, with the program itself.

use std::process::Command;

use serde_json::Value;

use crate::comparison_golden::golden_run;

/// Exit code, standard output and standard error.
fn crossmodal(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_crossmodal")).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn golden(side: &str) -> String {
    golden_run(side).display().to_string()
}

#[test]
fn the_verdict_is_the_first_line_and_the_table_follows() {
    let (code, table, _) =
        crossmodal(&["compare", &golden("reference"), &golden("run"), "--bootstrap", "20"]);
    assert_eq!(code, Some(0));
    assert!(table.starts_with("28 of 514 answers differ\n"), "{table}");
    insta::assert_snapshot!(table);
    let (_, identical, _) = crossmodal(&["compare", &golden("run"), &golden("run"), "--bootstrap", "20"]);
    assert!(identical.starts_with("identical\n"), "{identical}");
}

#[test]
fn json_is_the_same_on_stdout_and_in_the_folder_beside_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new/folder");
    let arguments = ["--bootstrap", "20", "--json", "--out", out.to_str().unwrap()];
    let runs = [golden("reference"), golden("run")];
    let (code, json, _) =
        crossmodal(&[&["compare", runs[0].as_str(), runs[1].as_str()][..], &arguments].concat());
    assert_eq!(code, Some(0));
    assert_eq!(json, std::fs::read_to_string(out.join("comparison.json")).unwrap());
    let figures: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(figures["verdict"]["kind"], "answers-differ");
    assert_eq!(figures["by_presentation"][0]["presentation"], "conflict");
    let page = std::fs::read_to_string(out.join("comparison.html")).unwrap();
    assert!(page.contains("28 of 514 answers differ") && page.contains("tiny-int8"));
}

#[test]
fn a_run_that_is_not_there_is_an_error_with_its_path() {
    let (code, _, stderr) = crossmodal(&["compare", &golden("reference"), "no/such/run"]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("expected the table `outcomes` as no/such/run/tables/table=outcomes"),
        "{stderr}"
    );
}
