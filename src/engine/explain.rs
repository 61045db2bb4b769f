//! What a unit will cost, before anything is run: from its prompts alone.

use std::ops::AddAssign;

use super::drafts::Trust;
use super::evaluate::{continuation, images_of, same_images};
use super::prompt_tree::{prompt_tree, tokens_of};
use crate::prepare::{PreparedUnit, Preparer, Prompt};

/// What is expected of a unit, or of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Expectation {
    /// Prompts that can be run.
    pub prompts: usize,
    /// Prompts that hold what the model writes for others: nothing more is known of them yet.
    pub waiting_prompts: usize,
    /// Prompts that cannot be made.
    pub failed_prompts: usize,
    /// Images that prompts show, each as often as it is shown.
    pub images_shown: usize,
    /// Images to encode.
    pub images_encoded: usize,
    /// Tokens of all prompts.
    pub prompt_tokens: usize,
    /// ... that are run where beginnings are shared.
    pub prefill_tokens: usize,
    /// Answers that are transcriptions, whose text is known.
    pub transcriptions: usize,
    /// Tokens of these texts, as far as answers may be long.
    pub transcription_tokens: usize,
    /// Passes that a model without an error needs for them with drafts; without, it takes one a token.
    pub transcription_passes: usize,
    /// Other answers that are written.
    pub written_answers: usize,
    /// Tokens that these have at most.
    pub written_tokens_at_most: usize,
}

impl Expectation {
    /// What is expected of one unit.
    pub fn of(unit: &PreparedUnit, preparer: &Preparer) -> Self {
        let same = same_images(&unit.images);
        let mut expected = Self { waiting_prompts: unit.waiting.len(), ..Self::default() };
        let mut prompts: Vec<&Prompt> = Vec::new();
        let groups = unit.groups.iter().enumerate();
        let rows =
            groups.flat_map(|(group, members)| members.presentations.iter().map(move |row| (group, row)));
        for (index, ((group, row), prompt)) in rows.zip(&unit.prompts).enumerate() {
            match prompt {
                Ok(prompt) => prompts.push(prompt),
                Err(_) if unit.waiting.contains_key(&index) => continue,
                Err(_) => {
                    expected.failed_prompts += 1;
                    continue;
                }
            }
            if let Some(asked) = continuation(preparer, group, row) {
                match asked.expected.first() {
                    Some(text) => {
                        expected.transcriptions += 1;
                        expected.transcription_tokens += text.len().min(asked.most);
                        expected.transcription_passes += passes_when_right(text.len().min(asked.most));
                    }
                    None => {
                        expected.written_answers += 1;
                        expected.written_tokens_at_most += asked.most;
                    }
                }
            }
        }
        let mut encoded: Vec<usize> =
            prompts.iter().flat_map(|prompt| &prompt.spans).map(|span| same[span.image]).collect();
        encoded.sort_unstable();
        encoded.dedup();
        expected.prompts = prompts.len();
        expected.images_shown = prompts.iter().map(|prompt| images_of(prompt)).sum();
        expected.images_encoded = encoded.len();
        expected.prompt_tokens = prompts.iter().map(|prompt| prompt.ids.len()).sum();
        expected.prefill_tokens = tokens_of(&prompt_tree(&prompts, &|image| same[image]));
        expected
    }
}

/// Passes for a text of which every draft is right; its first token comes with the prompt.
fn passes_when_right(tokens: usize) -> usize {
    let text: Vec<u32> = (0..tokens as u32).collect();
    let mut trust = Trust::default();
    let (mut written, mut passes) = (1, 0);
    while written < tokens {
        let drafted = trust.draft(&text[..written], &[&text], &[], tokens - written - 1).len();
        trust.learn(drafted, drafted);
        written += drafted + 1;
        passes += 1;
    }
    passes
}

impl AddAssign for Expectation {
    fn add_assign(&mut self, other: Self) {
        self.prompts += other.prompts;
        self.waiting_prompts += other.waiting_prompts;
        self.failed_prompts += other.failed_prompts;
        self.images_shown += other.images_shown;
        self.images_encoded += other.images_encoded;
        self.prompt_tokens += other.prompt_tokens;
        self.prefill_tokens += other.prefill_tokens;
        self.transcriptions += other.transcriptions;
        self.transcription_tokens += other.transcription_tokens;
        self.transcription_passes += other.transcription_passes;
        self.written_answers += other.written_answers;
        self.written_tokens_at_most += other.written_tokens_at_most;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_right_tokens_take_three_passes() {
        assert_eq!([1, 2, 10, 100, 400].map(passes_when_right), [0, 1, 1, 3, 4]);
    }
}
