//! `crossmodal.CachedAttention`: attention of new tokens to what their sequences have seen, which is no input of the graph.
//! New keys and values are added to it.
//!
//! Inputs: queries [batch, heads, new tokens, head size], new keys and values [batch, shared heads, new tokens, head size], a mask
//! [1 or batch, 1, 1 or new tokens, past + new tokens] that says which tokens are seen, pasts padded on the left, and if queries
//! and keys are to be turned by their positions (rotary position embedding, Su et al. 2021, equation 34, halves of a head side by
//! side) the cosines and sines of the queries' angles and of the keys', [1 or batch, new tokens, head size / 2]. Output: [batch,
//! heads, new tokens, head size]. Attributes: `layer`, `scale`, and `tokens_first`, 1 where tokens stand before heads in queries, keys,
//! values and output.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use ort::operator::{ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput};
use ort::value::TensorElementType;
use ort::{Error, Result};

use super::angles::Angles;
use super::heads::{Order, tensor};
use crate::model::kernels::cache::Segment;
use crate::model::kernels::cached::{Queries, Sees, attend};
use crate::model::seen::Blocks;

/// What the sequences of the present pass have seen, row by row; the last block of each has room for the new tokens. A session has
/// one.
#[derive(Default)]
pub(in crate::model) struct Pass(Mutex<Arc<Vec<Blocks>>>);

impl Pass {
    pub fn set(&self, rows: Arc<Vec<Blocks>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = rows;
    }

    fn rows(&self) -> Arc<Vec<Blocks>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Attention to the blocks of a [`Pass`].
pub(in crate::model) struct CachedAttention {
    pass: Arc<Pass>,
    gathered: Arc<Mutex<Vec<f32>>>,
}

impl CachedAttention {
    /// What the operator is called.
    pub const NAME: &str = "CachedAttention";

    pub fn new(pass: &Arc<Pass>) -> Self {
        Self { pass: pass.clone(), gathered: Arc::default() }
    }
}

impl Operator for CachedAttention {
    type Kernel<'attr> = CachedAttentionKernel;

    fn name(&self) -> &str {
        Self::NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        let floats = || OperatorInput::required(TensorElementType::Float32);
        let angles = [(); 4].map(|()| OperatorInput::optional(TensorElementType::Float32));
        let mask = OperatorInput::required(TensorElementType::Bool);
        [floats(), floats(), floats(), mask].into_iter().chain(angles)
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(TensorElementType::Float32)]
    }

    fn create_kernel<'attr>(&self, context: &KernelContext<'attr>) -> Result<CachedAttentionKernel> {
        let layer = context.get::<i64>("layer").and_then(|layer| usize::try_from(layer).ok());
        let layer = layer.ok_or_else(|| Error::new("CachedAttention has no `layer`"))?;
        let scale =
            context.get::<f32>("scale").ok_or_else(|| Error::new("CachedAttention has no `scale`"))?;
        let tokens_first = context.get::<i64>("tokens_first") == Some(1);
        let (pass, gathered) = (self.pass.clone(), self.gathered.clone());
        Ok(CachedAttentionKernel { pass, layer, scale, tokens_first, gathered })
    }
}

