//! What is asked of a prompt, in the engine's words.

use ndarray::ArrayView1;

use super::answered::Finish;
use super::lens::LensAt;
use super::means::LayerMeans;
use crate::prepare::Prompt;

/// A prompt, and whether it is to be continued.
pub(super) struct Request<'a> {
    pub prompt: &'a Prompt,
    /// `None` where only the next token's distribution is asked for.
    pub continuation: Option<Continuation>,
}

/// How a prompt is continued.
#[derive(Debug, Clone, Default)]
pub(super) struct Continuation {
    /// Tokens to write at most.
    pub most: usize,
    /// What a model that reads well writes, as it may be tokenized.
    pub expected: Vec<Vec<u32>>,
    /// Requests of one number probably get the same answer: each one's drafts the others'.
    pub kin: usize,
}

/// What the first pass over a prompt says.
pub(super) struct Read<'a> {
    /// Logits at its last token, [vocabulary].
    pub logits: ArrayView1<'a, f32>,
    /// Means by depth, where they are wanted and the graph gives them.
    pub means: Vec<LayerMeans>,
    /// What the lens shows there, where it is wanted.
    pub lens: Option<LensAt<'a>>,
}

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

impl Generation {
    /// The same with at most `most` tokens.
    pub(super) fn first(&self, most: usize) -> Self {
        if self.tokens.len() <= most {
            return self.clone();
        }
        Self {
            tokens: self.tokens[..most].to_vec(),
            finish: Finish::Length,
            logits: self.logits.iter().take(most).cloned().collect(),
        }
    }
}

/// How a unit's prompts are run.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunningSettings<'a> {
    /// New tokens of one pass at most.
    pub batch_tokens: usize,
    /// Tokens that end an answer.
    pub stop_tokens: &'a [u32],
    /// Whether embeddings and hidden states are averaged.
    pub means: bool,
    /// Where each layer is probed: sequences of one pass over prompts at most.
    pub probed: Option<usize>,
    /// Whether the logits of each written token are kept.
    pub keep_logits: bool,
    /// Whether answers are drafted.
    pub drafts: bool,
    /// Whether prompts that begin alike share what is computed of their beginning.
    pub sharing: bool,
}

/// What was done for a unit's prompts, in passes and tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Work {
    /// Images that prompts show, each as often as it is shown.
    pub images_shown: usize,
    /// Images that were encoded.
    pub images_encoded: usize,
    /// Tokens of all prompts.
    pub prompt_tokens: usize,
    /// Tokens of prompts that were run.
    pub prefill_tokens: usize,
    /// Passes over prompts, each of several sequences.
    pub prefill_passes: usize,
    /// Tokens that were written.
    pub written_tokens: usize,
    /// Passes that wrote them, each of several sequences.
    pub decode_passes: usize,
    /// The same counted for every sequence: as many as tokens, less those that prefill and drafts gave.
    pub decode_steps: usize,
    /// Tokens that were drafted.
    pub drafted_tokens: usize,
    /// ... and kept.
    pub accepted_tokens: usize,
}

impl std::ops::AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.images_shown += other.images_shown;
        self.images_encoded += other.images_encoded;
        self.prompt_tokens += other.prompt_tokens;
        self.prefill_tokens += other.prefill_tokens;
        self.prefill_passes += other.prefill_passes;
        self.written_tokens += other.written_tokens;
        self.decode_passes += other.decode_passes;
        self.decode_steps += other.decode_steps;
        self.drafted_tokens += other.drafted_tokens;
        self.accepted_tokens += other.accepted_tokens;
    }
}
