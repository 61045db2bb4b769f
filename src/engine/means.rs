//! Mean image token, mean text token and last token of a sequence, depth by depth.

use ndarray::{Array2, Array3, ArrayView1, ArrayView2, ArrayView3, s};

/// Sums over tokens that are asked of the model: of image tokens, of all other tokens, and of the last token alone.
pub(super) const SUMS: usize = 3;

/// Where in the decoder a mean is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// What enters it.
    Input,
    /// The residual stream after so many layers.
    Layer(usize),
    /// After the last layer and the final norm.
    Output,
}

/// Mean image token, mean text token and last token at one depth; [hidden] each.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerMeans {
    /// Which depth.
    pub depth: Depth,
    /// Mean over image tokens; `None` without an image.
    pub image: Option<Vec<f32>>,
    /// Mean over all other tokens.
    pub text: Vec<f32>,
    /// The last token.
    pub last: Vec<f32>,
}

/// Which of a sequence's new tokens stand for an image.
pub(super) struct TokenKinds(Vec<bool>);

impl TokenKinds {
    /// Of `tokens` tokens, of which those in `images` do.
    pub fn new(tokens: usize, images: impl Iterator<Item = std::ops::Range<usize>>) -> Self {
        let mut of_image = vec![false; tokens];
        images.for_each(|range| of_image[range].fill(true));
        Self(of_image)
    }

    /// Tokens.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each sum's weight of each token, [`SUMS`, tokens].
    pub fn weights(&self) -> Array2<f32> {
        let last = self.0.len().saturating_sub(1);
        Array2::from_shape_fn((SUMS, self.0.len()), |(sum, token)| {
            let is_in = [self.0[token], !self.0[token], token == last][sum];
            f32::from(u8::from(is_in))
        })
    }

    /// The sums of `states` [tokens, hidden].
    fn sums(&self, states: ArrayView2<f32>) -> [Vec<f64>; 2] {
        let mut sums = [vec![0.0; states.ncols()], vec![0.0; states.ncols()]];
        for (row, image) in states.rows().into_iter().zip(&self.0) {
            let sum = &mut sums[usize::from(!image)];
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        sums
    }
}

/// Sums over a prompt's first tokens by depth; prompts with the same beginning go on from the same sums.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sums {
    images: usize,
    texts: usize,
    depths: Vec<DepthSums>,
}

/// [hidden] each.
#[derive(Debug, Clone, Default, PartialEq)]
struct DepthSums {
    image: Vec<f64>,
    text: Vec<f64>,
    last: Vec<f32>,
}

impl Sums {
    /// With the tokens that follow those that are in already: their embeddings [tokens, hidden], and their sums by depth as the
    /// model gave them, [`SUMS`, depths, hidden].
    pub fn and(&self, kinds: &TokenKinds, embeds: ArrayView2<f32>, given: Option<ArrayView3<f32>>) -> Self {
        let images = kinds.0.iter().filter(|image| **image).count();
        let [image, text] = kinds.sums(embeds);
        let last = embeds.rows().into_iter().next_back().map(|row| row.to_vec()).unwrap_or_default();
        let mut depths = vec![DepthSums { image, text, last }];
        if let Some(given) = given {
            let sum = |sum: usize, depth: usize| given.slice(s![sum, depth, ..]);
            let precise = |sum: ArrayView1<f32>| sum.iter().copied().map(f64::from).collect();
            depths.extend((0..given.dim().1).map(|depth| DepthSums {
                image: precise(sum(0, depth)),
                text: precise(sum(1, depth)),
                last: sum(2, depth).to_vec(),
            }));
        }
        for (depth, before) in depths.iter_mut().zip(&self.depths) {
            depth.image.iter_mut().zip(&before.image).for_each(|(sum, before)| *sum += before);
            depth.text.iter_mut().zip(&before.text).for_each(|(sum, before)| *sum += before);
        }
        Self { images: self.images + images, texts: self.texts + kinds.0.len() - images, depths }
    }

    /// The means over all tokens: at the input, after each layer where they are known, at the output.
    pub fn means(&self) -> Vec<LayerMeans> {
        let mean = |sums: &[f64], count: usize| -> Option<Vec<f32>> {
            (count > 0).then(|| sums.iter().map(|sum| (sum / count as f64) as f32).collect())
        };
        let output = self.depths.len().saturating_sub(1);
        let of_depth = |(place, sums): (usize, &DepthSums)| LayerMeans {
            depth: match place {
                0 => Depth::Input,
                place if place == output => Depth::Output,
                layer => Depth::Layer(layer),
            },
            image: mean(&sums.image, self.images),
            text: mean(&sums.text, self.texts).unwrap_or_default(),
            last: sums.last.clone(),
        };
        self.depths.iter().enumerate().map(of_depth).collect()
    }
}

/// The weights of all pieces of a pass, [batch, [`SUMS`], longest].
pub(super) fn weights_of<'k>(
    kinds: impl ExactSizeIterator<Item = &'k TokenKinds>,
    longest: usize,
) -> Array3<f32> {
    let mut weights = Array3::zeros((kinds.len(), SUMS, longest));
    for (row, kinds) in kinds.enumerate() {
        weights.slice_mut(s![row, .., ..kinds.0.len()]).assign(&kinds.weights());
    }
    weights
}
