//! Answers that were given elsewhere, by a model behind an API for one, in the place of a model's.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::answered::{Answered, Finish, PromptTokens};
use super::score::{Scores, entropy_of};
use super::{StageSeconds, UnitResult};
use crate::prepare::PreparedUnit;
use crate::suite::answers::Reading;
use crate::suite::{Ask, Group, NO_VARIANT, Presentation, PresentationKind};

/// One answer of a file of predictions.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Prediction {
    /// The item, as the suite names it.
    pub item_id: String,
    /// How it was shown.
    pub presentation: PresentationKind,
    /// Which rendering was shown; none where nothing is rendered.
    #[serde(default)]
    pub variant: Option<String>,
    /// What the model wrote, from which the answer is read as from any other model's text.
    #[serde(default)]
    pub raw_text: Option<String>,
    /// The answer, where it has been read already.
    #[serde(default)]
    pub answer: Option<String>,
    /// ln p of each option at the answer, by the option's name.
    #[serde(default)]
    pub option_logprobs: Option<BTreeMap<String, f64>>,
    /// Entropy over the whole vocabulary at the first token of the answer, nats.
    #[serde(default)]
    pub entropy: Option<f64>,
    /// Tokens of the prompt that are text.
    #[serde(default)]
    pub text_tokens: Option<u32>,
    /// Tokens of the prompt that stand for images.
    #[serde(default)]
    pub vision_tokens: Option<u32>,
    /// Tokens that were written.
    #[serde(default)]
    pub generated_tokens: Option<u32>,
    /// Why there is no answer.
    #[serde(default)]
    pub error: Option<String>,
}

/// What identifies a row of a suite.
type Key = (String, PresentationKind, String);

/// The predictions of a file, by row of the suite.
pub struct Predictions {
    by_key: BTreeMap<Key, Prediction>,
    kinds: BTreeSet<PresentationKind>,
}

impl Predictions {
    /// Takes predictions in the order of their file.
    ///
    /// # Errors
    /// When one has no answer, or a row is answered twice: its number (from 0) and what is wrong.
    pub fn of(predictions: Vec<Prediction>) -> Result<Self, (usize, String)> {
        let kinds = predictions.iter().map(|one| one.presentation).collect();
        let mut by_key = BTreeMap::new();
        for (number, one) in predictions.into_iter().enumerate() {
            if one.raw_text.is_none() && one.answer.is_none() && one.error.is_none() {
                return Err((number, "it has neither `raw_text` nor `answer` nor `error`".into()));
            }
            let variant = one.variant.clone().unwrap_or_else(|| NO_VARIANT.into());
            let key = (one.item_id.clone(), one.presentation, variant);
            if by_key.contains_key(&key) {
                let (item, kind, variant) = key;
                let kind = kind.as_str();
                return Err((number, format!("{item:?}, {kind}, variant {variant} is answered twice")));
            }
            by_key.insert(key, one);
        }
        Ok(Self { by_key, kinds })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.by_key.len()
    }

    /// Answers the groups of a unit, and takes their predictions out. Presentations of which the file has none at all are
    /// left out, unless a conflict case needs them; a single one that is missing is a failed row.
    pub fn answer(&mut self, index: usize, mut groups: Vec<Group>) -> UnitResult {
        for group in groups.iter_mut().filter(|group| group.cases.is_empty()) {
            group.presentations.retain(|row| self.kinds.contains(&row.kind));
        }
        let answers =
            groups.iter().flat_map(|group| &group.presentations).map(|row| self.answer_row(row)).collect();
        let unit = PreparedUnit::answered_elsewhere(index, groups);
        UnitResult { unit, answers, seconds: StageSeconds::default() }
    }

    /// Rows of the file that the suite does not have.
    pub fn left_over(&self) -> impl Iterator<Item = (&str, &'static str, &str)> {
        self.by_key.keys().map(|(item, kind, variant)| (item.as_str(), kind.as_str(), variant.as_str()))
    }

    fn answer_row(&mut self, row: &Presentation) -> Result<Answered, String> {
        if let Some(fault) = &row.fault {
            return Err(fault.clone());
        }
        let key = (row.item_id.clone(), row.kind, row.variant().to_string());
        let given = self.by_key.remove(&key).ok_or("the imported file has no answer to it")?;
        given.answered(row)
    }
}

impl Prediction {
    fn answered(self, row: &Presentation) -> Result<Answered, String> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let text = self.raw_text.or_else(|| self.answer.clone()).unwrap_or_default();
        let reading = match &row.ask {
            Ask::Generate(ask) => ask.reading.clone(),
            Ask::NextToken => Reading::word(),
        };
        let scores = Scores {
            entropy: self.entropy,
            option_logprobs: logprobs(self.option_logprobs, row)?,
            ..Scores::default()
        };
        let masses: Vec<f64> = scores.option_logprobs.iter().map(|logprob| logprob.exp()).collect();
        let read = Answered::by_text(row, &reading, text, Finish::Imported);
        let count = |tokens: Option<u32>| tokens.map(|tokens| tokens as usize);
        let tokens = count(self.text_tokens)
            .map(|text| PromptTokens { text, vision: count(self.vision_tokens).unwrap_or_default() });
        Ok(Answered {
            answer: self.answer.or(read.answer),
            generated_tokens: count(self.generated_tokens),
            prompt_tokens: tokens,
            scores: Scores { option_entropy: (!masses.is_empty()).then(|| entropy_of(&masses)), ..scores },
            ..read
        })
    }
}

/// Log-probabilities in the order of the row's options.
fn logprobs(given: Option<BTreeMap<String, f64>>, row: &Presentation) -> Result<Vec<f64>, String> {
    let Some(given) = given else { return Ok(Vec::new()) };
    let names: Vec<&str> = row.options.iter().map(|option| option.name.as_str()).collect();
    let of = |name: &&str| given.get(*name).copied().filter(|logprob| *logprob <= 0.0);
    names.iter().map(of).collect::<Option<Vec<f64>>>().filter(|found| found.len() == given.len()).ok_or_else(
        || {
            format!(
                "`option_logprobs` must give a number of at most 0 for each of the options {}",
                names.join(", ")
            )
        },
    )
}
