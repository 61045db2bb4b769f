//! Writing answers: all sequences together, each pass one token and its draft a sequence; who has finished leaves, and who
//! waits enters.
//!
//! Every token is the one with the largest logit, of equal ones the smaller id: plain greedy decoding, in fewer passes.

use std::collections::BTreeMap;

use ndarray::{ArrayView1, ArrayView2};

use super::answered::Finish;
use super::batches::{BatchRules, Size};
use super::drafts::{Trust, worth_verifying};
use super::forward::{Piece, Wanted, forward};
use super::requests::{Continuation, Generation, RunningSettings, Work};
use crate::model::{Model, ModelError, Seen};
use crate::prepare::Prompt;

/// Sequences that are written at a time.
const MOST_SEQUENCES: usize = 64;

/// New tokens of one pass, drafts included: beyond, a pass takes as much longer as it is longer, and logits take memory.
const PASS_TOKENS: usize = 512;

/// Past tokens that one pass takes, for each of the new ones that a pass over prompts does.
const PAST_FOR_NEW: usize = 8;

/// Requests that have their answer.
pub(super) type Finished = Vec<(usize, Result<Generation, String>)>;

/// The answers that are being written.
pub(super) struct Decoding<'a> {
    settings: RunningSettings<'a>,
    rules: BatchRules,
    sequences: Vec<Sequence<'a>>,
    /// Answers so far, by kin.
    written: BTreeMap<usize, Vec<Vec<u32>>>,
}

/// One answer, as far as it is.
struct Sequence<'a> {
    prompt: &'a Prompt,
    /// The requests that want it, each with the tokens that it takes at most.
    wanted: Vec<(usize, usize)>,
    most: usize,
    expected: Vec<Vec<u32>>,
    kin: usize,
    /// All but the last token that was written.
    seen: Seen,
    generation: Generation,
    /// The prompt's tokens and what was written.
    own: Vec<u32>,
    trust: Trust,
    draft: Vec<u32>,
    ended: bool,
}

impl<'a> Decoding<'a> {
    pub fn new(settings: RunningSettings<'a>, pads: bool) -> Self {
        let rules = BatchRules {
            new_tokens: PASS_TOKENS,
            all_tokens: PAST_FOR_NEW * settings.batch_tokens,
            sequences: MOST_SEQUENCES,
            pads,
        };
        Self { settings, rules, sequences: Vec::new(), written: BTreeMap::new() }
    }

    /// Whether no more can be written at a time.
    pub fn is_full(&self) -> bool {
        self.sequences.len() >= MOST_SEQUENCES
    }

    pub fn is_empty(&self) -> bool {
        self.sequences.is_empty()
    }

    /// Takes a prompt that has been run, with the logits of its last token; `wanted` are the requests for its continuation,
    /// each with the tokens that it takes at most.
    pub fn admit(
        &mut self,
        prompt: &'a Prompt,
        wanted: Vec<(usize, usize)>,
        continuation: &Continuation,
        seen: Seen,
        logits: ArrayView1<f32>,
        work: &mut Work,
    ) -> Finished {
        // The token after a prompt that fills the context needs no place of its own.
        let room = prompt.room.map_or(usize::MAX, |room| room + 1);
        let most = wanted.iter().map(|(_, most)| *most).max().unwrap_or(0).min(room);
        let mut sequence = Sequence {
            prompt,
            wanted,
            most,
            expected: continuation.expected.clone(),
            kin: continuation.kin,
            seen,
            generation: Generation { tokens: Vec::new(), finish: Finish::Length, logits: Vec::new() },
            own: prompt.ids.iter().map(|&id| u32::try_from(id).unwrap_or(u32::MAX)).collect(),
            trust: Trust::default(),
            draft: Vec::new(),
            ended: most == 0,
        };
        sequence.push(logits, &self.settings);
        self.sequences.push(sequence);
        self.leave(work)
    }

    /// One pass for every sequence. Those that fail together are tried alone, so that only the faulty one fails.
    pub fn pass(&mut self, model: &mut Model, work: &mut Work) -> Finished {
        if self.settings.drafts {
            self.draft();
        }
        let mut pieces: Vec<Piece> = self.sequences.iter_mut().map(Sequence::piece).collect();
        let sizes: Vec<Size> = pieces.iter().map(Piece::size).collect();
        let mut failed = Vec::new();
        let mut batches = self.rules.batches(&sizes);
        while let Some(batch) = batches.pop() {
            work.decode_passes += 1;
            let mut members: Vec<Piece> =
                batch.iter().map(|&index| std::mem::take(&mut pieces[index])).collect();
            let passed = self.run(model, &batch, &mut members, work);
            if let Err(error) = passed {
                batch.iter().zip(members).for_each(|(&index, piece)| pieces[index] = piece);
                if batch.len() > 1 {
                    batches.extend(batch.into_iter().map(|index| vec![index]));
                } else {
                    failed.extend(batch.into_iter().map(|index| (index, error.to_string())));
                }
            }
        }
        let mut finished = Finished::new();
        failed.sort_unstable_by_key(|(index, _)| std::cmp::Reverse(*index));
        for (index, reason) in failed {
            let sequence = self.sequences.remove(index);
            finished.extend(sequence.wanted.into_iter().map(|(request, _)| (request, Err(reason.clone()))));
        }
        finished.extend(self.leave(work));
        finished
    }

    fn run(
        &mut self,
        model: &mut Model,
        batch: &[usize],
        pieces: &mut [Piece],
        work: &mut Work,
    ) -> Result<(), ModelError> {
        let passed = forward(model, pieces, &[], Wanted::default())?;
        for (place, (&index, piece)) in batch.iter().zip(pieces).enumerate() {
            let sequence = &mut self.sequences[index];
            let kept = sequence.verify(passed.logits(place), &self.settings);
            sequence.trust.learn(sequence.draft.len(), kept);
            let length = piece.seen.length() + kept - sequence.draft.len();
            sequence.seen = std::mem::take(&mut piece.seen).first(length);
            work.decode_steps += 1;
            work.drafted_tokens += sequence.draft.len();
            work.accepted_tokens += kept;
        }
        Ok(())
    }

