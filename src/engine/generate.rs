//! Greedy generation: prompts run together, each step one token a prompt, until all have stopped.

use ndarray::{Array2, Array3, ArrayView1, Axis, concatenate};

use super::answered::Finish;
use super::assemble::{assemble, missing_image};
use super::batches::equal_length;
use crate::model::{DecoderInput, DecoderOutput, ImageFeatures, Model, ModelError};
use crate::prepare::Prompt;

/// What a model wrote after a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// Token ids; a stop token is the last one, where one came.
    pub tokens: Vec<u32>,
    /// What ended it.
    pub finish: Finish,
    /// The logits that chose each of them, [vocabulary] each; empty unless they are kept.
    pub logits: Vec<Vec<f32>>,
}

/// How prompts are continued.
#[derive(Debug, Clone, Copy)]
pub struct GenerationSettings<'a> {
    /// Tokens to write at most; a prompt with less room in the context writes as many as fit there.
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
    let mut generated: Vec<Option<Generation>> = vec![None; prompts.len()];
    for batch in batches.into_iter().filter(|batch: &Vec<usize>| !batch.is_empty()) {
        let members: Vec<&Prompt> = batch.iter().map(|&index| prompts[index]).collect();
        let input = assemble(model, &members, features)?;
        let mask = input.mask.clone();
        let output = model.decode(input, None, false)?;
        let answers = continue_greedily(model, &members, mask, output, settings)?;
        batch.into_iter().zip(answers).for_each(|(index, answer)| generated[index] = Some(answer));
    }
    Ok(generated.into_iter().flatten().collect())
}

/// Goes on after a batch of prompts has been run; `mask` is that of the prompts, [batch, sequence].
pub(super) fn continue_greedily(
    model: &mut Model,
    prompts: &[&Prompt],
    mut mask: Array2<i64>,
    mut output: DecoderOutput,
    settings: GenerationSettings,
) -> Result<Vec<Generation>, ModelError> {
    let mut rows: Vec<Row> = prompts.iter().map(|prompt| Row::new(prompt, settings)).collect();
    let axes = prompts.first().map_or(1, |prompt| prompt.positions.ids.nrows());
    for step in 0.. {
        rows.iter_mut().zip(output.logits.rows()).for_each(|(row, logits)| {
            row.step(logits, settings);
        });
        if rows.iter().all(|row| row.ended) {
            break;
        }
        let ids = Array2::from_shape_fn((rows.len(), 1), |(row, _)| rows[row].last());
        let embeds = model.embed(ids, &[])?;
        let new = Array2::ones((rows.len(), 1));
        mask = concatenate(Axis(1), &[mask.view(), new.view()])
            .map_err(|error| ModelError::Run { step: "generation", reason: error.to_string() })?;
        let input = DecoderInput {
            embeds,
            mask: mask.clone(),
            positions: Array3::from_shape_fn((axes, rows.len(), 1), |(_, row, _)| {
                prompts[row].positions.next + step
            }),
            token_types: Array2::from_shape_fn((rows.len(), 1), |(row, _)| {
                prompts[row].positions.next_token_type
            }),
            deepstack: Vec::new(),
            asked: (0..rows.len()).map(|row| (row, 0)).collect(),
        };
        output = model.decode(input, Some(&output.past), false)?;
    }
    Ok(rows.into_iter().map(|row| row.generation).collect())
}

/// One prompt's continuation, as far as it is.
struct Row {
    generation: Generation,
    most: usize,
    ended: bool,
}

impl Row {
    fn new(prompt: &Prompt, settings: GenerationSettings) -> Self {
        // The token after a prompt that fills the context needs no place of its own.
        let most = settings.max_new_tokens.min(prompt.room.map_or(usize::MAX, |room| room + 1));
        let generation = Generation { tokens: Vec::new(), finish: Finish::Length, logits: Vec::new() };
        Self { generation, most, ended: most == 0 }
    }

    fn step(&mut self, logits: ArrayView1<f32>, settings: GenerationSettings) {
        if self.ended {
            return;
        }
        let best = (0u32..).zip(&logits).fold((0, f32::NEG_INFINITY), |best, (token, &logit)| {
            if logit > best.1 { (token, logit) } else { best }
        });
        self.generation.tokens.push(best.0);
        if settings.keep_logits {
            self.generation.logits.push(logits.to_vec());
        }
        if settings.stop_tokens.contains(&best.0) {
            self.generation.finish = Finish::Stop;
            self.ended = true;
        }
        self.ended |= self.generation.tokens.len() == self.most;
    }

    fn last(&self) -> i64 {
        self.generation.tokens.last().copied().map_or(0, i64::from)
    }
}
