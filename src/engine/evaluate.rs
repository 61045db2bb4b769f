//! One unit through the model: images encoded once, prompts batched, each answer scored.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use ndarray::{Array3, ArrayView2, s};

use super::assemble::{assemble, missing_image};
use super::batches::equal_length;
use super::score::{Scores, score};
use crate::model::family::Pixels;
use crate::model::{DecoderOutput, ImageFeatures, Model, ModelError};
use crate::prepare::{PreparedImage, PreparedUnit, Prompt};

/// Images that are encoded together.
const IMAGES_PER_CALL: usize = 16;

/// What is computed and kept of each prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvaluationSettings {
    /// Tokens that one decoder call takes at most.
    pub batch_tokens: usize,
    /// Logits to keep.
    pub top_k: usize,
    /// Whether mean and last hidden states are kept.
    pub embeddings: bool,
}

/// Mean image token, mean text token and last token at one depth; [hidden] each.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerMeans {
    /// Mean over image tokens; `None` without an image.
    pub image: Option<Vec<f32>>,
    /// Mean over all other tokens.
    pub text: Vec<f32>,
    /// The last token.
    pub last: Vec<f32>,
}

/// A prompt's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The distribution at the answer position.
    pub scores: Scores,
    /// At the decoder's input.
    pub input: Option<LayerMeans>,
    /// After the last layer and the final norm, where the graph gives it.
    pub output: Option<LayerMeans>,
}

/// Where a unit's time went, seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StageSeconds {
    /// Vision encoder.
    pub vision: f64,
    /// Token embedding and decoder.
    pub decoder: f64,
    /// Reading distributions and means.
    pub scoring: f64,
}

/// A unit with its answers.
pub struct UnitResult {
    /// What was asked.
    pub unit: PreparedUnit,
    /// For each prompt its answer, or why there is none.
    pub answers: Vec<Result<Answered, String>>,
    /// Where the time went.
    pub seconds: StageSeconds,
}

/// Runs a unit. A failure of a prompt or an image is that prompt's; the others go on. A panic of the runtime's binding is
/// the unit's: its rows say so.
pub fn evaluate(model: &mut Model, unit: PreparedUnit, settings: &EvaluationSettings) -> UnitResult {
    match catch_unwind(AssertUnwindSafe(|| evaluate_prompts(model, &unit, settings))) {
        Ok((answers, seconds)) => UnitResult { unit, answers, seconds },
        Err(_) => {
            let reason = "internal error while the model ran on this unit (see standard error)";
            let answers = unit.prompts.iter().map(|_| Err(reason.to_string())).collect();
            UnitResult { unit, answers, seconds: StageSeconds::default() }
        }
    }
}

fn evaluate_prompts(
    model: &mut Model,
    unit: &PreparedUnit,
    settings: &EvaluationSettings,
) -> (Vec<Result<Answered, String>>, StageSeconds) {
    let mut seconds = StageSeconds::default();
    let start = Instant::now();
    let features = encode_images(model, &unit.images);
    seconds.vision = start.elapsed().as_secs_f64();

    let mut run = Run { model, settings, features: &features, seconds };
    // Prompts that could not be prepared keep their error; the batches below fill in all others.
    let mut answers: Vec<Result<Answered, String>> = unit
        .prompts
        .iter()
        .map(|prompt| prompt.as_ref().map_err(Clone::clone).and(Err(String::new())))
        .collect();
    let lengths = unit
        .prompts
        .iter()
        .enumerate()
        .filter_map(|(index, prompt)| Some((index, prompt.as_ref().ok()?.ids.len())));
    for batch in equal_length(lengths, settings.batch_tokens) {
        let prompts: Vec<(usize, &Prompt)> =
            batch.iter().filter_map(|&index| Some((index, unit.prompts[index].as_ref().ok()?))).collect();
        for (index, answer) in run.batch(&prompts) {
            answers[index] = answer;
        }
    }
    (answers, run.seconds)
}

