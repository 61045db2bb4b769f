//! Which answer the image and the text of each group are designed to give.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The six answer colors, in the order of the paper's counts, with the color they are drawn in.
pub const COLORS: [(&str, [u8; 3]); 6] = [
    ("red", [255, 0, 0]),
    ("yellow", [255, 255, 0]),
    ("blue", [0, 0, 255]),
    ("green", [0, 128, 0]),
    ("purple", [128, 0, 128]),
    ("orange", [255, 165, 0]),
];

// When the groups don't divide by six, these colors get one more, first come first served. For 400 groups this gives the
// paper's counts: image R67 Y67 B67 G66 P66 O67, text R67 Y66 B67 G67 P66 O67.
const IMAGE_FIRST: [usize; 6] = [0, 1, 2, 5, 3, 4];
const TEXT_FIRST: [usize; 6] = [0, 2, 3, 5, 1, 4];

/// For each group the (image, text) answers as indices into [`COLORS`]: as evenly as can be, and never equal.
pub fn assign(groups: usize, rng: &mut ChaCha8Rng) -> Vec<(usize, usize)> {
    let mut image = shares(groups, IMAGE_FIRST);
    let mut text = shares(groups, TEXT_FIRST);
    image.shuffle(rng);
    text.shuffle(rng);
    // Swapping text answers between groups keeps the counts; a swap that leaves both groups unequal always exists
    // among two groups or more, since no color has half of the groups.
    for group in 0..groups {
        while groups > 1 && image[group] == text[group] {
            let other = (rng.next_u64() % groups as u64) as usize;
            if image[group] != text[other] && image[other] != text[group] {
                text.swap(group, other);
            }
        }
    }
    if groups == 1 && image[0] == text[0] {
        text[0] = (text[0] + 1) % COLORS.len();
    }
    image.into_iter().zip(text).collect()
}

fn shares(groups: usize, first: [usize; 6]) -> Vec<usize> {
    let (each, left) = (groups / COLORS.len(), groups % COLORS.len());
    let rank = |color: usize| first.iter().position(|&c| c == color).unwrap_or(usize::MAX);
    (0..COLORS.len())
        .flat_map(|color| std::iter::repeat_n(color, each + usize::from(rank(color) < left)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::seeding::generator;

    #[test]
    fn four_hundred_groups_have_the_papers_counts() {
        let pairs = assign(400, &mut generator(0, &["answers"]));
        let count = |pick: fn(&(usize, usize)) -> usize| {
            let mut counts = [0; 6];
            pairs.iter().for_each(|pair| counts[pick(pair)] += 1);
            counts
        };
        assert_eq!(count(|pair| pair.0), [67, 67, 67, 66, 66, 67]);
        assert_eq!(count(|pair| pair.1), [67, 66, 67, 67, 66, 67]);
    }

    #[test]
    fn image_and_text_never_agree() {
        for groups in [1, 2, 3, 5, 6, 7, 12, 100, 401] {
            for seed in 0..20 {
                let pairs = assign(groups, &mut generator(seed, &["answers"]));
                assert_eq!(pairs.len(), groups);
                assert!(pairs.iter().all(|(image, text)| image != text), "{groups} groups, seed {seed}");
            }
        }
    }
}
