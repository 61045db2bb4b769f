//! Mean image token, mean text token and last token of a sequence.

use ndarray::ArrayView2;

use crate::prepare::Prompt;

/// Mean image token, mean text token and last token at one depth; [hidden] each.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerMeans {
    /// Mean over image tokens; `None` without an image.
    pub image: Option<Vec<f32>>,
    /// Mean over all other tokens.
    pub text: Vec<f32>,
    /// The last token.
    pub last: Vec<f32>,
}

impl LayerMeans {
    /// Means over the image tokens and over the others of one sequence, [sequence, hidden]; it may be padded on the left.
    pub(super) fn of(prompt: &Prompt, sequence: ArrayView2<f32>) -> Self {
        let padding = sequence.nrows().saturating_sub(prompt.ids.len());
        let mut of_image = vec![false; prompt.ids.len()];
        for span in &prompt.spans {
            of_image[span.start..span.start + span.length].fill(true);
        }
        let mean = |wanted: bool| {
            let mut sums = vec![0f64; sequence.ncols()];
            let mut count = 0;
            let tokens = sequence.rows().into_iter().skip(padding).zip(&of_image);
            for (row, _) in tokens.filter(|(_, image)| **image == wanted) {
                count += 1;
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
            }
            let mean = |sum: f64| (sum / f64::from(count)) as f32;
            (count > 0).then(|| sums.into_iter().map(mean).collect::<Vec<f32>>())
        };
        let last = sequence.rows().into_iter().next_back().map(|row| row.to_vec()).unwrap_or_default();
        Self { image: mean(true), text: mean(false).unwrap_or_default(), last }
    }
}
