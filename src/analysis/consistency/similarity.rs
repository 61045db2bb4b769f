//! Images against texts, each with each: a few items of one depth, to look at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ndarray::Array2;

use crate::analysis::error::AnalysisError;
use crate::analysis::statistics::retrieval::similarities;
use crate::analysis::summary::SimilarityMatrix;
use crate::analysis::tables::embeddings::{MeanTokenKey, for_each_mean_token, mean_token_keys};
use crate::analysis::tables::{Partition, Shown};

/// Most items of a matrix: more than can be told apart in a figure show nothing more.
const ITEMS: usize = 48;

/// The matrix at a depth, of the first rendering that two items have; `None` where none has.
pub(super) fn matrix(
    run_dir: &Path,
    partition: &Partition,
    depth: &str,
) -> Result<Option<SimilarityMatrix>, AnalysisError> {
    let keys = mean_token_keys(run_dir, partition)?;
    let Some((variant, items)) = shown_items(&keys, depth) else { return Ok(None) };
    let read = |shown: Shown, variant: Option<&str>| {
        let wanted = |key: &MeanTokenKey| {
            key.depth == depth
                && variant.is_none_or(|variant| key.variant == variant)
                && items.contains(key.item_id.as_str())
        };
        let mut vectors = BTreeMap::new();
        for_each_mean_token(run_dir, partition, shown, wanted, |key, vector| {
            vectors.insert(key.item_id, vector);
        })?;
        Ok::<_, AnalysisError>(vectors)
    };
    let (images, texts) = (read(Shown::Image, Some(variant))?, read(Shown::Text, None)?);
    let both: Vec<(&String, &Vec<f32>, &Vec<f32>)> = images
        .iter()
        .filter_map(|(item, image)| Some((item, image, texts.get(item)?)))
        .filter(|(_, image, text)| image.len() == text.len())
        .collect();
    let shape = (both.len(), both.first().map_or(0, |(_, image, _)| image.len()));
    let images = Array2::from_shape_fn(shape, |(pair, place)| both[pair].1[place]);
    let texts = Array2::from_shape_fn(shape, |(pair, place)| both[pair].2[place]);
    let similar = similarities(images.view(), texts.view());
    Ok((both.len() > 1).then(|| SimilarityMatrix {
        depth: depth.to_owned(),
        variant: variant.to_owned(),
        items: both.iter().map(|(item, ..)| (*item).clone()).collect(),
        similarities: similar.rows().into_iter().map(|row| row.to_vec()).collect(),
    }))
}

/// The first rendering in which two items or more are shown that are shown as text, too, and [`ITEMS`] of them, evenly
/// spread.
fn shown_items<'a>(keys: &'a BTreeSet<MeanTokenKey>, depth: &str) -> Option<(&'a str, BTreeSet<&'a str>)> {
    let at_depth = |shown: Shown| keys.iter().filter(move |key| key.depth == depth && key.shown == shown);
    let texts: BTreeSet<&str> = at_depth(Shown::Text).map(|key| key.item_id.as_str()).collect();
    let mut by_variant: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for key in at_depth(Shown::Image).filter(|key| texts.contains(key.item_id.as_str())) {
        by_variant.entry(&key.variant).or_default().push(&key.item_id);
    }
    let (variant, items) = by_variant.into_iter().find(|(_, items)| items.len() > 1)?;
    let few = items.len().min(ITEMS);
    Some((variant, (0..few).map(|place| items[(2 * place + 1) * items.len() / (2 * few)]).collect()))
}
