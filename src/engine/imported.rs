//! Answers that were given elsewhere, by a model behind an API for one, in the place of a model's.

use std::collections::{BTreeMap, BTreeSet};

use super::answered::{Answered, Finish, PromptTokens};
use super::score::{Scores, entropy_of};
use super::{StageSeconds, UnitResult, Work};
use crate::prepare::PreparedUnit;
use crate::suite::answers::Reading;
use crate::suite::prediction::{OptionLogprobs, Prediction};
use crate::suite::{Ask, Group, NO_VARIANT, Presentation, PresentationKind};

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
    /// When a row is answered twice: which.
    pub fn of(predictions: Vec<Prediction>) -> Result<Self, String> {
        let kinds = predictions.iter().map(|one| one.presentation).collect();
        let mut by_key = BTreeMap::new();
        for one in predictions {
            let variant = one.variant.clone().unwrap_or_else(|| NO_VARIANT.into());
            let key = (one.item_id.clone(), one.presentation, variant);
            if by_key.contains_key(&key) {
                let (item, kind, variant) = key;
                return Err(format!("{item:?}, {}, variant {variant} is answered twice", kind.as_str()));
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
        UnitResult { unit, answers, seconds: StageSeconds::default(), work: Work::default() }
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
        answered(given, row)
    }
}

fn answered(given: Prediction, row: &Presentation) -> Result<Answered, String> {
    if let Some(error) = given.error {
        return Err(error);
    }
    let text = given.raw_text.or_else(|| given.answer.clone()).unwrap_or_default();
    let reading = match &row.ask {
        Ask::Generate(ask) => ask.reading.clone(),
        Ask::NextToken => Reading::word(),
    };
    let scores = Scores {
        entropy: given.entropy,
        option_logprobs: logprobs(given.option_logprobs, row)?,
        ..Scores::default()
    };
    let masses: Vec<f64> = scores.option_logprobs.iter().map(|logprob| logprob.exp()).collect();
    let read = Answered::by_text(row, &reading, text, Finish::Imported);
    let count = |tokens: Option<i32>| tokens.and_then(|tokens| usize::try_from(tokens).ok());
    let tokens = count(given.text_tokens)
        .map(|text| PromptTokens { text, vision: count(given.vision_tokens).unwrap_or_default() });
    Ok(Answered {
        answer: given.answer.or(read.answer),
        generated_tokens: count(given.generated_tokens),
        prompt_tokens: tokens,
        scores: Scores { option_entropy: (!masses.is_empty()).then(|| entropy_of(&masses)), ..scores },
        ..read
    })
}
/// Log-probabilities in the order of the row's options.
fn logprobs(given: Option<OptionLogprobs>, row: &Presentation) -> Result<Vec<f64>, String> {
    let names = || row.options.iter().map(|option| option.name.as_str());
    let found = match given {
        None => return Ok(Vec::new()),
        Some(OptionLogprobs::InOrder(logprobs)) => Some(logprobs),
        Some(OptionLogprobs::ByName(logprobs)) if logprobs.len() == names().count() => {
            names().map(|name| logprobs.get(name).copied()).collect()
        }
        Some(OptionLogprobs::ByName(_)) => None,
    };
    let sound =
        |found: &Vec<f64>| found.len() == names().count() && found.iter().all(|logprob| *logprob <= 0.0);
    found.filter(sound).ok_or_else(|| {
        let names: Vec<&str> = names().collect();
        format!(
            "`option_logprobs` must give a number of at most 0 for each of the options {}",
            names.join(", ")
        )
    })
}
