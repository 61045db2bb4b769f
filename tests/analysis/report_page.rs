//! The way from answers of elsewhere to a page, with the program itself: import, analyze, report.

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

const ITEMS: usize = 8;

fn succeed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_crossmodal")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn write_lines(path: &Path, rows: &[Value]) -> PathBuf {
    let mut file = File::create(path).unwrap();
    rows.iter().for_each(|row| writeln!(file, "{row}").unwrap());
    path.to_owned()
}

/// A grey picture, wider than the page shows.
fn picture() -> String {
    let mut png = Cursor::new(Vec::new());
    RgbImage::from_pixel(900, 300, Rgb([240; 3])).write_to(&mut png, ImageFormat::Png).unwrap();
    format!("data:image/png;base64,{}", STANDARD.encode(png.into_inner()))
}

fn suite(folder: &Path) -> PathBuf {
    let image = json!({"type": "image", "image": picture()});
    let text = json!({"type": "text", "text": "Which one?"});
    let row = |item: usize, presentation: &str, content: Value| {
        json!({"item_id": format!("item-{item}"), "group_id": format!("group-{item}"), "presentation": presentation,
            "messages": [{"role": "user", "content": content}], "options": ["A", "B"], "answer": "B"})
    };
    let rows: Vec<Value> = (0..ITEMS)
        .flat_map(|item| {
            [
                row(item, "text", json!([text])),
                row(item, "image", json!([image])),
                row(item, "mixed", json!([image, text])),
            ]
        })
        .collect();
    write_lines(&folder.join("letters.jsonl"), &rows)
}

/// Answers of a model that misreads the image of every item whose number `misread` divides, as a run.
fn imported(folder: &Path, suite: &Path, model: &str, misread: usize) -> String {
    let answer = |item: usize, presentation: &str| {
        let wrong = presentation == "image" && item.is_multiple_of(misread);
        json!({"item_id": format!("item-{item}"), "presentation": presentation, "answer": if wrong { "A" } else { "B" }})
    };
    let rows: Vec<Value> =
        (0..ITEMS).flat_map(|item| ["text", "image", "mixed"].map(|shown| answer(item, shown))).collect();
    let file = write_lines(&folder.join(format!("{model}.jsonl")), &rows);
    let out = folder.join(model).display().to_string();
    let (file, suite) = (file.display().to_string(), suite.display().to_string());
    succeed(&["import", &file, "--model", model, "--suite", &suite, "--out", &out]);
    out
}

#[test]
fn answers_of_elsewhere_become_a_page_with_their_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let suite = suite(folder.path());
    let one = imported(folder.path(), &suite, "one", 2);
    let other = imported(folder.path(), &suite, "other", 4);
    let figures: Value =
        serde_json::from_str(&succeed(&["analyze", &one, &other, "--json", "--bootstrap", "20"])).unwrap();
    let rer = |of: usize| figures["consistency"][of]["all"]["pooled"]["rer"]["value"].as_f64().unwrap();
    assert_eq!((rer(0), rer(1)), (0.5, 0.75));
    assert_eq!(figures["models"]["models"].as_array().unwrap().len(), 2);

    let report = || {
        let page = succeed(&["report", &one, &other, "--cases", "3", "--bootstrap", "20"]);
        std::fs::read_to_string(page.trim()).unwrap()
    };
    let page = report();
    assert_eq!(page, report(), "the same tables give the same bytes");
    assert_eq!(page.matches("<article class=\"case item\"").count(), 3);
    assert_eq!(page.matches("width=\"360\" height=\"120\" src=\"data:image/png").count(), 3);
    assert_eq!(page.matches("aria-label=\"wrong\"").count(), 3, "those that differ are shown");
    assert!(page.contains("one × letters") && page.contains("other × letters"));
}

#[test]
fn a_suite_that_has_changed_leaves_the_pictures_out() {
    let folder = tempfile::tempdir().unwrap();
    let suite = suite(folder.path());
    let run = imported(folder.path(), &suite, "one", 2);
    std::fs::remove_file(suite).unwrap();
    let page = succeed(&["report", &run, "--bootstrap", "20"]);
    let page = std::fs::read_to_string(page.trim()).unwrap();
    assert!(page.contains("The picture is not part of this page.") && !page.contains("<img"));
}

#[test]
fn a_page_against_a_reference_run_says_how_faithful_the_run_is() {
    let folder = tempfile::tempdir().unwrap();
    let suite = suite(folder.path());
    let (run, reference) =
        (imported(folder.path(), &suite, "one", 2), imported(folder.path(), &suite, "other", 4));
    let page = |arguments: &[&str]| {
        let page = succeed(&[&["report", run.as_str(), "--bootstrap", "20"], arguments].concat());
        std::fs::read_to_string(page.trim()).unwrap()
    };
    let against = page(&["--against", &reference]);
    assert_eq!(against.matches("<section id=\"fidelity\">").count(), 1);
    // Items 2 and 6 are misread by the one and not by the other.
    assert!(against.contains("<strong>2 of 24 answers differ</strong>"), "{against}");
    assert!(!page(&[]).contains("fidelity"), "without a reference there is nothing to say");
}
