//! Greedy generation: prompts run together, each step one token a prompt, until all have stopped.

use ndarray::{Array2, Array3, Axis, concatenate};

use super::assemble::{assemble, missing_image};
use super::batches::equal_length;
use crate::model::{DecoderInput, ImageFeatures, Model, ModelError};
use crate::prepare::Prompt;

/// What a model wrote after a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// Token ids; a stop token is the last one, where one came.
    pub tokens: Vec<u32>,
    /// The logits that chose each of them, [vocabulary] each; empty unless they are kept.
    pub logits: Vec<Vec<f32>>,
}

/// How prompts are continued.
#[derive(Debug, Clone, Copy)]
pub struct GenerationSettings<'a> {
    /// Tokens to write at most.
    pub max_new_tokens: usize,
    /// Tokens that end an answer.
    pub stop_tokens: &'a [u32],
    /// Whether the logits of each step are kept.
    pub keep_logits: bool,
}

/// Continues prompts greedily; of equal logits the smaller token id wins. Decoders that know no padding run prompts of one
/// length together, all others run all of them, padded on the left.
///
/// `features`: of each image that the prompts' spans name.
///
/// # Errors
/// When the model fails, or an image has no features.
pub fn generate(
    model: &mut Model,
    prompts: &[&Prompt],
    features: &[Result<ImageFeatures, String>],
    settings: GenerationSettings,
) -> Result<Vec<Generation>, ModelError> {
    for prompt in prompts {
        if let Some(reason) = missing_image(prompt, features) {
            return Err(ModelError::Run { step: "generation", reason });
        }
    }
    let batches = if model.pads() {
        vec![(0..prompts.len()).collect()]
    } else {
        equal_length(prompts.iter().map(|prompt| prompt.ids.len()).enumerate(), usize::MAX)
    };
    let mut generated = vec![Generation { tokens: Vec::new(), logits: Vec::new() }; prompts.len()];
    for batch in batches {
        let members: Vec<&Prompt> = batch.iter().map(|&index| prompts[index]).collect();
        let answers = generate_batch(model, &members, features, settings)?;
        for (index, answer) in batch.into_iter().zip(answers) {
            generated[index] = answer;
        }
    }
    Ok(generated)
}

fn generate_batch(
    model: &mut Model,
    prompts: &[&Prompt],
    features: &[Result<ImageFeatures, String>],
    settings: GenerationSettings,
) -> Result<Vec<Generation>, ModelError> {
    let mut answers = vec![Generation { tokens: Vec::new(), logits: Vec::new() }; prompts.len()];
    if prompts.is_empty() || settings.max_new_tokens == 0 {
        return Ok(answers);
    }
    let axes = prompts[0].positions.ids.nrows();
    let input = assemble(model, prompts, features)?;
    let mut mask = input.mask.clone();
    let mut output = model.decode(input, None, false)?;
    let mut stopped = vec![false; prompts.len()];
    for step in 0.. {
        for (row, answer) in answers.iter_mut().enumerate() {
            if stopped[row] {
                continue;
            }
            let logits = output.logits.row(row);
            let best = (0u32..).zip(logits).fold((0, f32::NEG_INFINITY), |best, (token, &logit)| {
                if logit > best.1 { (token, logit) } else { best }
            });
            answer.tokens.push(best.0);
            if settings.keep_logits {
                answer.logits.push(logits.to_vec());
            }
            stopped[row] = settings.stop_tokens.contains(&best.0);
        }
        if step + 1 == settings.max_new_tokens || stopped.iter().all(|stopped| *stopped) {
            return Ok(answers);
        }
        let last = |row: usize| answers[row].tokens.last().copied().map_or(0, i64::from);
        let ids = Array2::from_shape_fn((prompts.len(), 1), |(row, _)| last(row));
        let embeds = model.embed(ids, &[])?;
        let new = Array2::ones((prompts.len(), 1));
        mask = concatenate(Axis(1), &[mask.view(), new.view()])
            .map_err(|error| ModelError::Run { step: "generation", reason: error.to_string() })?;
        let input = DecoderInput {
            embeds,
            mask: mask.clone(),
            positions: Array3::from_shape_fn((axes, prompts.len(), 1), |(_, row, _)| {
                prompts[row].positions.next + step as i64
            }),
            token_types: Array2::from_shape_fn((prompts.len(), 1), |(row, _)| {
                prompts[row].positions.next_token_type
            }),
            deepstack: Vec::new(),
        };
        output = model.decode(input, Some(&output.past), false)?;
    }
    Ok(answers)
}
