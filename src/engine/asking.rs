//! A batch of prompts through the decoder: their distributions read, and where it is asked for, their texts continued.

use std::time::Instant;

use ndarray::{Array2, Array3, s};

use super::answered::Answered;
use super::assemble::{assemble, missing_image};
use super::evaluate::{EvaluationSettings, StageSeconds};
use super::generate::{Generation, GenerationSettings, continue_greedily};
use super::means::LayerMeans;
use super::score::{Scores, score};
use crate::model::{DecoderOutput, ImageFeatures, Model, ModelError};
use crate::prepare::{PreparedUnit, Preparer, Prompt};
use crate::suite::{Ask, Presentation};

/// A unit's prompts and what they need to run.
pub(super) struct Asking<'a> {
    pub model: &'a mut Model,
    pub preparer: &'a Preparer,
    pub unit: &'a PreparedUnit,
    pub settings: &'a EvaluationSettings,
    pub features: &'a [Result<ImageFeatures, String>],
    pub seconds: StageSeconds,
}

/// Answers by the number of their row.
type Answers = Vec<(usize, Result<Answered, String>)>;

/// A row that is asked.
#[derive(Clone, Copy)]
struct Asked<'a> {
    index: usize,
    row: &'a Presentation,
    prompt: &'a Prompt,
}

/// A batch that has been through the decoder.
struct Forwarded {
    /// Empty unless they are kept.
    embeds: Array3<f32>,
    mask: Array2<i64>,
    output: DecoderOutput,
}

impl<'a> Asking<'a> {
    /// Runs rows that may run together. When the batch fails, each prompt is tried alone, so that only the faulty one fails.
    pub fn batch(&mut self, rows: &[usize]) -> Answers {
        let (unit, features) = (self.unit, self.features);
        let asked = |index: usize| {
            let row = unit.presentations().nth(index)?;
            Some(Asked { index, row, prompt: unit.prompts[index].as_ref().ok()? })
        };
        let (faulty, sound): (Vec<_>, Vec<_>) = rows
            .iter()
            .filter_map(|&index| asked(index))
            .map(|asked| (missing_image(asked.prompt, features), asked))
            .partition(|(fault, _)| fault.is_some());
        let mut answers: Answers =
            faulty.into_iter().filter_map(|(fault, asked)| Some((asked.index, Err(fault?)))).collect();
        let sound: Vec<Asked> = sound.into_iter().map(|(_, asked)| asked).collect();
        if sound.is_empty() {
            return answers;
        }
        match self.answer(&sound) {
            Ok(more) => answers.extend(more),
            Err(_) if sound.len() > 1 => {
                sound.iter().for_each(|asked| answers.extend(self.batch(&[asked.index])));
            }
            Err(error) => answers.push((sound[0].index, Err(error.to_string()))),
        }
        answers
    }

    fn answer(&mut self, asked: &[Asked<'a>]) -> Result<Answers, ModelError> {
        let start = Instant::now();
        let prompts: Vec<&Prompt> = asked.iter().map(|asked| asked.prompt).collect();
        let Forwarded { embeds, mask, output } = self.forward(&prompts)?;
        self.seconds.decoder += start.elapsed().as_secs_f64();

        let start = Instant::now();
        let scores: Vec<Result<Scores, String>> =
            asked.iter().enumerate().map(|(row, asked)| self.scores(asked.prompt, &output, row)).collect();
        let means: Vec<_> = asked
            .iter()
            .enumerate()
            .map(|(row, asked)| self.means(asked.prompt, &embeds, &output, row))
            .collect();
        self.seconds.scoring += start.elapsed().as_secs_f64();

        let start = Instant::now();
        let limit = asked.iter().filter_map(|asked| match &asked.row.ask {
            Ask::Generate(ask) => Some(ask.max_new_tokens),
            Ask::NextToken => None,
        });
        let texts: Vec<Option<Generation>> = match limit.max() {
            Some(max_new_tokens) => {
                let stop_tokens = self.preparer.stop_tokens();
                let settings = GenerationSettings { max_new_tokens, stop_tokens, keep_logits: false };
                let texts = continue_greedily(self.model, &prompts, mask, output, settings)?;
                texts.into_iter().map(Some).collect()
            }
            None => vec![None; asked.len()],
        };
        self.seconds.generation += start.elapsed().as_secs_f64();

        let read = asked.iter().zip(scores).zip(means).zip(texts);
        let answers = read.map(|(((asked, scores), (input, output)), text)| {
            let answer = scores.and_then(|scores| self.read(asked, scores, text));
            (asked.index, answer.map(|answer| Answered { input, output, ..answer }))
        });
        Ok(answers.collect())
    }

    fn forward(&mut self, prompts: &[&Prompt]) -> Result<Forwarded, ModelError> {
        let input = assemble(self.model, prompts, self.features)?;
        let keep = self.settings.embeddings;
        let embeds = if keep { input.embeds.clone() } else { Array3::default((0, 0, 0)) };
        let mask = input.mask.clone();
        let output = self.model.decode(input, None, keep)?;
        Ok(Forwarded { embeds, mask, output })
    }

    fn scores(&self, prompt: &Prompt, output: &DecoderOutput, row: usize) -> Result<Scores, String> {
        let logits = output.logits.row(row);
        let logits = logits.as_slice().ok_or("logits are not contiguous")?;
        score(logits, &prompt.options, self.settings.top_k)
    }

    /// At the decoder's input and output.
    fn means(
        &self,
        prompt: &Prompt,
        embeds: &Array3<f32>,
        output: &DecoderOutput,
        row: usize,
    ) -> (Option<LayerMeans>, Option<LayerMeans>) {
        if !self.settings.embeddings {
            return (None, None);
        }
        let of = |states: &Array3<f32>| LayerMeans::of(prompt, states.slice(s![row, .., ..]));
        (Some(of(embeds)), output.hidden.as_ref().map(of))
    }

    fn read(&self, asked: &Asked, scores: Scores, text: Option<Generation>) -> Result<Answered, String> {
        match (&asked.row.ask, text) {
            (Ask::Generate(ask), Some(Generation { tokens, finish, .. })) => {
                let said: Vec<u32> = tokens
                    .iter()
                    .copied()
                    .filter(|token| !self.preparer.stop_tokens().contains(token))
                    .collect();
                let raw_text = self.preparer.text(&said)?;
                let answered = Answered::by_text(asked.row, &ask.reading, raw_text, finish);
                Ok(Answered { generated_tokens: Some(tokens.len()), scores, ..answered })
            }
            _ => {
                let raw_text = scores.top.first().map(|(token, _)| self.preparer.token_text(*token));
                Ok(Answered::by_token(asked.prompt, scores, raw_text.unwrap_or_default()))
            }
        }
    }
}
