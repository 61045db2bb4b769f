//! What sequences have seen, and how the decoder reads it in a pass.
//!
//! A decoder whose attention is ours reads keys and values where they lie ([`Block`]), so that none is copied when a token is
//! added, and prompts that begin alike share what they have in common. Others take tensors, in which all sequences of a pass
//! stand side by side.

use std::sync::Arc;

use ndarray::{Array2, s};

use super::ModelError;
use super::kernels::cache::{Block, CacheShape};
use super::past::{Past, PastRow};
use super::tensors::wrong;

const STEP: &str = "decoder";

/// Tokens of one sequence that the decoder has run.
#[derive(Clone, Default)]
pub struct Seen {
    kept: Kept,
    length: usize,
}

#[derive(Clone)]
enum Kept {
    /// From `start` on in a row of a pass's tensors.
    Row { past: Arc<Past>, row: usize, start: usize },
    /// One after the other.
    Blocks(Blocks),
}

impl Default for Kept {
    fn default() -> Self {
        Self::Blocks(Blocks::default())
    }
}

/// Blocks, and how many of the first tokens of each belong to the sequence.
#[derive(Clone, Default)]
pub(super) struct Blocks(Vec<(Arc<Block>, usize)>);

/// What the sequences of a pass have seen, shorter ones padded on the left.
pub(super) struct Before {
    /// Tokens of a row, with padding.
    pub tokens: usize,
    /// Of each row, its tokens without.
    pub lengths: Vec<usize>,
    pub kept: Side,
}

/// How the decoder reads them.
pub(super) enum Side {
    /// From tensors, of which there are none yet.
    Nothing,
    /// From tensors.
    Together(Arc<Past>),
    /// From blocks, row by row; the new tokens are written at the end of each row's last one.
    Apart(Arc<Vec<Blocks>>),
}

impl Seen {
    /// Tokens.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Its first tokens only.
    pub fn first(mut self, length: usize) -> Self {
        self.length = length.min(self.length);
        if let Kept::Blocks(blocks) = &mut self.kept {
            blocks.truncate(self.length);
        }
        self
    }

    /// A row of a pass's tensors, which end with its tokens and padding on the right.
    pub(super) fn of_row(past: &Arc<Past>, row: usize, start: usize, length: usize) -> Self {
        Self { kept: Kept::Row { past: past.clone(), row, start }, length }
    }

    /// Makes room for `count` tokens at the end of the last block, and returns the blocks; a pass writes the tokens there.
    fn with_room(&mut self, shape: &Arc<CacheShape>, count: usize) -> Blocks {
        let Kept::Blocks(blocks) = &mut self.kept else { return Blocks::default() };
        blocks.make_room(shape, count);
        blocks.clone()
    }

    /// Counts the first of the tokens that a pass has written in the last block.
    pub(super) fn grow(&mut self, count: usize) {
        if let Kept::Blocks(blocks) = &mut self.kept {
            blocks.grow(count);
            self.length += count;
        }
    }

    fn row(&self) -> Option<(&Arc<Past>, PastRow<'_>)> {
        let Kept::Row { past, row, start } = &self.kept else { return None };
        Some((past, PastRow { past, row: *row, start: *start, length: self.length }))
    }
}

/// Tokens that a block has room for at least.
const ROOM: usize = 64;

impl Blocks {
    /// Each block with its tokens.
    pub fn iter(&self) -> impl Iterator<Item = (&Block, usize)> {
        self.0.iter().map(|(block, tokens)| (&**block, *tokens))
    }

    /// Whether the last one has room for `new` tokens.
    pub fn has_room(&self, new: usize) -> bool {
        self.0.last().is_some_and(|(block, tokens)| tokens + new <= block.room())
    }

    fn truncate(&mut self, length: usize) {
        let mut left = length;
        for (_, tokens) in &mut self.0 {
            *tokens = left.min(*tokens);
            left -= *tokens;
        }
        self.0.retain(|(_, tokens)| *tokens > 0);
    }

