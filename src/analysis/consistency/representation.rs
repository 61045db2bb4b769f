//! How alike the model represents the image and the text of an item: cosine of mean tokens, and retrieval.
//!
//! The vectors are taken from the table one depth at a time, and of the renderings as many as fit [`MEMORY_BYTES`].

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::Array2;

use crate::analysis::error::AnalysisError;
use crate::analysis::estimates::{Ratios, share_part};
use crate::analysis::statistics::bootstrap::GroupBootstrap;
use crate::analysis::statistics::retrieval::{PairFound, compare};
use crate::analysis::summary::Representation;
use crate::analysis::tables::embeddings::{MeanTokenKey, TABLE, for_each_mean_token, mean_token_keys};
use crate::analysis::tables::{Partition, Shown, partitions_if_any};

/// Most bytes of image vectors held at a time (beside the texts of one depth); one rendering is always taken.
const MEMORY_BYTES: usize = 512 << 20;

/// Vectors by item.
type Vectors = BTreeMap<String, (String, Vec<f32>)>;

/// By depth; empty where the run has no such table, or no item in it as text and as image.
pub(super) fn representations(
    run_dir: &Path,
    partition: &Partition,
    resampling: &GroupBootstrap,
) -> Result<Vec<Representation>, AnalysisError> {
    if !partitions_if_any(run_dir, TABLE)?.contains(partition) {
        return Ok(Vec::new());
    }
    let keys = mean_token_keys(run_dir, partition)?;
    let mut depths: Vec<&str> = keys.iter().map(|key| key.depth.as_str()).collect();
    depths.dedup();
    let of_depth = |depth: &str| -> Result<Option<Representation>, AnalysisError> {
        let at_depth = |key: &MeanTokenKey| key.depth == depth;
        let mut texts = Vectors::new();
        for_each_mean_token(run_dir, partition, Shown::Text, at_depth, |key, vector| {
            texts.insert(key.item_id, (key.group_id, vector));
        })?;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for key in keys.iter().filter(|key| at_depth(key) && key.shown == Shown::Image) {
            *counts.entry(&key.variant).or_default() += 1;
        }
        let vector_bytes = texts.values().next().map_or(0, |(_, vector)| size_of_val(vector.as_slice()));
        let mut found = Vec::new();
        for variants in portions(&counts, MEMORY_BYTES / vector_bytes.max(1)) {
            let mut images: BTreeMap<String, Vectors> = BTreeMap::new();
            let wanted = |key: &MeanTokenKey| at_depth(key) && variants.contains(&key.variant.as_str());
            for_each_mean_token(run_dir, partition, Shown::Image, wanted, |key, vector| {
                images.entry(key.variant).or_default().insert(key.item_id, (key.group_id, vector));
            })?;
            found.extend(images.values().map(|images| pairs(images, &texts)));
        }
        Ok(representation(depth, &found, resampling))
    };
    depths.into_iter().map(of_depth).filter_map(Result::transpose).collect()
}

/// Consecutive variants, together no more than `most` vectors, one at least.
fn portions<'a>(counts: &BTreeMap<&'a str, usize>, most: usize) -> Vec<Vec<&'a str>> {
    let mut portions: Vec<Vec<&str>> = Vec::new();
    let mut held = 0;
    for (&variant, &count) in counts {
        match portions.last_mut() {
            Some(portion) if held + count <= most => portion.push(variant),
            _ => {
                portions.push(vec![variant]);
                held = 0;
            }
        }
        held += count;
    }
    portions
}

/// The pairs of one rendering, each with its group: items that have both, by name.
fn pairs(images: &Vectors, texts: &Vectors) -> Vec<(String, PairFound)> {
    let both: Vec<(&str, &[f32], &[f32])> = images
        .iter()
        .filter_map(|(item, (group, image))| {
            let (_, text) = texts.get(item)?;
            (image.len() == text.len()).then_some((group.as_str(), image.as_slice(), text.as_slice()))
        })
        .collect();
    let dimensions = both.first().map_or(0, |(_, image, _)| image.len());
    let shape = (both.len(), dimensions);
    let first = Array2::from_shape_fn(shape, |(pair, place)| both[pair].1[place]);
    let second = Array2::from_shape_fn(shape, |(pair, place)| both[pair].2[place]);
    let found = compare(first.view(), second.view());
    both.iter().map(|(group, ..)| (*group).to_owned()).zip(found).collect()
}

fn representation(
    depth: &str,
    by_variant: &[Vec<(String, PairFound)>],
    resampling: &GroupBootstrap,
) -> Option<Representation> {
    let pairs: usize = by_variant.iter().map(Vec::len).sum();
    if pairs == 0 {
        return None;
    }
    // Among one there is nothing to find: such a rendering has a similarity and no retrieval.
    let parts = |found: &PairFound, among: usize| {
        let right = |found: bool| share_part((among > 1).then_some(found));
        let (forwards, backwards) = (right(found.forwards), right(found.backwards));
        let both = (forwards.0 + backwards.0, forwards.1 + backwards.1);
        [(found.similarity, 1.0), forwards, backwards, both]
    };
    let ratios = Ratios::stratified(
        by_variant.len(),
        by_variant.iter().enumerate().flat_map(|(variant, pairs)| {
            pairs.iter().map(move |(group, found)| (group.as_str(), variant, parts(found, pairs.len())))
        }),
    );
    let [cosine, ..] = ratios.pooled(resampling);
    let [_, image_to_text, text_to_image, retrieval] = ratios.averaged(resampling);
    let pairs = pairs as u64;
    Some(Representation { depth: depth.to_owned(), pairs, cosine, image_to_text, text_to_image, retrieval })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renderings_are_taken_as_many_as_fit() {
        let counts = BTreeMap::from([("a", 4), ("b", 4), ("c", 1), ("d", 20), ("e", 1)]);
        assert_eq!(portions(&counts, 9), [vec!["a", "b", "c"], vec!["d"], vec!["e"]]);
        assert_eq!(portions(&counts, 0).len(), 5);
    }
}
