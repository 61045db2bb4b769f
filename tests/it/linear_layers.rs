//! Linear layers are computed by an operator of our own: alone and in company, on one thread and on two, with the same bits.

use std::io::{Seek, SeekFrom, Write};

use crossmodal::model::graph::{Attribute, Edit, Graph};
use crossmodal::model::{
    DecoderInput, GraphFile, Graphs, Model, ModelDirectory, OnnxRuntime, Precision, ProbeInput, Seen,
    SessionSettings,
};
use ndarray::{Array2, Array3, s};

use crate::models::{copy_of, folder_of};
use crate::program::library;

const TOKENS: usize = 6;

/// Logits of the last tokens of `rows`, which are prompts, [rows, vocabulary].
fn logits(model: &mut Model, rows: &[i64]) -> Array2<f32> {
    let batch = rows.len();
    let ids = Array2::from_shape_fn((batch, TOKENS), |(row, token)| 3 + 7 * token as i64 + 5 * rows[row]);
    let input = DecoderInput {
        embeds: model.embed(ids, &[]).unwrap(),
        lengths: vec![TOKENS; batch],
        positions: Array3::from_shape_fn((1, batch, TOKENS), |(_, _, token)| token as i64),
        token_types: Array2::zeros((batch, TOKENS)),
        deepstack: Vec::new(),
        asked: (0..batch).map(|row| (row, TOKENS - 1)).collect(),
    };
    let mut seen = vec![Seen::default(); batch];
    let mut rows: Vec<&mut Seen> = seen.iter_mut().collect();
    model.decode(input, &mut rows, &ProbeInput::default()).unwrap().logits.rows().to_owned()
}

fn model(family: &str, settings: SessionSettings) -> Model {
    let directory = ModelDirectory::open(&folder_of("tests/models", family), Precision::Fp32).unwrap();
    Model::load(OnnxRuntime::open(library(), &[]).unwrap(), &directory, settings).unwrap()
}

/// Without these the runtime's operator stays, whose sums may be in another order for other rows.
pub fn has_wide_vectors() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

#[test]
fn logits_stay_and_have_the_same_bits_in_any_company() {
    if !has_wide_vectors() {
        return;
    }
    let rows: Vec<i64> = (0..21).collect();
    for family in ["llava", "qwen2_5_vl", "smolvlm", "paligemma"] {
        let mut unchanged =
            model(family, SessionSettings { graphs: Graphs::Exported, ..SessionSettings::default() });
        let expected = logits(&mut unchanged, &rows);
        let [first, second] = [1, 2].map(|intra_threads| {
            let mut model = model(family, SessionSettings { intra_threads, ..SessionSettings::default() });
            let all = logits(&mut model, &rows);
            for some in [0..1, 20..21, 7..20] {
                let found = logits(&mut model, &rows[some.clone()]);
                assert_eq!(
                    found,
                    all.slice(s![some.clone(), ..]),
                    "{family}: {some:?} of {intra_threads} threads"
                );
            }
            all
        });
        assert_eq!(first, second, "{family}");
        let farthest = (&first - &expected).iter().fold(0f32, |most, apart| most.max(apart.abs()));
        assert!(farthest < 1e-5, "{family}: {farthest}");
    }
}

/// A sum whose other side has another shape, which the file does not tell.
#[test]
fn what_is_added_may_be_stretched() {
    if !has_wide_vectors() {
        return;
    }
    let copy = copy_of(&folder_of("tests/models", "llava"));
    let directory = ModelDirectory::open(copy.path(), Precision::Fp32).unwrap();
    let runtime = OnnxRuntime::open(library(), &[]).unwrap();
    let rows: Vec<i64> = (0..3).collect();
    let found = |graphs| {
        let settings = SessionSettings { graphs, ..SessionSettings::default() };
        logits(&mut Model::load(runtime, &directory, settings).unwrap(), &rows)
    };
    let before = found(Graphs::Own);
    let file = directory.graph(GraphFile::Decoder);
    let original = std::fs::read(file).unwrap();
    let graph = Graph::read(&original).unwrap();
    let product = graph.producer("logits").unwrap();
    let (mut bytes, mut edit) = (original.clone(), Edit::default());
    edit.rewrite(product, &product.inputs, &["product"]);
    edit.float("half", 0.5);
    edit.node("Identity", "", &["half"], &["added"]);
    edit.node("Add", "", &["added", "product"], &["logits"]);
    edit.apply(&mut bytes).unwrap();
    std::fs::write(file, bytes).unwrap();
    assert_eq!(found(Graphs::Own), before.mapv(|logit| logit + 0.5));
    let farthest =
        (found(Graphs::Exported) - found(Graphs::Own)).iter().fold(0f32, |most, apart| most.max(apart.abs()));
    assert!(farthest < 1e-5, "{farthest}");
}

/// The file's weights change behind the back of a model that is open, which only one that shares them does not see.
#[test]
fn copies_of_a_model_share_weights() {
    if !has_wide_vectors() {
        return;
    }
    let copy = copy_of(&folder_of("tests/models", "llava"));
    let directory = ModelDirectory::open(copy.path(), Precision::Fp32).unwrap();
    let runtime = OnnxRuntime::open(library(), &[]).unwrap();
    let open = || Model::load(runtime, &directory, SessionSettings::default()).unwrap();
    let mut first = open();
    let expected = logits(&mut first, &[0, 1]);

    let path = directory.graph(GraphFile::Decoder);
    let bytes = std::fs::read(path).unwrap();
    let graph = Graph::read(&bytes).unwrap();
    let weights = graph.producer("logits").unwrap().inputs[1];
    let [inputs, outputs] = graph.sizes(weights).unwrap()[..] else { panic!("{weights}") };
    let mut file = std::fs::File::options().write(true).open(path).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    file.seek(SeekFrom::Start(graph.stored(weights).unwrap().offset)).unwrap();
    file.write_all(&vec![0; 4 * inputs as usize * outputs as usize]).unwrap();
    file.set_modified(modified).unwrap();

    assert_eq!(logits(&mut open(), &[0, 1]), expected);
    drop(first);
    assert!(logits(&mut open(), &[0, 1]).iter().all(|logit| *logit == 0.0));
}

#[test]
fn a_file_with_operators_of_ours_is_refused() {
    let copy = copy_of(&folder_of("tests/models", "llava"));
    let directory = ModelDirectory::open(copy.path(), Precision::Fp32).unwrap();
    let file = directory.graph(GraphFile::Decoder);
    let mut bytes = std::fs::read(file).unwrap();
    let mut edit = Edit::default();
    let secret = Attribute::Text("file", "/etc/passwd");
    edit.node_with("Linear", "crossmodal", &["inputs_embeds"], &["read"], &[secret]);
    edit.apply(&mut bytes).unwrap();
    std::fs::write(file, bytes).unwrap();
    for graphs in [Graphs::Own, Graphs::Runtime] {
        let settings = SessionSettings { graphs, ..SessionSettings::default() };
        let error = Model::load(OnnxRuntime::open(library(), &[]).unwrap(), &directory, settings).err();
        let error = error.unwrap().to_string();
        assert!(error.contains("only crossmodal itself puts into graphs"), "{error}");
    }
}

/// The runtime lists sets of operators by name, once for the process.
#[test]
fn models_may_be_opened_at_once() {
    std::thread::scope(|scope| {
        for family in ["llava", "qwen2_vl", "smolvlm", "gemma3"] {
            scope.spawn(move || model(family, SessionSettings::default()));
        }
    });
}
