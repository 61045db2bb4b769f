//! REST's items from data files in the published schemas. `export_scripts/golden_rest.py` wrote the files, and the items
//! that they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crossmodal::suite::rest::RestSpec;
use crossmodal::suite::{PresentationKind, SuiteSpec, open};

use crate::rest::{error, golden, groups, of_kind, spec};

#[test]
fn published_files_hold_the_items_that_python_reads() {
    let expected: BTreeMap<String, Vec<serde_json::Value>> =
        serde_json::from_str(&fs::read_to_string(golden("expected.json")).unwrap()).unwrap();
    assert_eq!(expected.len(), 8);
    for (file, expected) in expected {
        let suite = open(&spec("rest", &[&golden(&file)])).unwrap();
        let kept: Vec<_> = expected.iter().filter(|item| item["dropped"].is_null()).collect();
        let groups = groups(&*suite);
        assert_eq!(groups.len(), kept.len(), "{file}");
        for (group, expected) in groups.iter().zip(kept) {
            let ocr = of_kind(group, PresentationKind::Ocr);
            assert_eq!(ocr.answer.as_deref(), expected["content"].as_str(), "{file}");
            let text = of_kind(group, PresentationKind::Text);
            assert_eq!(text.answer.as_deref(), expected["answer"].as_str(), "{file}: {}", text.item_id);
            assert_eq!(
                expected["answer"].is_null(),
                text.fault.as_ref().is_some_and(|fault| fault.contains("no answer"))
            );
        }
        let ids: BTreeSet<&str> = groups.iter().map(|group| group.group_id.as_str()).collect();
        assert_eq!(ids.len(), groups.len(), "{file}");
    }
}

#[test]
fn items_are_named_by_what_their_files_say() {
    let ids = |data: &str| -> Vec<String> {
        groups(&*open(&spec("rest", &[data])).unwrap()).into_iter().map(|group| group.group_id).collect()
    };
    assert_eq!(ids(&golden("mmlu.parquet")), ["mmlu/0", "mmlu/1", "mmlu/4", "mmlu/5", "mmlu/6"]);
    assert_eq!(ids(&golden("gsm8k.parquet"))[..2], ["gsm-symbolic/0", "gsm-symbolic/1"]);
    assert_eq!(
        ids(&golden("gsm-symbolic.parquet"))[..3],
        ["gsm-symbolic/0-0", "gsm-symbolic/0-1", "gsm-symbolic/1-0"]
    );
    let arc = ["arc/Mercury_1", "arc/NYSEDREGENTS_2", "arc/MCAS_3", "arc/no-key", "arc/one-option"];
    assert_eq!(ids(&format!("arc={}", golden("arc.*"))), arc);
    assert_eq!(ids("soebench").len(), 150);
}