    /// Appends a block, unless the last one is this sequence's alone and has room for `count` tokens more.
    fn make_room(&mut self, shape: &Arc<CacheShape>, count: usize) {
        let has_room = self.has_room(count);
        if !self.0.last_mut().is_some_and(|(block, _)| has_room && Arc::get_mut(block).is_some()) {
            self.0.pop_if(|(_, tokens)| *tokens == 0);
            // One token follows another, and drafts that are taken back leave room for the next ones; a prompt's tokens stay alone.
            self.0.push((Arc::new(Block::new(shape, count.max(ROOM))), 0));
        }
    }

    fn grow(&mut self, count: usize) {
        if let Some((_, tokens)) = self.0.last_mut() {
            *tokens += count;
        }
    }
}

impl Before {
    /// Of sequences that have seen nothing.
    fn nothing(sequences: usize) -> Self {
        Self { tokens: 0, lengths: vec![0; sequences], kept: Side::Nothing }
    }

    /// Of sequences whose keys and values lie in blocks, with room for `new` tokens each.
    pub fn apart(seen: &mut [&mut Seen], shape: &Arc<CacheShape>, new: usize) -> Self {
        let lengths: Vec<usize> = seen.iter().map(|seen| seen.length).collect();
        let tokens = lengths.iter().copied().max().unwrap_or(0);
        let rows = seen.iter_mut().map(|seen| seen.with_room(shape, new)).collect();
        Self { tokens, lengths, kept: Side::Apart(Arc::new(rows)) }
    }

    /// Of sequences in tensors. What a pass gave is taken as it is where its rows are these ones in this order, and nothing
    /// stands after their tokens; otherwise `gather` copies the rows side by side.
    pub fn by_side(
        seen: &[&mut Seen],
        gather: impl Fn(&[PastRow]) -> Result<Past, ModelError>,
    ) -> Result<Self, ModelError> {
        let rows: Option<Vec<(&Arc<Past>, PastRow)>> = seen.iter().map(|seen| seen.row()).collect();
        let Some((rows, first)) = rows.as_ref().and_then(|rows| Some((rows, rows.first()?.0))) else {
            return match seen.iter().all(|seen| seen.length == 0) {
                true => Ok(Self::nothing(seen.len())),
                false => Err(wrong(STEP, "some sequences of a pass have a past, others have none")),
            };
        };
        let end = first.tokens();
        let as_is = first.batch() == rows.len()
            && rows.iter().enumerate().all(|(place, (past, row))| {
                Arc::ptr_eq(past, first) && row.row == place && row.start + row.length == end
            });
        let past = match as_is {
            true => first.clone(),
            false => Arc::new(gather(&rows.iter().map(|(_, row)| *row).collect::<Vec<_>>())?),
        };
        let lengths = seen.iter().map(|seen| seen.length).collect();
        Ok(Self { tokens: past.tokens(), lengths, kept: Side::Together(past) })
    }

