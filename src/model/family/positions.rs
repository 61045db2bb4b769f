//! Where a prompt's tokens stand, as the decoder is told.

use ndarray::{Array2, Axis};

/// An image among a prompt's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImagePlace {
    /// Its first placeholder token.
    pub start: usize,
    /// Placeholder tokens.
    pub length: usize,
    /// Frames, rows and columns of these tokens.
    pub grid: [usize; 3],
}

/// Position ids of a prompt and of what is generated after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    /// [axes, tokens]: one axis, or three (time, height, width) with M-RoPE.
    pub ids: Array2<i64>,
    /// Position of the first generated token, on every axis.
    pub next: i64,
    /// [tokens]: what decoders with bidirectional attention among some tokens are told (`token_type_ids`).
    pub token_types: Vec<i64>,
    /// The token type of generated tokens.
    pub next_token_type: i64,
    /// Whether what the decoder computes of a token depends on nothing that comes after it: prompts that begin alike can
    /// then share what was computed of their beginning.
    pub shareable: bool,
    /// The position from which on the decoder computes all tokens of a pass in another way (long RoPE factors).
    pub changes_at: Option<i64>,
}

impl Positions {
    /// 0, 1, 2, ...
    pub fn counting(length: usize) -> Self {
        Self::of(Array2::from_shape_fn((1, length), |(_, token)| token as i64))
    }

    /// The given ids [axes, tokens]; generation goes on after the largest.
    pub fn of(ids: Array2<i64>) -> Self {
        let next = ids.iter().max().map_or(0, |largest| largest + 1);
        let tokens = ids.len_of(Axis(1));
        Self {
            ids,
            next,
            token_types: vec![0; tokens],
            next_token_type: 0,
            shareable: true,
            changes_at: None,
        }
    }

    /// 0, 1, 2, ... for a decoder that turns to its long RoPE factors when a pass reaches `position`.
    pub fn with_long_rope(length: usize, position: Option<usize>) -> Self {
        Self {
            shareable: position.is_none_or(|position| length <= position),
            changes_at: position.map(|position| position as i64),
            ..Self::counting(length)
        }
    }
}