#[test]
fn what_is_left_out_is_counted() {
    let notes =
        |data: &[&str], rest: RestSpec| open(&SuiteSpec { rest, ..spec("rest", data) }).unwrap().notes();
    let (mmlu, gsm) = (golden("mmlu.parquet"), golden("gsm-symbolic.parquet"));
    insta::assert_snapshot!(notes(&[&mmlu, &gsm, &golden("arc.parquet")], RestSpec::default()).join("\n"), @r#"
    arc: 5 items read
    arc: 2 items that cannot be asked; the first: the item has no answer: `answerKey` is empty, expected one of A, B (arc.parquet, row 4)
    mmlu: 7 items read, 2 dropped (1 longer than 800 characters, 1 with LaTeX)
    mmlu: 1 item that cannot be asked; the first: the item has no answer: `answer` is -1, expected a whole number below 4 or an option's letter (mmlu.parquet, row 7)
    gsm-symbolic: 5 items read
    gsm-symbolic: 1 item that cannot be asked; the first: the item has no answer: `answer` has no number after #### (gsm-symbolic.parquet, row 5)
    gsm-symbolic: 1 item of one sentence, without a presentation `mixed`
    "#);
    let kept = RestSpec { keep_latex: true, max_characters: Some(1000), ..RestSpec::default() };
    assert_eq!(notes(&[&mmlu], kept)[0], "mmlu: 7 items read");
    let short = RestSpec { max_characters: Some(60), ..RestSpec::default() };
    assert_eq!(
        notes(&[&mmlu], short)[0],
        "mmlu: 7 items read, 3 dropped (2 longer than 60 characters, 1 with LaTeX)"
    );
    let none = RestSpec { max_characters: Some(5), ..RestSpec::default() };
    let message = error(&SuiteSpec { rest: none, ..spec("rest", &[&mmlu]) });
    assert_eq!(message, "the suite rest has no items: none was read, or all were dropped");
}

#[test]
fn an_item_without_an_answer_is_kept_with_its_fault() {
    let faults = |file: &str| -> Vec<String> {
        let groups = groups(&*open(&spec("rest", &[&golden(file)])).unwrap());
        for group in &groups {
            let faults: BTreeSet<_> = group.presentations.iter().map(|row| &row.fault).collect();
            assert_eq!(faults.len(), 1);
        }
        groups.into_iter().filter_map(|group| group.presentations[0].fault.clone()).collect()
    };
    insta::assert_snapshot!(faults("arc.parquet").join("\n"), @r#"
    the item has no answer: `answerKey` is empty, expected one of A, B (arc.parquet, row 4)
    the item has no choice: `choices` has 1 options, expected two or more (arc.parquet, row 5)
    "#);
    insta::assert_snapshot!(faults("mmlu.parquet").join("\n"), @"the item has no answer: `answer` is -1, expected a whole number below 4 or an option's letter (mmlu.parquet, row 7)");
    insta::assert_snapshot!(faults("mmlu-letters.jsonl").join("\n"), @"the item has no answer: `answer` is null, expected a whole number below 4 or an option's letter (mmlu-letters.jsonl, row 7)");
    insta::assert_snapshot!(faults("gsm8k.parquet").join("\n"), @"the item has no answer: `answer` has no number after #### (gsm8k.parquet, row 5)");
}

#[test]
fn an_item_of_one_sentence_has_no_mixed_presentation() {
    let suite = open(&spec("rest", &[&golden("gsm8k.parquet")])).unwrap();
    let kinds = |group: usize| -> Vec<&str> {
        suite.group(group).unwrap().presentations.iter().map(|row| row.kind.as_str()).collect()
    };
    assert_eq!(kinds(0), ["text", "ocr", "image", "mixed", "ocr-first"]);
    assert_eq!(kinds(3), ["text", "ocr", "image", "ocr-first"]);
}

#[test]
fn a_file_that_does_not_fit_is_an_error_when_it_is_opened() {
    let arc = r#"{"id":"a","question":"Q?","choices":{"text":["x","y"],"label":["A","B"]},"answerKey":"A"}"#;
    let mmlu = r#"{"question":"Q?","choices":["x","y"],"answer":1}"#;
    let cases = [
        ("a.jsonl", "", format!("{arc}\n\n{arc}")),
        ("a.jsonl", "", format!("{arc}\n{{")),
        ("a.jsonl", "", format!("{arc}\n{}", arc.replace("[\"A\",\"B\"]", "[\"A\"]"))),
        ("a.jsonl", "", format!("{arc}\n{}", arc.replace("\"Q?\"", "7"))),
        ("a.jsonl", "mmlu=", arc.to_string()),
        ("a.jsonl", "", "{\"text\":\"x\",\"label\":1}".to_string()),
        ("m.jsonl", "", mmlu.replace("[\"x\",\"y\"]", "\"x\"")),
        ("m.jsonl", "arc=", mmlu.to_string()),
        ("m.json", "", mmlu.to_string()),
        ("m.csv", "", mmlu.to_string()),
        ("m.parquet", "", mmlu.to_string()),
    ];
    let messages: Vec<String> = cases
        .iter()
        .map(|(name, task, content)| {
            let scratch = tempfile::tempdir().unwrap();
            let path = scratch.path().join(name);
            fs::write(&path, content).unwrap();
            let folder = format!("{}/", scratch.path().display());
            error(&spec("rest", &[&format!("{task}{}", path.display())])).replace(&folder, "")
        })
        .collect();
    insta::assert_snapshot!(messages.join("\n"), @r#"
    a.jsonl, row 3: the item "arc/a" stands in a.jsonl, row 1 already; each item must be there once
    a.jsonl, row 2: not a JSON object, at column 1: EOF while parsing an object
    a.jsonl, row 2: `choices` is {"text":["x","y"],"label":["A"]}, expected the lists `text` and `label` of one length
    a.jsonl, row 2: `question` is 7, expected text
    a.jsonl: it has no column `answer`, which the task mmlu needs; its columns: id, question, choices, answerKey
    a.jsonl: its columns (text, label) are those of no task; expected id, question, choices, answerKey for arc; question, choices, answer for mmlu; question, answer for gsm-symbolic
    m.jsonl, row 1: `choices` is "x", expected a list of texts
    m.jsonl: it has no column `id`, which the task arc needs; its columns: question, choices, answer
    m.json: expected one JSON array of objects: invalid type: map, expected a sequence at line 1 column 1
    m.csv: expected a name that ends in .parquet, .jsonl, .json
    m.parquet: cannot be read as Parquet: Parquet error: Invalid Parquet file. Corrupt footer
    "#);
}
