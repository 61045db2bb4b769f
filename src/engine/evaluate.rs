//! One unit through the model: images encoded once, prompts batched, each answer read.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::answered::Answered;
use super::lens::LayerPrediction;
use super::means::LayerMeans;
use super::requests::{Continuation, Generation, Read, Request, RunningSettings, Work};
use super::running::Running;
use super::score::{Scores, score};
use crate::model::family::Pixels;
use crate::model::{ImageFeatures, Model};
use crate::prepare::{PreparedImage, PreparedUnit, Preparer, Prompt};
use crate::suite::answers::AnswerKind;
use crate::suite::{Ask, Presentation};

/// Images that are encoded together.
const IMAGES_PER_CALL: usize = 16;

/// What a row says whose prompt could never be made.
const NEVER_ASKED: &str =
    "never asked: the prompt holds what the model writes for a prompt that holds this one's text";

/// What is computed and kept of each prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvaluationSettings {
    /// Tokens that one pass over prompts takes at most, those it goes on from included.
    pub batch_tokens: usize,
    /// Logits to keep.
    pub top_k: usize,
    /// Whether mean and last hidden states are kept.
    pub embeddings: bool,
    /// Where the answer after each layer is kept: prompts of one pass at most, see [`super::prompts_a_pass`].
    pub probed: Option<usize>,
    /// Whether answers are drafted: fewer passes, the same tokens.
    pub drafts: bool,
    /// Whether prompts that begin alike share what is computed of their beginning.
    pub sharing: bool,
}

/// Where a unit's time went, seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StageSeconds {
    /// Vision encoder.
    pub vision: f64,
    /// Token embedding and decoder, over the prompts.
    pub decoder: f64,
    /// Token embedding and decoder, writing answers.
    pub generation: f64,
    /// Reading distributions and means.
    pub scoring: f64,
}

/// A unit with its answers.
pub struct UnitResult {
    /// What was asked; its images' pixels are gone.
    pub unit: PreparedUnit,
    /// For each prompt its answer, or why there is none.
    pub answers: Vec<Result<Answered, String>>,
    /// Where the time went.
    pub seconds: StageSeconds,
    /// What was done.
    pub work: Work,
}

/// Runs a unit. A failure of a prompt or an image is that prompt's; the others go on. A panic of the runtime's binding is
/// the unit's: its rows say so; one inside of an operator of our own, which the runtime calls, would end the process.
pub fn evaluate(
    model: &mut Model,
    preparer: &Preparer,
    mut unit: PreparedUnit,
    settings: &EvaluationSettings,
) -> UnitResult {
    match catch_unwind(AssertUnwindSafe(|| evaluate_prompts(model, preparer, &mut unit, settings))) {
        Ok((answers, seconds, work)) => UnitResult { unit, answers, seconds, work },
        Err(_) => {
            let reason = "internal error while the model ran on this unit (see standard error)";
            let answers = unit.prompts.iter().map(|_| Err(reason.to_string())).collect();
            UnitResult { unit, answers, seconds: StageSeconds::default(), work: Work::default() }
        }
    }
}

/// For each prompt of a unit its answer, or why there is none.
type Answers = Vec<Result<Answered, String>>;

fn evaluate_prompts(
    model: &mut Model,
    preparer: &Preparer,
    unit: &mut PreparedUnit,
    settings: &EvaluationSettings,
) -> (Answers, StageSeconds, Work) {
    let start = Instant::now();
    let features = encode_images(model, &unit.images);
    unit.images.iter_mut().flatten().for_each(|image| image.pixels.drop_inputs());
    let mut seconds = StageSeconds { vision: start.elapsed().as_secs_f64(), ..StageSeconds::default() };
    let same = same_images(&unit.images);
    let mut work = Work {
        images_encoded: features
            .iter()
            .enumerate()
            .filter(|(image, found)| same[*image] == *image && found.is_ok())
            .count(),
        ..Work::default()
    };

    // Prompts that hold what the model wrote for others come after those; all others come first.
    let mut answers: Answers = vec![Err(NEVER_ASKED.into()); unit.prompts.len()];
    let mut ready: Vec<usize> =
        (0..unit.prompts.len()).filter(|row| !unit.waiting.contains_key(row)).collect();
    while !ready.is_empty() {
        let (rows, requests) = requests(preparer, unit, &ready, &mut answers);
        work.images_shown += requests.iter().map(|request| images_of(request.prompt)).sum::<usize>();
        let mut running = Running {
            model,
            requests: &requests,
            features: &features,
            settings: RunningSettings {
                batch_tokens: settings.batch_tokens,
                stop_tokens: preparer.stop_tokens(),
                means: settings.embeddings,
                probed: settings.probed,
                keep_logits: false,
                drafts: settings.drafts,
                sharing: settings.sharing,
            },
            work,
            seconds,
        };
        let mut heads: Vec<Result<Head, String>> = vec![Err(NEVER_ASKED.into()); requests.len()];
        let texts = running.run(&|image| same[image], &mut |request, read| {
            heads[request] =
                read.and_then(|read| Head::of(read, requests[request].prompt, settings.top_k, preparer));
        });
        (work, seconds) = (running.work, running.seconds);
        let asked: Vec<&Presentation> = unit.presentations().collect();
        for (((row, request), head), text) in rows.into_iter().zip(&requests).zip(heads).zip(texts) {
            answers[row] = head.and_then(|head| answer(preparer, asked[row], request.prompt, head, text));
        }
        ready = preparer.fill(unit, &answers.iter().map(written).collect::<Vec<_>>());
    }
    (answers, seconds, work)
}

