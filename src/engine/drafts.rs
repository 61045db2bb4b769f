//! What a model will probably write next: drafts, which one pass verifies.
//!
//! A draft changes the number of passes, never a token: what the model would not have written is thrown away. Drafts are
//! looked up where the last tokens written stand in a source: the text that was rendered (for a transcription), what the
//! model wrote for the same item in another presentation, and its own prompt and answer.

use super::batches::PASS_TOKENS;

/// The first draft's length.
const FIRST: usize = 8;

/// The longest draft.
const LONGEST: usize = 256;

/// How many of the last written tokens must stand in a source before it is believed.
const MATCHED: usize = 2;

/// How much of its drafts a model has kept so far, and so how long the next one is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trust {
    length: usize,
    misses: usize,
    /// The share of drafted tokens that was kept, the latest drafts counting most.
    kept: f64,
}

impl Default for Trust {
    fn default() -> Self {
        Self { length: FIRST, misses: 0, kept: 0.7 }
    }
}

impl Trust {
    /// Learns from a draft of `drafted` tokens of which the model would have written the first `kept`.
    pub fn learn(&mut self, drafted: usize, kept: usize) {
        if drafted == 0 {
            return;
        }
        self.kept = 0.5 * self.kept + 0.5 * kept as f64 / drafted as f64;
        if kept == drafted {
            self.length = (4 * self.length).min(LONGEST);
            self.misses = self.misses.saturating_sub(1);
        } else {
            self.length = (2 * kept).clamp(FIRST / 2, LONGEST);
            self.misses = if kept == 0 { self.misses + 1 } else { 0 };
        }
    }

    /// How many tokens of a draft will probably be kept.
    pub fn expected(&self, drafted: usize) -> f64 {
        self.kept * drafted as f64
    }

    /// A draft of at most `most` tokens that go on after `written`: from the source in which the most of its last tokens
    /// stand, of several the first. `own`, the prompt with what was written, is the least reliable one.
    pub fn draft(&self, written: &[u32], sources: &[&[u32]], own: &[u32], most: usize) -> Vec<u32> {
        let needed = MATCHED + self.misses.min(4);
        let mut best: Option<(usize, &[u32])> = None;
        for source in sources {
            // A source that was followed from its first token on is believed at once, and where it repeats itself, too.
            let followed = (source.len() > written.len() && source.starts_with(written))
                .then_some((usize::MAX, written.len()));
            let found =
                followed.or_else(|| longest_match(written, source).filter(|&(matched, _)| matched >= needed));
            if let Some((matched, place)) = found
                && best.is_none_or(|(longest, _)| matched > longest)
            {
                best = Some((matched, &source[place..]));
            }
        }
        let most = most.min(self.length);
        match best {
            Some((_, rest)) => rest[..rest.len().min(most)].to_vec(),
            None => self.repeated(own, most),
        }
    }

    /// What a text goes on with if it repeats itself, again and again.
    fn repeated(&self, own: &[u32], most: usize) -> Vec<u32> {
        let needed = MATCHED + 1 + self.misses.min(4);
        let earlier = &own[..own.len().saturating_sub(1)];
        let Some((_, place)) = longest_match(own, earlier).filter(|(matched, _)| *matched >= needed) else {
            return Vec::new();
        };
        own[place..].iter().cycle().take(most).copied().collect()
    }
}

/// Which drafts are worth verifying, of sequences that are written together: (tokens, tokens that will probably be kept) each.
///
/// Without drafts, sequences share the cost of a pass. Drafted ones need a pass of their own, unless all are drafted, in which
/// every row is as long as the longest. The longest drafts are taken, as many as together save most.
pub(super) fn worth_verifying(drafts: &[(usize, f64)]) -> Vec<bool> {
    let pass = PASS_TOKENS as f64;
    let token = 1.0 + pass / drafts.len().max(1) as f64;
    let mut order: Vec<usize> = (0..drafts.len()).filter(|&index| drafts[index].0 > 0).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(drafts[index].0), index));
    let (mut saved, mut best, mut taken) = (0.0, 0.0, 0);
    for (place, &index) in order.iter().enumerate() {
        saved += token * drafts[index].1;
        let more_passes = if place + 1 < drafts.len() { pass } else { 0.0 };
        let gain = saved - more_passes - ((place + 1) * drafts[order[0]].0) as f64;
        if gain > best {
            (best, taken) = (gain, place + 1);
        }
    }
    let mut worth = vec![false; drafts.len()];
    order[..taken].iter().for_each(|&index| worth[index] = true);
    worth
}

