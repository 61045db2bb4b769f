//! Prompts and image features into the decoder's input.

use ndarray::{Array2, Array3, s};

use crate::model::{DecoderInput, ImageFeatures, ImageRows, Model, ModelError};
use crate::prepare::Prompt;

/// The decoder's input for `prompts`, shorter ones padded on the left to the longest.
///
/// `features` are those of the unit's images; every image of the prompts must be among them with as many rows as its
/// tokens.
///
/// # Errors
/// When the embedding fails.
pub(super) fn assemble(
    model: &mut Model,
    prompts: &[&Prompt],
    features: &[Result<ImageFeatures, String>],
) -> Result<DecoderInput, ModelError> {
    let batch = prompts.len();
    let length = prompts.iter().map(|prompt| prompt.ids.len()).max().unwrap_or(0);
    let axes = prompts.first().map_or(1, |prompt| prompt.positions.ids.nrows());
    let mut ids = Array2::zeros((batch, length));
    let mut mask = Array2::zeros((batch, length));
    let mut positions = Array3::zeros((axes, batch, length));
    let mut token_types = Array2::zeros((batch, length));
    for (row, prompt) in prompts.iter().enumerate() {
        let padding = length - prompt.ids.len();
        let tokens = s![row, padding..];
        ids.slice_mut(tokens).iter_mut().zip(&prompt.ids).for_each(|(to, id)| *to = *id);
        mask.slice_mut(tokens).fill(1);
        let types = &prompt.positions.token_types;
        token_types.slice_mut(tokens).iter_mut().zip(types).for_each(|(to, kind)| *to = *kind);
        positions.slice_mut(s![.., row, padding..]).assign(&prompt.positions.ids);
    }
    let rows_of = |layer: Option<usize>| -> Vec<ImageRows> {
        let of_row = |(row, prompt): (usize, &&Prompt)| -> Vec<ImageRows> {
            let padding = length - prompt.ids.len();
            let rows = prompt.spans.iter().filter_map(|span| {
                let features = features[span.image].as_ref().ok()?;
                let all = match layer {
                    None => &features.rows,
                    Some(layer) => features.deepstack.get(layer)?,
                };
                let taken = all.slice(s![span.feature..span.feature + span.length, ..]);
                Some(ImageRows { row, start: padding + span.start, features: taken })
            });
            rows.collect()
        };
        prompts.iter().enumerate().flat_map(of_row).collect()
    };
    let embeds = model.embed(ids, &rows_of(None))?;
    let layers = features.iter().flatten().map(|features| features.deepstack.len()).max().unwrap_or(0);
    let deepstack = (0..layers)
        .map(|layer| Model::among_zeros(embeds.dim(), &rows_of(Some(layer))))
        .collect::<Result<_, _>>()?;
    let asked = (0..batch).map(|row| (row, length - 1)).collect();
    Ok(DecoderInput { embeds, mask, positions, token_types, deepstack, asked })
}

/// Why a prompt cannot run: one of its images has no features, or not as many as its tokens.
pub(super) fn missing_image(prompt: &Prompt, features: &[Result<ImageFeatures, String>]) -> Option<String> {
    let mut tokens = std::collections::BTreeMap::new();
    for span in &prompt.spans {
        *tokens.entry(span.image).or_insert(0) += span.length;
    }
    // An image that is shown twice has its tokens twice.
    tokens.into_iter().find_map(|(image, tokens)| match &features[image] {
        Err(reason) => Some(reason.clone()),
        Ok(features) if features.rows.nrows() == 0 || tokens % features.rows.nrows() != 0 => Some(format!(
            "the vision encoder gave {} features for an image whose prompt holds {tokens} placeholders",
            features.rows.nrows()
        )),
        Ok(_) => None,
    })
}
