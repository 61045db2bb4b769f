//! Which sequences run together.
//!
//! New tokens are padded on the right, pasts on the left, and both a little only: padding costs 12-46 % of a CPU prefill, and
//! batching gains it nothing beyond filling the cores. Decoding is another thing: a batch of 8 takes a fifth of the time
//! that its sequences take one by one.

/// What a pass through the decoder costs beyond its tokens, in tokens: on a CPU, reading the weights once.
pub(super) const PASS_TOKENS: usize = 24;

/// What may run together.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchRules {
    /// New tokens of a pass at most, with padding.
    pub new_tokens: usize,
    /// New and past tokens of a pass at most, with padding.
    pub all_tokens: usize,
    /// Sequences of a pass at most.
    pub sequences: usize,
    /// Whether sequences of unlike length may run together.
    pub pads: bool,
}

/// One sequence's part in a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Size {
    /// Whether it reaches the positions from which on the decoder computes a whole pass in another way: company that does must
    /// not change one that does not.
    pub far: bool,
    /// New tokens.
    pub new: usize,
    /// Tokens that were there before.
    pub past: usize,
}

impl BatchRules {
    /// Cuts sequences, by their place in the list, into batches.
    pub fn batches(&self, sizes: &[Size]) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        order.sort_by_key(|&index| (sizes[index], index));
        let mut batches: Vec<Vec<usize>> = Vec::new();
        let (mut total, mut longest_past) = (0, 0);
        for index in order {
            let Size { far, new, past } = sizes[index];
            let joined = batches.last().is_some_and(|batch| {
                let count = batch.len() + 1;
                let fits = count * new <= self.new_tokens
                    && count * (new + past.max(longest_past)) <= self.all_tokens
                    && count <= self.sequences;
                let first = sizes[batch[0]];
                // Sorted by new tokens: the newest has the most, to which all others are padded.
                let alike = if self.pads {
                    // A few more padded tokens are cheaper than another pass.
                    8 * count * new <= 9 * (total + new) + 8 * PASS_TOKENS
                } else {
                    first == sizes[index] && (past == 0 || new == 1)
                };
                fits && alike && first.far == far
            });
            match batches.last_mut() {
                Some(batch) if joined => batch.push(index),
                _ => {
                    batches.push(vec![index]);
                    (total, longest_past) = (0, 0);
                }
            }
            total += new;
            longest_past = longest_past.max(past);
        }
        batches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: BatchRules = BatchRules { new_tokens: 100, all_tokens: 1000, sequences: 4, pads: true };

    fn batches(rules: BatchRules, sizes: &[(usize, usize)]) -> Vec<Vec<usize>> {
        let sizes: Vec<Size> = sizes.iter().map(|&(new, past)| Size { far: false, new, past }).collect();
        rules.batches(&sizes)
    }

    #[test]
    fn batches_hold_sequences_of_like_length() {
        let sizes = [(5, 0), (30, 0), (5, 0), (31, 0), (6, 0)];
        let rules = BatchRules { new_tokens: 1000, ..RULES };
        assert_eq!(batches(rules, &sizes), vec![vec![0, 2, 4], vec![1, 3]]);
        assert_eq!(
            batches(BatchRules { pads: false, ..RULES }, &sizes),
            vec![vec![0, 2], vec![4], vec![1], vec![3]]
        );
    }

    #[test]
    fn batches_keep_to_their_budgets() {
        assert_eq!(batches(RULES, &[(40, 0); 5]), vec![vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(batches(RULES, &[(1, 0); 5]), vec![vec![0, 1, 2, 3], vec![4]]);
        assert_eq!(batches(RULES, &[(1, 450), (1, 500), (1, 400)]), vec![vec![2, 0], vec![1]]);
        assert_eq!(batches(RULES, &[(500, 0), (1, 5000)]), vec![vec![1], vec![0]]);
    }

    #[test]
    fn sequences_that_reach_far_run_with_their_like() {
        let sizes = [false, true, false].map(|far| Size { far, new: 1, past: 9 });
        assert_eq!(RULES.batches(&sizes), vec![vec![0, 2], vec![1]]);
    }

    #[test]
    fn a_decoder_that_knows_no_padding_runs_several_new_tokens_on_a_past_one_by_one() {
        let rules = BatchRules { pads: false, ..RULES };
        assert_eq!(batches(rules, &[(2, 9), (2, 9)]), vec![vec![0], vec![1]]);
        assert_eq!(batches(rules, &[(1, 9), (1, 9), (1, 8)]), vec![vec![2], vec![0, 1]]);
    }
}