/// Tokens that are compared at most.
const COMPARED: usize = 32;

/// Where in `source` the longest run of the last tokens of `written` ends: its length (at least one), and the place after it;
/// of several the last. There must be something after it.
fn longest_match(written: &[u32], source: &[u32]) -> Option<(usize, usize)> {
    let matched = |place: usize| {
        let pairs = source[..place].iter().rev().zip(written.iter().rev()).take(COMPARED);
        pairs.take_while(|(a, b)| a == b).count()
    };
    (1..source.len()).map(|place| (matched(place), place)).filter(|(matched, _)| *matched > 0).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: [u32; 12] = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21];

    fn draft(trust: &Trust, written: &[u32]) -> Vec<u32> {
        trust.draft(written, &[&TEXT], &[], usize::MAX)
    }

    #[test]
    fn a_text_is_followed_from_its_first_token() {
        let trust = Trust::default();
        assert_eq!(draft(&trust, &[10]), TEXT[1..9]);
        assert_eq!(draft(&trust, &[11]), [0; 0]);
        assert_eq!(trust.draft(&[10], &[&TEXT], &[], 3), TEXT[1..4]);
    }

    #[test]
    fn a_text_that_repeats_itself_is_followed_where_it_is() {
        let text = [7, 8, 7, 8, 7, 8, 9];
        assert_eq!(Trust::default().draft(&[7, 8], &[&text], &[], 9), [7, 8, 7, 8, 9]);
    }

    #[test]
    fn a_text_is_found_again_after_a_wrong_token() {
        let trust = Trust::default();
        assert_eq!(draft(&trust, &[10, 99]), [0; 0]);
        assert_eq!(draft(&trust, &[10, 99, 12]), [0; 0]);
        assert_eq!(draft(&trust, &[10, 99, 12, 13]), TEXT[4..]);
        assert_eq!(draft(&trust, &[20, 21]), [0; 0]);
    }

    #[test]
    fn drafts_grow_when_they_are_kept_and_shrink_when_not() {
        let mut trust = Trust::default();
        trust.learn(FIRST, FIRST);
        assert_eq!(draft(&trust, &[10]), TEXT[1..]);
        trust.learn(11, 0);
        assert_eq!(draft(&trust, &[10]), TEXT[1..5]);
        assert_eq!(draft(&trust, &[12, 13]), [0; 0], "two tokens convince no longer");
        assert_eq!(draft(&trust, &[12, 13, 14]), TEXT[5..9]);
    }

    #[test]
    fn a_draft_is_verified_where_it_saves_more_than_its_pass_costs() {
        assert_eq!(worth_verifying(&[(4, 2.0)]), [true]);
        assert_eq!(worth_verifying(&[(0, 0.0); 4]), [false; 4]);
        let mut many = [(0, 0.0); 16];
        many[3] = (8, 6.0);
        assert_eq!(worth_verifying(&many), [false; 16], "15 others would wait for a short one");
        many[3] = (60, 55.0);
        assert!(worth_verifying(&many)[3]);
        assert_eq!(worth_verifying(&[(32, 30.0); 16]), [true; 16]);
        assert_eq!(worth_verifying(&[(32, 8.0); 16]), [false; 16]);
    }

    #[test]
    fn the_longest_match_wins() {
        let other = [1, 12, 13, 77, 78];
        let written = [11, 12, 13];
        assert_eq!(Trust::default().draft(&written, &[&other, &TEXT], &[], 2), [14, 15]);
    }

    #[test]
    fn repetition_is_drafted_from_the_own_text() {
        let written = [5, 6, 7, 8, 5, 6, 7];
        assert_eq!(Trust::default().draft(&written, &[], &written, 6), [8, 5, 6, 7, 8, 5]);
        let constant = [4; 6];
        assert_eq!(Trust::default().draft(&constant, &[], &constant, 3), [4; 3]);
        assert_eq!(Trust::default().draft(&[1, 2, 1, 2], &[], &[1, 2, 1, 2], 3), [0; 0]);
    }
}
