//! The same bytes out, whatever the threads, the kills and the resumes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, RecordBatch};
use crossmodal::record::{Manifest, Part, Table, read_manifest};

use crate::linear_layers::has_wide_vectors;
use crate::program::{program, run, stderr, succeed, tiny_llava};
use crate::tables::{parts, read};

/// Every part's bytes by path.
fn bytes(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let manifest = read_manifest(run).unwrap().unwrap();
    let all = manifest.settings.tables.into_iter().flat_map(|table| parts(run, table));
    all.map(|path| (path.strip_prefix(run).unwrap().display().to_string(), std::fs::read(&path).unwrap()))
        .collect()
}

/// Everything that can be probed, on six units.
const SIZE: [&str; 6] = ["--limit", "6", "--groups-per-unit", "1", "--probe-layers", "--layer-embeddings"];

#[test]
fn threads_and_sessions_do_not_show() {
    let folder = tempfile::tempdir().unwrap();
    let shapes = [["1", "1"], ["2", "2"], ["2", "1"], ["3", "3"]];
    let runs = shapes.map(|[threads, sessions]| {
        let out = folder.path().join(format!("{threads}-{sessions}"));
        let shape = ["--threads", threads, "--sessions", sessions];
        succeed(run("color-recognition", &out).args(SIZE).args(shape));
        (bytes(&out), std::fs::read(out.join("manifest.json")).unwrap())
    });
    assert_eq!(runs[0].0.len(), 6 * Table::ALL.len());
    for other in &runs[1..] {
        assert!(*other == runs[0], "a run with other threads has other bytes");
    }
}

#[test]
fn written_answers_are_the_same_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [["1", "1"], ["2", "2"], ["2", "1"]].map(|[threads, sessions]| {
        let out = folder.path().join(format!("{threads}-{sessions}"));
        let mut command = program();
        command.args([
            "run",
            "--suite",
            "rest",
            "--prompts",
            "rest-brief",
            "--limit",
            "8",
            "--groups-per-unit",
            "2",
        ]);
        command.args(["--threads", threads, "--sessions", sessions, "--model"]);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/onnx/tiny-reader")).arg("--out").arg(&out);
        succeed(&mut command);
        bytes(&out)
    });
    assert_eq!(runs[0].len(), 4 * Table::DEFAULT.len());
    assert!(runs[1..].iter().all(|other| *other == runs[0]), "a run with other threads has other bytes");
}

/// What the model said, as columns: bits, not roundings of them.
fn said(run: &Path) -> Vec<ArrayRef> {
    let batches = [Table::Outcomes, Table::Logits].into_iter().flat_map(|table| read(run, table));
    let columns = |batch: RecordBatch| {
        let schema = batch.schema();
        let of_model = (0..batch.num_columns()).filter(|&column| schema.field(column).name() != "run");
        of_model.map(|column| batch.column(column).clone()).collect::<Vec<_>>()
    };
    batches.flat_map(columns).collect()
}

#[test]
fn a_prompt_has_the_same_bits_in_any_company_and_after_any_draft() {
    if !has_wide_vectors() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let ways: [&[&str]; 4] = [&[], &["--no-sharing"], &["--batch-tokens", "150"], &["--no-drafts"]];
    let runs: Vec<Vec<ArrayRef>> = (0..)
        .zip(ways)
        .map(|(number, way)| {
            let out = folder.path().join(format!("{number}"));
            let mut command = program();
            command.args(["run", "--suite", "rest", "--prompts", "rest-brief", "--limit", "8"]);
            command.args(["--groups-per-unit", "4", "--threads", "1", "--model"]);
            command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/onnx/tiny-reader")).arg("--out").arg(&out);
            succeed(command.args(way));
            said(&out)
        })
        .collect();
    for (way, run) in ways.iter().zip(&runs).skip(1) {
        assert!(*run == runs[0], "{way:?} changes what the model says");
    }
}

#[test]
fn a_killed_run_goes_on_and_ends_in_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    succeed(run("color-recognition", &whole).args(SIZE));

    let mut first = run("color-recognition", &killed);
    let mut child = first.args(SIZE).args(["--threads", "1"]).stderr(Stdio::null()).spawn().unwrap();
    let progress = killed.join("progress.jsonl");
    let start = Instant::now();
    let done = || std::fs::read_to_string(&progress).map_or(0, |text| text.lines().count());
    while done() < 2 {
        assert!(start.elapsed() < Duration::from_secs(120), "two units were not done in two minutes");
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    assert!(!read_manifest(&killed).unwrap().unwrap().complete);

    let (code, message) = stderr(run("color-recognition", &killed).args(SIZE).args(["--threads", "2"]));
    assert_eq!(code, Some(0), "{message}");
    assert!(message.contains("going on: "), "{message}");
    assert!(bytes(&whole) == bytes(&killed), "the resumed run has other bytes");
    assert_eq!(read_manifest(&whole).unwrap(), read_manifest(&killed).unwrap());
}

