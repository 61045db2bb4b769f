//! What makes all samples fail is found before the first, and said with what to do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{library, program, stderr, succeed, tiny_llava};

/// A copy of the shipped model that a test may break.
struct Broken {
    folder: tempfile::TempDir,
}

impl Broken {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("model");
        fs::create_dir_all(model.join("onnx")).unwrap();
        for place in ["", "onnx"] {
            for entry in fs::read_dir(tiny_llava().join(place)).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    fs::copy(&path, model.join(place).join(path.file_name().unwrap())).unwrap();
                }
            }
        }
        Self { folder }
    }

    fn model(&self) -> PathBuf {
        self.folder.path().join("model")
    }

    fn graph(&self, name: &str) -> PathBuf {
        self.model().join("onnx").join(name)
    }

    /// The error of a run.
    fn error(&self) -> String {
        let out = self.folder.path().join("run");
        let message = failure(&mut run(&self.model(), &out), self.folder.path());
        assert!(!out.join("tables").exists(), "samples were run");
        message
    }
}

fn run(model: &Path, out: &Path) -> Command {
    let mut command = program();
    command.args(["run", "--suite", "color-recognition", "--limit", "1", "--progress", "none"]);
    command.arg("--model").arg(model).arg("--out").arg(out);
    command
}

/// The error of a command that must fail, with paths that differ from machine to machine replaced.
fn failure(command: &mut Command, folder: &Path) -> String {
    let (code, message) = stderr(command);
    assert_eq!(code, Some(1), "{message}");
    message
        .replace(&library().display().to_string(), "LIBRARY")
        .replace(&folder.display().to_string(), "FOLDER")
}

#[test]
fn a_directory_that_is_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = run(&folder.path().join("nowhere"), &folder.path().join("run"));
    insta::assert_snapshot!(failure(&mut command, folder.path()), @r#"
    error: FOLDER/nowhere is no model directory: it does not exist
      expected: config.json, tokenizer.json, preprocessor_config.json or processor_config.json, a chat template, and onnx/ with
      vision_encoder.onnx, embed_tokens.onnx and decoder_model_merged.onnx, as onnx-community publishes models
      or `python export_scripts/export.py` writes them
    "#);
}

