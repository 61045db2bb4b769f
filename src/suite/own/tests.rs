use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;
use crate::suite::answers::AnswerKind;
use crate::suite::{Ask, Part, Presentation, PresentationKind};

fn written(folder: &Path, name: &str, rows: &[Value]) -> PathBuf {
    let path = folder.join(name);
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    path
}

fn row(item: &str, presentation: &str, content: Value, more: Value) -> Value {
    let mut row = json!({
        "item_id": item, "group_id": item, "presentation": presentation,
        "messages": [{"role": "user", "content": content}],
    });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

fn presentations(rows: &[Value]) -> Vec<Presentation> {
    let folder = tempfile::tempdir().unwrap();
    let suite = OwnSuite::open(&written(folder.path(), "mine.jsonl", rows), None).unwrap();
    (0..suite.group_count()).flat_map(|index| suite.group(index).unwrap().presentations).collect()
}

#[test]
fn what_is_asked_follows_from_the_row_unless_a_tag_says_it() {
    let image = json!([{"type": "image", "image": "a.png"}]);
    let text = json!("Which?");
    let words = json!({"options": ["red", "blue"]});
    let letters = json!({"options": ["A", "B"]});
    let cases = [
        ("vision-only", &image, words.clone(), None),
        ("vision-only", &image, json!({"answer": "red"}), Some(AnswerKind::Word)),
        ("text-only", &text, json!({"answer": "-3.5"}), Some(AnswerKind::Number)),
        (
            "text-only",
            &text,
            json!({"options": ["A", "B"], "tags": {"reading": "choice"}}),
            Some(AnswerKind::Choice),
        ),
        ("ocr", &image, json!({"answer": "12"}), Some(AnswerKind::Transcript)),
        ("ocr", &image, letters.clone(), Some(AnswerKind::Transcript)),
        ("text", &text, letters.clone(), Some(AnswerKind::Choice)),
        ("image", &image, words, Some(AnswerKind::Word)),
        ("mixed", &image, json!({"answer": "1,024"}), Some(AnswerKind::Number)),
        ("mixed", &image, json!({"answer": "nan"}), Some(AnswerKind::Word)),
        ("ocr-first", &text, json!({}), Some(AnswerKind::Word)),
        ("text", &text, json!({"options": ["A", "B"], "tags": {"reading": "option-token"}}), None),
    ];
    for (presentation, content, more, expected) in cases {
        let told = format!("{presentation} {more}");
        let asked = presentations(&[row("x", presentation, content.clone(), more)]);
        let kind = match &asked[0].ask {
            Ask::NextToken => None,
            Ask::Generate(generate) => {
                assert_eq!(generate.max_new_tokens, 1024, "{told}");
                Some(generate.reading.kind)
            }
        };
        assert_eq!(kind, expected, "{told}");
    }
}

#[test]
fn renderings_are_named_by_their_tags() {
    for (tags, variant) in [
        (json!({}), "none"),
        (json!({"variant": "v1", "dpi": 50}), "v1"),
        (json!({"font": "DejaVu Sans", "dpi": 200, "color": "red"}), "dejavu-sans-200-red"),
        (json!({"dpi": "100"}), "100"),
        (json!("{\"dpi\": 100}"), "100"),
    ] {
        let rows = presentations(&[row("x", "text", json!("Which?"), json!({"tags": tags.clone()}))]);
        assert_eq!(rows[0].variant(), variant, "{tags}");
    }
}

#[test]
fn what_was_written_is_that_of_the_same_item_and_variant() {
    let ocr = |variant: &str| {
        let image = json!([{"type": "image", "image": format!("{variant}.png")}]);
        row("x", "ocr", image, json!({"tags": {"variant": variant}}))
    };
    let first = |variant: &str| {
        let content = json!([{"type": "written", "written": "ocr"}, {"type": "text", "text": "Answer."}]);
        row("x", "ocr-first", content, json!({"tags": {"variant": variant}}))
    };
    let rows = presentations(&[first("b"), ocr("a"), ocr("b"), first("a")]);
    assert_eq!(rows[0].messages[0].content[0], Part::Written(2));
    assert_eq!(rows[3].messages[0].content[0], Part::Written(1));
}

#[test]
fn conflicts_find_their_unimodal_rows_by_variant_first() {
    let image = json!([{"type": "image", "image": "a.png"}]);
    let of = |kind: &str, content: &Value, variant: &str| {
        let tags = json!({"variant": variant, "vision_item": "x", "text_item": "x"});
        row("x", kind, content.clone(), json!({"options": ["A", "B"], "tags": tags}))
    };
    let rows = [
        of("vision-only", &image, "a"),
        of("vision-only", &image, "b"),
        of("text-only", &json!("It is."), "none"),
        of("conflict", &image, "b"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let suite = OwnSuite::open(&written(folder.path(), "mine.jsonl", &rows), None).unwrap();
    let case = suite.group(0).unwrap().cases[0];
    assert_eq!((case.conflict, case.vision, case.text), (3, 1, 2));
}

#[test]
fn rows_are_found_again_in_any_order_and_beyond_what_is_read_ahead() {
    let folder = tempfile::tempdir().unwrap();
    // Groups are scattered over the file, and the file is larger than a window.
    let long = "so it goes on ".repeat(1 << 19);
    let kinds = ["text", "ocr-first"];
    let rows: Vec<Value> = kinds
        .iter()
        .flat_map(|kind| {
            let long = &long;
            (0..3).map(move |item| {
                row(&format!("x{item}"), kind, json!(format!("{item} {kind} {long}")), json!({}))
            })
        })
        .collect();
    let suite = OwnSuite::open(&written(folder.path(), "mine.jsonl", &rows), None).unwrap();
    for item in [2, 0, 1, 1, 2] {
        let group = suite.group(item).unwrap();
        assert_eq!(group.presentations.len(), 2);
        for row in group.presentations {
            let Part::Text(text) = &row.messages[0].content[0] else { panic!("no text") };
            assert!(text.starts_with(&format!("{item} {}", row.kind.as_str())), "{}", &text[..20]);
        }
    }
}

#[test]
fn a_file_that_changes_while_it_is_used_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows =
        vec![row("x", "text", json!("What is one?"), json!({})), row("y", "text", json!("Two?"), json!({}))];
    let path = written(folder.path(), "mine.jsonl", &rows);
    let suite = OwnSuite::open(&path, None).unwrap();
    rows[1] = row("y", "text", json!("Ten?"), json!({}));
    written(folder.path(), "mine.jsonl", &rows);
    assert!(suite.group(0).is_ok());
    let message = suite.group(1).unwrap_err().to_string();
    assert!(
        message.ends_with("mine.jsonl:2: the file has changed since it was opened; start again"),
        "{message}"
    );
}

#[test]
fn a_limit_makes_the_suite_of_the_first_groups() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<Value> =
        (0..3).map(|item| row(&format!("x{item}"), "text", json!("What?"), json!({}))).collect();
    let whole = written(folder.path(), "whole.jsonl", &rows);
    let part = written(folder.path(), "part.jsonl", &rows[..2]);
    let digest = |path: &Path, limit| OwnSuite::open(path, limit).unwrap().fingerprint();
    assert_eq!(digest(&whole, Some(2)), digest(&part, None));
    assert_ne!(digest(&whole, None), digest(&part, None));
    assert_eq!(OwnSuite::open(&whole, Some(2)).unwrap().group_count(), 2);
}

#[test]
fn pictures_are_part_of_the_suite() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [row("x", "image", json!([{"type": "image", "image": "a.png"}]), json!({}))];
    let path = written(folder.path(), "mine.jsonl", &rows);
    let digest = || OwnSuite::open(&path, None).unwrap().fingerprint();
    let missing = digest();
    std::fs::write(folder.path().join("a.png"), "one").unwrap();
    let there = digest();
    std::fs::write(folder.path().join("a.png"), "two").unwrap();
    assert!(missing != there && there != digest() && missing != digest());
    assert_eq!(
        OwnSuite::open(&path, None).unwrap().group(0).unwrap().presentations[0].kind,
        PresentationKind::Image
    );
}
