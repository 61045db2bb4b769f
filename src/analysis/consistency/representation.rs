//! How alike the model represents the image and the text of an item: cosine of mean tokens, and retrieval.
//!
//! The vectors are taken from the table so many depths and renderings at a time as fit [`MEMORY_BYTES`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ndarray::Array2;

use crate::analysis::error::AnalysisError;
use crate::analysis::estimates::{Ratios, share_part};
use crate::analysis::statistics::bootstrap::GroupBootstrap;
use crate::analysis::statistics::retrieval::{PairFound, compare};
use crate::analysis::summary::{BestDepth, Estimate, Representation};
use crate::analysis::tables::embeddings::{
    MeanTokenKey, TABLE, depth_order, for_each_mean_token, mean_token_keys, vector_len,
};
use crate::analysis::tables::{Partition, Shown, partitions_if_any};

/// Most bytes of vectors held at a time; one rendering with its texts is always taken.
const MEMORY_BYTES: usize = 512 << 20;

/// Vectors by item, with the item's group.
type Vectors = BTreeMap<String, (String, Vec<f32>)>;

/// The images of one rendering at one depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Load<'a> {
    depth: &'a str,
    variant: &'a str,
    images: usize,
}

/// By depth; empty where the run has no such table, or no item in it as text and as image.
pub(super) fn representations(
    run_dir: &Path,
    partition: &Partition,
    resampling: &GroupBootstrap,
) -> Result<Vec<Representation>, AnalysisError> {
    if !partitions_if_any(run_dir, TABLE)?.contains(partition) {
        return Ok(Vec::new());
    }
    let Some(length) = vector_len(run_dir, partition)? else { return Ok(Vec::new()) };
    let keys = mean_token_keys(run_dir, partition)?;
    let (loads, texts) = loads(&keys);
    let most = MEMORY_BYTES / (length * size_of::<f32>()).max(1);
    let mut found: BTreeMap<&str, Vec<Vec<(String, PairFound)>>> = BTreeMap::new();
    for portion in portions(&loads, &texts, most) {
        let depths: BTreeSet<&str> = portion.iter().map(|load| load.depth).collect();
        let of_depth = |key: &MeanTokenKey| depths.contains(key.depth.as_str());
        let mut texts: BTreeMap<String, Vectors> = BTreeMap::new();
        for_each_mean_token(run_dir, partition, Shown::Text, of_depth, |key, vector| {
            texts.entry(key.depth).or_default().insert(key.item_id, (key.group_id, vector));
        })?;
        let renderings: BTreeSet<(&str, &str)> =
            portion.iter().map(|load| (load.depth, load.variant)).collect();
        let loaded = |key: &MeanTokenKey| renderings.contains(&(key.depth.as_str(), key.variant.as_str()));
        let mut images: BTreeMap<(String, String), Vectors> = BTreeMap::new();
        for_each_mean_token(run_dir, partition, Shown::Image, loaded, |key, vector| {
            let of_rendering = images.entry((key.depth, key.variant)).or_default();
            of_rendering.insert(key.item_id, (key.group_id, vector));
        })?;
        for load in &portion {
            let images = images.get(&(load.depth.to_owned(), load.variant.to_owned()));
            if let Some((images, texts)) = images.zip(texts.get(load.depth)) {
                found.entry(load.depth).or_default().push(pairs(images, texts));
            }
        }
    }
    let mut depths: Vec<_> = found.into_iter().collect();
    depths.sort_by_key(|(depth, _)| depth_order(depth));
    Ok(depths
        .iter()
        .filter_map(|(depth, by_variant)| representation(depth, by_variant, resampling))
        .collect())
}

/// Where image and text are most alike.
pub(super) fn best_depth(representations: &[Representation]) -> Option<BestDepth> {
    let best = |value: fn(&Representation) -> Option<Estimate>| {
        let known = representations.iter().filter_map(|at| Some((&at.depth, value(at)?.value)));
        let best = known.reduce(|best, at| if at.1 > best.1 { at } else { best });
        best.map(|(depth, _)| depth.clone())
    };
    Some(BestDepth { cosine: best(|at| at.cosine)?, retrieval: best(|at| at.retrieval) })
}

/// The renderings of every depth, and how many texts each depth has.
fn loads(keys: &BTreeSet<MeanTokenKey>) -> (Vec<Load<'_>>, BTreeMap<&str, usize>) {
    let mut images: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut texts: BTreeMap<&str, usize> = BTreeMap::new();
    for key in keys {
        match key.shown {
            Shown::Image => *images.entry((&key.depth, &key.variant)).or_default() += 1,
            _ => *texts.entry(&key.depth).or_default() += 1,
        }
    }
    (images.into_iter().map(|((depth, variant), images)| Load { depth, variant, images }).collect(), texts)
}

/// Consecutive renderings whose images and the texts of whose depths are together no more than `most` vectors, one
/// rendering at least: so few passes over the table, however many depths it has.
fn portions<'a>(loads: &[Load<'a>], texts: &BTreeMap<&str, usize>, most: usize) -> Vec<Vec<Load<'a>>> {
    let mut portions: Vec<Vec<Load>> = Vec::new();
    let mut held = 0;
    for load in loads {
        let texts = texts.get(load.depth).copied().unwrap_or(0);
        let same_depth = |portion: &Vec<Load>| portion.last().is_some_and(|last| last.depth == load.depth);
        let more = |portion: &Vec<Load>| load.images + if same_depth(portion) { 0 } else { texts };
        match portions.last_mut() {
            Some(portion) if held + more(portion) <= most => {
                held += more(portion);
                portion.push(*load);
            }
            _ => {
                held = load.images + texts;
                portions.push(vec![*load]);
            }
        }
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
    fn renderings_are_taken_as_many_as_fit_with_their_texts() {
        let load = |depth, variant, images| Load { depth, variant, images };
        let (a, b, c) = (load("input", "a", 4), load("input", "b", 4), load("input", "c", 20));
        let (d, e) = (load("output", "a", 2), load("output", "b", 1));
        let texts = BTreeMap::from([("input", 1), ("output", 2)]);
        assert_eq!(portions(&[a, b, c, d, e], &texts, 9), [vec![a, b], vec![c], vec![d, e]]);
        assert_eq!(
            portions(&[a, b, c, d, e], &texts, 34),
            [vec![a, b, c, d, e]],
            "8 + 20 + 3 and the texts of both"
        );
        assert_eq!(portions(&[a, b, c, d, e], &texts, 0).len(), 5);
    }

    #[test]
    fn of_equally_good_depths_the_shallowest_is_best() {
        let at = |depth: &str, cosine, retrieval| Representation {
            depth: depth.into(),
            pairs: 2,
            cosine: Some(Estimate { value: cosine, interval: None }),
            image_to_text: None,
            text_to_image: None,
            retrieval: Some(Estimate { value: retrieval, interval: None }),
        };
        let found = best_depth(&[at("input", 0.1, 0.5), at("layer-01", 0.3, 0.5), at("output", 0.3, 0.4)]);
        assert_eq!(found, Some(BestDepth { cosine: "layer-01".into(), retrieval: Some("input".into()) }));
        assert_eq!(best_depth(&[]), None);
    }
}
