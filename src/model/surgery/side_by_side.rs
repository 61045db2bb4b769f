//! Queries of the heads that share keys and values, side by side as if they were tokens.
//!
//! `Attention` takes heads one by one, and packs the keys anew for each: where few tokens are new, that is most of its work.

use crate::model::graph::{Attribute, Edit, Graph, Node};

/// New tokens that gain at most: beyond, a head has work enough.
const FEW_TOKENS: i64 = 16;

/// Sizes that are computed once for all attentions of one mask and group.
#[derive(Debug, Default)]
pub(super) struct SideBySide<'a> {
    known: Vec<(&'a str, i64)>,
}

impl<'a> SideBySide<'a> {
    /// Rewrites attention of queries [batch, heads, tokens, head size] to that of [batch, heads / group, tokens * group, head
    /// size] where tokens are few, with the `keys` and `values` that `group` heads share. Returns whether it is of a pattern that
    /// can be.
    pub fn rewrite(
        &mut self,
        graph: &Graph,
        attention: &'a Node<'a>,
        [keys, values]: [&str; 2],
        group: i64,
        edit: &mut Edit,
    ) -> bool {
        let (&[queries, _, _, mask], &[output]) = (&attention.inputs[..], &attention.outputs[..]) else {
            return false;
        };
        if mask.is_empty() || graph.is_output(output) || attention.integer("is_causal").unwrap_or(0) != 0 {
            return false;
        }
        let shared = |part: &str| format!("crossmodal.{mask}.{group}.{part}");
        if !self.known.contains(&(mask, group)) {
            self.known.push((mask, group));
            sizes(queries, mask, group, &shared, edit);
        }
        let own = |part: &str| format!("crossmodal.{output}.{part}");
        let (beside, together) = (own("beside"), own("together"));
        edit.node("Reshape", "", &[queries, &shared("beside")], &[&beside]);
        edit.strike(attention);
        edit.copy(attention, &[&beside, keys, values, &shared("mask")], &[&together]);
        edit.node("Reshape", "", &[&together, &shared("apart")], &[output]);
        true
    }
}

/// Adds what all attentions of a mask read: `beside` and `apart`, the shapes of queries before and after, and the `mask` of the
/// queries side by side.
fn sizes(queries: &str, mask: &str, group: i64, named: &dyn Fn(&str) -> String, edit: &mut Edit) {
    let mut constant = |part: &str, numbers: &[i64]| {
        edit.integers(&named(part), numbers);
        named(part)
    };
    let [few, many, one] =
        [("few", FEW_TOKENS), ("group", group), ("one", 1)].map(|(part, n)| constant(part, &[n]));
    let (ones, copied, kept) =
        (constant("ones", &[1, 1]), constant("batch", &[0, -1]), constant("size", &[0]));
    let [tokens, gains, times, rows] = ["tokens", "gains", "times", "rows"].map(named);
    let on_tokens = [Attribute::Integer("start", 2), Attribute::Integer("end", 3)];
    edit.node_with("Shape", "", &[queries], &[&tokens], &on_tokens);
    edit.node("LessOrEqual", "", &[&tokens, &few], &[&gains]);
    edit.node("Where", "", &[&gains, &many, &one], &[&times]);
    edit.node("Mul", "", &[&tokens, &times], &[&rows]);
    let mut joined = |part: &str, inputs: &[&str]| {
        edit.node_with("Concat", "", inputs, &[&named(part)], &[Attribute::Integer("axis", 0)]);
    };
    joined("beside", &[&copied, &rows, &kept]);
    joined("apart", &[&copied, &tokens, &kept]);
    joined("each", &[&ones, &tokens, &one]);
    joined("repeats", &[&ones, &times, &one]);
    // One row of it for all queries becomes one a query, and a mask of fewer axes gets four.
    edit.node("Expand", "", &[mask, &named("each")], &[&named("wide")]);
    edit.node("Tile", "", &[&named("wide"), &named("repeats")], &[&named("mask")]);
}
