//! One sample's failure is a row with a status and a message; the run goes on.

use std::path::Path;

use crossmodal::record::Table;
use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use crate::program::{program, run, stderr, succeed};
use crate::tables::{read, texts};

const QUESTION: &str = "What color is the square? Please use one word to answer this question.";

fn row(item: &str, presentation: &str, image: Option<&str>, text: &str) -> Value {
    let mut content = vec![];
    content.extend(image.map(|image| json!({"type": "image", "image": image})));
    content.push(json!({"type": "text", "text": text}));
    json!({
        "item_id": item, "group_id": item.split('-').next(), "presentation": presentation,
        "messages": [{"role": "user", "content": content}], "options": ["red", "blue"], "answer": "red"
    })
}

fn write_suite(folder: &Path, rows: &[Value]) -> String {
    let path = folder.join("mine.jsonl");
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    path.display().to_string()
}

/// A PNG file of this size, as far as its header.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    header.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
    header.extend([8, 2, 0, 0, 0]);
    let checksum = crc32(&header[12..]);
    header.extend(checksum.to_be_bytes());
    header
}

/// CRC-32 of a PNG chunk.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

#[test]
fn items_without_answer_or_glyphs_fail_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("arc.jsonl");
    let item = |id: &str, question: &str, answer: Value| {
        let labels = ["A", "B", "C", "D"];
        let choices = json!({"text": ["red", "blue", "green", "white"], "label": labels});
        json!({"id": id, "question": question, "choices": choices, "answerKey": answer}).to_string()
    };
    let items = [
        item("sound", "What color is snow?", json!("D")),
        item("unanswered", "What color is snow?", Value::Null),
        item("thai", "What color is \u{e2b}\u{e34}\u{e21}\u{e30}?", json!("D")),
    ];
    std::fs::write(&data, items.join("\n")).unwrap();
    let out = folder.path().join("run");
    let mut command = program();
    command.args(["run", "--suite", "rest", "--prompts", "rest-brief", "--progress", "plain", "--model"]);
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/onnx/tiny-reader"))
        .arg("--data")
        .arg(&data)
        .arg("--out")
        .arg(&out);
    let (code, message) = stderr(&mut command);
    assert_eq!(code, Some(0), "{message}");
    let place = folder.path().display().to_string();
    let rows =
        texts(&out, Table::Outcomes, "item_id").into_iter().zip(texts(&out, Table::Outcomes, "presentation"));
    let shown: Vec<String> = rows
        .zip(texts(&out, Table::Outcomes, "error"))
        .map(|((item, presentation), error)| {
            format!("{item} {presentation}: {}", error.replace(&place, "FOLDER"))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    arc/sound image: 
    arc/sound mixed: 
    arc/sound ocr: 
    arc/sound ocr-first: 
    arc/sound text: 
    arc/thai image: cannot typeset the text: no font has a glyph for 'ห' (U+0E2B) in line 1, column 15; '\u{e34}' (U+0E34) in line 1, column 16; 'ม' (U+0E21) in line 1, column 17; 'ะ' (U+0E30) in line 1, column 18; replace what cannot be drawn, or leave the item out
    arc/thai mixed: cannot typeset the text: no font has a glyph for 'ห' (U+0E2B) in line 1, column 15; '\u{e34}' (U+0E34) in line 1, column 16; 'ม' (U+0E21) in line 1, column 17; 'ะ' (U+0E30) in line 1, column 18; replace what cannot be drawn, or leave the item out
    arc/thai ocr: cannot typeset the text: no font has a glyph for 'ห' (U+0E2B) in line 1, column 15; '\u{e34}' (U+0E34) in line 1, column 16; 'ม' (U+0E21) in line 1, column 17; 'ะ' (U+0E30) in line 1, column 18; replace what cannot be drawn, or leave the item out
    arc/thai ocr-first: needs the model's ocr of this item, which failed: cannot typeset the text: no font has a glyph for 'ห' (U+0E2B) in line 1, column 15; '\u{e34}' (U+0E34) in line 1, column 16; 'ม' (U+0E21) in line 1, column 17; 'ะ' (U+0E30) in line 1, column 18; replace what cannot be drawn, or leave the item out
    arc/thai text: 
    arc/unanswered image: the item has no answer: `answerKey` is null, expected one of A, B, C, D (arc.jsonl, row 2)
    arc/unanswered mixed: the item has no answer: `answerKey` is null, expected one of A, B, C, D (arc.jsonl, row 2)
    arc/unanswered ocr: the item has no answer: `answerKey` is null, expected one of A, B, C, D (arc.jsonl, row 2)
    arc/unanswered ocr-first: the item has no answer: `answerKey` is null, expected one of A, B, C, D (arc.jsonl, row 2)
    arc/unanswered text: the item has no answer: `answerKey` is null, expected one of A, B, C, D (arc.jsonl, row 2)
    "#);
}

#[test]
fn corrupt_images_and_overlong_prompts_fail_alone() {
    let folder = tempfile::tempdir().unwrap();
    let sound = RgbImage::from_pixel(50, 40, Rgb([255, 0, 0]));
    sound.save(folder.path().join("sound.png")).unwrap();
    let bytes = std::fs::read(folder.path().join("sound.png")).unwrap();
    std::fs::write(folder.path().join("cut.png"), &bytes[..bytes.len() / 2]).unwrap();
    std::fs::write(folder.path().join("no.png"), "this is no image").unwrap();
    std::fs::write(folder.path().join("huge.png"), png_header(50_000, 50_000)).unwrap();
    let rows = [
        row("g1-sound", "vision-only", Some("sound.png"), QUESTION),
        row("g1-cut", "vision-only", Some("cut.png"), QUESTION),
        row("g1-no", "vision-only", Some("no.png"), QUESTION),
        row("g1-huge", "vision-only", Some("huge.png"), QUESTION),
        row("g1-missing", "vision-only", Some("missing.png"), QUESTION),
        row("g1-long", "text-only", None, &"The square is red. ".repeat(400)),
        row("g1-placeholder", "text-only", None, "What is <image>?"),
        row("g2-text", "text-only", None, &format!("The square is red. {QUESTION}")),
    ];
    let suite = write_suite(folder.path(), &rows);
    let out = folder.path().join("run");
    let (code, message) = stderr(&mut run(&suite, &out));
    assert_eq!(code, Some(0), "{message}");
    assert!(message.contains("warning: 6 of 8 prompts failed"), "{message}");

    let place = folder.path().display().to_string();
    let errors = texts(&out, Table::Outcomes, "error");
    let shown: Vec<String> = texts(&out, Table::Outcomes, "item_id")
        .into_iter()
        .zip(errors)
        .map(|(item, error)| format!("{item}: {}", error.replace(&place, "FOLDER")))
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    g1-cut: corrupt image FOLDER/cut.png: unexpected end of file
    g1-huge: corrupt image FOLDER/huge.png: Image size exceeds limit
    g1-long: context overflow: the prompt has 2006 tokens, the model takes 256
    g1-missing: cannot read the image FOLDER/missing.png: No such file or directory (os error 2)
    g1-no: corrupt image FOLDER/no.png: The image format could not be determined
    g1-placeholder: the prompt has 1 image placeholders (<image>) for 0 images; a text must not hold the placeholder itself
    g1-sound: 
    g2-text:
    "#);
    let ok = texts(&out, Table::Outcomes, "status").iter().filter(|status| *status == "ok").count();
    assert_eq!(ok, 2);
    // What failed has no logits; its row is there all the same.
    assert_eq!(read(&out, Table::Logits).iter().map(|batch| batch.num_rows()).sum::<usize>(), 8);
}

#[test]
fn when_every_prompt_fails_so_does_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let suite = write_suite(folder.path(), &[row("g1-a", "vision-only", Some("gone.png"), QUESTION)]);
    let (code, message) = stderr(&mut run(&suite, &folder.path().join("run")));
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("all 1 prompts failed; the first: cannot read the image "), "{message}");
    // A requeued job must not take it for a success.
    let (code, message) = stderr(&mut run(&suite, &folder.path().join("run")));
    assert_eq!(code, Some(1), "{message}");
    // The picture is there now: that is another suite, and no half of each gets into one run.
    RgbImage::from_pixel(50, 40, Rgb([255, 0, 0])).save(folder.path().join("gone.png")).unwrap();
    let (code, message) = stderr(&mut run(&suite, &folder.path().join("run")));
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("holds another run: its suite content is "), "{message}");
}

