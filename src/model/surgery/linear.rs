//! Linear layers as an operator of our own, with what follows them.
//!
//! The weights stay where they are in the model's files, and are no tensors of the graph any more.

use std::path::{Component, Path, PathBuf};

use super::attention::the_reader;
use crate::model::graph::{Attribute, Edit, Graph, Node};
use crate::model::kernels::LANES;
use crate::model::operators::{CROSSMODAL, Linear};

/// Lets products with a stored matrix of 32-bit floats, `MatMul` or `Gemm`, be computed by [`Linear`] where they are work, with the addition of a
/// bias and the GELU by the hyperbolic tangent that may follow. `path` is the graph's file.
pub(in crate::model) fn own_linear_layers(graph: &Graph, path: &Path, edit: &mut Edit) {
    for product in &graph.nodes {
        if let Some(layer) = Layer::find(graph, product) {
            layer.rewrite(path, edit);
        }
    }
}

/// A linear layer.
struct Layer<'a> {
    x: &'a str,
    /// File, relative to the model's folder, and offset of its first byte.
    weights: (Option<&'a str>, u64),
    inputs: i64,
    outputs: i64,
    /// Whether the weights are [outputs, inputs].
    transposed: bool,
    bias: Option<&'a str>,
    has_gelu: bool,
    /// The product, and what follows it.
    nodes: Vec<&'a Node<'a>>,
}

impl<'a> Layer<'a> {
    fn find(graph: &'a Graph<'a>, product: &'a Node<'a>) -> Option<Self> {
        let &[x, weights, ref rest @ ..] = &product.inputs[..] else { return None };
        let sizes = <[i64; 2]>::try_from(graph.sizes(weights)?).ok()?;
        let stored = graph.stored(weights)?;
        let transposed = is_product(product)?;
        let [inputs, outputs] = if transposed { [sizes[1], sizes[0]] } else { sizes };
        // A vector of either at least: less is no work.
        (inputs.min(outputs) >= LANES as i64).then_some(())?;
        let is_bias = |name: &str| graph.sizes(name).as_deref() == Some(&[outputs]);
        let mut bias = rest.first().copied().filter(|name| !name.is_empty());
        bias.is_none_or(is_bias).then_some(())?;

        let mut nodes = vec![product];
        if bias.is_none()
            && let Some(add) = the_reader(graph, product).filter(|node| is(node, "Add"))
            && let Some(constant) = add.inputs.iter().find(|name| is_bias(name))
        {
            bias = Some(constant);
            nodes.push(add);
        }
        let gelu = the_reader(graph, nodes[nodes.len() - 1])
            .filter(|node| is(node, "Gelu") && node.text("approximate") == Some("tanh"));
        nodes.extend(gelu);
        let weights = (stored.file, stored.offset);
        Some(Self { x, weights, inputs, outputs, transposed, bias, has_gelu: gelu.is_some(), nodes })
    }

    /// Leaves it alone where its weights are not in a file of the model's folder, which the runtime refuses better.
    fn rewrite(&self, path: &Path, edit: &mut Edit) {
        let (file, offset) = self.weights;
        let Some(path) = file.map_or(Some(path.to_path_buf()), |file| beside(path, file)) else { return };
        let (Some(path), Ok(offset)) = (path.to_str(), i64::try_from(offset)) else { return };
        let attributes = [
            Attribute::Text("file", path),
            Attribute::Integer("offset", offset),
            Attribute::Integer("inputs", self.inputs),
            Attribute::Integer("outputs", self.outputs),
            Attribute::Integer("transposed", self.transposed.into()),
            Attribute::Integer("tanh_gelu", self.has_gelu.into()),
        ];
        let inputs: Vec<&str> = [self.x].into_iter().chain(self.bias).collect();
        let last = self.nodes[self.nodes.len() - 1];
        self.nodes.iter().for_each(|node| edit.strike(node));
        edit.node_with(Linear::NAME, CROSSMODAL, &inputs, &last.outputs, &attributes);
    }
}

/// A file of external data: one that is in the model's folder, or where that is a link to it (as in the Hugging Face cache) in the
/// folder of what it links to.
fn beside(graph: &Path, file: &str) -> Option<PathBuf> {
    let is_plain = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
    let found = graph.with_file_name(file);
    let real = found.canonicalize().ok().filter(|real| is_plain && real.is_file())?;
    let folders = [graph.parent()?.canonicalize().ok()?, graph.canonicalize().ok()?.parent()?.to_path_buf()];
    folders.iter().any(|folder| real.starts_with(folder)).then_some(found)
}

fn is(node: &Node, operator: &str) -> bool {
    node.operator == operator && node.domain.is_empty()
}

/// Whether a product's weights are transposed; `None` for another node, or one that does more.
fn is_product(node: &Node) -> Option<bool> {
    if is(node, "MatMul") {
        return Some(false);
    }
    let factor = |name| node.float(name).unwrap_or(1.0) == 1.0;
    let is_plain =
        is(node, "Gemm") && factor("alpha") && factor("beta") && node.integer("transA").unwrap_or(0) == 0;
    is_plain.then(|| node.integer("transB").unwrap_or(0) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATORS: [&str; 5] = ["MatMul", "Gemm", "Add", "Gelu", Linear::NAME];

    /// A fixture's vision encoder.
    fn encoder(family: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(family);
        std::fs::read(folder.join("onnx/vision_encoder.onnx")).unwrap()
    }

    fn count(model: &[u8]) -> [usize; 5] {
        let graph = Graph::read(model).unwrap();
        OPERATORS.map(|operator| graph.nodes.iter().filter(|node| node.operator == operator).count())
    }

    fn rewritten(mut model: Vec<u8>) -> [usize; 5] {
        let mut edit = Edit::default();
        own_linear_layers(&Graph::read(&model).unwrap(), Path::new("folder/encoder.onnx"), &mut edit);
        edit.apply(&mut model).unwrap();
        count(&model)
    }

    #[test]
    fn products_take_in_what_follows_them() {
        for (family, before, after) in [
            ("smolvlm", [13, 0, 32, 2, 0], [0, 0, 20, 0, 13]),
            // GELU by the error function is another one.
            ("internvl", [14, 0, 13, 3, 0], [0, 0, 5, 3, 14]),
            ("qwen2_vl", [0, 10, 11, 1, 0], [0, 0, 11, 1, 10]),
        ] {
            let model = encoder(family);
            assert_eq!((count(&model), rewritten(model)), (before, after), "{family}: {OPERATORS:?}");
        }
    }

    #[test]
    fn what_others_read_is_still_computed() {
        let file = encoder("smolvlm");
        let graph = Graph::read(&file).unwrap();
        let gelu = graph.nodes.iter().find(|node| node.operator == "Gelu").unwrap();
        let add = graph.producer(gelu.inputs[0]).unwrap();
        let product = graph.producer(add.inputs[0]).or(graph.producer(add.inputs[1])).unwrap();
        for (read, after) in [(product.outputs[0], [0, 0, 21, 1, 13]), (add.outputs[0], [0, 0, 20, 1, 13])] {
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
}
