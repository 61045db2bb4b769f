//! `crossmodal.CachedAttention`: attention of new tokens to what their sequences have seen, which is no input of the graph.
//!
//! Inputs: queries [batch, heads, new tokens, head size], new keys and values [batch, shared heads, new tokens, head size], and a
//! mask [1 or batch, 1, 1 or new tokens, past + new tokens] that says which tokens are seen, pasts padded on the left. Attributes:
//! `layer`, `scale`. Output: [batch, heads, new tokens, head size].

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use ort::operator::{ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput};
use ort::value::{PrimitiveTensorElementType, TensorElementType, ValueRef};
use ort::{Error, Result};

use crate::model::kernels::LANES;
use crate::model::kernels::cache::{Segment, pack_keys};
use crate::model::kernels::cached::{Queries, Sees, attend};
use crate::model::seen::Blocks;

/// What the sequences of the present pass have seen, row by row; empty where they have seen nothing. A session has one.
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
    pub pass: Arc<Pass>,
}

impl CachedAttention {
    /// What the operator is called.
    pub const NAME: &str = "CachedAttention";
}

impl Operator for CachedAttention {
    type Kernel<'attr> = CachedAttentionKernel;

    fn name(&self) -> &str {
        Self::NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        let [queries, keys, values] = [(); 3].map(|()| OperatorInput::required(TensorElementType::Float32));
        [queries, keys, values, OperatorInput::required(TensorElementType::Bool)]
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(TensorElementType::Float32)]
    }

    fn create_kernel<'attr>(&self, context: &KernelContext<'attr>) -> Result<CachedAttentionKernel> {
        let layer = context.get::<i64>("layer").and_then(|layer| usize::try_from(layer).ok());
        let layer = layer.ok_or_else(|| Error::new("CachedAttention has no `layer`"))?;
        let scale =
            context.get::<f32>("scale").ok_or_else(|| Error::new("CachedAttention has no `scale`"))?;
        Ok(CachedAttentionKernel { pass: self.pass.clone(), layer, scale, packed: Vec::new() })
    }
}

pub(in crate::model) struct CachedAttentionKernel {
    pass: Arc<Pass>,
    layer: usize,
    scale: f32,
    /// New keys in panels, [batch, shared heads, panels, head size, 16].
    packed: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl Kernel for CachedAttentionKernel {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        let [queries, keys, values, mask] = [0, 1, 2, 3].map(|index| context.input(index));
        let (queries, keys, values, mask) = (given(queries?)?, given(keys?)?, given(values?)?, given(mask?)?);
        let ([batch, heads, new, size], queries) = tensor::<f32>(&queries)?;
        let (of_keys, keys) = tensor::<f32>(&keys)?;
        let (of_values, values) = tensor::<f32>(&values)?;
        let ([masks, mask_heads, mask_rows, total], mask) = tensor::<bool>(&mask)?;
        let shared = of_keys[1];
        let rows = self.pass.rows();
        let seen =
            |row: usize| rows.get(row).into_iter().flat_map(Blocks::iter).map(|(_, tokens)| tokens).sum();
        let seen: Vec<usize> = (0..batch).map(seen).collect();
        let mut blocks = rows.iter().flat_map(Blocks::iter);
        let fits = shared > 0
            && heads % shared == 0
            && of_keys == [batch, shared, new, size]
            && of_values == of_keys
            && (masks == 1 || masks == batch)
            && mask_heads == 1
            && (mask_rows == 1 || mask_rows == new)
            && total == seen.iter().max().unwrap_or(&0) + new
            && (rows.is_empty() || rows.len() == batch)
            && blocks.all(|(block, _)| block.sizes(self.layer) == Some((shared, size)));
        if !fits {
            return Err(Error::new(format!(
                "CachedAttention: queries [{batch}, {heads}, {new}, {size}], keys {of_keys:?}, values {of_values:?}, a mask [{masks}, {mask_heads}, {mask_rows}, {total}] and {} sequences that have seen {seen:?} tokens do not go together\n  run with --graphs runtime",
                rows.len()
            )));
        }
        let mut output =
            given(context.output(0, [batch, heads, new, size].map(|axis| axis as i64).to_vec())?)?;
        let (_, output) = output.try_extract_tensor_mut::<f32>()?;
        if output.is_empty() {
            return Ok(());
        }
        let (of_head, of_panels) = (new * size, new.next_multiple_of(LANES) * size);
        self.packed.resize(batch * shared * of_panels, 0.0);
        let panels = self.packed.chunks_exact_mut(of_panels);
        panels.zip(keys.chunks_exact(of_head)).for_each(|(panels, keys)| pack_keys(keys, size, 0, panels));

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
        let queries = |row: usize, head: usize| Queries {
            numbers: &queries[(row * heads + head * group) * of_head..][..group * of_head],
            heads: group,
            size,
            scale: self.scale,
            sees: &sees[row],
        };
        let blocks = queries(0, 0).blocks();
        let (layer, packed) = (self.layer, &self.packed);
        let outputs: Vec<Mutex<&mut [f32]>> =
            output.chunks_exact_mut(group * of_head).map(Mutex::new).collect();
        context.par_for(outputs.len() * blocks, 0, |unit| {
            let (of, block) = (unit / blocks, unit % blocks);
            let seen = |of: usize| {
                let blocks = rows.get(of / shared).into_iter().flat_map(Blocks::iter);
                blocks.map(move |(block, tokens)| block.segment(layer, of % shared, tokens))
            };
            let (row, head) = (of / shared, of % shared);
            let mut segments: Vec<Segment> = seen(of).collect();
            let next = seen((unit + 1) / blocks).next().map_or(&[][..], |segment| segment.keys);
            segments.push(Segment {
                keys: &packed[of * of_panels..][..of_panels],
                values: &values[of * of_head..][..of_head],
                tokens: new,
            });
            SCRATCH.with_borrow_mut(|scratch| {
                attend(&queries(row, head), block, &segments, next, scratch, &mut |head, token, mean| {
                    let mut output = outputs[of].lock().unwrap_or_else(PoisonError::into_inner);
                    output[(head * new + token) * size..][..size].copy_from_slice(mean);
                });
            });
        })
    }
}

fn given<T>(value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::new("CachedAttention lacks an input or output"))
}

/// A tensor of at most four axes; those that it lacks in front have the size 1.
fn tensor<'v, T: PrimitiveTensorElementType>(value: &'v ValueRef<'_>) -> Result<([usize; 4], &'v [T])> {
    let (shape, numbers) = value.try_extract_tensor::<T>()?;
    let found: Vec<usize> = shape.iter().filter_map(|size| usize::try_from(*size).ok()).collect();
    let mut sizes = [1; 4];
    let missing = 4usize.checked_sub(found.len());
    let missing =
        missing.ok_or_else(|| Error::new(format!("CachedAttention: expected four axes, found {shape}")))?;
    sizes[missing..].copy_from_slice(&found);
    Ok((sizes, numbers))
}