#[test]
fn an_exported_suite_gives_the_same_answers_as_the_suite_itself() {
    let folder = tempfile::tempdir().unwrap();
    let exported = folder.path().join("exported");
    succeed(program().args(["suite", "export", "color-recognition", "--limit", "2", "--out"]).arg(&exported));
    let (direct, read_back) = (folder.path().join("direct"), folder.path().join("read-back"));
    succeed(run("color-recognition", &direct).args(["--limit", "2"]));
    succeed(&mut run(&exported.join("suite.jsonl").display().to_string(), &read_back));
    for (table, column) in [
        (Table::Outcomes, "item_id"),
        (Table::Outcomes, "image_hash"),
        (Table::Outcomes, "prompt_hash"),
        (Table::Outcomes, "answer"),
        (Table::Outcomes, "control"),
        (Table::Following, "item_id"),
        (Table::Following, "follows"),
        (Table::Following, "vision_item_id"),
        (Table::Following, "expected_text"),
    ] {
        assert_eq!(texts(&direct, table, column), texts(&read_back, table, column), "{column}");
    }
}

#[test]
fn a_wrong_row_is_named_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let good = row("g1-a", "text-only", None, QUESTION);
    let mut messages = Vec::new();
    let mut refuse = |change: &dyn Fn(&mut Value)| {
        let mut bad = row("g1-b", "text-only", None, QUESTION);
        change(&mut bad);
        let suite = write_suite(folder.path(), &[good.clone(), bad]);
        let (code, message) = stderr(&mut run(&suite, &folder.path().join("run")));
        assert_eq!(code, Some(1), "{message}");
        messages.push(message.replace(&folder.path().display().to_string(), "FOLDER"));
    };
    refuse(&|row| row["answer"] = json!("green"));
    refuse(&|row| row["options"] = json!(["red"]));
    refuse(&|row| row["presentation"] = json!("picture"));
    refuse(&|row| row["item_id"] = json!("g1-a"));
    refuse(&|row| row["tags"] = json!({"dv": "three"}));
    refuse(&|row| row["messages"][0]["content"][0] = json!({"type": "image", "image": "a.png"}));
    refuse(&|row| row["colour"] = json!("red"));
    refuse(&|row| {
        row["presentation"] = json!("conflict");
        row["messages"][0]["content"][0] = json!({"type": "image", "image": "a.png"});
    });
    refuse(&|row| {
        row["presentation"] = json!("conflict");
        row["messages"][0]["content"][0] = json!({"type": "image", "image": "a.png"});
        row["tags"] = json!({"vision_item": "g1-z", "text_item": "g1-a"});
    });
    refuse(&|row| {
        row["presentation"] = json!("vision-only");
        row["messages"][0]["content"][0] = json!({"type": "image", "image": "../../etc/a.png"});
    });
    insta::assert_snapshot!(messages.join(""), @r#"
    error: FOLDER/mine.jsonl:2: `answer` is "green", which is none of `options` (red, blue)
    error: FOLDER/mine.jsonl:2: `options` has 1 entries, expected two or more
    error: FOLDER/mine.jsonl:2: `presentation` is "picture", expected one of vision-only, text-only, conflict, ocr, text, image, mixed, ocr-first
    error: FOLDER/mine.jsonl:2: `item_id` "g1-a" with presentation text-only and variant none stands at FOLDER/mine.jsonl:1 already; the three together must be unique
    error: FOLDER/mine.jsonl:2: `tags.dv` is "three", expected a whole number
    error: FOLDER/mine.jsonl:2: presentation text-only must not have an image part
    error: FOLDER/mine.jsonl:2: unknown field `colour`, expected one of item_id, group_id, presentation, messages, options, answer, vision_answer, text_answer, tags
    error: FOLDER/mine.jsonl:2: a conflict row needs the tag `vision_item` when its group has 0 vision-only rows (with one it is clear)
    error: FOLDER/mine.jsonl:2: tag `vision_item` names "g1-z", which is no vision-only row of its group
    error: FOLDER/mine.jsonl:2: `messages[0].content[0].image`: image "../../etc/a.png" must be a path below the suite file's folder
    "#);
    assert!(!folder.path().join("run").exists(), "an output place was made for a suite that is wrong");
}

