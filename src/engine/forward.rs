//! One pass through the decoder: new tokens of several sequences, each on what it has seen before.

use std::ops::Range;

use ndarray::{Array2, Array3, Array4, ArrayView2, s};

use super::batches::Size;
use super::lens::LensAt;
use super::means::{Sums, TokenKinds, weights_of};
use crate::model::{
    DecoderInput, ImageFeatures, ImageRows, LensOutput, Logits, Model, ModelError, ProbeInput, Seen,
};
use crate::prepare::{ImageSpan, Prompt};

/// New tokens of one sequence.
#[derive(Default)]
pub(super) struct Piece {
    ids: Vec<i64>,
    /// [axes, tokens].
    positions: Array2<i64>,
    token_types: Vec<i64>,
    /// The images among them; `start` counts from the first new token.
    spans: Vec<ImageSpan>,
    /// What stands before them; a pass adds them to it.
    pub seen: Seen,
    /// The new tokens whose logits are wanted.
    asked: Range<usize>,
    /// See [`Size::far`].
    far: bool,
}

impl Piece {
    /// Tokens of a prompt.
    pub fn of_prompt(prompt: &Prompt, range: Range<usize>, seen: Seen, asked: Range<usize>) -> Self {
        let within = |span: &ImageSpan| {
            let start = span.start.max(range.start);
            let end = (span.start + span.length).min(range.end);
            (start < end).then(|| ImageSpan {
                image: span.image,
                feature: span.feature + start - span.start,
                start: start - range.start,
                length: end - start,
            })
        };
        Self {
            ids: prompt.ids[range.clone()].to_vec(),
            positions: prompt.positions.ids.slice(s![.., range.clone()]).to_owned(),
            token_types: prompt.positions.token_types[range.clone()].to_vec(),
            spans: prompt.spans.iter().filter_map(within).collect(),
            seen,
            asked,
            far: reaches_far(prompt, range.end),
        }
    }

    /// Tokens that were written after a prompt and `before` others; the logits of each are asked.
    pub fn of_answer(prompt: &Prompt, before: usize, tokens: impl Iterator<Item = u32>, seen: Seen) -> Self {
        let ids: Vec<i64> = tokens.map(i64::from).collect();
        let positions = &prompt.positions;
        Self {
            positions: Array2::from_shape_fn((positions.ids.nrows(), ids.len()), |(_, token)| {
                positions.next + (before + token) as i64
            }),
            token_types: vec![positions.next_token_type; ids.len()],
            spans: Vec::new(),
            seen,
            asked: 0..ids.len(),
            far: reaches_far(prompt, prompt.ids.len() + before + ids.len()),
            ids,
        }
    }

    fn kinds(&self) -> TokenKinds {
        let images = self.spans.iter().map(|span| span.start..span.start + span.length);
        TokenKinds::new(self.ids.len(), images)
    }

    /// Its part in a pass.
    pub fn size(&self) -> Size {
        Size { far: self.far, new: self.ids.len(), past: self.seen.length() }
    }
}

/// Whether the first `tokens` of a prompt and its answer reach where the decoder changes.
fn reaches_far(prompt: &Prompt, tokens: usize) -> bool {
    prompt.positions.changes_at.is_some_and(|at| tokens as i64 > at)
}

/// What is wanted of a pass beside logits and the past.
#[derive(Default)]
pub(super) struct Wanted {
    /// Sums over tokens.
    pub sums: bool,
    /// The logit lens on the asked tokens, with the logits of these ones, which are sorted.
    pub lens: Option<Vec<u32>>,
}

/// What a pass gives, piece by piece.
pub(super) struct Passed {
    /// Of the asked tokens of all pieces, in order.
    logits: Logits,
    /// Of each piece, its rows of `logits`.
    asked: Vec<Range<usize>>,
    /// Where sums over tokens are wanted.
    summed: Option<Summed>,
    /// What the lens shows of the asked tokens, and the tokens whose logits it gives.
    lens: Option<(LensOutput, Vec<u32>)>,
}

/// What sums over tokens are made of.
struct Summed {
    kinds: Vec<TokenKinds>,
    /// [batch, sequence, hidden].
    embeds: Array3<f32>,
    /// [batch, sums, depths, hidden].
    given: Option<Array4<f32>>,
}

