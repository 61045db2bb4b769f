//! How queries, keys and values come apart into heads.

use crate::model::graph::{Graph, Node};

/// Heads and tokens change places.
pub(super) const SWAPPED: [i64; 4] = [0, 2, 1, 3];

/// Activations that are split into heads.
pub(super) struct Heads<'a> {
    /// Before heads and sequence change places: [batch, sequence, heads, head size].
    pub apart: &'a str,
    /// How many heads.
    pub count: i64,
}

impl<'a> Heads<'a> {
    /// Of a tensor that a `Transpose` of those axes gives.
    pub fn split(graph: &'a Graph<'a>, name: &str, axes: &[i64]) -> Option<Self> {
        let transpose = graph.producer(name).filter(|node| swaps(node, axes))?;
        let apart = transpose.input(0)?;
        let reshape = graph.producer(apart).filter(|node| node.operator == "Reshape")?;
        let [heads, size] = last_sizes(graph, reshape.input(1)?)?;
        let count = match heads {
            -1 => width(graph, reshape.input(0)?).filter(|width| size > 0 && width % size == 0)? / size,
            heads => heads,
        };
        (count > 0).then_some(Self { apart, count })
    }
}

/// Whether a node puts the axes in that order.
pub(super) fn swaps(node: &Node, axes: &[i64]) -> bool {
    node.operator == "Transpose" && node.integers("perm").as_deref() == Some(axes)
}

/// The last two of four sizes: heads and head size.
fn last_sizes(graph: &Graph, shape: &str) -> Option<[i64; 2]> {
    let sizes = match graph.producer(shape).filter(|node| node.operator == "Concat") {
        None => graph.integers(shape).filter(|sizes| sizes.len() == 4)?,
        // One part an axis.
        Some(parts) if parts.inputs.len() == 4 => {
            let size = |part: &&str| <[i64; 1]>::try_from(graph.integers(part)?).ok();
            parts.inputs[2..].iter().map(size).collect::<Option<Vec<_>>>()?.concat()
        }
        Some(_) => return None,
    };
    sizes.last_chunk().copied()
}

/// The last size of what a linear layer gives.
fn width(graph: &Graph, name: &str) -> Option<i64> {
    let layer = graph.producer(name)?;
    let producer = |name: &str, operator| graph.producer(name).filter(|node| node.operator == operator);
    let weights = match layer.operator {
        "MatMul" => layer.inputs.get(1..)?,
        "Add" => &layer.inputs,
        // A product of integers, scaled.
        "Mul" => {
            let cast = layer.inputs.iter().find_map(|name| producer(name, "Cast"))?;
            producer(cast.input(0)?, "MatMulInteger")?.inputs.get(1..2)?
        }
        _ => return None,
    };
    // A bias of one element would be broadcast.
    weights.iter().find_map(|name| graph.sizes(name)?.last().copied()).filter(|width| *width > 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::{Attribute, Edit};

    #[test]
    fn heads_are_counted_by_the_width_of_a_quantized_product() {
        let (mut bytes, mut edit) = (Vec::new(), Edit::default());
        edit.integers("weights", &[0; 24]);
        edit.integers("shape", &[0, 0, -1, 8]);
        edit.node("MatMulInteger", "", &["x", "weights", "x.zero"], &["integers"]);
        edit.node("Cast", "", &["integers"], &["floats"]);
        edit.node("Mul", "", &["scales", "floats"], &["queries"]);
        edit.node("Reshape", "", &["queries", "shape"], &["apart"]);
        let axes = [0, 2, 1, 3];
        edit.node_with("Transpose", "", &["apart"], &["heads"], &[Attribute::Integers("perm", &axes)]);
        edit.apply(&mut bytes).unwrap();
        let graph = Graph::read(&bytes).unwrap();
        let heads = Heads::split(&graph, "heads", &axes).unwrap();
        assert_eq!((heads.apart, heads.count), ("apart", 3));
    }
}