/// Features of every image; images of the same content are encoded once.
pub fn encode_images(
    model: &mut Model,
    images: &[Result<PreparedImage, String>],
) -> Vec<Result<ImageFeatures, String>> {
    fn key(image: &PreparedImage) -> (&str, bool) {
        (&image.hash, image.among_others)
    }
    let mut first: BTreeMap<(&str, bool), usize> = BTreeMap::new();
    let mut distinct: Vec<(usize, &Pixels)> = Vec::new();
    for (index, image) in images.iter().enumerate() {
        if let Ok(image) = image {
            first.entry(key(image)).or_insert_with(|| {
                distinct.push((index, &image.pixels));
                index
            });
        }
    }
    let mut features: Vec<Result<ImageFeatures, String>> =
        images.iter().map(|image| image.as_ref().map_err(Clone::clone).and(Err(String::new()))).collect();
    for slice in distinct.chunks(IMAGES_PER_CALL) {
        let pixels: Vec<&Pixels> = slice.iter().map(|(_, pixels)| *pixels).collect();
        match model.encode_images(&pixels) {
            Ok(encoded) => {
                slice.iter().zip(encoded).for_each(|((index, _), encoded)| features[*index] = Ok(encoded));
            }
            // One bad image must not take the others along.
            Err(_) => {
                for (index, pixels) in slice {
                    let encoded = model.encode_images(&[pixels]).map(|mut encoded| encoded.remove(0));
                    features[*index] = encoded.map_err(|error| error.to_string());
                }
            }
        }
    }
    for (index, image) in images.iter().enumerate() {
        if let Ok(image) = image
            && first[&key(image)] != index
        {
            features[index] = features[first[&key(image)]].clone();
        }
    }
    features
}

struct Run<'a> {
    model: &'a mut Model,
    settings: &'a EvaluationSettings,
    features: &'a [Result<ImageFeatures, String>],
    seconds: StageSeconds,
}

type Answers = Vec<(usize, Result<Answered, String>)>;

impl Run<'_> {
    /// Runs prompts of one length. When the batch fails, each prompt is tried alone, so that only the faulty one fails.
    fn batch(&mut self, prompts: &[(usize, &Prompt)]) -> Answers {
        let (sound, mut answers): (Vec<_>, Answers) =
            prompts.iter().fold((Vec::new(), Vec::new()), |mut sorted, prompt| {
                match missing_image(prompt.1, self.features) {
                    None => sorted.0.push(*prompt),
                    Some(reason) => sorted.1.push((prompt.0, Err(reason))),
                }
                sorted
            });
        if sound.is_empty() {
            return answers;
        }
        match self.forward(&sound) {
            Ok((embeds, output)) => answers.extend(self.read(&sound, &embeds, &output)),
            Err(_) if sound.len() > 1 => {
                sound.iter().for_each(|prompt| answers.extend(self.batch(&[*prompt])))
            }
            Err(error) => answers.push((sound[0].0, Err(error.to_string()))),
        }
        answers
    }

    fn forward(&mut self, prompts: &[(usize, &Prompt)]) -> Result<(Array3<f32>, DecoderOutput), ModelError> {
        let start = Instant::now();
        let members: Vec<&Prompt> = prompts.iter().map(|(_, prompt)| *prompt).collect();
        let input = assemble(self.model, &members, self.features)?;
        let embeds = if self.settings.embeddings { input.embeds.clone() } else { Array3::default((0, 0, 0)) };
        let output = self.model.decode(input, None, self.settings.embeddings)?;
        self.seconds.decoder += start.elapsed().as_secs_f64();
        Ok((embeds, output))
    }

    fn read(
        &mut self,
        prompts: &[(usize, &Prompt)],
        embeds: &Array3<f32>,
        output: &DecoderOutput,
    ) -> Answers {
        let start = Instant::now();
        let answers = prompts
            .iter()
            .enumerate()
            .map(|(row, &(index, prompt))| {
                let logits = output.logits.row(row);
                let scores = logits
                    .as_slice()
                    .ok_or_else(|| "logits are not contiguous".to_string())
                    .and_then(|logits| score(logits, &prompt.options, self.settings.top_k));
                let keep = self.settings.embeddings;
                let answered = scores.map(|scores| Answered {
                    scores,
                    input: keep.then(|| means(prompt, embeds.slice(s![row, .., ..]))),
                    output: output
                        .hidden
                        .as_ref()
                        .filter(|_| keep)
                        .map(|hidden| means(prompt, hidden.slice(s![row, .., ..]))),
                });
                (index, answered)
            })
            .collect();
        self.seconds.scoring += start.elapsed().as_secs_f64();
        answers
    }
}

/// Means over the image tokens and over the others of one sequence, [sequence, hidden].
fn means(prompt: &Prompt, sequence: ArrayView2<f32>) -> LayerMeans {
    let mut of_image = vec![false; prompt.ids.len()];
    for span in &prompt.spans {
        of_image[span.start..span.start + span.length].fill(true);
    }
    let mean = |wanted: bool| {
        let mut sums = vec![0f64; sequence.ncols()];
        let mut count = 0;
        for (row, _) in sequence.rows().into_iter().zip(&of_image).filter(|(_, image)| **image == wanted) {
            count += 1;
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        (count > 0).then(|| sums.into_iter().map(|sum| (sum / f64::from(count)) as f32).collect::<Vec<f32>>())
    };
    let last = sequence.rows().into_iter().next_back().map(|row| row.to_vec()).unwrap_or_default();
    LayerMeans { image: mean(true), text: mean(false).unwrap_or_default(), last }
}
