//! Every family on a tiny random model: prompts, token ids, positions, logits and greedy continuations equal those of
//! transformers (`export_scripts/golden_models.py` wrote them), and `inspect` describes its directory.

use std::path::{Path, PathBuf};

use crossmodal::engine::{Generation, GenerationSettings, encode_images, generate};
use crossmodal::model::graph::without_weights;
use crossmodal::model::{ImageFeatures, Model, ModelDirectory, OnnxRuntime, Precision, SessionSettings};
use crossmodal::prepare::{Preparer, Prompt};
use crossmodal::record::Table;
use crossmodal::suite::{Group, ImageSource, Message, Part, Presentation, PresentationKind, Role};
use image::{ImageFormat, Rgb, RgbImage};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::program::{library, program, stderr};
use crate::tables::texts;

/// Largest difference between a logit and its reference. A wrong position costs 4e-3 on such weights.
const LOGIT_TOLERANCE: f32 = 1e-4;

const STEPS: usize = 8;

/// A conversation with what transformers makes of it.
#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    #[serde(default)]
    messages: Vec<GoldenMessage>,
    #[serde(default)]
    images: Vec<GoldenImage>,
    /// The prompt with one placeholder an image.
    #[serde(default)]
    rendered: Rendered,
    /// Token ids with placeholders expanded.
    ids: Option<Vec<i64>>,
    positions: Option<Value>,
    tokens: Option<Vec<u32>>,
    logits_row: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Rendered {
    /// Not compared.
    #[default]
    Unknown,
    Prompt(String),
    /// The template refuses these messages.
    Refused {
        error: bool,
    },
}

#[derive(Deserialize)]
struct Goldens {
    cases: Vec<Case>,
    /// Names of cases that are run together.
    batch: Vec<String>,
}

#[derive(Deserialize)]
struct GoldenMessage {
    role: Role,
    content: Vec<GoldenPart>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum GoldenPart {
    Text { text: String },
    Image { image: usize },
}

#[derive(Deserialize)]
struct GoldenImage {
    width: u32,
    height: u32,
    seed: u32,
}

impl GoldenImage {
    fn png(&self) -> Vec<u8> {
        let image = RgbImage::from_fn(self.width, self.height, |x, y| {
            Rgb([1, 2, 3]
                .map(|c| ((3 * x * x + 5 * y * y + c * x * y + 17 * self.seed + 50 * (c - 1)) % 256) as u8))
        });
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }
}

impl Case {
    /// Whether it is the case of that name that the model is asked.
    pub fn is_asked(&self, name: &str) -> bool {
        self.name == name && self.tokens.is_some()
    }

    pub fn group(&self) -> Group {
        let part = |part: &GoldenPart| match part {
            GoldenPart::Text { text } => Part::Text(text.clone()),
            GoldenPart::Image { image } => Part::Image(*image),
        };
        let message = |message: &GoldenMessage| Message {
            role: message.role,
            content: message.content.iter().map(part).collect(),
        };
        let messages = self.messages.iter().map(message).collect();
        let presentation = Presentation::new(self.name.clone(), PresentationKind::VisionOnly, messages);
        Group {
            group_id: self.name.clone(),
            images: self.images.iter().map(|image| ImageSource::Bytes(image.png().into())).collect(),
            presentations: vec![presentation],
            cases: Vec::new(),
        }
    }
}

/// A prompt without its last tokens.
fn beginning(prompt: &Prompt, without: usize) -> Prompt {
    let length = prompt.ids.len() - without;
    let mut shorter = prompt.clone();
    shorter.ids.truncate(length);
    shorter.positions.ids = prompt.positions.ids.slice(ndarray::s![.., ..length]).to_owned();
    shorter.positions.token_types.truncate(length);
    shorter
}

pub fn folder_of(of: &str, family: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(of).join(family)
}

/// A fixture with its golden cases, prepared.
struct Fixture {
    model: Model,
    preparer: Preparer,
    cases: Vec<Case>,
    batch: Vec<String>,
    groups: Vec<Group>,
    prompts: Vec<Result<Prompt, String>>,
    features: Vec<Result<ImageFeatures, String>>,
    /// [rows, vocabulary].
    logits: Vec<f32>,
}

impl Fixture {
    fn open(family: &str) -> Self {
        Self::open_at(&folder_of("tests/models", family), family)
    }

