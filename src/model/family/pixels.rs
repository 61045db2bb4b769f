//! One image as the vision encoder takes it, and as the prompt holds it.

use ndarray::{Array2, ArrayD, ArrayView1, ArrayView2, Axis};

/// A tensor that a vision encoder takes, views along the first axis.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageTensor {
    /// Pixels.
    Float(ArrayD<f32>),
    /// Grids and sizes.
    Int(ArrayD<i64>),
    /// Masks.
    Bool(ArrayD<bool>),
}

impl ImageTensor {
    /// Its shape.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::Float(array) => array.shape(),
            Self::Int(array) => array.shape(),
            Self::Bool(array) => array.shape(),
        }
    }

    /// One or several tensors of one kind and like views, one after the other; `views` of each.
    pub(in crate::model) fn join(parts: &[(&Self, std::ops::Range<usize>)]) -> Option<Self> {
        macro_rules! joined {
            ($kind:ident) => {{
                let views: Option<Vec<_>> = parts
                    .iter()
                    .map(|(part, views)| match part {
                        Self::$kind(array) => Some(array.slice_axis(Axis(0), views.clone().into())),
                        _ => None,
                    })
                    .collect();
                Self::$kind(ndarray::concatenate(Axis(0), &views?).ok()?)
            }};
        }
        Some(match parts.first()?.0 {
            Self::Float(_) => joined!(Float),
            Self::Int(_) => joined!(Int),
            Self::Bool(_) => joined!(Bool),
        })
    }
}

/// Where one placeholder's feature comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum FeatureRow {
    /// A row that the encoder gave.
    One(usize),
    /// The learned separator between rows of tiles (`image_newline`).
    Newline,
    /// A weighted sum of rows (a shrunken map).
    Blend(Vec<(usize, f32)>),
}

/// How an image's features are laid out in the prompt.
#[derive(Debug, Clone, PartialEq)]
pub enum Packing {
    /// As the encoder gives them.
    AsEncoded,
    /// Picked, one entry a placeholder.
    Rows(Vec<FeatureRow>),
}

impl Packing {
    /// Lays out `features` [rows, hidden] as [placeholders, hidden].
    ///
    /// # Errors
    /// When a row or the separator is missing.
    pub(in crate::model) fn lay_out(
        &self,
        features: Array2<f32>,
        newline: Option<&[f32]>,
    ) -> Result<Array2<f32>, String> {
        let Self::Rows(rows) = self else {
            return Ok(features);
        };
        let hidden = features.ncols();
        let mut packed = Array2::zeros((rows.len(), hidden));
        for (mut target, row) in packed.rows_mut().into_iter().zip(rows) {
            match row {
                FeatureRow::One(index) => target.assign(&row_of(features.view(), *index)?),
                FeatureRow::Blend(parts) => {
                    for (index, weight) in parts {
                        target.scaled_add(*weight, &row_of(features.view(), *index)?);
                    }
                }
                FeatureRow::Newline => match newline {
                    Some(newline) if newline.len() == hidden => {
                        target.iter_mut().zip(newline).for_each(|(value, one)| *value = *one);
                    }
                    Some(newline) => {
                        return Err(format!(
                            "`image_newline` has {} values, features have {hidden}",
                            newline.len()
                        ));
                    }
                    None => {
                        return Err("the vision encoder has no output `image_newline`, which this family puts between rows of tiles; `export_scripts/export.py` writes it".into());
                    }
                },
            }
        }
        Ok(packed)
    }
}

fn row_of(features: ArrayView2<'_, f32>, index: usize) -> Result<ArrayView1<'_, f32>, String> {
    let found = features.nrows();
    if index >= found {
        return Err(format!(
            "the vision encoder gave {found} feature rows, at least {} are needed",
            index + 1
        ));
    }
    Ok(features.index_axis_move(Axis(0), index))
}

/// One image as the vision encoder takes it, and as the prompt holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pixels {
    /// The vision encoder's inputs by name; the first axis of each is that of views (tiles) or patches. None are left of an
    /// image that [was encoded](Pixels::drop_inputs).
    pub inputs: Vec<(&'static str, ImageTensor)>,
    /// Views that can be encoded apart from each other and together with other images' (tiles), or `None` when the encoder
    /// must have the image whole and by itself.
    pub views: Option<usize>,
    /// Feature rows that the encoder gives for the image, all views together.
    pub features: usize,
    /// How they stand in the prompt.
    pub packing: Packing,
    /// Placeholder tokens that the image takes in a prompt.
    pub tokens: usize,
    /// Frames, rows and columns of its tokens, for positions in three dimensions.
    pub grid: [usize; 3],
    /// What stands in the prompt instead of the family's placeholder.
    pub expansion: String,
}

impl Pixels {
    /// Equal views that are encoded apart: `values` [views, channels, height, width], `tokens_each` features a view, all of
    /// them in the prompt.
    pub fn views(values: ArrayD<f32>, tokens_each: usize, expansion: String) -> Self {
        let views = values.shape()[0];
        Self {
            inputs: vec![("pixel_values", ImageTensor::Float(values))],
            views: Some(views),
            features: views * tokens_each,
            packing: Packing::AsEncoded,
            tokens: views * tokens_each,
            grid: [1, 1, views * tokens_each],
            expansion,
        }
    }

    /// Lets go of the inputs: megabytes a view, and only what the prompt holds of the image is asked for after encoding.
    pub fn drop_inputs(&mut self) {
        self.inputs = Vec::new();
    }

    /// Elements of its largest input, a measure of what encoding it costs in memory.
    pub fn elements(&self) -> usize {
        self.inputs.iter().map(|(_, tensor)| tensor.shape().iter().product()).max().unwrap_or(0)
    }
}
