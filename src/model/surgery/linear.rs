//! Linear layers as an operator of our own, with what follows them.
//!
//! The weights stay where they are in the model's files, and are no tensors of the graph any more.

use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

use super::attention::the_reader;
use crate::model::graph::{Attribute, Edit, Graph, Node};
use crate::model::kernels::{Activation, LANES};
use crate::model::operators::{CROSSMODAL, Linear};

/// Lets products with a stored matrix of 32-bit floats, `MatMul` or `Gemm`, be computed by [`Linear`] where they are work, with what may
/// follow: the addition of a bias; GELU by the hyperbolic tangent, or SiLU; the product with a layer beside it (gated units); and
/// the sum with another tensor, such as the residual stream. `path` is the graph's file.
pub(in crate::model) fn own_linear_layers(graph: &Graph, path: &Path, edit: &mut Edit) {
    let mut layers: Vec<Layer> =
        graph.nodes.iter().filter_map(|product| Layer::find(graph, product)).collect();
    let shapes: HashMap<&str, (&str, i64)> = layers
        .iter()
        .filter_map(|layer| Some((layer.last().outputs.first().copied()?, layer.shape())))
        .collect();
    let mut taken = BTreeSet::new();
    for layer in &mut layers {
        layer.extend(graph, &shapes, &mut taken);
    }
    layers.iter().for_each(|layer| layer.rewrite(path, edit));
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
    activation: Activation,
    /// What is multiplied, and then what is added.
    factors: Option<&'a str>,
    added: Option<&'a str>,
    /// The product, and what follows it.
    nodes: Vec<&'a Node<'a>>,
}

impl<'a> Layer<'a> {
    /// The product with its bias and activation.
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
        let activation = activation(graph, nodes[nodes.len() - 1]);
        nodes.extend(activation.iter().flat_map(|(_, nodes)| nodes));
        let activation = activation.map_or(Activation::None, |(activation, _)| activation);
        let weights = (stored.file, stored.offset);
        let (factors, added) = (None, None);
        Some(Self { x, weights, inputs, outputs, transposed, bias, activation, factors, added, nodes })
    }

    fn last(&self) -> &'a Node<'a> {
        self.nodes[self.nodes.len() - 1]
    }

    /// What the shape of its outputs follows from: the tensor that it reads, and its width.
    fn shape(&self) -> (&'a str, i64) {
        (self.x, self.outputs)
    }

    /// Takes in a product with a layer beside it, which is of the same shape, and a sum with what is no constant. `shapes`: those
    /// of all layers, by output; `taken`: outputs of the nodes that layers took in here.
    fn extend(
        &mut self,
        graph: &'a Graph<'a>,
        shapes: &HashMap<&str, (&str, i64)>,
        taken: &mut BTreeSet<&'a str>,
    ) {
        if let Some((product, factors)) = self.reader_with_another(graph, "Mul", taken)
            && shapes.get(factors) == Some(&self.shape())
        {
            self.factors = Some(factors);
            self.nodes.push(product);
            taken.extend(&product.outputs);
        }
        if let Some((sum, added)) = self.reader_with_another(graph, "Add", taken)
            && graph.sizes(added).is_none()
        {
            self.added = Some(added);
            self.nodes.push(sum);
            taken.extend(&sum.outputs);
        }
    }

    /// The one node that reads the outputs, if it is of that kind, and what else it reads.
    fn reader_with_another(
        &self,
        graph: &'a Graph<'a>,
        operator: &str,
        taken: &BTreeSet<&str>,
    ) -> Option<(&'a Node<'a>, &'a str)> {
        let last = self.last();
        let reader = the_reader(graph, last).filter(|node| is(node, operator))?;
        let is_taken = reader.outputs.iter().any(|name| taken.contains(name));
        Some((reader, other(reader, last)?)).filter(|_| !is_taken)
    }

    /// Leaves it alone where its weights are not in a file of the model's folder, which the runtime refuses better.
    fn rewrite(&self, path: &Path, edit: &mut Edit) {
        let (file, offset) = self.weights;
        let Some(path) = file.map_or(Some(path.to_path_buf()), |file| beside(path, file)) else { return };
        let (Some(path), Ok(offset)) = (path.to_str(), i64::try_from(offset)) else { return };
        let mut attributes = vec![
            Attribute::Text("file", path),
            Attribute::Integer("offset", offset),
            Attribute::Integer("inputs", self.inputs),
            Attribute::Integer("outputs", self.outputs),
            Attribute::Integer("transposed", self.transposed.into()),
        ];
        attributes.extend(self.activation.name().map(|name| Attribute::Text("activation", name)));
        let mut inputs = vec![self.x];
        for (place, input) in [self.bias, self.factors, self.added].into_iter().enumerate() {
            if let Some(input) = input {
                inputs.resize(1 + place, "");
                inputs.push(input);
            }
        }
        self.nodes.iter().for_each(|node| edit.strike(node));
        edit.node_with(Linear::NAME, CROSSMODAL, &inputs, &self.last().outputs, &attributes);
    }
}

/// The activation that alone reads what a node gives, and its nodes.
fn activation<'a>(graph: &'a Graph<'a>, node: &Node) -> Option<(Activation, Vec<&'a Node<'a>>)> {
    if let Some(reader) = the_reader(graph, node) {
        let is_gelu = is(reader, "Gelu") && reader.text("approximate") == Some("tanh");
        return is_gelu.then(|| (Activation::TanhGelu, vec![reader]));
    }
    // SiLU is written as x times its logistic function.
    let &[x] = &node.outputs[..] else { return None };
    let readers: Vec<&Node> = graph.consumers(x).collect();
    let sigmoid = readers.iter().find(|node| is(node, "Sigmoid")).filter(|_| readers.len() == 2)?;
    let product = the_reader(graph, sigmoid).filter(|node| is(node, "Mul") && !graph.is_kept(x))?;
    (other(product, sigmoid)? == x).then(|| (Activation::Silu, vec![*sigmoid, product]))
}

/// What a node of two inputs reads beside what another one gives.
fn other<'a>(node: &Node<'a>, source: &Node) -> Option<&'a str> {
    let &[output] = &source.outputs[..] else { return None };
    match node.inputs[..] {
        [first, second] if first == output && second != output => Some(second),
        [first, second] if second == output && first != output => Some(first),
        _ => None,
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
#[path = "linear_tests.rs"]
mod tests;