#[test]
fn a_missing_graph() {
    let broken = Broken::new();
    fs::remove_file(broken.graph("vision_encoder.onnx")).unwrap();
    let message = broken.error();
    let expected = "error: FOLDER/model is no model directory: onnx/vision_encoder.onnx is missing\n  expected: config.json";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn an_unknown_family() {
    let broken = Broken::new();
    let path = broken.model().join("config.json");
    let config = fs::read_to_string(&path).unwrap().replace("\"llava\"", "\"bert\"");
    fs::write(&path, config).unwrap();
    insta::assert_snapshot!(broken.error(), @r#"
    error: FOLDER/model/config.json: `model_type` is "bert"; known families: gemma3, idefics3, internvl, llava, llava_next, llava_onevision, paligemma, phi3_v, phi4mm, qwen2_5_vl, qwen2_vl, qwen3_vl, smolvlm
    "#);
}

#[test]
fn a_graph_without_an_input() {
    let broken = Broken::new();
    fs::copy(broken.graph("embed_tokens.onnx"), broken.graph("decoder_model_merged.onnx")).unwrap();
    insta::assert_snapshot!(broken.error(), @r#"
    error: FOLDER/model/onnx/decoder_model_merged.onnx: the graph has no input `inputs_embeds`
      found inputs: input_ids i64[-1, -1]
    "#);
}

#[test]
fn an_input_of_another_type() {
    let broken = Broken::new();
    fs::write(broken.graph("embed_tokens.onnx"), identity(&[("input_ids", FLOAT)])).unwrap();
    insta::assert_snapshot!(broken.error(), @r#"
    error: FOLDER/model/onnx/embed_tokens.onnx: the input `input_ids` must be a tensor of i64 or i32
      found inputs: input_ids f32[-1]
    "#);
}

#[test]
fn an_unknown_extra_input() {
    let broken = Broken::new();
    let graph = identity(&[("pixel_values", FLOAT), ("image_tempo", INT64)]);
    fs::write(broken.graph("vision_encoder.onnx"), graph).unwrap();
    insta::assert_snapshot!(broken.error(), @r#"
    error: FOLDER/model/onnx/vision_encoder.onnx: the graph asks for an input `image_tempo` that this model family does not give
      found inputs: pixel_values f32[-1], image_tempo i64[-1]
    "#);
}

const FLOAT: u8 = 1;
const INT64: u8 = 7;

/// An ONNX file that gives its first input back: the smallest that the runtime loads.
fn identity(inputs: &[(&str, u8)]) -> Vec<u8> {
    let field = |number: u8, body: &[u8]| [&[number << 3 | 2, body.len() as u8], body].concat();
    let value = |name: &str, element: u8| {
        let free = field(1, &field(2, b"n"));
        let tensor = [vec![8, element], field(2, &free)].concat();
        [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
    };
    let first = inputs[0];
    let node = [field(1, first.0.as_bytes()), field(2, b"out"), field(4, b"Identity")].concat();
    let mut graph = [field(1, &node), field(2, b"g")].concat();
    inputs.iter().for_each(|(name, element)| graph.extend(field(11, &value(name, *element))));
    graph.extend(field(12, &value("out", first.1)));
    [vec![8, 8], field(7, &graph), field(8, &[16, 17])].concat()
}

#[test]
fn a_long_list_of_inputs_is_cut() {
    let broken = Broken::new();
    fs::copy(broken.graph("decoder_model_merged.onnx"), broken.graph("embed_tokens.onnx")).unwrap();
    let message = broken.error();
    assert!(
        message.contains("embed_tokens.onnx: the graph has no input `input_ids`\n  found inputs: "),
        "{message}"
    );
    assert!(message.contains(" in all)"), "{message}");
}

#[test]
fn a_truncated_graph() {
    for name in ["decoder_model_merged.onnx", "vision_encoder.onnx"] {
        let broken = Broken::new();
        let bytes = fs::read(broken.graph(name)).unwrap();
        fs::write(broken.graph(name), &bytes[..bytes.len() / 2]).unwrap();
        let message = broken.error();
        let expected = format!(
            "error: FOLDER/model/onnx/{name}: ONNX Runtime cannot load this graph; is the file whole?"
        );
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn graphs_that_do_not_fit_each_other() {
    let broken = Broken::new();
    let path = broken.model().join("config.json");
    let config = fs::read_to_string(&path).unwrap().replace("\"patch_size\": 8", "\"patch_size\": 16");
    fs::write(&path, config).unwrap();
    let message = broken.error();
    let expected = "error: vision encoder failed: `image_features` has 64 rows, where the prompt expects 16 image features";
    assert!(message.starts_with(expected), "{message}");
}

/// transformers sets both aside on each call, and so do we: a prompt that is cut short would lose its question.
#[test]
fn a_tokenizers_own_truncation_does_not_count() {
    let broken = Broken::new();
    let path = broken.model().join("tokenizer.json");
    let mut tokenizer: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    tokenizer["truncation"] =
        serde_json::json!({"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0});
    fs::write(&path, tokenizer.to_string()).unwrap();
    let (cut, whole) = (broken.folder.path().join("cut"), broken.folder.path().join("whole"));
    succeed(&mut run(&broken.model(), &cut));
    succeed(&mut run(&tiny_llava(), &whole));
    let answers = |run: &Path| crate::tables::texts(run, crossmodal::record::Table::Outcomes, "answer");
    assert_eq!(answers(&cut), answers(&whole));
}

#[test]
fn a_broken_configuration() {
    let broken = Broken::new();
    fs::write(broken.model().join("config.json"), "{\"model_type\": ").unwrap();
    let message = broken.error();
    assert!(
        message.starts_with("error: FOLDER/model/config.json: not valid JSON: EOF while parsing"),
        "{message}"
    );
}

#[test]
fn an_output_place_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let mut command = run(&tiny_llava(), &folder.path().join("file/run"));
    insta::assert_snapshot!(failure(&mut command, folder.path()), @r#"
    error: cannot create FOLDER/file/run: Not a directory (os error 20)
      nothing that was complete is lost; once the place is writable, the same command goes on
    "#);
}

#[test]
fn an_output_place_that_holds_something_else() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "").unwrap();
    fs::write(folder.path().join(".lock"), "of another program").unwrap();
    insta::assert_snapshot!(failure(&mut run(&tiny_llava(), folder.path()), folder.path()), @r#"
    error: FOLDER is not empty and holds no manifest.json: it is no run of ours
      give another --out
    "#);
    let kept = fs::read_to_string(folder.path().join(".lock")).unwrap();
    assert_eq!(kept, "of another program");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn an_output_place_that_holds_another_run() {
    let folder = tempfile::tempdir().unwrap();
    succeed(&mut run(&tiny_llava(), folder.path()));
    let mut command = run(&tiny_llava(), folder.path());
    insta::assert_snapshot!(failure(command.args(["--top-k", "7"]), folder.path()), @r#"
    error: FOLDER holds another run: its top_k is 64, this one's is 7
      give another --out, or remove the directory to start afresh
    "#);
}

#[test]
fn an_execution_provider_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    for provider in ["cuda", "tensorrt"] {
        let mut command = run(&tiny_llava(), &folder.path().join("run"));
        let message = failure(command.args(["--ep", provider]), folder.path());
        let expected = format!("error: the execution provider `{provider}` is not available: ");
        assert!(message.starts_with(&expected), "{message}");
        assert!(message.contains("this ONNX Runtime (LIBRARY) offers: "), "{message}");
        assert!(message.contains("`crossmodal runtime install --gpu`"), "{message}");
        assert!(!folder.path().join("run/manifest.json").exists(), "a failed start left a run behind");
    }
}

#[test]
fn a_library_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libonnxruntime.so.1.31.1");
    fs::write(&path, "no library").unwrap();
    let mut command = run(&tiny_llava(), &folder.path().join("run"));
    let message = failure(command.env("ORT_DYLIB_PATH", &path), folder.path());
    let expected = "error: ORT_DYLIB_PATH names FOLDER/libonnxruntime.so.1.31.1, which is no shared library";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn an_unknown_suite() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program();
    command
        .args(["run", "--suite", "colour", "--model"])
        .arg(tiny_llava())
        .arg("--out")
        .arg(folder.path().join("run"));
    insta::assert_snapshot!(failure(&mut command, folder.path()), @r#"
    error: there is no suite `colour`
      known suites: color-recognition, shape-recognition, material-recognition, mc2, rest, rest-plus, soebench
      or give a .jsonl or .parquet file with your own items (see `crossmodal suite export --help`)
    "#);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = program()
        .args(["suite", "list"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let message = child.wait_with_output().unwrap().stderr;
    assert_eq!(String::from_utf8_lossy(&message), "");
}