/// The requests of `ready` rows, with their rows; what could not be prepared is answered with the reason.
fn requests<'u>(
    preparer: &Preparer,
    unit: &'u PreparedUnit,
    ready: &[usize],
    answers: &mut Answers,
) -> (Vec<usize>, Vec<Request<'u>>) {
    let groups = unit.groups.iter().enumerate();
    let asked: Vec<(usize, &Presentation)> = groups
        .flat_map(|(group, members)| members.presentations.iter().map(move |row| (group, row)))
        .collect();
    let mut rows = Vec::new();
    let mut requests = Vec::new();
    for &row in ready {
        match &unit.prompts[row] {
            Err(reason) => answers[row] = Err(reason.clone()),
            Ok(prompt) => {
                let (group, presentation) = asked[row];
                rows.push(row);
                requests.push(Request { prompt, continuation: continuation(preparer, group, presentation) });
            }
        }
    }
    (rows, requests)
}

/// How a row's prompt is continued. What a transcription should say, it probably says; what is asked of one group in several
/// presentations probably has one answer.
pub(super) fn continuation(preparer: &Preparer, group: usize, row: &Presentation) -> Option<Continuation> {
    let Ask::Generate(ask) = &row.ask else { return None };
    let transcribes = ask.reading.kind == AnswerKind::Transcript;
    let expected = row.answer.as_deref().filter(|_| transcribes);
    Some(Continuation {
        most: ask.max_new_tokens,
        expected: expected.map(|text| preparer.spellings_as_answer(text)).unwrap_or_default(),
        kin: 2 * group + usize::from(transcribes),
    })
}

/// Images in a prompt, each as often as it is shown.
pub(super) fn images_of(prompt: &Prompt) -> usize {
    prompt.spans.iter().filter(|span| span.feature == 0).count()
}

/// What the first pass said of a prompt.
#[derive(Clone)]
struct Head {
    scores: Scores,
    means: Vec<LayerMeans>,
    layers: Vec<LayerPrediction>,
}

impl Head {
    fn of(read: Read, prompt: &Prompt, top_k: usize, preparer: &Preparer) -> Result<Self, String> {
        let logits = read.logits.as_slice().ok_or("logits are not contiguous")?;
        let scores = score(logits, &prompt.options, top_k)?;
        let text = |token| preparer.token_text(token);
        let layers = read.lens.map(|lens| lens.predictions(&prompt.options, text)).unwrap_or_default();
        Ok(Self { scores, means: read.means, layers })
    }
}

/// What is read from a distribution, and from the text where one was asked for.
fn answer(
    preparer: &Preparer,
    row: &Presentation,
    prompt: &Prompt,
    head: Head,
    text: Option<Result<Generation, String>>,
) -> Result<Answered, String> {
    let Head { scores, means, layers } = head;
    let answered = match (&row.ask, text) {
        (Ask::Generate(ask), text) => {
            let Generation { tokens, finish, .. } = text.ok_or(NEVER_ASKED)??;
            let said: Vec<u32> =
                tokens.iter().copied().filter(|token| !preparer.stop_tokens().contains(token)).collect();
            let answered = Answered::by_text(row, &ask.reading, preparer.text(&said)?, finish);
            Answered { generated_tokens: Some(tokens.len()), scores, ..answered }
        }
        (Ask::NextToken, _) => {
            let raw_text = scores.top.first().map(|(token, _)| preparer.token_text(*token));
            Answered::by_token(prompt, scores, raw_text.unwrap_or_default())
        }
    };
    Ok(Answered { means, layers, ..answered })
}

/// What a prompt's continuation says, or why there is none.
fn written(answer: &Result<Answered, String>) -> Result<&str, &str> {
    answer.as_ref().map(|answer| answer.raw_text.as_str()).map_err(String::as_str)
}

/// Features of every image; images of the same content are encoded once.
pub fn encode_images(
    model: &mut Model,
    images: &[Result<PreparedImage, String>],
) -> Vec<Result<ImageFeatures, String>> {
    let same = same_images(images);
    let distinct: Vec<(usize, &Pixels)> = images
        .iter()
        .enumerate()
        .filter(|(index, _)| same[*index] == *index)
        .filter_map(|(index, image)| Some((index, &image.as_ref().ok()?.pixels)))
        .collect();
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
    for (index, &first) in same.iter().enumerate().filter(|(index, first)| index != *first) {
        features[index] = features[first].clone();
    }
    features
}

/// For each image the first one of the same content.
pub(super) fn same_images(images: &[Result<PreparedImage, String>]) -> Vec<usize> {
    let mut first: BTreeMap<(&str, bool), usize> = BTreeMap::new();
    images
        .iter()
        .enumerate()
        .map(|(index, image)| match image {
            Ok(image) => *first.entry((&image.hash, image.among_others)).or_insert(index),
            Err(_) => index,
        })
        .collect()
}
