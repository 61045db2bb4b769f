//! What the logit lens shows at an answer position: the answer that a model would give if it ended after each of its layers.

use crate::model::LensOutput;
use crate::prepare::OptionTokens;

/// Bytes of the layers' logits over the whole vocabulary that one pass computes at most. Memory of 256 MB is not used again by
/// the next pass, and costs more than passes of fewer prompts: of a model of 256 M weights a tenth of the time.
const MOST_BYTES: usize = 64 << 20;

/// Prompts of which all layers go into one pass in any case: large vocabularies come with large models.
const LEAST_PROMPTS: usize = 3;

/// The answer after one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerPrediction {
    /// The best token, of equal ones the smaller id.
    pub token: u32,
    /// What it says.
    pub text: String,
    /// Its logit.
    pub logit: f32,
    /// The option that it says.
    pub option: Option<usize>,
    /// Of each option the largest logit among its first tokens.
    pub option_logits: Vec<f32>,
}

/// Prompts of which all layers fit into one pass.
pub fn prompts_a_pass(layers: usize, vocabulary: usize) -> usize {
    (MOST_BYTES / size_of::<f32>() / (layers * vocabulary).max(1)).max(LEAST_PROMPTS)
}

/// First tokens of the options of several prompts, each once.
pub(super) fn option_tokens<'o>(options: impl Iterator<Item = &'o OptionTokens>) -> Vec<u32> {
    let mut tokens: Vec<u32> = options.flat_map(|options| &options.tokens).flatten().copied().collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

/// What the lens shows at one token.
#[derive(Clone, Copy)]
pub(super) struct LensAt<'a> {
    pub output: &'a LensOutput,
    /// Which of the probed tokens.
    pub probed: usize,
    /// Those whose logits it gives, sorted.
    pub tokens: &'a [u32],
}

impl LensAt<'_> {
    /// The answer after each layer; `text` says what a token does.
    pub fn predictions(&self, options: &OptionTokens, text: impl Fn(u32) -> String) -> Vec<LayerPrediction> {
        let Self { output, probed, tokens } = *self;
        let of_layer = |layer: usize| {
            let logit =
                |token: &u32| Some(output.options[[probed, layer, tokens.binary_search(token).ok()?]]);
            let best = |first: &Vec<u32>| first.iter().filter_map(logit).fold(f32::NEG_INFINITY, f32::max);
            let token = output.tokens[[probed, layer]];
            LayerPrediction {
                token,
                text: text(token),
                logit: output.logits[[probed, layer]],
                option: options.option_of(token),
                option_logits: options.tokens.iter().map(best).collect(),
            }
        };
        (0..output.tokens.ncols()).map(of_layer).collect()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, array};

    use super::*;

    #[test]
    fn each_option_has_the_largest_logit_of_its_first_tokens() {
        let options =
            OptionTokens { names: vec!["red".into(), "blue".into()], tokens: vec![vec![9, 4], vec![7]] };
        let tokens = option_tokens([&options, &options].into_iter());
        assert_eq!(tokens, [4, 7, 9]);
        let lens = LensOutput {
            tokens: array![[4, 5], [7, 9]],
            logits: array![[2.0, 8.0], [3.0, 1.5]],
            options: Array3::from_shape_fn((2, 2, 3), |(probed, layer, token)| {
                [[[2.0, 0.5, 1.0], [0.0, 1.0, 2.0]], [[1.0, 3.0, 2.0], [1.25, 1.0, 1.5]]][probed][layer]
                    [token]
            }),
        };
        let at = |probed| LensAt { output: &lens, probed, tokens: &tokens };
        let found = at(0).predictions(&options, |token| token.to_string());
        assert_eq!(found[0].option_logits, [2.0, 0.5]);
        assert_eq!((found[0].option, found[0].text.as_str()), (Some(0), "4"));
        assert_eq!((found[1].option, found[1].option_logits.as_slice()), (None, &[2.0, 1.0][..]));
        let found = at(1).predictions(&options, |_| String::new());
        assert_eq!(found.iter().map(|layer| layer.option).collect::<Vec<_>>(), [Some(1), Some(0)]);
    }

    #[test]
    fn the_whole_vocabulary_of_all_layers_stays_within_its_bounds() {
        assert_eq!(prompts_a_pass(30, 49_280), 11);
        assert_eq!(prompts_a_pass(28, 151_936), 3);
        assert_eq!(prompts_a_pass(80, 262_144), LEAST_PROMPTS);
    }
}
