use super::*;

const OPERATORS: [&str; 7] = ["MatMul", "Gemm", "Add", "Gelu", "Sigmoid", "Mul", Linear::NAME];

/// A fixture's graph.
fn graph(family: &str, name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(family);
    std::fs::read(folder.join("onnx").join(name)).unwrap()
}

fn encoder(family: &str) -> Vec<u8> {
    graph(family, "vision_encoder.onnx")
}

fn count(model: &[u8]) -> [usize; 7] {
    let graph = Graph::read(model).unwrap();
    OPERATORS.map(|operator| graph.nodes.iter().filter(|node| node.operator == operator).count())
}

/// Operators after the rewriting, which leaves no one without what it reads.
fn rewritten(mut model: Vec<u8>) -> [usize; 7] {
    let before = model.clone();
    let before = Graph::read(&before).unwrap();
    let mut edit = Edit::default();
    own_linear_layers(&before, Path::new("folder/encoder.onnx"), &mut edit);
    edit.apply(&mut model).unwrap();
    let graph = Graph::read(&model).unwrap();
    for name in graph.nodes.iter().flat_map(|node| &node.inputs) {
        assert!(before.producer(name).is_none() || graph.producer(name).is_some(), "{name} is lost");
    }
    count(&model)
}

#[test]
fn products_take_in_what_follows_them() {
    for (family, before, after) in [
        ("smolvlm", [13, 0, 32, 2, 0, 16], [0, 0, 16, 0, 0, 16, 13]),
        // GELU by the error function is another one, and factors that are weights are left alone.
        ("internvl", [14, 0, 13, 3, 0, 4], [0, 0, 5, 3, 0, 4, 14]),
        // The logistic function of 1.702 x is not SiLU's.
        ("qwen2_vl", [0, 10, 11, 1, 2, 18], [0, 0, 7, 1, 2, 18, 10]),
    ] {
        let model = encoder(family);
        assert_eq!((&count(&model)[..6], rewritten(model)), (&before[..], after), "{family}: {OPERATORS:?}");
    }
    // Gated units, of SiLU and of GELU.
    for (family, before, after) in [
        ("smolvlm", [15, 0, 9, 0, 2, 5], [0, 0, 5, 0, 0, 1, 15]),
        ("qwen2_vl", [15, 0, 19, 0, 2, 13], [0, 0, 9, 0, 0, 9, 15]),
        ("paligemma", [15, 0, 9, 2, 0, 3], [0, 0, 5, 0, 0, 1, 15]),
    ] {
        let model = graph(family, "decoder_model_merged.onnx");
        assert_eq!((&count(&model)[..6], rewritten(model)), (&before[..], after), "{family}: {OPERATORS:?}");
    }
}

/// A decoder with nodes added by `edit`, which is given the name of weights [32, 64], and how the added ones are rewritten: what of
/// `Add`, `Sigmoid`, `Mul` and linear layers is more than without them.
fn more(edit: impl Fn(&str, &mut Edit)) -> [usize; 4] {
    let file = graph("smolvlm", "decoder_model_merged.onnx");
    let read = Graph::read(&file).unwrap();
    let is_wide = |name: &&str| read.sizes(name).as_deref() == Some(&[32, 64]);
    let weights = read.nodes.iter().flat_map(|node| &node.inputs).find(|name| is_wide(name)).unwrap();
    let (mut model, mut added) = (file.clone(), Edit::default());
    edit(weights, &mut added);
    added.apply(&mut model).unwrap();
    let (with, without) = (rewritten(model), rewritten(file.clone()));
    [2, 4, 5, 6].map(|operator| with[operator] - without[operator])
}

#[test]
fn a_sum_of_two_layers_is_one_of_them_and_the_other() {
    let sum = more(|weights, edit| {
        edit.node("MatMul", "", &["x", weights], &["one"]);
        edit.node("MatMul", "", &["x", weights], &["other"]);
        edit.node("Add", "", &["one", "other"], &["sum"]);
    });
    assert_eq!(sum, [0, 0, 0, 2]);
}

#[test]
fn only_what_has_the_same_shape_is_multiplied() {
    let product = |first: &'static str, second: &'static str| {
        more(move |weights, edit| {
            edit.node("MatMul", "", &[first, weights], &["one"]);
            edit.node("MatMul", "", &[second, weights], &["other"]);
            edit.node("Mul", "", &["one", "other"], &["product"]);
        })
    };
    assert_eq!(product("x", "x"), [0, 0, 0, 2]);
    assert_eq!(product("x", "pooled"), [0, 0, 1, 2]);
}

/// A layer of `x` and its SiLU, step by step.
fn silu_layer(weights: &str, edit: &mut Edit) {
    edit.node("MatMul", "", &["x", weights], &["y"]);
    edit.node("Sigmoid", "", &["y"], &["sigmoid"]);
    edit.node("Mul", "", &["sigmoid", "y"], &["swish"]);
}

