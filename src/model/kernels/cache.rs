//! Keys and values of tokens that were seen, as attention likes to read them.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::LANES;

/// Of keys and values: a decoder's layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) struct CacheShape {
    /// Heads and head size of each layer.
    pub layers: Vec<(usize, usize)>,
}

/// Keys and values of consecutive tokens of one sequence, in all layers.
///
/// They are written and read head by head, in the middle of a pass, while other heads are at work: each has a lock of its own.
#[derive(Debug)]
pub(in crate::model) struct Block {
    shape: Arc<CacheShape>,
    /// Tokens that it has room for, a multiple of [`LANES`].
    room: usize,
    /// By layer, and in it by head.
    heads: Vec<Vec<RwLock<Held>>>,
}

/// What a block has of a head; nothing, before a token is written.
#[derive(Debug, Default)]
pub(in crate::model) struct Held {
    /// [tokens / 16, head size, 16]: a panel of 16 tokens has them side by side, so that a query meets 16 keys in one instruction.
    keys: Vec<f32>,
    /// [tokens up to a multiple of 16, head size].
    values: Vec<f32>,
}

/// Keys and values of consecutive tokens of one sequence, of one head.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Segment<'a> {
    /// Panels, [tokens / 16, head size, 16]; of the last one's tokens, those beyond `tokens` are no one's.
    pub keys: &'a [f32],
    /// [tokens, head size], and what follows.
    pub values: &'a [f32],
    pub tokens: usize,
}

impl Block {
    /// Room for `tokens` tokens at least.
    pub fn new(shape: &Arc<CacheShape>, tokens: usize) -> Self {
        let of_layer = |(heads, _): &(usize, usize)| (0..*heads).map(|_| RwLock::default()).collect();
        let heads = shape.layers.iter().map(of_layer).collect();
        Self { shape: shape.clone(), room: tokens.next_multiple_of(LANES), heads }
    }

    /// Heads and head size of a layer, if there is one.
    pub fn sizes(&self, layer: usize) -> Option<(usize, usize)> {
        self.shape.layers.get(layer).copied()
    }

    pub fn room(&self) -> usize {
        self.room
    }

    /// Writes tokens of a layer's head, [tokens, head size] both, to the places from `at` on.
    pub fn write(&self, layer: usize, head: usize, at: usize, keys: &[f32], values: &[f32]) {
        let size = self.shape.layers[layer].1;
        let mut held = self.heads[layer][head].write().unwrap_or_else(PoisonError::into_inner);
        let Held { keys: panels, values: rows } = &mut *held;
        // Memory that no token needs yet is not touched.
        let needed = (at * size + keys.len()).next_multiple_of(size * LANES);
        for numbers in [&mut *panels, &mut *rows] {
            numbers.reserve_exact((self.room * size).saturating_sub(numbers.len()));
            numbers.resize(numbers.len().max(needed), 0.0);
        }
        pack_keys(keys, size, at, panels);
        rows[at * size..][..values.len()].copy_from_slice(values);
    }

    /// What there is of a layer's head.
    pub fn read(&self, layer: usize, head: usize) -> RwLockReadGuard<'_, Held> {
        self.heads[layer][head].read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// The first `tokens`.
    pub fn segment(&self, tokens: usize) -> Segment<'_> {
        Segment { keys: &self.keys, values: &self.values, tokens }
    }
}

/// Puts keys [tokens, head size] into `panels` [.., head size, 16], from token `at` on.
fn pack_keys(keys: &[f32], size: usize, at: usize, panels: &mut [f32]) {
    for (token, key) in keys.chunks_exact(size.max(1)).enumerate() {
        let first = place(at + token, size);
        let panel = panels[first..].iter_mut().step_by(LANES);
        panel.zip(key).for_each(|(to, number)| *to = *number);
    }
}

/// Where in panels a token's first number is; the others follow at every 16th place.
#[inline(always)]
pub(super) fn place(token: usize, size: usize) -> usize {
    token / LANES * size * LANES + token % LANES
}
