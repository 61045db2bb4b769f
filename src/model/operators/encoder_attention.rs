//! `crossmodal.EncoderAttention`: attention of several heads without a mask.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ort::operator::{ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput};
use ort::value::{TensorElementType, ValueRef};

use crate::model::kernels::attention::{Head, Products, QUERIES, Rows, Scratch, attend};

/// Queries, keys and values [batch, sequence, heads x head size] to their mean [batch, sequence, heads x size of a value].
///
/// Attributes: `num_heads`; `scale` of the scores, 1 / sqrt(head size) if there is none; 1 for products of `bfloat16`.
#[derive(Default)]
pub(in crate::model) struct EncoderAttention {
    memory: Arc<Mutex<Memory>>,
}

/// The nodes of a session run one after the other, and share the memory that they compute in.
#[derive(Default)]
struct Memory {
    heads: Vec<Mutex<Head>>,
    /// Those that no thread works in.
    scratch: Mutex<Vec<Scratch>>,
}

impl EncoderAttention {
    /// What the operator is called.
    pub const NAME: &str = "EncoderAttention";
}

impl Operator for EncoderAttention {
    type Kernel<'attr> = EncoderAttentionKernel;

    fn name(&self) -> &str {
        Self::NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        [TensorElementType::Float32; 3].map(OperatorInput::required)
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(TensorElementType::Float32)]
    }

    fn create_kernel<'attr>(&self, context: &KernelContext<'attr>) -> ort::Result<EncoderAttentionKernel> {
        let count = context.get::<i64>("num_heads").and_then(|heads| usize::try_from(heads).ok());
        let heads = count.filter(|heads| *heads > 0);
        let heads =
            heads.ok_or_else(|| wrong("attribute num_heads, at least 1", format_args!("{count:?}")))?;
        let products = match context.get::<i64>("bfloat16") {
            Some(1) => Products::Bfloat16,
            _ => Products::Floats,
        };
        let scale = context.get::<f32>("scale");
        Ok(EncoderAttentionKernel { memory: self.memory.clone(), products, heads, scale })
    }
}

pub(in crate::model) struct EncoderAttentionKernel {
    memory: Arc<Mutex<Memory>>,
    products: Products,
    heads: usize,
    scale: Option<f32>,
}

impl Kernel for EncoderAttentionKernel {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let [queries, keys, values] = [0, 1, 2].map(|index| context.input(index));
        let (queries, keys, values) = (required(queries?)?, required(keys?)?, required(values?)?);
        let [queries, keys, values] = [Input::of(&queries)?, Input::of(&keys)?, Input::of(&values)?];
        let heads = self.heads;
        let fits = queries.shape[2] == keys.shape[2]
            && keys.shape[..2] == values.shape[..2]
            && queries.shape[0] == keys.shape[0]
            && keys.shape[1] > 0
            && [queries.shape[2], values.shape[2]].iter().all(|hidden| *hidden > 0 && hidden % heads == 0);
        if !fits {
            let found = format_args!("{:?}, {:?}, {:?}", queries.shape, keys.shape, values.shape);
            return Err(wrong(
                "queries [batch, queries, heads x size], keys and values [batch, at least 1 key, heads x size]",
                found,
            ));
        }
        let [batch, length, hidden] = [queries.shape[0], queries.shape[1], values.shape[2]];
        let mut output = required(context.output(0, [batch as i64, length as i64, hidden as i64])?)?;
        let (_, means) = output.try_extract_tensor_mut::<f32>()?;
        let (size, of_value) = (queries.shape[2] / heads, hidden / heads);
        let scale = self.scale.unwrap_or((size as f32).sqrt().recip());
        let mut memory = lock(&self.memory);
        if memory.heads.len() < heads {
            memory.heads.resize_with(heads, Mutex::default);
        }
        for (index, means) in means.chunks_exact_mut((length * hidden).max(1)).enumerate() {
            let [queries, keys, values] = [&queries, &keys, &values].map(|input| input.numbers_of(index));
            context.par_for(heads, 0, |head| {
                let of_head =
                    |numbers, size: usize| Rows { numbers, stride: heads * size, first: head * size, size };
                lock(&memory.heads[head]).pack(self.products, of_head(keys, size), of_head(values, of_value));
            })?;
            let parts: Vec<_> = means.chunks_mut(QUERIES * hidden).map(Mutex::new).collect();
            let packed: Vec<MutexGuard<Head>> = memory.heads[..heads].iter().map(lock).collect();
            let packed: Vec<&Head> = packed.iter().map(|head| &**head).collect();
            context.par_for(heads * parts.len(), 0, |unit| {
                let (head, part) = (unit / parts.len(), unit % parts.len());
                let mut scratch = lock(&memory.scratch).pop().unwrap_or_default();
                let queries = Rows { numbers: queries, stride: heads * size, first: head * size, size };
                let first = part * QUERIES;
                attend(queries, first, scale, packed[head], &mut scratch, &mut |query, mean| {
                    let mut part = lock(&parts[part]);
                    let row = &mut part[query * hidden + head * of_value..][..of_value];
                    row.copy_from_slice(mean);
                });
                lock(&memory.scratch).push(scratch);
            })?;
        }
        Ok(())
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A tensor [batch, sequence, hidden].
struct Input<'a> {
    shape: [usize; 3],
    numbers: &'a [f32],
}

impl<'a> Input<'a> {
    fn of(value: &'a ValueRef) -> ort::Result<Self> {
        let (shape, numbers) = value.try_extract_tensor::<f32>()?;
        let sizes: Vec<usize> = shape.iter().filter_map(|size| usize::try_from(*size).ok()).collect();
        let shape = <[usize; 3]>::try_from(sizes);
        let shape = shape.map_err(|sizes| wrong("[batch, sequence, hidden]", format_args!("{sizes:?}")))?;
        Ok(Self { shape, numbers })
    }

    /// Those of an element of the batch, [sequence, hidden].
    fn numbers_of(&self, index: usize) -> &'a [f32] {
        let [_, length, hidden] = self.shape;
        &self.numbers[index * length * hidden..(index + 1) * length * hidden]
    }
}

fn required<T>(value: Option<T>) -> ort::Result<T> {
    value.ok_or_else(|| wrong("three inputs and an output", format_args!("one less")))
}

fn wrong(expected: &str, found: std::fmt::Arguments) -> ort::Error {
    ort::Error::new(format!("{} expects {expected}; found {found}", EncoderAttention::NAME))
}