    /// 1 for tokens, 0 for padding: [batch, past + sequence]; `lengths` are those of the new tokens' rows.
    pub fn mask(&self, lengths: &[usize], sequence: usize) -> Array2<i64> {
        let mut mask = Array2::zeros((lengths.len(), self.tokens + sequence));
        for (row, (seen, new)) in self.lengths.iter().zip(lengths).enumerate() {
            mask.slice_mut(s![row, self.tokens - seen..self.tokens + new]).fill(1);
        }
        mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds tokens to a sequence of one layer with one head of size 1, whose keys are `numbers`.
    fn add(seen: &mut Seen, shape: &Arc<CacheShape>, numbers: &[f32]) {
        let blocks = seen.with_room(shape, numbers.len());
        let (block, at) = blocks.iter().last().unwrap();
        block.write(0, 0, at, numbers, numbers);
        drop(blocks);
        seen.grow(numbers.len());
    }

    fn blocks(seen: &Seen) -> &Blocks {
        let Kept::Blocks(blocks) = &seen.kept else { panic!("no blocks") };
        blocks
    }

    fn keys(seen: &Seen) -> Vec<f32> {
        let held =
            |(block, tokens): (&Block, usize)| block.read(0, 0).segment(tokens).values[..tokens].to_vec();
        blocks(seen).iter().flat_map(held).collect()
    }

    #[test]
    fn an_answer_grows_where_it_is_and_leaves_what_it_shares_alone() {
        let shape = Arc::new(CacheShape { layers: vec![(1, 1)] });
        let mut prompt = Seen::default();
        add(&mut prompt, &shape, &[7.0; 20]);
        let mut answers = [prompt.clone(), prompt.clone()];
        for (number, answer) in answers.iter_mut().enumerate() {
            (0..70).for_each(|token| add(answer, &shape, &[(100 * number + token) as f32]));
        }
        assert_eq!(keys(&prompt), [7.0; 20]);
        for (number, answer) in answers.iter().enumerate() {
            let own = (0..70).map(|token| (100 * number + token) as f32);
            assert_eq!(keys(answer), [7.0; 20].into_iter().chain(own).collect::<Vec<_>>());
            assert_eq!((answer.length(), blocks(answer).0.len()), (90, 3));
        }
    }

    #[test]
    fn tokens_that_are_taken_back_are_written_over() {
        let shape = Arc::new(CacheShape { layers: vec![(1, 1)] });
        let mut seen = Seen::default();
        (0..9).for_each(|token| add(&mut seen, &shape, &[token as f32]));
        seen = seen.first(4);
        add(&mut seen, &shape, &[40.0]);
        assert_eq!(keys(&seen), [0.0, 1.0, 2.0, 3.0, 40.0]);
        assert_eq!((seen.length(), blocks(&seen).0.len()), (5, 1));
        assert!(keys(&seen.first(0)).is_empty());
    }

    #[test]
    fn a_pass_that_failed_leaves_nothing_behind() {
        let shape = Arc::new(CacheShape { layers: vec![(1, 1)] });
        let mut seen = Seen::default();
        seen.with_room(&shape, 3);
        assert_eq!(seen.length(), 0);
        add(&mut seen, &shape, &[1.0; 100]);
        assert_eq!((blocks(&seen).0.len(), keys(&seen).len()), (1, 100));
        // What was written, but not counted, is written over.
        let taken = seen.with_room(&shape, 1);
        let (block, at) = taken.iter().last().unwrap();
        block.write(0, 0, at, &[5.0], &[5.0]);
        drop(taken);
        add(&mut seen, &shape, &[2.0, 3.0]);
        assert_eq!((keys(&seen)[98..].to_vec(), seen.length()), (vec![1.0, 1.0, 2.0, 3.0], 102));
    }

    #[test]
    fn drafts_that_are_taken_back_fill_blocks_all_the_same() {
        let shape = Arc::new(CacheShape { layers: vec![(1, 1)] });
        let mut seen = Seen::default();
        for _ in 0..20 {
            seen.with_room(&shape, 16);
            seen.grow(2);
        }
        assert_eq!((seen.length(), blocks(&seen).0.len()), (40, 1));
    }

    #[test]
    fn shorter_pasts_are_padded_on_the_left() {
        let shape = Arc::new(CacheShape { layers: vec![(1, 1)] });
        let mut seen = [Seen::default(), Seen::default()];
        add(&mut seen[0], &shape, &[1.0; 3]);
        add(&mut seen[1], &shape, &[1.0]);
        let [first, second] = &mut seen;
        let before = Before::apart(&mut [first, second], &shape, 2);
        assert_eq!(before.mask(&[1, 2], 2), ndarray::arr2(&[[1, 1, 1, 1, 0], [0, 0, 1, 1, 1]]));
    }
}
