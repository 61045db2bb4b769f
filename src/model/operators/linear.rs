//! `crossmodal.Linear`: a linear layer whose weights are read from the model's file.
//!
//! They are no input, of which the runtime would keep a copy beside the one in the order of the product.

use std::sync::{Arc, Mutex, PoisonError};

use ndarray::{ArrayViewMut2, Axis};
use ort::operator::{ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput};
use ort::value::TensorElementType::Float32;
use ort::{Error, Result};

use super::stored::{Place, StoredWeights};
use crate::model::kernels::{Activation, PANEL, Panels, depths, multiply};

/// Rows that one task computes at most: they stay in the second-level cache while the panels go by.
const ROWS_PER_TASK: usize = 96;

/// x [.., inputs] and a bias [outputs], if there is one, to [.., outputs]. Attributes: the `file` of the weights and the `offset`
/// of their first byte, `inputs` and `outputs`, 1 for weights that are `transposed`, and 1 for `tanh_gelu` after the layer.
pub(in crate::model) struct Linear {
    pub weights: Arc<StoredWeights>,
}

impl Linear {
    /// What the operator is called.
    pub const NAME: &str = "Linear";
}

impl Operator for Linear {
    type Kernel<'a> = LinearKernel;

    fn name(&self) -> &str {
        Self::NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        [OperatorInput::required(Float32), OperatorInput::optional(Float32)]
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(Float32)]
    }

    fn create_kernel<'a>(&self, context: &KernelContext<'a>) -> Result<LinearKernel> {
        let missing = |name: &str| Error::new(format!("the attribute `{name}` is missing"));
        let number = |name: &str| context.get::<i64>(name).ok_or_else(|| missing(name));
        let size = |name: &str| -> Result<usize> {
            let wrong = |found: i64| Error::new(format!("expected 1 or more `{name}`, found {found}"));
            let found = number(name)?;
            usize::try_from(found).ok().filter(|size| *size > 0).ok_or_else(|| wrong(found))
        };
        let place = Place {
            file: context.get("file").ok_or_else(|| missing("file"))?,
            offset: number("offset")?.cast_unsigned(),
            sizes: [size("inputs")?, size("outputs")?],
            transposed: number("transposed").is_ok_and(|flag| flag == 1),
        };
        let weights = self.weights.read(&place).map_err(|error| Error::new(place.unreadable(&error)))?;
        let activation = match context.get::<i64>("tanh_gelu") {
            Some(1) => Activation::TanhGelu,
            _ => Activation::None,
        };
        Ok(LinearKernel { weights, activation })
    }
}

/// A layer's weights in memory.
pub(in crate::model) struct LinearKernel {
    weights: Arc<Panels>,
    activation: Activation,
}

impl Kernel for LinearKernel {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        let Panels { inputs, outputs, .. } = *self.weights;
        let wrong = |what: &str, expected: usize, found: &[i64]| {
            Error::new(format!("expected {what} of {expected} numbers, found the shape {found:?}"))
        };
        let x = context.input(0)?.ok_or_else(|| wrong("rows", inputs, &[]))?;
        let (shape, x) = x.try_extract_tensor::<f32>()?;
        let mut shape = shape.to_vec();
        match shape.last_mut() {
            Some(last) if *last == inputs as i64 => *last = outputs as i64,
            _ => return Err(wrong("rows", inputs, &shape)),
        }
        let bias = context.input(1)?;
        let bias = bias.as_ref().map(|bias| bias.try_extract_tensor::<f32>()).transpose()?;
        let bias = match bias {
            Some((found, bias)) if bias.len() != outputs => return Err(wrong("a bias", outputs, found)),
            bias => bias.map(|(_, bias)| bias),
        };
        let mut y = context.output(0, shape)?.ok_or_else(|| Error::new("expected an output, found none"))?;
        let (_, y) = y.try_extract_tensor_mut::<f32>()?;
        let y = ArrayViewMut2::from_shape((x.len() / inputs, outputs), y).map_err(Error::wrap)?;
        if x.is_empty() {
            return Ok(());
        }
        let tasks = tasks(y);
        let panels = outputs.div_ceil(PANEL);
        let (weights, activation) = (&self.weights, self.activation);
        (0..depths(inputs)).try_for_each(|depth| {
            context.par_for(tasks.len(), 0, |task| {
                let (block, panel) = (task / panels, task % panels);
                let mut y = tasks[task].lock().unwrap_or_else(PoisonError::into_inner);
                let x = &x[block * ROWS_PER_TASK * inputs..][..y.nrows() * inputs];
                let bias = bias.map_or(&[][..], |bias| &bias[panel * PANEL..][..y.ncols()]);
                multiply(x, weights, depth, panel, bias, activation, &mut y);
            })
        })
    }
}

/// Blocks of rows, and in each the panels.
fn tasks(y: ArrayViewMut2<f32>) -> Vec<Mutex<ArrayViewMut2<f32>>> {
    let (rows, columns) = y.dim();
    let split = |whole, axis, size, every| {
        let mut rest = Some(whole);
        (0..size).step_by(every).filter_map(move |from| {
            let whole: ArrayViewMut2<f32> = rest.take()?;
            let (part, others) = whole.split_at(axis, every.min(size - from));
            rest = Some(others);
            Some(part)
        })
    };
    let blocks = split(y, Axis(0), rows, ROWS_PER_TASK);
    blocks.flat_map(|block| split(block, Axis(1), columns, PANEL)).map(Mutex::new).collect()
}
