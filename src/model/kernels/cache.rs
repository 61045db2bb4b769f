//! Keys and values of tokens that were seen, as attention likes to read them.

use std::sync::Arc;

use super::LANES;

/// Of keys and values: a decoder's layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) struct CacheShape {
    /// Heads and head size of each layer.
    pub layers: Vec<(usize, usize)>,
}

/// Keys or values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Part {
    Keys,
    Values,
}

/// Keys and values of consecutive tokens of one sequence, in all layers.
#[derive(Debug, Clone)]
pub(in crate::model) struct Block {
    shape: Arc<CacheShape>,
    /// Tokens that it has room for, a multiple of [`LANES`].
    room: usize,
    /// By layer [heads, room / 16, head size, 16]: a panel of 16 tokens has them side by side, so that a query meets 16 keys in
    /// one instruction.
    keys: Vec<Vec<f32>>,
    /// By layer [heads, room, head size].
    values: Vec<Vec<f32>>,
}

/// Keys and values of consecutive tokens of one sequence, of one head.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Segment<'a> {
    /// Panels, [tokens / 16, head size, 16]; of the last one's tokens, those beyond `tokens` are no one's.
    pub keys: &'a [f32],
    /// [tokens, head size].
    pub values: &'a [f32],
    pub tokens: usize,
}

impl Block {
    /// Room for `tokens` tokens at least.
    pub fn new(shape: &Arc<CacheShape>, tokens: usize) -> Self {
        let room = tokens.next_multiple_of(LANES);
        let zeros = || shape.layers.iter().map(|(heads, size)| vec![0.0; heads * room * size]).collect();
        Self { shape: shape.clone(), room, keys: zeros(), values: zeros() }
    }

    /// Heads and head size of a layer, if there is one.
    pub fn sizes(&self, layer: usize) -> Option<(usize, usize)> {
        self.shape.layers.get(layer).copied()
    }

    pub fn room(&self) -> usize {
        self.room
    }

    /// Writes `count` tokens of `given` [heads, tokens, head size], from `first` on, to the places from `at` on.
    pub fn write(&mut self, layer: usize, part: Part, at: usize, given: &[f32], first: usize, count: usize) {
        let (heads, size) = self.shape.layers[layer];
        let held = match part {
            Part::Keys => &mut self.keys[layer],
            Part::Values => &mut self.values[layer],
        };
        let (of_head, given_of_head) = (self.room * size, given.len() / heads.max(1));
        let heads = held.chunks_exact_mut(of_head.max(1)).zip(given.chunks_exact(given_of_head.max(1)));
        for (held, given) in heads {
            let tokens = &given[first * size..][..count * size];
            match part {
                Part::Keys => pack_keys(tokens, size, at, held),
                Part::Values => held[at * size..][..tokens.len()].copy_from_slice(tokens),
            }
        }
    }

    /// The first `tokens` of a layer's head.
    pub fn segment(&self, layer: usize, head: usize, tokens: usize) -> Segment<'_> {
        let of_head = self.room * self.shape.layers[layer].1;
        let head = head * of_head..(head + 1) * of_head;
        Segment { keys: &self.keys[layer][head.clone()], values: &self.values[layer][head], tokens }
    }
}

/// Puts keys [tokens, head size] into `panels` [.., head size, 16], from token `at` on.
pub(in crate::model) fn pack_keys(keys: &[f32], size: usize, at: usize, panels: &mut [f32]) {
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
