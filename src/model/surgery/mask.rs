//! Which pairs of a query and a key attention leaves out.

use crate::model::graph::{Attribute, Edit};

// Of `TensorProto.DataType`.
const INT32: i64 = 6;
const BOOL: i64 = 9;

/// A mask, [1 or batch, 1 or heads, 1 or queries, 1 or keys].
#[derive(Debug, Clone, Copy)]
pub(super) struct Mask<'a> {
    pub name: &'a str,
    /// Whether it says which pairs are seen; otherwise it is added to the scores.
    pub is_bool: bool,
}

impl Mask<'_> {
    /// What says, when the graph runs, that nothing is masked: a truth value [].
    pub fn masks_nothing(&self) -> String {
        self.named("nothing")
    }

    /// What is added to the scores of every pair, as `MultiHeadAttention` wants it: [1 or batch, 1 or heads, queries, keys].
    pub fn bias(&self) -> String {
        self.named("bias")
    }

    fn named(&self, part: &str) -> String {
        format!("crossmodal.mask.{}.{part}", self.name)
    }

    /// Adds the nodes that give these. `lengths`: tensors [batch, queries, ..] and [batch, keys, ..].
    pub fn prepare(&self, lengths: [&str; 2], edit: &mut Edit) {
        self.add_condition(edit);
        if !self.is_bool {
            self.add_bias(lengths, edit);
        }
    }

    fn add_condition(&self, edit: &mut Edit) {
        let [hidden, number, most, any] = ["hidden", "number", "most", "any"].map(|part| self.named(part));
        let cast = |to, from: &str, into: &str, edit: &mut Edit| {
            edit.node_with("Cast", "", &[from], &[into], &[Attribute::Integer("to", to)]);
        };
        match self.is_bool {
            true => edit.node("Not", "", &[self.name], &[&hidden]),
            false => cast(BOOL, self.name, &hidden, edit),
        }
        cast(INT32, &hidden, &number, edit);
        edit.node_with("ReduceMax", "", &[&number], &[&most], &[Attribute::Integer("keepdims", 0)]);
        cast(BOOL, &most, &any, edit);
        edit.node("Not", "", &[&any], &[&self.masks_nothing()]);
    }

    fn add_bias(&self, [queries, keys]: [&str; 2], edit: &mut Edit) {
        let [ones, first, end, shape] = ["ones", "first", "end", "shape"].map(|part| self.named(part));
        edit.integers(&ones, &[1, 1]);
        edit.integers(&first, &[1]);
        edit.integers(&end, &[2]);
        let lengths = [("queries", queries), ("keys", keys)].map(|(part, tensor)| {
            let (sizes, length) = (self.named(&format!("{part}.shape")), self.named(part));
            edit.node("Shape", "", &[tensor], &[&sizes]);
            edit.node("Slice", "", &[&sizes, &first, &end], &[&length]);
            length
        });
        let axis = [Attribute::Integer("axis", 0)];
        edit.node_with("Concat", "", &[&ones, &lengths[0], &lengths[1]], &[&shape], &axis);
        edit.node("Expand", "", &[self.name, &shape], &[&self.bias()]);
    }
}
