//! Mean image token, mean text token and last token of a sequence.

use std::ops::Range;

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

/// Sums over a prompt's first tokens, [hidden] each; prompts with the same beginning go on from the same sums.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LayerSums {
    image: Vec<f64>,
    images: u32,
    text: Vec<f64>,
    texts: u32,
    last: Vec<f32>,
}

impl LayerSums {
    /// With the states [tokens, hidden] of the prompt's tokens in `range`, which follow those that are in already.
    pub fn and(&self, prompt: &Prompt, range: Range<usize>, states: ArrayView2<f32>) -> Self {
        let mut sums = self.clone();
        let mut of_image = vec![false; prompt.ids.len()];
        for span in &prompt.spans {
            of_image[span.start..span.start + span.length].fill(true);
        }
        sums.image.resize(states.ncols(), 0.0);
        sums.text.resize(states.ncols(), 0.0);
        for (row, image) in states.rows().into_iter().zip(&of_image[range]) {
            let (sum, count) =
                if *image { (&mut sums.image, &mut sums.images) } else { (&mut sums.text, &mut sums.texts) };
            *count += 1;
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        sums.last = states.rows().into_iter().next_back().map(|row| row.to_vec()).unwrap_or_default();
        sums
    }

    /// The means over all tokens.
    pub fn means(&self) -> LayerMeans {
        let mean = |sums: &[f64], count: u32| -> Option<Vec<f32>> {
            (count > 0).then(|| sums.iter().map(|sum| (sum / f64::from(count)) as f32).collect())
        };
        LayerMeans {
            image: mean(&self.image, self.images),
            text: mean(&self.text, self.texts).unwrap_or_default(),
            last: self.last.clone(),
        }
    }
}