#[test]
fn a_damaged_part_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, damaged) = (folder.path().join("whole"), folder.path().join("damaged"));
    let size = ["--limit", "2", "--groups-per-unit", "1"];
    for out in [&whole, &damaged] {
        succeed(run("color-recognition", out).args(size));
    }
    // As a crash before the end leaves it: progress instead of a complete manifest, a line cut off, a part cut short.
    let manifest = read_manifest(&damaged).unwrap().unwrap();
    let line = |unit: usize| {
        let of_unit = |part: &&Part| part.path.ends_with(&format!("part-{unit:05}.parquet"));
        let parts: Vec<_> = manifest.parts.iter().filter(of_unit).collect();
        serde_json::json!({"unit": unit, "prompts": 163, "failed_rows": 0, "parts": parts}).to_string()
    };
    std::fs::write(damaged.join("progress.jsonl"), format!("{}\n{}", line(0), &line(1)[..40])).unwrap();
    let begun =
        Manifest { complete: false, prompts: None, failed_rows: None, parts: vec![], ..manifest.clone() };
    std::fs::write(damaged.join("manifest.json"), serde_json::to_vec(&begun).unwrap()).unwrap();
    let part = &parts(&damaged, Table::Outcomes)[0];
    let half = std::fs::read(part).unwrap();
    std::fs::write(part, &half[..half.len() / 2]).unwrap();
    std::fs::write(part.with_file_name(".partial-part-00001.parquet-77"), &half[..9]).unwrap();

    succeed(run("color-recognition", &damaged).args(size));
    assert!(bytes(&whole) == bytes(&damaged));
}

#[test]
fn a_complete_run_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    succeed(run("color-recognition", folder.path()).args(["--limit", "1"]));
    let before = bytes(folder.path());
    let (code, message) = stderr(run("color-recognition", folder.path()).args(["--limit", "1"]));
    assert_eq!(code, Some(0));
    assert!(message.contains("is complete already"), "{message}");
    assert!(before == bytes(folder.path()));
    // Unless something of it is gone.
    std::fs::remove_file(&parts(folder.path(), Table::Logits)[0]).unwrap();
    succeed(run("color-recognition", folder.path()).args(["--limit", "1"]));
    assert!(before == bytes(folder.path()));
}

/// What a scheduler does before it kills: the units that run are finished, and the exit code says "again".
#[cfg(unix)]
#[test]
fn a_terminated_run_says_that_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let size = ["--limit", "40", "--groups-per-unit", "1", "--threads", "1"];
    let mut command = run("color-recognition", folder.path());
    let child = command.args(size).stderr(Stdio::piped()).spawn().unwrap();
    let progress = folder.path().join("progress.jsonl");
    let start = Instant::now();
    while !progress.exists() {
        assert!(start.elapsed() < Duration::from_secs(120), "no unit was done in two minutes");
        std::thread::sleep(Duration::from_millis(2));
    }
    succeed(std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]));
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(75), "{message}");
    assert!(message.contains("of 40 units; run the same command again and it goes on"), "{message}");
}

/// `crossmodal run --progress json 2>&1 | head -1`
#[test]
fn nobody_reading_the_progress_is_no_reason_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program();
    command.args(["run", "--suite", "color-recognition", "--progress", "json", "--model"]).arg(tiny_llava());
    command.args(SIZE).arg("--out").arg(folder.path());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert!(child.wait().unwrap().success());
    assert!(read_manifest(folder.path()).unwrap().unwrap().complete);
}

/// As an array job of a cluster runs it: three processes at a time, one of them killed and started again.
#[test]
fn shards_make_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, sharded) = (folder.path().join("whole"), folder.path().join("sharded"));
    succeed(run("color-recognition", &whole).args(SIZE));
    let shard = |number: usize| {
        let mut command = run("color-recognition", &sharded);
        command.args(SIZE).args(["--threads", "1", "--shard", &format!("{number}/3")]);
        command
    };
    let mut running: Vec<_> =
        (1..=3).map(|number| shard(number).stderr(Stdio::null()).spawn().unwrap()).collect();
    running[1].kill().unwrap();
    for (number, child) in running.iter_mut().enumerate() {
        assert_eq!(child.wait().unwrap().success(), number != 1);
    }
    assert!(!read_manifest(&sharded).unwrap().is_some_and(|manifest| manifest.complete));
    let (code, message) = stderr(&mut shard(2));
    assert_eq!(code, Some(0), "{message}");
    assert!(bytes(&whole) == bytes(&sharded), "the sharded run has other bytes");
    assert_eq!(read_manifest(&whole).unwrap(), read_manifest(&sharded).unwrap());
}