pub(in crate::model) struct CachedAttentionKernel {
    pass: Arc<Pass>,
    layer: usize,
    scale: f32,
    tokens_first: bool,
    /// Queries by head of keys, [batch, shared heads, heads that share, new tokens, head size]. All layers use the same memory, one
    /// after the other.
    gathered: Arc<Mutex<Vec<f32>>>,
}

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl Kernel for CachedAttentionKernel {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        let [queries, keys, values, mask] = [0, 1, 2, 3].map(|index| context.input(index));
        let (queries, keys, values, mask) = (given(queries?)?, given(keys?)?, given(values?)?, given(mask?)?);
        let angles = [context.input(4)?, context.input(5)?, context.input(6)?, context.input(7)?];
        let order = |shape| Order::of(shape, self.tokens_first);
        let (shape, queries) = tensor::<f32>(&queries)?;
        let (of_keys, keys) = tensor::<f32>(&keys)?;
        let (of_values, values) = tensor::<f32>(&values)?;
        let ([masks, mask_heads, mask_rows, total], mask) = tensor::<bool>(&mask)?;
        let (of_queries, by_key) = (order(shape), order(of_keys));
        let Order { batch, heads, tokens: new, size, .. } = of_queries;
        let shared = by_key.heads;
        let [turn_queries, turn_keys] =
            [[0, 1], [2, 3]].map(|pair| Angles::of(pair.map(|index| &angles[index]), batch, new, size));
        let (turn_queries, turn_keys) = (turn_queries?, turn_keys?);
        let rows = self.pass.rows();
        let seen =
            |row: usize| rows.get(row).into_iter().flat_map(Blocks::iter).map(|(_, tokens)| tokens).sum();
        let seen: Vec<usize> = (0..batch).map(seen).collect();
        let mut blocks = rows.iter().flat_map(Blocks::iter);
        let fits = shared > 0
            && heads % shared == 0
            && [by_key.batch, by_key.tokens, by_key.size] == [batch, new, size]
            && of_values == of_keys
            && (masks == 1 || masks == batch)
            && mask_heads == 1
            && (mask_rows == 1 || mask_rows == new)
            && total == seen.iter().max().unwrap_or(&0) + new
            && rows.len() == batch
            && rows.iter().all(|row| row.has_room(new))
            && blocks.all(|(block, _)| block.sizes(self.layer) == Some((shared, size)));
        if !fits {
            return Err(Error::new(format!(
                "CachedAttention: queries {shape:?}, keys {of_keys:?}, values {of_values:?}, a mask [{masks}, {mask_heads}, {mask_rows}, {total}] and {} sequences that have seen {seen:?} tokens do not go together\n  run with --graphs runtime",
                rows.len()
            )));
        }
        let mut output = given(context.output(0, shape.map(|axis| axis as i64).to_vec())?)?;
        let (_, output) = output.try_extract_tensor_mut::<f32>()?;
        if output.is_empty() {
            return Ok(());
        }
        let sees: Vec<Vec<Sees>> = (0..batch)
            .map(|row| {
                let (first, padding) = ((row % masks) * mask_rows, total - seen[row] - new);
                let row = |token: usize| {
                    let row = &mask[(first + token % mask_rows) * total..][..total];
                    Sees::of(&row[padding..])
                };
                (0..new).map(row).collect()
            })
            .collect();
        let group = heads / shared;
        let (layer, scale) = (self.layer, self.scale);
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.resize(batch * heads * new * size, 0.0);
        let gathered: Vec<RwLock<&mut [f32]>> =
            gathered.chunks_exact_mut(group * new * size).map(RwLock::new).collect();
        // Of a row and a head of keys: puts its queries beside each other, and its keys and values into the row's last block.
        let prepare = |of: usize| {
            let (row, head) = (of / shared, of % shared);
            let mut gathered = gathered[of].write().unwrap_or_else(PoisonError::into_inner);
            for (place, to) in gathered.chunks_exact_mut(size).enumerate() {
                let (of_group, token) = (place / new, place % new);
                to.copy_from_slice(&queries[of_queries.place(row, head * group + of_group, token)]);
                turn_queries.turn(row, token, to);
            }
            let Some((block, tokens)) = rows[row].iter().last() else { return };
            SCRATCH.with_borrow_mut(|scratch| {
                scratch.resize(scratch.len().max(2 * new * size), 0.0);
                let (new_keys, rest) = scratch.split_at_mut(new * size);
                let new_values = &mut rest[..new * size];
                let both = new_keys.chunks_exact_mut(size).zip(new_values.chunks_exact_mut(size));
                for (token, (key, value)) in both.enumerate() {
                    let place = by_key.place(row, head, token);
                    key.copy_from_slice(&keys[place.clone()]);
                    turn_keys.turn(row, token, key);
                    value.copy_from_slice(&values[place]);
                }
                block.write(layer, head, tokens, new_keys, new_values);
            });
        };
        let blocks = Queries { numbers: &[], heads: group, size, scale, sees: &sees[0] }.blocks();
        if blocks > 1 {
            context.par_for(batch * shared, 0, prepare)?;
        }
        let outputs: Vec<Mutex<&mut [f32]>> = output.chunks_exact_mut(size).map(Mutex::new).collect();
        context.par_for(batch * shared * blocks, 0, |unit| {
            let (of, block) = (unit / blocks, unit % blocks);
            // Keys that are written right before they are read come from memory once.
            if blocks == 1 {
                prepare(of);
            }
            let (row, head) = (of / shared, of % shared);
            let held: Vec<_> = rows[row].iter().map(|(block, _)| block.read(layer, head)).collect();
            let counts = rows[row].iter().map(|(_, tokens)| tokens);
            let mut segments: Vec<Segment> =
                held.iter().zip(counts).map(|(held, tokens)| held.segment(tokens)).collect();
            if let Some(last) = segments.last_mut() {
                last.tokens += new;
            }
            // The last block may wait for a writer.
            let next = (unit + 1) / blocks;
            let next = rows.get(next / shared).filter(|row| row.iter().count() > 1).and_then(|row| {
                let (block, tokens) = row.iter().next()?;
                Some((block.read(layer, next % shared), tokens))
            });
            let next = next.as_ref().map_or(&[][..], |(held, tokens)| held.segment(*tokens).keys);
            let numbers = gathered[of].read().unwrap_or_else(PoisonError::into_inner);
            let queries = Queries { numbers: &numbers, heads: group, size, scale, sees: &sees[row] };
            SCRATCH.with_borrow_mut(|scratch| {
                attend(&queries, block, &segments, next, scratch, &mut |of_group, token, mean| {
                    let place = of_queries.index(row, head * group + of_group, token);
                    outputs[place].lock().unwrap_or_else(PoisonError::into_inner).copy_from_slice(mean);
                });
            });
        })
    }
}

fn given<T>(value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::new("CachedAttention lacks an input or output"))
}
