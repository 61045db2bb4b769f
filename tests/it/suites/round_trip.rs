//! A suite written as files and read back asks the same, with the same pixels; and so do files that other programs wrote.

use crossmodal::record::Table;
use crossmodal::render::load::load;
use crossmodal::suite::export::{ExportFormat, ExportSettings, Exported, export};
use crossmodal::suite::{AnswerOption, Ask, PresentationKind, Suite, SuiteSpec, open};

use super::{assert_same, golden, groups, open_path};
use crate::program::{program, run, stderr, succeed};
use crate::tables::texts;

fn write(suite: &dyn Suite, folder: &std::path::Path, format: ExportFormat) -> Exported {
    let settings = ExportSettings { format, ..ExportSettings::default() };
    export(suite, folder, &settings, &|source| load(source).map_err(|error| error.to_string())).unwrap()
}

#[test]
fn color_recognition_comes_back_as_it_was_in_both_formats() {
    let suite = open(&SuiteSpec { limit: Some(2), seed: 3, ..SuiteSpec::default() }).unwrap();
    let expected = groups(&*suite);
    for format in [ExportFormat::Jsonl, ExportFormat::Parquet] {
        let folder = tempfile::tempdir().unwrap();
        let exported = write(&*suite, folder.path(), format);
        assert_eq!(exported.rows, 2 * 163);
        assert_same(&groups(&*open_path(&exported.path)), &expected);
        // The folder is as good a name as the file in it.
        let of_folder = open_path(folder.path());
        assert_eq!(of_folder.fingerprint(), open_path(&exported.path).fingerprint());
    }
}

#[test]
fn every_kind_of_row_comes_back_as_it_was_in_both_formats() {
    let suite = open_path(&golden("suites/rows.jsonl"));
    let expected = groups(&*suite);
    for format in [ExportFormat::Jsonl, ExportFormat::Parquet] {
        let folder = tempfile::tempdir().unwrap();
        let exported = write(&*suite, folder.path(), format);
        assert_same(&groups(&*open_path(&exported.path)), &expected);
    }
}

#[test]
fn rows_are_what_their_file_says() {
    let groups = groups(&*open_path(&golden("suites/rows.jsonl")));
    let [conflict, question, number] = &groups[..] else { panic!("{} groups", groups.len()) };
    let red =
        AnswerOption { name: "red".into(), spellings: ["red", "Red", "scarlet"].map(String::from).into() };
    assert_eq!(conflict.presentations[2].options[0], red);
    assert_eq!(conflict.presentations[2].dv, Some(3));
    assert_eq!(conflict.cases.len(), 1);
    let keys: Vec<_> = question.presentations.iter().map(|row| row.key()).collect();
    assert_eq!(
        keys,
        [
            ("q", "ocr", "sans-100"),
            ("q", "ocr-first", "sans-100"),
            ("q", "image", "sans-100"),
            ("q", "text", "none")
        ]
    );
    let rendering = question.presentations[0].rendering.as_ref().unwrap();
    assert_eq!((rendering.font.as_deref(), rendering.dpi), (Some("DejaVu Sans"), Some(100)));
    let Ask::Generate(generate) = &question.presentations[0].ask else { panic!("nothing is written") };
    assert_eq!(generate.max_new_tokens, 64);
    assert_eq!(question.presentations[3].ask, Ask::NextToken);
    assert_eq!(number.presentations[0].kind, PresentationKind::Text);
    assert_eq!(number.presentations[0].messages.len(), 2);
}

#[test]
fn parquet_as_other_programs_write_it_asks_the_same() {
    let expected = groups(&*open_path(&golden("suites/rows.jsonl")));
    assert_same(&groups(&*open_path(&golden("suites/datasets"))), &expected);
    assert_same(&groups(&*open_path(&golden("suites/datasets/part-*.parquet"))), &expected);
    assert_same(&groups(&*open_path(&golden("suites/datasets/part-0.parquet"))), &{
        let mut first = expected.clone();
        first.truncate(2);
        first[1].presentations.truncate(1);
        first
    });
    assert_same(&groups(&*open_path(&golden("suites/pyarrow/map.parquet"))), &expected[1..]);
    assert_same(&groups(&*open_path(&golden("suites/pyarrow/json.parquet"))), &expected[2..]);
}

#[test]
fn a_run_on_an_exported_suite_has_the_same_prompts_and_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let exported = folder.path().join("exported");
    let mut export = program();
    export.args(["suite", "export", "color-recognition", "--limit", "1", "--format", "parquet", "--out"]);
    succeed(export.arg(&exported));
    let (direct, read_back) = (folder.path().join("direct"), folder.path().join("read-back"));
    succeed(run("color-recognition", &direct).args(["--limit", "1"]));
    succeed(&mut run(&exported.join("suite.parquet").display().to_string(), &read_back));
    for column in ["item_id", "image_hash", "prompt_hash", "answer", "control"] {
        let of = |run| texts(run, Table::Outcomes, column);
        assert_eq!(of(&direct), of(&read_back), "{column}");
    }
    assert_eq!(texts(&direct, Table::Following, "follows"), texts(&read_back, Table::Following, "follows"));
}

#[test]
fn an_export_that_fails_leaves_no_file_that_looks_whole() {
    let folder = tempfile::tempdir().unwrap();
    let row = r#"{"item_id": "a", "group_id": "a", "presentation": "image", "messages": [{"role": "user", "content": [{"type": "image", "image": "gone.png"}]}]}"#;
    std::fs::write(folder.path().join("mine.jsonl"), row).unwrap();
    for format in ["jsonl", "parquet"] {
        let out = folder.path().join(format);
        let mut command = program();
        command.args(["suite", "export"]).arg(folder.path().join("mine.jsonl"));
        let (code, message) = stderr(command.arg("--out").arg(&out).args(["--format", format]));
        assert_eq!(code, Some(1), "{message}");
        assert!(message.contains("cannot make images/00000-00.png: cannot read the image "), "{message}");
        let left = std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path());
        assert_eq!(left.filter(|path| path.is_file()).count(), 0);
    }
}