#[test]
fn rows_of_a_group_may_have_options_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut other = row("g1-b", "text-only", None, &format!("The square is green. {QUESTION}"));
    other["options"] = json!(["green", "purple", "blue"]);
    other["answer"] = json!("green");
    let mut unclear = row("g2-c", "text-only", None, QUESTION);
    unclear["options"] = json!(["red", "Red"]);
    let first = row("g1-a", "text-only", None, &format!("The square is red. {QUESTION}"));
    let suite = write_suite(folder.path(), &[first, other, unclear]);
    let out = folder.path().join("run");
    succeed(&mut run(&suite, &out));
    assert_eq!(texts(&out, Table::Outcomes, "answer"), ["red", "green", ""]);
    let options: Vec<usize> = read(&out, Table::Outcomes)
        .iter()
        .flat_map(|batch| {
            let lists = batch.column_by_name("option_logprobs").unwrap().clone();
            let lists = arrow_array::cast::AsArray::as_list::<i32>(&lists).clone();
            lists.iter().map(|list| list.map_or(0, |list| list.len())).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(options, [2, 3, 0]);
    assert!(texts(&out, Table::Outcomes, "error")[2].contains("has no first token of its own"));
}

#[test]
fn what_a_file_cannot_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let suite = write_suite(folder.path(), &[row("g1-a", "text-only", None, QUESTION)]);
    let (code, message) = stderr(run(&suite, &folder.path().join("run")).args(["--seed", "7"]));
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("are for suites that are generated"), "{message}");
}