    /// A copy of a family's fixture, in whatever layout.
    fn open_at(path: &Path, family: &str) -> Self {
        let directory = ModelDirectory::open(path, Precision::Fp32).unwrap();
        let preparer = Preparer::open(&directory).unwrap();
        let golden = folder_of("tests/golden/models", family);
        let Goldens { cases, batch } =
            serde_json::from_slice(&std::fs::read(golden.join("cases.json")).unwrap()).unwrap();
        let bytes = std::fs::read(golden.join("logits.f32")).unwrap();
        let logits = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let unit = preparer.prepare(0, cases.iter().map(Case::group).collect());
        let runtime = OnnxRuntime::open(library(), &[]).unwrap();
        let settings = SessionSettings::default();
        let mut model = Model::load(runtime, &directory, settings).unwrap();
        let features = encode_images(&mut model, &unit.images);
        Self { model, preparer, cases, batch, groups: unit.groups, prompts: unit.prompts, features, logits }
    }

    fn prompts_equal(&self, family: &str) {
        assert!(self.cases.len() >= 7, "{family}: {} cases", self.cases.len());
        for ((case, group), prompt) in self.cases.iter().zip(&self.groups).zip(&self.prompts) {
            let name = format!("{family}, {}", case.name);
            let rendered = self.preparer.render(&group.presentations[0]);
            match &case.rendered {
                Rendered::Prompt(expected) => assert_eq!(rendered.as_ref(), Ok(expected), "{name}"),
                Rendered::Unknown => panic!("{name}: the golden has no prompt"),
                Rendered::Refused { error } => {
                    assert!(*error && rendered.is_err(), "{name}: transformers' template refuses this");
                    continue;
                }
            }
            let prompt = prompt.as_ref().unwrap_or_else(|error| panic!("{name}: {error}"));
            if let Some(ids) = &case.ids {
                assert_eq!(&prompt.ids, ids, "{name}");
            }
            if let Some(positions) = &case.positions {
                assert_eq!(axes(&prompt.positions.ids), axes_of(positions), "{name}: positions");
            }
        }
    }

