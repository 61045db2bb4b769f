//! `crossmodal.Linear`: a linear layer whose weights are read from the model's file.
//!
//! They are no input, of which the runtime would keep a copy beside the one in the order of the product.

use std::sync::{Arc, Mutex, PoisonError};

use ndarray::{Array2, ArrayView2, ArrayViewD, ArrayViewMut2, Axis, Zip};
use ort::operator::{ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput};
use ort::value::TensorElementType::Float32;
use ort::value::{ValueRef, ValueRefMut};
use ort::{Error, Result};

use super::stored::{Place, StoredWeights};
use crate::model::kernels::{Activation, Epilogue, PANEL, Panels, depths, multiply};

/// Rows that one task computes at most: they stay in the second-level cache while the panels go by.
const ROWS_PER_TASK: usize = 96;

/// activation(x [.., inputs] weights + bias [outputs]) factors [.., outputs] + added [.., outputs] to [.., outputs]. Inputs are x, the
/// bias, the factors and what is added, in this order; the last three may be left out. What is added may be of another shape; the sum's is then that of ONNX's `Add`. Attributes: the `file` of the
/// weights and the `offset` of their first byte, `inputs` and `outputs`, 1 for weights that are `transposed`, and the `activation`,
/// if there is one: a name that [`Activation::named`] knows.
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
        let [bias, factors, added] = [(); 3].map(|()| OperatorInput::optional(Float32));
        [OperatorInput::required(Float32), bias, factors, added]
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
        let activation = match context.get::<String>("activation") {
            Some(name) => Activation::named(&name)
                .ok_or_else(|| Error::new(format!("there is no activation `{name}`")))?,
            None => Activation::None,
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
        let given = [context.input(0)?, context.input(1)?, context.input(2)?, context.input(3)?];
        let [x, bias, factors, added] = given.each_ref().map(floats);
        let (bias, factors, added) = (bias?, factors?, added?);
        let x = x?.ok_or_else(|| Error::new("expected rows, found none"))?;
        let wrong = |what: &str, expected: &[usize], found: &[usize]| {
            Error::new(format!("expected {what} {expected:?}, found {found:?}"))
        };
        let mut shape = x.shape().to_vec();
        match shape.last_mut() {
            Some(last) if *last == inputs => *last = outputs,
            _ => return Err(wrong("rows that end with the axis", &[inputs], x.shape())),
        }
        for (what, found, expected) in [("a bias", &bias, &[outputs][..]), ("factors", &factors, &shape)] {
            if let Some(found) = found.as_ref().filter(|found| found.shape() != expected) {
                return Err(wrong(what, expected, found.shape()));
            }
        }
        let rows = (x.len() / inputs, outputs);
        let contiguous = || Error::new("expected contiguous numbers");
        let x = x.as_slice().ok_or_else(contiguous)?;
        let bias = match &bias {
            Some(bias) => bias.as_slice().ok_or_else(contiguous)?,
            None => &[],
        };
        let epilogue =
            Epilogue { bias, activation: self.activation, factors: as_rows(factors, rows)?, added: None };
        match added {
            // Rare, such as position embeddings that are computed: on one thread.
            Some(added) if added.shape() != shape => {
                let mut y = Array2::zeros(rows);
                self.fill(context, x, epilogue, y.view_mut())?;
                let y = y.into_shape_with_order(shape).map_err(Error::wrap)?;
                let shape = common_shape(y.shape(), added.shape());
                let mut sum = output(context, &shape)?;
                let mut sum = sum.try_extract_array_mut::<f32>()?;
                match (y.broadcast(&shape[..]), added.broadcast(&shape[..])) {
                    (Some(y), Some(added)) => {
                        Zip::from(&mut sum).and(y).and(added).for_each(|sum, y, added| *sum = y + added);
                    }
                    _ => return Err(wrong("numbers that can be added to", y.shape(), added.shape())),
                }
            }
            added => {
                let mut y = output(context, &shape)?;
                let y = y.try_extract_array_mut::<f32>()?.into_shape_with_order(rows).map_err(Error::wrap)?;
                self.fill(context, x, Epilogue { added: as_rows(added, rows)?, ..epilogue }, y)?;
            }
        }
        Ok(())
    }
}

impl LinearKernel {
    /// Computes the rows of `y` from those of `x`.
    fn fill(
        &self,
        context: &ComputeContext,
        x: &[f32],
        epilogue: Epilogue,
        y: ArrayViewMut2<f32>,
    ) -> Result<()> {
        if x.is_empty() {
            return Ok(());
        }
        let tasks = tasks(y);
        let Panels { inputs, outputs, .. } = *self.weights;
        let panels = outputs.div_ceil(PANEL);
        let weights = &self.weights;
        (0..depths(inputs)).try_for_each(|depth| {
            context.par_for(tasks.len(), 0, |task| {
                let (block, panel) = (task / panels, task % panels);
                let mut y = tasks[task].lock().unwrap_or_else(PoisonError::into_inner);
                let (row, column) = (block * ROWS_PER_TASK, panel * PANEL);
                let (rows, columns) = (row..row + y.nrows(), column..column + y.ncols());
                let x = &x[row * inputs..][..y.nrows() * inputs];
                multiply(x, weights, depth, panel, epilogue.part(rows, columns), &mut y);
            })
        })
    }
}

/// An optional input.
fn floats<'v>(value: &'v Option<ValueRef<'_>>) -> Result<Option<ArrayViewD<'v, f32>>> {
    value.as_ref().map(|value| value.try_extract_array()).transpose()
}

fn as_rows(
    numbers: Option<ArrayViewD<'_, f32>>,
    rows: (usize, usize),
) -> Result<Option<ArrayView2<'_, f32>>> {
    numbers.map(|numbers| numbers.into_shape_with_order(rows)).transpose().map_err(Error::wrap)
}

fn output<'c>(context: &'c ComputeContext, shape: &[usize]) -> Result<ValueRefMut<'c>> {
    let shape: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
    context.output(0, shape)?.ok_or_else(|| Error::new("expected an output, found none"))
}

/// The shape of a sum by the rules of ONNX (and NumPy): axes are matched from the last one on, and those of size 1 stretched.
fn common_shape(one: &[usize], other: &[usize]) -> Vec<usize> {
    let axes = one.len().max(other.len());
    let size =
        |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(axes).map_or(1, |axis| shape[axis]);
    let sizes = (0..axes).map(|axis| (size(one, axis), size(other, axis)));
    sizes.map(|(one, other)| if one == 1 { other } else { one }).collect()
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

#[cfg(test)]
mod tests {
    use super::common_shape;

    #[test]
    fn shapes_of_sums_are_those_of_numpy() {
        assert_eq!(common_shape(&[2, 3, 5], &[5]), [2, 3, 5]);
        assert_eq!(common_shape(&[3, 1], &[4, 1, 2]), [4, 3, 2]);
        assert_eq!(common_shape(&[1, 5], &[0, 5]), [0, 5]);
        assert_eq!(common_shape(&[], &[1]), [1]);
    }
}
