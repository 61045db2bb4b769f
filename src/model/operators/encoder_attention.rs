//! `EncoderAttention`: attention of several heads without a mask.

use std::sync::{Arc, Mutex, PoisonError};

use ort::operator::{
    BoxedKernel, ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput,
    ShapeInferenceContext,
};
use ort::value::{Shape, SymbolicDimensions, TensorElementType, ValueRef, ValueType};

use crate::model::kernels::arithmetic::{Arithmetic, Fp32};
use crate::model::kernels::attention::{Attention, Vectors};
#[cfg(target_arch = "x86_64")]
use crate::model::kernels::bf16::Bf16;

/// Queries, keys and values [batch, sequence, heads x head size] to their mean [batch, sequence, heads x size of a value].
///
/// Attributes: `num_heads`; `scale` of the scores, 1 / sqrt(head size) if there is none; `bf16`, 1 where products may be
/// rounded to bfloat16.
pub(in crate::model) struct EncoderAttention {
    fp32: Shared<Fp32>,
    #[cfg(target_arch = "x86_64")]
    bf16: Option<Shared<Bf16>>,
}

/// The nodes of a session run one after the other, and share the memory that they compute in.
type Shared<A> = Arc<Mutex<Attention<A>>>;

fn shared<A: Arithmetic>(arithmetic: A) -> Shared<A> {
    Arc::new(Mutex::new(Attention::new(arithmetic)))
}

impl EncoderAttention {
    pub const NAME: &str = "EncoderAttention";
    pub const BF16: &str = "bf16";

    pub fn new() -> Self {
        Self {
            fp32: shared(Fp32),
            #[cfg(target_arch = "x86_64")]
            bf16: Bf16::of_processor().map(shared),
        }
    }
}

impl Operator for EncoderAttention {
    type Kernel<'attr> = BoxedKernel<'attr>;

    fn name(&self) -> &str {
        Self::NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        [TensorElementType::Float32; 3].map(OperatorInput::required)
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(TensorElementType::Float32)]
    }

    fn create_kernel<'attr>(&self, context: &KernelContext<'attr>) -> ort::Result<BoxedKernel<'attr>> {
        let count = context.get::<i64>("num_heads").and_then(|heads| usize::try_from(heads).ok());
        let heads = count.filter(|heads| *heads > 0);
        let heads =
            heads.ok_or_else(|| wrong("attribute num_heads, at least 1", format_args!("{count:?}")))?;
        let scale = context.get::<f32>("scale");
        #[cfg(target_arch = "x86_64")]
        if let (Some(1), Some(bf16)) = (context.get::<i64>(Self::BF16), &self.bf16) {
            return Ok(Box::new(Heads { attention: bf16.clone(), heads, scale }));
        }
        Ok(Box::new(Heads { attention: self.fp32.clone(), heads, scale }))
    }

    fn infer_shape(&self, context: &mut ShapeInferenceContext) -> ort::Result<()> {
        let inputs = context.inputs();
        let [
            ValueType::Tensor { ty, shape: queries, dimension_symbols: of_queries },
            _,
            ValueType::Tensor { shape: values, dimension_symbols: of_values, .. },
        ] = &inputs[..]
        else {
            return Ok(());
        };
        if let ([batch, length, _], [_, _, hidden]) = (&queries[..], &values[..]) {
            let shape = Shape::new([*batch, *length, *hidden]);
            let symbols = of_queries.iter().take(2).chain(of_values.iter().skip(2)).cloned();
            let dimension_symbols = SymbolicDimensions::new(symbols);
            context.set_output(0, &ValueType::Tensor { ty: *ty, shape, dimension_symbols })?;
        }
        Ok(())
    }
}

/// The kernel of a node.
struct Heads<A: Arithmetic> {
    attention: Shared<A>,
    heads: usize,
    scale: Option<f32>,
}

impl<A: Arithmetic> Kernel for Heads<A> {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let [queries, keys, values] = [0, 1, 2].map(|index| context.input(index));
        let (queries, keys, values) = (required(queries?)?, required(keys?)?, required(values?)?);
        let [queries, keys, values] = [Input::of(&queries)?, Input::of(&keys)?, Input::of(&values)?];
        let fits = queries.shape[2] == keys.shape[2]
            && keys.shape[..2] == values.shape[..2]
            && queries.shape[0] == keys.shape[0]
            && keys.shape[1] > 0
            && [queries.shape[2], values.shape[2]]
                .iter()
                .all(|hidden| *hidden > 0 && hidden % self.heads == 0);
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
        let size = queries.shape[2] / self.heads;
        let mut attention = self.attention.lock().unwrap_or_else(PoisonError::into_inner);
        let scale = self.scale.unwrap_or((size as f32).sqrt().recip());
        for (index, means) in means.chunks_exact_mut((length * hidden).max(1)).enumerate() {
            let inputs = [&queries, &keys, &values].map(|input| input.vectors(index, self.heads));
            attention.compute(inputs, scale, means, |total, function| context.par_for(total, 0, function))?;
        }
        Ok(())
    }
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

    /// Of an element of the batch.
    fn vectors(&self, index: usize, heads: usize) -> Vectors<'a> {
        let [_, length, hidden] = self.shape;
        let numbers = &self.numbers[index * length * hidden..(index + 1) * length * hidden];
        Vectors { numbers, heads, size: hidden / heads }
    }
}

fn required<T>(value: Option<T>) -> ort::Result<T> {
    value.ok_or_else(|| wrong("three inputs and an output", format_args!("one less")))
}

fn wrong(expected: &str, found: std::fmt::Arguments) -> ort::Error {
    ort::Error::new(format!("{} expects {expected}; found {found}", EncoderAttention::NAME))
}