    fn generations_equal(&mut self, family: &str) {
        let place = |name: &String| self.cases.iter().position(|case| case.is_asked(name)).unwrap();
        let generated: Vec<usize> = self.batch.iter().map(place).collect();
        assert!(generated.len() >= 3, "{family}: {} cases with answers", generated.len());
        let golden: Vec<Vec<u32>> =
            generated.iter().map(|case| self.cases[*case].tokens.clone().unwrap()).collect();
        let mut run = |prompts: &[&Prompt], drafts: Option<&[Vec<u32>]>| -> Vec<Generation> {
            let settings =
                GenerationSettings { max_new_tokens: STEPS, stop_tokens: &[], keep_logits: true, drafts };
            generate(&mut self.model, prompts, &self.features, settings).unwrap().0
        };
        let prompts: Vec<&Prompt> =
            generated.iter().map(|&case| self.prompts[case].as_ref().unwrap()).collect();
        let alone = prompts.iter().map(|prompt| run(&[prompt], None).remove(0)).collect();
        let together = run(&prompts, None);
        let drafted = run(&prompts, Some(&golden));
        let spoiled: Vec<Vec<u32>> =
            golden.iter().map(|tokens| [&tokens[..3], &tokens[2..]].concat()).collect();
        let misled = run(&prompts, Some(&spoiled));
        // Each goes on after another prompt that it begins with.
        let beginnings: Vec<Prompt> = prompts.iter().map(|prompt| beginning(prompt, 3)).collect();
        let both: Vec<&Prompt> = prompts.iter().copied().chain(&beginnings).collect();
        let mut shared = run(&both, Some(&[]));
        shared.truncate(prompts.len());
        let ways = [
            ("alone", alone),
            ("in a batch of unlike lengths", together),
            ("with a right draft", drafted),
            ("with a wrong draft", misled),
            ("after a shared beginning", shared),
        ];
        for (what, generations) in ways {
            for (case, generation) in generated.iter().zip(generations) {
                let case = &self.cases[*case];
                let name = format!("{family}, {}, {what}", case.name);
                let vocabulary = generation.logits[0].len();
                let from = case.logits_row.unwrap() * vocabulary;
                let expected = &self.logits[from..from + STEPS * vocabulary];
                let found: Vec<f32> = generation.logits.concat();
                let difference = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
                assert!(difference < LOGIT_TOLERANCE, "{name}: logits differ by {difference}");
                assert_eq!(Some(&generation.tokens), case.tokens.as_ref(), "{name}");
            }
        }
    }
}

fn axes(ids: &ndarray::Array2<i64>) -> Vec<Vec<i64>> {
    ids.rows().into_iter().map(|row| row.to_vec()).collect()
}

/// One list, or one for each axis.
fn axes_of(positions: &Value) -> Vec<Vec<i64>> {
    serde_json::from_value(positions.clone())
        .or_else(|_| serde_json::from_value(positions.clone()).map(|one| vec![one]))
        .unwrap()
}

fn describe(directory: &Path) -> String {
    let output =
        program().arg("inspect").arg(directory).args(["--image", "200x64", "--image", "100x90"]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A copy of a model directory.
pub fn copy_of(directory: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for folder in ["", "onnx"].map(Path::new).into_iter().filter(|folder| directory.join(folder).is_dir()) {
        std::fs::create_dir_all(copy.path().join(folder)).unwrap();
        for entry in std::fs::read_dir(directory.join(folder)).unwrap().map(Result::unwrap) {
            if entry.path().is_file() {
                std::fs::copy(entry.path(), copy.path().join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    copy
}

/// A copy of the LLaVA fixture, changed by `change`, still gives transformers' answers.
fn still_equal(change: impl FnOnce(&Path)) {
    let copy = copy_of(&folder_of("tests/models", "llava"));
    change(copy.path());
    Fixture::open_at(copy.path(), "llava").generations_equal("llava");
}

#[test]
fn optimum_keeps_graphs_beside_the_configuration() {
    still_equal(|path| {
        for entry in std::fs::read_dir(path.join("onnx")).unwrap().map(Result::unwrap) {
            std::fs::rename(entry.path(), path.join(entry.file_name())).unwrap();
        }
        std::fs::remove_dir(path.join("onnx")).unwrap();
        assert!(describe(path).contains("layout            optimum"), "{}", describe(path));
    });
}

#[test]
fn weights_may_be_in_a_file_beside_the_graph() {
    still_equal(|path| {
        for graph in ["vision_encoder", "decoder_model_merged"] {
            let [file, weights] = ["onnx", "onnx_data"].map(|kind| path.join(format!("onnx/{graph}.{kind}")));
            let bytes = std::fs::read(&file).unwrap();
            let skeleton = without_weights(&bytes, &format!("{graph}.onnx_data")).unwrap().unwrap();
            std::fs::write(&file, skeleton).unwrap();
            std::fs::write(weights, bytes).unwrap();
        }
    });
}

#[cfg(unix)]
#[test]
fn files_may_be_links_as_in_the_cache_of_hugging_face() {
    still_equal(|path| {
        std::fs::create_dir(path.join("blobs")).unwrap();
        for graph in ["vision_encoder", "embed_tokens", "decoder_model_merged"] {
            let file = path.join(format!("onnx/{graph}.onnx"));
            std::fs::rename(&file, path.join("blobs").join(graph)).unwrap();
            std::os::unix::fs::symlink(Path::new("../blobs").join(graph), file).unwrap();
        }
    });
}

#[test]
fn a_decoder_may_be_in_two_halves() {
    still_equal(|path| {
        let merged = path.join("onnx/decoder_model_merged.onnx");
        std::fs::copy(&merged, path.join("onnx/decoder_with_past_model.onnx")).unwrap();
        std::fs::rename(&merged, path.join("onnx/decoder_model.onnx")).unwrap();
        assert!(describe(path).contains("onnx/decoder_with_past_model.onnx"), "{}", describe(path));
    });
}

#[test]
fn a_decoder_may_ask_which_branch_and_how_many_logits() {
    const BOOL: u8 = 9;
    const INT64: u8 = 7;
    still_equal(|path| {
        let file = path.join("onnx/decoder_model_merged.onnx");
        let mut bytes = std::fs::read(&file).unwrap();
        bytes.extend(extra_inputs(&[("use_cache_branch", BOOL, &[1]), ("num_logits_to_keep", INT64, &[])]));
        std::fs::write(&file, bytes).unwrap();
        assert!(describe(path).contains("logit positions   those that are asked for"), "{}", describe(path));
    });
}

/// Bytes that, appended to an ONNX file, add inputs to its graph.
fn extra_inputs(inputs: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let field = |number: u8, body: &[u8]| [&[number << 3 | 2, body.len() as u8], body].concat();
    let mut graph = Vec::new();
    for (name, element, shape) in inputs {
        let axes: Vec<u8> = shape.iter().flat_map(|size| field(1, &[8, *size])).collect();
        let tensor = [vec![8, *element], field(2, &axes)].concat();
        let value = [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat();
        graph.extend(field(11, &value));
    }
    field(7, &graph)
}

/// `crossmodal run` with hidden states on a suite of a text, two images and both.
fn suite_runs(family: &str) {
    let folder = tempfile::tempdir().unwrap();
    for (name, width, height) in [("tall.png", 40, 90), ("wide.png", 120, 50)] {
        let image = GoldenImage { width, height, seed: 5 };
        std::fs::write(folder.path().join(name), image.png()).unwrap();
    }
    let row = |item: &str, presentation: &str, images: &[&str]| {
        let mut content: Vec<Value> =
            images.iter().map(|image| json!({"type": "image", "image": image})).collect();
        content.push(json!({"type": "text", "text": "Is it yes or one?"}));
        let message = json!({"role": "user", "content": content});
        json!({"item_id": item, "group_id": "g", "presentation": presentation, "messages": [message],
            "options": ["yes", "one"], "answer": "yes"})
        .to_string()
    };
    let rows = [
        row("text", "text-only", &[]),
        row("tall", "vision-only", &["tall.png"]),
        row("wide", "vision-only", &["wide.png"]),
        row("both", "vision-only", &["wide.png", "tall.png"]),
    ];
    let suite = folder.path().join("suite.jsonl");
    std::fs::write(&suite, rows.join("\n")).unwrap();
    let mut run = program();
    run.arg("run").arg("--model").arg(folder_of("tests/models", family)).arg("--suite").arg(&suite);
    run.arg("--out").arg(folder.path().join("run")).args(["--progress", "plain"]);
    let (code, message) = stderr(&mut run);
    assert_eq!(code, Some(0), "{family}: {message}");
    assert!(message.contains("4 prompts") && !message.contains("warning"), "{family}: {message}");
    let depths = texts(&folder.path().join("run"), Table::Embeddings, "depth");
    assert_eq!(depths.iter().filter(|depth| *depth == "output").count(), 4, "{family}: {depths:?}");
}

macro_rules! families {
    ($($family:ident)*) => {$(
        mod $family {
            #[test]
            fn prompts_and_answers_equal_transformers() {
                let family = stringify!($family);
                let mut fixture = super::Fixture::open(family);
                fixture.prompts_equal(family);
                fixture.generations_equal(family);
            }

            #[test]
            fn a_suite_runs() {
                super::suite_runs(stringify!($family));
            }

            #[test]
            fn inspect_describes_it() {
                let family = stringify!($family);
                insta::assert_snapshot!(family, super::describe(&super::folder_of("tests/models", family)));
            }
        }
    )*};
}

families! {
    gemma3 idefics3 internvl llava llava_next llava_onevision paligemma phi3_v phi4mm qwen2_5_vl qwen2_vl qwen3_vl
    smolvlm
}
