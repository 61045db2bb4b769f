//! `layers`: one row an answered prompt and decoder layer, what the logit lens shows at the answer position (arXiv 2511.02243,
//! section 5): the residual stream there after the layer, through the model's own final norm and unembedding.
//!
//! `layer` counts from 1, after the first decoder layer, to after the last one, where the lens is the model itself.
//! `option_logits` holds of each option, in the order of `options`, the largest logit among its first tokens. Of conflicts
//! `class` says whose answer the best token is, that of the case's own text-only prompt (`text`), of its vision-only prompt
//! (`vision`) or no one's (`other`), and `logit_difference` is logit(Yt) - logit(Yv); both are null where the two do not differ.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Int32Array, RecordBatch};
use arrow_schema::ArrowError;

use super::following::cases;
use super::{Columns, Context, Profile, Row, rows, strings, vectors};
use crate::engine::follow::{Follows, follows};
use crate::engine::{LayerPrediction, UnitResult};

/// One row of the table.
struct Layer<'a> {
    row: Row<'a>,
    /// From 1.
    layer: i32,
    prediction: &'a LayerPrediction,
    /// Names of the options, in the order of the prediction.
    options: &'a [String],
    /// What the case's vision-only and text-only prompts were answered.
    unimodal: Option<[&'a str; 2]>,
}

impl Layer<'_> {
    fn option(&self) -> Option<&str> {
        Some(self.options.get(self.prediction.option?)?.as_str())
    }

    fn class(&self) -> Option<Follows> {
        let [vision, text] = self.unimodal?;
        follows(Some(vision), Some(text), self.option())
    }

    /// logit(Yt) - logit(Yv).
    fn difference(&self) -> Option<f64> {
        let [vision, text] = self.unimodal.filter(|[vision, text]| vision != text)?;
        let logit = |answer: &str| {
            let option = self.options.iter().position(|name| name == answer)?;
            self.prediction.option_logits.get(option).copied().map(f64::from)
        };
        Some(logit(text)? - logit(vision)?)
    }
}

pub(super) fn batch(context: &Context, result: &UnitResult) -> Result<RecordBatch, ArrowError> {
    let cases = cases(result);
    let unimodal: BTreeMap<_, _> = cases
        .iter()
        .filter_map(|case| {
            Some((case.conflict.presentation.key(), [case.vision.answered()?, case.text.answered()?]))
        })
        .collect();
    let mut layers: Vec<Layer> = Vec::new();
    for row in rows(result) {
        let (Ok(answer), Ok(prompt)) = (row.answer, row.prompt) else { continue };
        let unimodal = unimodal.get(&row.presentation.key()).copied();
        let options = prompt.options.names.as_slice();
        layers.extend(answer.layers.iter().zip(1..).map(|(prediction, layer)| Layer {
            row,
            layer,
            prediction,
            options,
            unimodal,
        }));
    }
    let keys: Vec<Row> = layers.iter().map(|layer| layer.row).collect();
    let predictions = || layers.iter().map(|layer| layer.prediction);
    let mut columns = Columns::key(context, &keys);
    let int32 = |values: Vec<i32>| Arc::new(Int32Array::from(values));
    columns.push("layer", false, int32(layers.iter().map(|layer| layer.layer).collect()));
    columns.push("top1_id", false, int32(predictions().map(|best| best.token.cast_signed()).collect()));
    columns.text("top1_text", predictions().map(|best| best.text.as_str()));
    columns.optional_double("top1_logit", predictions().map(|best| Some(f64::from(best.logit))));
    columns.optional_text("top1_option", layers.iter().map(Layer::option));
    let names = layers.iter().map(|layer| layer.options.iter().map(String::as_str).collect());
    columns.push("options", false, strings(names)?);
    let logits = predictions().map(|best| Some(best.option_logits.as_slice()));
    // Questions differ in their number of options, so this stays a list in both profiles.
    columns.push("option_logits", true, vectors::floats(Profile::Lake, 0, logits)?);
    columns.optional_text("class", layers.iter().map(|layer| layer.class().map(Follows::as_str)));
    columns.optional_double("logit_difference", layers.iter().map(Layer::difference));
    columns.finish()
}