#[test]
fn constants_and_what_branches_read_are_left_alone() {
    let sum = |with: &'static str| {
        more(move |weights, edit| {
            edit.node("MatMul", "", &["x", weights], &["y"]);
            edit.node("Add", "", &["y", if with.is_empty() { weights } else { with }], &["sum"]);
        })
    };
    assert_eq!((sum(""), sum("stream")), ([1, 0, 0, 1], [0, 0, 0, 1]));
    let gated = |read: &'static str| {
        more(move |weights, edit| {
            silu_layer(weights, edit);
            let mut branch = Edit::default();
            branch.node("Relu", "", &[read], &["in_branch"]);
            edit.node_with("If", "", &["is"], &["z"], &[Attribute::Graph("then_branch", &branch)]);
        })
    };
    assert_eq!((gated("x"), gated("swish")), ([0, 0, 0, 1], [0, 0, 0, 1]));
    assert_eq!((gated("y"), gated("sigmoid")), ([0, 1, 1, 1], [0, 1, 1, 1]));
    let output = more(|weights, edit| {
        silu_layer(weights, edit);
        edit.output("y");
    });
    assert_eq!(output, [0, 1, 1, 1]);
}

#[test]
fn what_others_read_is_still_computed() {
    let file = encoder("smolvlm");
    let graph = Graph::read(&file).unwrap();
    let gelu = graph.nodes.iter().find(|node| node.operator == "Gelu").unwrap();
    let add = graph.producer(gelu.inputs[0]).unwrap();
    let product = graph.producer(add.inputs[0]).or(graph.producer(add.inputs[1])).unwrap();
    for (read, after) in [
        (product.outputs[0], [0, 0, 17, 1, 0, 16, 13]),
        (add.outputs[0], [0, 0, 16, 1, 0, 16, 13]),
        (gelu.outputs[0], [0, 0, 16, 0, 0, 16, 13]),
    ] {
        let (mut model, mut edit) = (file.clone(), Edit::default());
        edit.node("Relu", "", &[read], &["another reader's"]);
        edit.apply(&mut model).unwrap();
        assert_eq!(rewritten(model), after, "{read}: {OPERATORS:?}");
    }
    // Each step of a gated unit.
    let file = self::graph("smolvlm", "decoder_model_merged.onnx");
    let graph = Graph::read(&file).unwrap();
    let sigmoid = graph.nodes.iter().find(|node| node.operator == "Sigmoid").unwrap();
    let silu = graph.consumers(sigmoid.outputs[0]).next().unwrap();
    let gated = graph.consumers(silu.outputs[0]).next().unwrap();
    for (read, after) in [
        (sigmoid.inputs[0], [0, 0, 5, 0, 1, 3, 15]),
        (sigmoid.outputs[0], [0, 0, 5, 0, 1, 3, 15]),
        // The layer beside takes the product in.
        (silu.outputs[0], [0, 0, 5, 0, 0, 1, 15]),
        (gated.outputs[0], [0, 0, 5, 0, 0, 1, 15]),
    ] {
        let (mut model, mut edit) = (file.clone(), Edit::default());
        edit.node("Relu", "", &[read], &["another reader's"]);
        edit.apply(&mut model).unwrap();
        assert_eq!(rewritten(model), after, "{read}: {OPERATORS:?}");
    }
}

#[test]
#[cfg(unix)]
#[allow(clippy::disallowed_methods, reason = "made-up files")]
fn weights_outside_of_the_folder_are_left_to_the_runtime() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(path("model/onnx")).unwrap();
    std::fs::create_dir_all(path("blobs")).unwrap();
    for file in ["model/onnx/decoder.onnx", "model/onnx/data", "blobs/data", "blobs/graph", "secret"] {
        std::fs::write(path(file), "x").unwrap();
    }
    for (link, target) in
        [("out", "../../secret"), ("blob", "../../blobs/data"), ("linked.onnx", "../../blobs/graph")]
    {
        std::os::unix::fs::symlink(target, path("model/onnx").join(link)).unwrap();
    }
    let found = |graph: &str, file: &str| beside(&path("model/onnx").join(graph), file).is_some();
    assert!(found("decoder.onnx", "data"));
    for file in ["out", "blob", "../../secret", "missing", ""] {
        assert!(!found("decoder.onnx", file), "{file}");
    }
    // A graph that is a link itself, as in the Hugging Face cache, has its data where it points to.
    assert!(found("linked.onnx", "blob") && !found("linked.onnx", "out"));
}

#[test]
fn weights_are_where_the_operator_looks_for_them() {
    let mut model = encoder("qwen2_vl");
    let mut edit = Edit::default();
    own_linear_layers(&Graph::read(&model).unwrap(), Path::new("folder/encoder.onnx"), &mut edit);
    edit.apply(&mut model).unwrap();
    let graph = Graph::read(&model).unwrap();
    for layer in graph.nodes.iter().filter(|node| node.operator == Linear::NAME) {
        let number = |name| usize::try_from(layer.integer(name).unwrap()).unwrap();
        let end = number("offset") + 4 * number("inputs") * number("outputs");
        assert_eq!(layer.text("file"), Some("folder/encoder.onnx"));
        assert!(end <= model.len() && layer.integer("transposed") == Some(1));
    }
}
