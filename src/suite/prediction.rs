//! Answers that were given elsewhere: a file of predictions, as JSON Lines or Parquet.

use std::collections::BTreeMap;
use std::path::Path;

use super::cell::{Cell, Fields};
use super::own::read_rows;
use super::{PresentationKind, SuiteError};

/// One answer of a file of predictions.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The item, as the suite names it.
    pub item_id: String,
    /// How it was shown.
    pub presentation: PresentationKind,
    /// Which rendering was shown; none where nothing is rendered.
    pub variant: Option<String>,
    /// What the model wrote, from which the answer is read as from any other model's text.
    pub raw_text: Option<String>,
    /// The answer, where it has been read already.
    pub answer: Option<String>,
    /// ln p of each option at the answer.
    pub option_logprobs: Option<OptionLogprobs>,
    /// Entropy over the whole vocabulary at the first token of the answer, nats.
    pub entropy: Option<f64>,
    /// Tokens of the prompt that are text.
    pub text_tokens: Option<i32>,
    /// Tokens of the prompt that stand for images.
    pub vision_tokens: Option<i32>,
    /// Tokens that were written.
    pub generated_tokens: Option<i32>,
    /// Why there is no answer.
    pub error: Option<String>,
}

impl Prediction {
    /// Reads all of a file; fields that are none of a prediction are passed over.
    ///
    /// # Errors
    /// When it cannot be read, or a row is none of a prediction: the message names row and field.
    pub fn read(path: &Path) -> Result<Vec<Self>, SuiteError> {
        read_rows(path, &["item_id", "presentation"], Self::of)
    }

    fn of(cell: Cell) -> Result<Self, String> {
        let mut fields = Fields::of(cell, "")?;
        let given = Self {
            item_id: fields.required_text("item_id")?,
            presentation: fields
                .take("presentation")
                .into_one_of("presentation", &PresentationKind::ALL.map(PresentationKind::as_str))?,
            variant: fields.text("variant")?,
            raw_text: fields.text("raw_text")?,
            answer: fields.text("answer")?,
            option_logprobs: logprobs(fields.take("option_logprobs"))?,
            entropy: fields.number("entropy")?,
            text_tokens: fields.integer("text_tokens")?,
            vision_tokens: fields.integer("vision_tokens")?,
            generated_tokens: fields.integer("generated_tokens")?,
            error: fields.text("error")?,
        };
        if given.raw_text.is_none() && given.answer.is_none() && given.error.is_none() {
            return Err("it has neither `raw_text` nor `answer` nor `error`".into());
        }
        Ok(given)
    }
}

/// ln p of the options of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum OptionLogprobs {
    /// By the option's name.
    ByName(BTreeMap<String, f64>),
    /// In the order of the options, as the table `outcomes` has them.
    InOrder(Vec<f64>),
}

fn logprobs(cell: Cell) -> Result<Option<OptionLogprobs>, String> {
    let place = "option_logprobs";
    let number = |cell: Cell| cell.into_number(place);
    Ok(Some(match cell {
        Cell::Null => return Ok(None),
        Cell::List(values) => {
            OptionLogprobs::InOrder(values.into_iter().map(number).collect::<Result<_, _>>()?)
        }
        Cell::Record(fields) => {
            // A struct of a Parquet file has a field for every option of every question.
            let given = fields.into_iter().filter(|(_, value)| *value != Cell::Null);
            OptionLogprobs::ByName(
                given.map(|(name, value)| Ok((name, number(value)?))).collect::<Result<_, String>>()?,
            )
        }
        other => return Err(other.expected(place, "an object of numbers by option, or a list of them")),
    }))
}
