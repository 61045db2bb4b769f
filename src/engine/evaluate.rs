//! One unit through the model: images encoded once, prompts batched, each answer read.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::answered::Answered;
use super::asking::Asking;
use super::batches::{equal_length, similar_length};
use crate::model::family::Pixels;
use crate::model::{ImageFeatures, Model};
use crate::prepare::{PreparedImage, PreparedUnit, Preparer};
use crate::suite::Ask;

/// Images that are encoded together.
const IMAGES_PER_CALL: usize = 16;

/// What a row says whose prompt could never be made.
const NEVER_ASKED: &str =
    "never asked: the prompt holds what the model writes for a prompt that holds this one's text";

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

/// Where a unit's time went, seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StageSeconds {
    /// Vision encoder.
    pub vision: f64,
    /// Token embedding and decoder, over the prompts.
    pub decoder: f64,
    /// Token embedding and decoder, one token after the other.
    pub generation: f64,
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
pub fn evaluate(
    model: &mut Model,
    preparer: &Preparer,
    mut unit: PreparedUnit,
    settings: &EvaluationSettings,
) -> UnitResult {
    match catch_unwind(AssertUnwindSafe(|| evaluate_prompts(model, preparer, &mut unit, settings))) {
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
    preparer: &Preparer,
    unit: &mut PreparedUnit,
    settings: &EvaluationSettings,
) -> (Vec<Result<Answered, String>>, StageSeconds) {
    let start = Instant::now();
    let features = encode_images(model, &unit.images);
    let mut seconds = StageSeconds { vision: start.elapsed().as_secs_f64(), ..StageSeconds::default() };

    // Prompts that hold what the model wrote for others come after those; all others come first.
    let mut answers: Vec<Result<Answered, String>> = vec![Err(NEVER_ASKED.into()); unit.prompts.len()];
    let mut ready: Vec<usize> =
        (0..unit.prompts.len()).filter(|row| !unit.waiting.contains_key(row)).collect();
    while !ready.is_empty() {
        let mut asking = Asking { model, preparer, unit, settings, features: &features, seconds };
        asking.ask(&ready, &mut answers);
        seconds = asking.seconds;
        ready = preparer.fill(unit, &answers.iter().map(written).collect::<Vec<_>>());
    }
    (answers, seconds)
}

/// What a prompt's continuation says, or why there is none.
fn written(answer: &Result<Answered, String>) -> Result<&str, &str> {
    answer.as_ref().map(|answer| answer.raw_text.as_str()).map_err(String::as_str)
}

impl Asking<'_> {
    /// Runs the prompts of `rows` and puts their answers into their places.
    fn ask(&mut self, rows: &[usize], answers: &mut [Result<Answered, String>]) {
        let unit = self.unit;
        let asks: Vec<&Ask> = unit.presentations().map(|row| &row.ask).collect();
        let (mut scored, mut continued) = (Vec::new(), Vec::new());
        for &row in rows {
            match (&unit.prompts[row], asks[row]) {
                (Err(reason), _) => answers[row] = Err(reason.clone()),
                (Ok(prompt), Ask::NextToken) => scored.push((row, prompt.ids.len())),
                (Ok(prompt), Ask::Generate(ask)) => {
                    continued.push((row, prompt.ids.len(), ask.max_new_tokens));
                }
            }
        }
        let budget = self.settings.batch_tokens;
        for batch in equal_length(scored.into_iter(), budget) {
            self.batch(&batch).into_iter().for_each(|(row, answer)| answers[row] = answer);
        }
        let batches = if self.model.pads() {
            similar_length(continued, budget)
        } else {
            let mut of_limit: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
            continued
                .into_iter()
                .for_each(|(row, length, limit)| of_limit.entry(limit).or_default().push((row, length)));
            of_limit.into_values().flat_map(|rows| equal_length(rows.into_iter(), budget)).collect()
        };
        for batch in batches {
            self.batch(&batch).into_iter().for_each(|(row, answer)| answers[row] = answer);
        }
    }
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
