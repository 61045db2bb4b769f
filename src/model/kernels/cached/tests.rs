use std::sync::Arc;

use super::*;
use crate::model::kernels::cache::{Block, CacheShape};

/// Numbers that look like noise, between -1 and 1.
fn noise(count: usize, seed: usize) -> Vec<f32> {
    let number = |index: usize| ((index * 7919 + seed * 104_729) % 20_011) as f32 / 10_005.5 - 1.0;
    (0..count).map(number).collect()
}

/// One sequence: `parts` are the tokens of its blocks; keys and values [heads of keys, tokens, size].
struct Sequence {
    size: usize,
    tokens: usize,
    keys: Vec<f32>,
    values: Vec<f32>,
    blocks: Vec<(Block, usize)>,
}

impl Sequence {
    fn new(parts: &[usize], size: usize) -> Self {
        let tokens = parts.iter().sum();
        let (keys, values) = (noise(tokens * size, 1), noise(tokens * size, 2));
        let shape = Arc::new(CacheShape { layers: vec![(1, size)] });
        let mut first = 0;
        let block = |count: &usize| {
            let block = Block::new(&shape, *count);
            // In two steps, as answers grow.
            for (at, count) in [(0, count / 2), (count / 2, count - count / 2)] {
                let given = (first + at) * size..(first + at + count) * size;
                block.write(0, 0, at, &keys[given.clone()], &values[given]);
            }
            first += count;
            (block, *count)
        };
        let blocks = parts.iter().map(block).collect();
        Self { size, tokens, keys, values, blocks }
    }

    /// Means [heads, new tokens, size] by our kernel.
    fn attend(&self, queries: &[f32], heads: usize, sees: &[Sees]) -> Vec<f32> {
        let held: Vec<_> = self.blocks.iter().map(|(block, tokens)| (block.read(0, 0), *tokens)).collect();
        let segments: Vec<Segment> = held.iter().map(|(held, tokens)| held.segment(*tokens)).collect();
        let queries = Queries { numbers: queries, heads, size: self.size, scale: 0.3, sees };
        let mut means = vec![f32::NAN; queries.numbers.len()];
        let mut scratch = vec![f32::NAN; 7];
        for block in 0..queries.blocks() {
            attend(&queries, block, &segments, &[], &mut scratch, &mut |head, token, mean| {
                means[(head * sees.len() + token) * self.size..][..self.size].copy_from_slice(mean);
            });
        }
        means
    }

    /// The same in 64 bits, as the textbook writes it.
    fn expected(&self, query: &[f32], seen: &[bool]) -> Vec<f64> {
        let product = |token: usize| {
            let key = &self.keys[token * self.size..][..self.size];
            query.iter().zip(key).map(|(a, b)| f64::from(a * 0.3) * f64::from(*b)).sum::<f64>()
        };
        let weights: Vec<f64> =
            (0..self.tokens).map(|token| if seen[token] { product(token).exp() } else { 0.0 }).collect();
        let sum: f64 = weights.iter().sum();
        (0..self.size)
            .map(|number| {
                let value = |token: usize| f64::from(self.values[token * self.size + number]);
                let mean: f64 = (0..self.tokens).map(|token| weights[token] * value(token)).sum();
                if sum > 0.0 { mean / sum } else { 0.0 }
            })
            .collect()
    }
}

/// Each new token sees those before it and itself, but for what `hidden` says.
fn causal(tokens: usize, new: usize, hidden: impl Fn(usize, usize) -> bool) -> Vec<Vec<bool>> {
    let row = |query: usize| {
        let last = tokens - new + query;
        (0..tokens).map(|token| token <= last && !hidden(query, token)).collect()
    };
    (0..new).map(row).collect()
}

#[test]
fn means_are_those_of_the_textbook() {
    for (parts, size, heads, new) in [
        (&[1][..], 64, 3, 1),
        (&[37, 16, 1], 64, 3, 1),
        (&[100, 5], 64, 1, 5),
        (&[5, 64, 30], 72, 4, 30),
        (&[70], 8, 2, 70),
        (&[17, 3], 12, 5, 2),
    ] {
        let sequence = Sequence::new(parts, size);
        let queries = noise(heads * new * size, 3);
        let masks = causal(sequence.tokens, new, |query, token| query % 3 == 1 && token % 5 == 0);
        let sees: Vec<Sees> = masks.iter().map(|mask| Sees::of(mask)).collect();
        let means = sequence.attend(&queries, heads, &sees);
        for (row, (query, mean)) in queries.chunks_exact(size).zip(means.chunks_exact(size)).enumerate() {
            let expected = sequence.expected(query, &masks[row % new]);
            for (number, expected) in mean.iter().zip(expected) {
                assert!((f64::from(*number) - expected).abs() < 2e-6, "{parts:?} {row}: {number} {expected}");
            }
        }
    }
}

#[test]
fn a_number_has_the_same_bits_in_any_company_and_any_pieces() {
    let (heads, size, new) = (3, 80, 40);
    let whole = Sequence::new(&[150], size);
    let masks = causal(150, new, |_, token| token < 4);
    let queries = noise(heads * new * size, 3);
    let sees: Vec<Sees> = masks.iter().map(|mask| Sees::of(mask)).collect();
    let together = whole.attend(&queries, heads, &sees);
    for parts in [&[150][..], &[3, 64, 64, 19]] {
        for token in [0, 17, new - 1] {
            let sequence = Sequence::new(parts, size);
            let alone: Vec<f32> = (0..heads)
                .flat_map(|head| &queries[(head * new + token) * size..][..size])
                .copied()
                .collect();
            let alone = sequence.attend(&alone, heads, &sees[token..=token]);
            for head in 0..heads {
                let expected = &together[(head * new + token) * size..][..size];
                assert_eq!(&alone[head * size..][..size], expected, "{parts:?} token {token} head {head}");
            }
        }
    }
}

#[test]
fn a_token_that_sees_nothing_has_zeros_and_not_a_number_stays_one() {
    let sequence = Sequence::new(&[20], 16);
    let queries = noise(2 * 20 * 16, 3);
    let mut masks = causal(20, 20, |_, _| false);
    masks[7].fill(false);
    let means = |sequence: &Sequence, new: usize| {
        let sees: Vec<Sees> = masks[..new].iter().map(|mask| Sees::of(mask)).collect();
        sequence.attend(&queries[..2 * new * 16], 2, &sees)
    };
    for new in [20, 2] {
        let zeros = means(&sequence, new)[7.min(new - 1) * 16..].iter().take(16).all(|number| *number == 0.0);
        assert_eq!(zeros, new == 20);
    }
    let values = sequence.values[..16].to_vec();
    sequence.blocks[0].0.write(0, 0, 0, &[f32::NAN; 16], &values);
    for new in [20, 2] {
        assert!(means(&sequence, new)[0].is_nan());
    }
}
