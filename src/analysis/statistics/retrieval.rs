//! Paired vectors: how alike the two of a pair are, and whether each finds its partner among all.
//!
//! The products are made in blocks of rows and columns, so that of n x n similarities no more than a block is held at a
//! time, in double precision.

use ndarray::{Array2, ArrayView2, s};
use rayon::prelude::*;

/// What keeps the similarity of a zero vector finite: `sim = i.t / (|i||t| + 1e-7)` (arXiv 2512.08923).
pub const EPSILON: f64 = 1e-7;

/// Rows and columns of a block.
const BLOCK: usize = 256;

/// What was found for one pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairFound {
    /// Similarity of the two.
    pub similarity: f64,
    /// The first is strictly more like its partner than like any other second.
    pub forwards: bool,
    /// The second is strictly more like its partner than like any other first.
    pub backwards: bool,
}

/// Compares row `p` of `first` with row `p` of `second`, and both with all others. Both are [pairs, dimensions].
///
/// With one pair there is nothing to find it among: both directions are `true`.
pub fn compare(first: ArrayView2<f32>, second: ArrayView2<f32>) -> Vec<PairFound> {
    let pairs = first.nrows().min(second.nrows());
    let starts: Vec<usize> = (0..pairs).step_by(BLOCK).collect();
    let (norms_first, norms_second) = (norms(first), norms(second));
    let bands: Vec<Band> = starts
        .par_iter()
        .map(|&start| {
            let rows = start..(start + BLOCK).min(pairs);
            let mut band = Band::new(rows.clone(), pairs);
            let of_first = widened(first.slice(s![rows, ..]));
            for &column in &starts {
                let columns = column..(column + BLOCK).min(pairs);
                let products = of_first.dot(&widened(second.slice(s![columns, ..])).t());
                for ((row, place), product) in products.indexed_iter() {
                    let (one, other) = (start + row, column + place);
                    band.see(one, other, product / (norms_first[one] * norms_second[other] + EPSILON));
                }
            }
            band
        })
        .collect();
    let own: Vec<f64> = bands.iter().flat_map(|band| band.own.iter().copied()).collect();
    let best_second: Vec<f64> = bands.iter().flat_map(|band| band.best_of_row.iter().copied()).collect();
    let best_first =
        |pair: usize| bands.iter().map(|band| band.best_of_column[pair]).fold(f64::NEG_INFINITY, f64::max);
    (0..pairs)
        .map(|pair| PairFound {
            similarity: own[pair],
            forwards: own[pair] > best_second[pair],
            backwards: own[pair] > best_first(pair),
        })
        .collect()
}

/// The similarity of every row of `first` to every row of `second`: [rows of first, rows of second].
pub fn similarities(first: ArrayView2<f32>, second: ArrayView2<f32>) -> Array2<f64> {
    let (norms_first, norms_second) = (norms(first), norms(second));
    let mut similarities = widened(first).dot(&widened(second).t());
    for ((one, other), product) in similarities.indexed_iter_mut() {
        *product /= norms_first[one] * norms_second[other] + EPSILON;
    }
    similarities
}

/// The similarities of some rows to all columns, as far as they matter.
struct Band {
    first_row: usize,
    /// Similarity of each row to its partner.
    own: Vec<f64>,
    /// Largest similarity of each row to another's partner.
    best_of_row: Vec<f64>,
    /// Largest similarity of each column to a row of this band that is not its partner.
    best_of_column: Vec<f64>,
}

impl Band {
    fn new(rows: std::ops::Range<usize>, pairs: usize) -> Self {
        Self {
            first_row: rows.start,
            own: vec![0.0; rows.len()],
            best_of_row: vec![f64::NEG_INFINITY; rows.len()],
            best_of_column: vec![f64::NEG_INFINITY; pairs],
        }
    }

    fn see(&mut self, row: usize, column: usize, similarity: f64) {
        let place = row - self.first_row;
        if row == column {
            self.own[place] = similarity;
        } else {
            self.best_of_row[place] = self.best_of_row[place].max(similarity);
            self.best_of_column[column] = self.best_of_column[column].max(similarity);
        }
    }
}

fn widened(rows: ArrayView2<f32>) -> Array2<f64> {
    rows.mapv(f64::from)
}

fn norms(rows: ArrayView2<f32>) -> Vec<f64> {
    rows.rows()
        .into_iter()
        .map(|row| row.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt())
        .collect()
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_pair_must_be_strictly_the_most_alike() {
        let first = array![[1.0f32, 0.0], [0.0, 1.0], [0.0, 2.0]];
        let second = array![[3.0f32, 0.1], [0.0, 1.0], [0.0, 1.0]];
        let found = compare(first.view(), second.view());
        let directions: Vec<_> = found.iter().map(|pair| (pair.forwards, pair.backwards)).collect();
        assert_eq!(directions, [(true, true), (false, false), (false, true)]);
        assert!((found[1].similarity - 1.0 / (1.0 + EPSILON)).abs() < 1e-15);
    }

    #[test]
    fn a_vector_of_zeros_is_like_nothing() {
        let found = compare(array![[0.0f32, 0.0]].view(), array![[1.0f32, 0.0]].view());
        assert_eq!(found[0].similarity, 0.0);
    }

    #[test]
    fn more_pairs_than_a_block_give_what_one_product_gives() {
        let pairs = 2 * BLOCK + 37;
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let first = Array2::from_shape_fn((pairs, 12), |_| random.random_range(-1.0f32..1.0));
        let second = first.mapv(|value| value + random.random_range(-1.0f32..1.0));
        let found = compare(first.view(), second.view());
        let similar = |one: usize, other: usize| {
            let (a, b) = (first.row(one).mapv(f64::from), second.row(other).mapv(f64::from));
            a.dot(&b) / (a.dot(&a).sqrt() * b.dot(&b).sqrt() + EPSILON)
        };
        let mut right = 0;
        for pair in (0..pairs).step_by(13) {
            let own = similar(pair, pair);
            assert!((found[pair].similarity - own).abs() < 1e-12);
            let forwards = (0..pairs).all(|other| other == pair || similar(pair, other) < own - 1e-9);
            assert_eq!(found[pair].forwards, forwards);
            right += usize::from(forwards);
        }
        assert!(0 < right && right < pairs / 13, "all or none are found ({right}): this test shows little");
    }
}
