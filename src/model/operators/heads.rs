//! Queries, keys, values and means, head by head, however their axes are ordered.

use std::ops::Range;

use ort::value::{PrimitiveTensorElementType, ValueRef};
use ort::{Error, Result};

/// How numbers of heads lie in a tensor [batch, heads, tokens, head size], or [batch, tokens, heads, head size].
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub batch: usize,
    pub heads: usize,
    pub tokens: usize,
    /// Of a head.
    pub size: usize,
    tokens_first: bool,
}

impl Order {
    pub fn of([batch, one, other, size]: [usize; 4], tokens_first: bool) -> Self {
        let (heads, tokens) = if tokens_first { (other, one) } else { (one, other) };
        Self { batch, heads, tokens, size, tokens_first }
    }

    /// Which of all heads of all tokens one is.
    pub fn index(&self, row: usize, head: usize, token: usize) -> usize {
        match self.tokens_first {
            true => (row * self.tokens + token) * self.heads + head,
            false => (row * self.heads + head) * self.tokens + token,
        }
    }

    /// Where its numbers are.
    pub fn place(&self, row: usize, head: usize, token: usize) -> Range<usize> {
        let index = self.index(row, head, token);
        index * self.size..(index + 1) * self.size
    }
}

/// A tensor of at most four axes; those that it lacks in front have the size 1.
pub(super) fn tensor<'v, T: PrimitiveTensorElementType>(
    value: &'v ValueRef<'_>,
) -> Result<([usize; 4], &'v [T])> {
    let (shape, numbers) = value.try_extract_tensor::<T>()?;
    let found: Vec<usize> = shape.iter().filter_map(|size| usize::try_from(*size).ok()).collect();
    let mut sizes = [1; 4];
    let missing = 4usize.checked_sub(found.len());
    let missing = missing.ok_or_else(|| Error::new(format!("expected four axes at most, found {shape}")))?;
    sizes[missing..].copy_from_slice(&found);
    Ok((sizes, numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_order() {
        for tokens_first in [false, true] {
            let shape = if tokens_first { [2, 5, 3, 4] } else { [2, 3, 5, 4] };
            let order = Order::of(shape, tokens_first);
            assert_eq!((order.heads, order.tokens), (3, 5));
            let expected = if tokens_first { ((5 + 3) * 3 + 2) * 4 } else { ((3 + 2) * 5 + 3) * 4 };
            assert_eq!(order.place(1, 2, 3), expected..expected + 4);
        }
    }
}
