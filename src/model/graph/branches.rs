//! What branches of a node (`If`, `Loop`, `Scan`) read: tensors of the graph around them among it.

use std::collections::HashSet;

use super::wire::{Body, Fields, text};
use super::{Malformed, field};

/// Of `AttributeProto`: several graphs.
pub(super) const ATTRIBUTE_GRAPHS: u64 = 11;

/// Adds the names that the branches of a node read, those of their own tensors, too.
pub(super) fn names_read<'a>(node: &'a [u8], names: &mut HashSet<&'a str>) -> Result<(), Malformed> {
    for graph in inside(node, &[field::NODE_ATTRIBUTE]) {
        for graph in inside(graph?, &[field::ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS]) {
            for node in inside(graph?, &[field::GRAPH_NODE]) {
                let node = node?;
                for name in inside(node, &[field::NODE_INPUT]) {
                    names.insert(text(name?)?);
                }
                names_read(node, names)?;
            }
        }
    }
    Ok(())
}

/// The bytes under some fields of a message.
fn inside<'a>(
    message: &'a [u8],
    wanted: &'static [u64],
) -> impl Iterator<Item = Result<&'a [u8], Malformed>> {
    Fields(message).filter_map(move |field| match field {
        Ok((number, Body::Bytes(body))) if wanted.contains(&number) => Some(Ok(body)),
        Ok(_) => None,
        Err(malformed) => Some(Err(malformed)),
    })
}

#[cfg(test)]
mod tests {
    use crate::model::graph::{Attribute, Edit, Graph};

    #[test]
    fn what_branches_read_is_kept_however_deep_they_are() {
        let (mut bytes, mut edit, mut outer, mut inner) =
            (Vec::new(), Edit::default(), Edit::default(), Edit::default());
        inner.node("Relu", "", &["deep"], &["in_inner"]);
        let branch = |edit| [Attribute::Graph("then_branch", edit)];
        outer.node_with("If", "", &["shallow"], &["in_outer"], &branch(&inner));
        edit.node_with("If", "", &["condition"], &["z"], &branch(&outer));
        edit.output("z");
        edit.apply(&mut bytes).unwrap();
        let graph = Graph::read(&bytes).unwrap();
        let kept = ["deep", "shallow", "z", "condition", "in_outer"].map(|name| graph.is_kept(name));
        assert_eq!(kept, [true, true, true, false, false]);
    }
}