impl Passed {
    /// Logits that a piece asked for, [asked, vocabulary].
    pub fn logits(&self, piece: usize) -> ArrayView2<'_, f32> {
        self.logits.rows().slice_move(s![self.asked[piece].clone(), ..])
    }

    /// Sums over a piece's tokens and those `before` it; as before where no sums are wanted.
    pub fn sums(&self, piece: usize, before: Sums) -> Sums {
        let Some(Summed { kinds, embeds, given }) = &self.summed else { return before };
        let kinds = &kinds[piece];
        let embeds = embeds.slice(s![piece, ..kinds.len(), ..]);
        before.and(kinds, embeds, given.as_ref().map(|given| given.slice(s![piece, .., .., ..])))
    }

    /// The embeddings' shape [batch, sequence, hidden], where sums are wanted.
    pub fn embeds_shape(&self) -> Option<(usize, usize, usize)> {
        self.summed.as_ref().map(|summed| summed.embeds.dim())
    }

    /// What the lens shows of the first token that a piece asked for.
    pub fn lens(&self, piece: usize) -> Option<LensAt<'_>> {
        let (output, tokens) = self.lens.as_ref()?;
        Some(LensAt { output, probed: self.asked[piece].start, tokens })
    }
}

/// Runs pieces together, and adds their tokens to what they have seen: shorter ones are padded on the right, shorter pasts on the
/// left. `features` are those of the unit's images; every image of the pieces must be among them.
///
/// # Errors
/// When the model fails; the pieces are as they were then.
pub(super) fn forward(
    model: &mut Model,
    pieces: &mut [Piece],
    features: &[Result<ImageFeatures, String>],
    wanted: Wanted,
) -> Result<Passed, ModelError> {
    let batch = pieces.len();
    let length = pieces.iter().map(|piece| piece.ids.len()).max().unwrap_or(0);
    let axes = pieces.first().map_or(1, |piece| piece.positions.nrows());

    let mut ids = Array2::zeros((batch, length));
    let mut positions = Array3::zeros((axes, batch, length));
    let mut token_types = Array2::zeros((batch, length));
    let mut asked = Vec::new();
    let mut asked_rows = Vec::with_capacity(batch);
    for (row, piece) in pieces.iter().enumerate() {
        let new = piece.ids.len();
        ids.slice_mut(s![row, ..new]).iter_mut().zip(&piece.ids).for_each(|(to, id)| *to = *id);
        let types = token_types.slice_mut(s![row, ..new]);
        types.into_iter().zip(&piece.token_types).for_each(|(to, kind)| *to = *kind);
        positions.slice_mut(s![.., row, ..new]).assign(&piece.positions);
        asked_rows.push(asked.len()..asked.len() + piece.asked.len());
        asked.extend(piece.asked.clone().map(|place| (row, place)));
    }
    let images = |layer: Option<usize>| image_rows(pieces, features, layer);
    let embeds = model.embed(ids, &images(None))?;
    let layers = features.iter().flatten().map(|features| features.deepstack.len()).max().unwrap_or(0);
    let deepstack = (0..layers)
        .map(|layer| Model::among_zeros(embeds.dim(), &images(Some(layer))))
        .collect::<Result<_, _>>()?;
    let kinds: Vec<TokenKinds> = pieces.iter().filter(|_| wanted.sums).map(|piece| piece.kinds()).collect();
    let kept = wanted.sums.then(|| embeds.clone());
    let probe = ProbeInput {
        probed: if wanted.lens.is_some() { asked.clone() } else { Vec::new() },
        options: wanted.lens.clone().unwrap_or_default(),
        weights: weights_of(kinds.iter(), length),
    };
    let lengths = pieces.iter().map(|piece| piece.ids.len()).collect();
    let input = DecoderInput { embeds, lengths, positions, token_types, deepstack, asked };
    let mut seen: Vec<&mut Seen> = pieces.iter_mut().map(|piece| &mut piece.seen).collect();
    let output = model.decode(input, &mut seen, &probe)?;
    Ok(Passed {
        logits: output.logits,
        asked: asked_rows,
        summed: kept.map(|embeds| Summed { kinds, embeds, given: output.sums }),
        lens: output.lens.zip(wanted.lens),
    })
}

/// Image features in the places of the batch; those of a deepstack layer, where one is named.
fn image_rows<'f>(
    pieces: &[Piece],
    features: &'f [Result<ImageFeatures, String>],
    layer: Option<usize>,
) -> Vec<ImageRows<'f>> {
    let of_piece = |(row, piece): (usize, &Piece)| -> Vec<ImageRows<'f>> {
        let rows = piece.spans.iter().filter_map(|span| {
            let features = features[span.image].as_ref().ok()?;
            let all = match layer {
                None => &features.rows,
                Some(layer) => features.deepstack.get(layer)?,
            };
            let taken = all.slice(s![span.feature..span.feature + span.length, ..]);
            Some(ImageRows { row, start: span.start, features: taken })
        });
        rows.collect()
    };
    pieces.iter().enumerate().flat_map(of_piece).collect()
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
