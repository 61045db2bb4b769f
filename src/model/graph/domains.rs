//! Which sets of operators a file names.

use super::Malformed;
use super::branches::ATTRIBUTE_GRAPHS;
use super::field;
use super::wire::{Body, Fields};

/// Of `ModelProto` and `FunctionProto`.
const MODEL_FUNCTION: u64 = 25;
const FUNCTION_NODE: u64 = 7;

/// Whether a node of a domain is in a model: in its graph, in branches, or in functions.
///
/// # Errors
/// When the bytes are malformed.
pub fn names_operators(model: &[u8], domain: &str) -> Result<bool, Malformed> {
    any(model, |number, body| match number {
        field::MODEL_GRAPH => in_nodes(body, field::GRAPH_NODE, domain),
        MODEL_FUNCTION => in_nodes(body, FUNCTION_NODE, domain),
        _ => Ok(false),
    })
}

fn in_nodes(graph: &[u8], node: u64, domain: &str) -> Result<bool, Malformed> {
    any(graph, |number, body| if number == node { in_node(body, domain) } else { Ok(false) })
}

fn in_node(node: &[u8], domain: &str) -> Result<bool, Malformed> {
    any(node, |number, body| match number {
        field::NODE_DOMAIN => Ok(body == domain.as_bytes()),
        field::NODE_ATTRIBUTE => any(body, |number, body| match number {
            field::ATTRIBUTE_GRAPH | ATTRIBUTE_GRAPHS => in_nodes(body, field::GRAPH_NODE, domain),
            _ => Ok(false),
        }),
        _ => Ok(false),
    })
}

/// Whether something holds for a field with bytes.
fn any(
    message: &[u8],
    mut holds: impl FnMut(u64, &[u8]) -> Result<bool, Malformed>,
) -> Result<bool, Malformed> {
    for field in Fields(message) {
        if let (number, Body::Bytes(body)) = field?
            && holds(number, body)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::{Attribute, Edit};

    #[test]
    fn operators_are_found_in_branches_too() {
        let model = |domain: &str, in_branch: bool| {
            let (mut bytes, mut edit, mut branch) = (Vec::new(), Edit::default(), Edit::default());
            let target = if in_branch { &mut branch } else { &mut edit };
            target.node("Linear", domain, &["x"], &["y"]);
            branch.output("y");
            edit.node_with("If", "", &["condition"], &["z"], &[Attribute::Graph("then_branch", &branch)]);
            edit.apply(&mut bytes).unwrap();
            bytes
        };
        for in_branch in [false, true] {
            assert_eq!(names_operators(&model("crossmodal", in_branch), "crossmodal"), Ok(true));
            assert_eq!(names_operators(&model("com.microsoft", in_branch), "crossmodal"), Ok(false));
        }
        assert_eq!(names_operators(&[0xff], "crossmodal"), Err(Malformed));
    }
}
