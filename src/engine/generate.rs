//! Greedy generation for prompts outside of a suite.

use super::evaluate::StageSeconds;
use super::requests::{Continuation, Generation, Request, RunningSettings, Work};
use super::running::Running;
use crate::model::{ImageFeatures, Model, ModelError};
use crate::prepare::Prompt;

/// How prompts are continued.
#[derive(Debug, Clone, Copy)]
pub struct GenerationSettings<'a> {
    /// Tokens to write at most; a prompt with less room in the context writes as many as fit there.
    pub max_new_tokens: usize,
    /// Tokens that end an answer.
    pub stop_tokens: &'a [u32],
    /// Whether the logits of each step are kept.
    pub keep_logits: bool,
    /// What the model may be going to write, by prompt; changes the number of passes, never a token. `None`: plain greedy
    /// decoding, one token a pass, every prompt run from its first token.
    pub drafts: Option<&'a [Vec<u32>]>,
}

/// Continues prompts greedily; of equal logits the smaller token id wins. `features`: of each image that the prompts' spans
/// name.
///
/// # Errors
/// When the model fails, or an image has no features.
pub fn generate(
    model: &mut Model,
    prompts: &[&Prompt],
    features: &[Result<ImageFeatures, String>],
    settings: GenerationSettings,
) -> Result<(Vec<Generation>, Work), ModelError> {
    let failed = |reason: String| ModelError::Run { step: "generation", reason };
    let expected = |place: usize| -> Vec<Vec<u32>> {
        settings.drafts.and_then(|drafts| drafts.get(place)).cloned().into_iter().collect()
    };
    let requests: Vec<Request> = prompts
        .iter()
        .enumerate()
        .map(|(place, prompt)| Request {
            prompt,
            continuation: Some(Continuation {
                most: settings.max_new_tokens,
                expected: expected(place),
                kin: place,
            }),
        })
        .collect();
    let mut running = Running {
        model,
        requests: &requests,
        features,
        settings: RunningSettings {
            batch_tokens: 1 << 20,
            stop_tokens: settings.stop_tokens,
            means: false,
            probed: None,
            keep_logits: settings.keep_logits,
            drafts: settings.drafts.is_some(),
            sharing: settings.drafts.is_some(),
        },
        work: Work::default(),
        seconds: StageSeconds::default(),
    };
    let mut first_failure = None;
    let texts = running.run(&|image| image, &mut |_, read| {
        if let Err(reason) = read {
            first_failure.get_or_insert(reason);
        }
    });
    if let Some(reason) = first_failure {
        return Err(failed(reason));
    }
    let texts: Result<Vec<Generation>, String> =
        texts.into_iter().map(|text| text.unwrap_or_else(|| Err("nothing was written".into()))).collect();
    Ok((texts.map_err(failed)?, running.work))
}