    /// Looks for what each sequence will probably write next.
    fn draft(&mut self) {
        let drafts: Vec<Vec<u32>> = (0..self.sequences.len()).map(|index| self.draft_of(index)).collect();
        let sizes: Vec<(usize, f64)> = drafts
            .iter()
            .zip(&self.sequences)
            .map(|(draft, sequence)| (draft.len(), sequence.trust.expected(draft.len())))
            .collect();
        for ((sequence, draft), worth) in self.sequences.iter_mut().zip(drafts).zip(worth_verifying(&sizes)) {
            sequence.draft = if worth { draft } else { Vec::new() };
        }
    }

    fn draft_of(&self, index: usize) -> Vec<u32> {
        let sequence = &self.sequences[index];
        let others = self.sequences.iter().enumerate();
        let others = others.filter(|(other, kin)| *other != index && kin.kin == sequence.kin);
        let expected = sequence.expected.iter().map(Vec::as_slice);
        let written = self.written.get(&sequence.kin).into_iter().flatten().map(Vec::as_slice);
        let written = written.chain(others.map(|(_, other)| other.generation.tokens.as_slice()));
        let sources: Vec<&[u32]> = expected.chain(written).collect();
        sequence.trust.draft(&sequence.generation.tokens, &sources, &sequence.own, sequence.room())
    }

    /// Those that have ended go.
    fn leave(&mut self, work: &mut Work) -> Finished {
        let mut finished = Finished::new();
        for sequence in self.sequences.extract_if(.., |sequence| sequence.ended) {
            work.written_tokens += sequence.generation.tokens.len();
            let answers = sequence.wanted.iter();
            finished.extend(answers.map(|&(request, most)| (request, Ok(sequence.generation.first(most)))));
            self.written.entry(sequence.kin).or_default().push(sequence.generation.tokens);
        }
        finished
    }
}

impl Sequence<'_> {
    /// Tokens that may be drafted: a pass gives one more.
    fn room(&self) -> usize {
        let written = self.generation.tokens.len();
        let room = self.most.saturating_sub(written + 1);
        let last = self.prompt.positions.next + written as i64 - 1;
        let until = self.prompt.positions.changes_at.filter(|at| last < *at);
        room.min(until.map_or(usize::MAX, |at| (at - 1 - last) as usize))
    }

    /// The last token that was written, and the draft. Takes what was seen with it: a pass adds to it where it is.
    fn piece(&mut self) -> Piece {
        let written = &self.generation.tokens;
        let last = written.len().saturating_sub(1);
        let new = written[last..].iter().chain(&self.draft).copied();
        Piece::of_answer(self.prompt, last, new, std::mem::take(&mut self.seen))
    }

    /// Writes what the logits [1 + draft, vocabulary] say, as far as the draft was right and one token further. Returns how
    /// many tokens of the draft were.
    fn verify(&mut self, logits: ArrayView2<f32>, settings: &RunningSettings) -> usize {
        for (place, row) in logits.rows().into_iter().enumerate() {
            let token = self.push(row, settings);
            if self.ended || token.is_none() || self.draft.get(place).copied() != token {
                return place;
            }
        }
        self.draft.len()
    }

    fn push(&mut self, logits: ArrayView1<f32>, settings: &RunningSettings) -> Option<u32> {
        if self.ended {
            return None;
        }
        let token = largest(logits);
        self.generation.tokens.push(token);
        self.own.push(token);
        if settings.keep_logits {
            self.generation.logits.push(logits.to_vec());
        }
        if settings.stop_tokens.contains(&token) {
            self.generation.finish = Finish::Stop;
            self.ended = true;
        }
        self.ended |= self.generation.tokens.len() == self.most;
        Some(token)
    }
}

/// The token with the largest logit, of equal ones the first.
fn largest(logits: ArrayView1<f32>) -> u32 {
    const LANES: usize = 16;
    let owned;
    let numbers = match logits.as_slice() {
        Some(numbers) => numbers,
        None => {
            owned = logits.to_vec();
            &owned
        }
    };
    let larger = |most: f32, number: f32| if number > most { number } else { most };
    let (wide, rest) = numbers.as_chunks::<LANES>();
    let mut most = [f32::NEG_INFINITY; LANES];
    for numbers in wide {
        for lane in 0..LANES {
            most[lane] = larger(most[lane], numbers[lane]);
        }
    }
    let most = most.iter().chain(rest).fold(f32::NEG_INFINITY, |most, number| larger(most, *number));
    let first = numbers.iter().position(|number| *number == most);
    first.and_then(|place| u32::try_from(place).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Axis, arr1};

    use super::*;

    #[test]
    fn of_equal_logits_the_first_is_the_largest() {
        let mut logits: Vec<f32> = (0..50).map(|token| -(token as f32)).collect();
        assert_eq!(largest(arr1(&logits).view()), 0);
        logits[49] = 3.0;
        assert_eq!(largest(arr1(&logits).view()), 49);
        logits[17] = 3.0;
        logits[18] = f32::NAN;
        assert_eq!(largest(arr1(&logits).view()), 17);
        assert_eq!(largest(arr1(&[f32::NAN; 3]).view()), 0);
        let column = Array2::from_shape_fn((40, 2), |(row, _)| if row == 31 { 1.0 } else { 0.0 });
        assert_eq!(largest(column.index_axis(Axis(1), 0)), 31);
    }
}
