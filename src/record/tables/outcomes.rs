//! `outcomes`: one row a prompt.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use super::{Columns, Context, Profile, Row, vectors};
use crate::engine::Answered;

pub(super) fn batch(context: &Context, rows: &[Row]) -> Result<RecordBatch, ArrowError> {
    let answered = || rows.iter().map(|row| row.answer.ok());
    let scores = || answered().map(|answer| answer.map(|answer| &answer.scores));
    let mut columns = Columns::key(context, rows);
    let rendering = || rows.iter().map(|row| row.presentation.rendering.as_ref());
    columns.optional_text("task", rows.iter().map(|row| row.presentation.task.as_deref()));
    columns.optional_text("font", rendering().map(|rendering| rendering?.font.as_deref()));
    columns.optional_int("dpi", rendering().map(|rendering| rendering?.dpi));
    columns.optional_text("color", rendering().map(|rendering| rendering?.color.as_deref()));
    columns.optional_int("dv", rows.iter().map(|row| row.presentation.dv));
    columns.optional_int("dt", rows.iter().map(|row| row.presentation.dt));
    columns.optional_text("target", rows.iter().map(|row| row.presentation.target.as_deref()));
    let prompts = || rows.iter().map(|row| row.prompt.ok());
    let counted = || rows.iter().map(Row::prompt_tokens);
    columns.optional_int("text_tokens", counted().map(|tokens| Some(tokens?.text as i32)));
    columns.optional_int("vision_tokens", counted().map(|tokens| Some(tokens?.vision as i32)));
    columns.optional_int(
        "generated_tokens",
        answered().map(|answer| answer?.generated_tokens.map(|tokens| tokens as i32)),
    );
    columns.optional_text("prompt_hash", prompts().map(|prompt| Some(prompt?.hash.as_str())));
    columns.optional_text("image_hash", rows.iter().map(|row| row.image_hash));
    columns.optional_text("expected", rows.iter().map(|row| row.presentation.answer.as_deref()));
    columns
        .optional_text("expected_vision", rows.iter().map(|row| row.presentation.vision_answer.as_deref()));
    columns.optional_text("expected_text", rows.iter().map(|row| row.presentation.text_answer.as_deref()));

    columns.optional_text("raw_text", answered().map(|answer| Some(answer?.raw_text.as_str())));
    columns.optional_text("answer", rows.iter().map(Row::answered));
    let parse = |answer: &Answered| if answer.answer.is_some() { "parsed" } else { "unparsed" };
    columns.optional_text("parse_status", answered().map(|answer| answer.map(parse)));
    columns.optional_bool("correct", rows.iter().map(|row| row.answer.ok()?.correct(row.presentation)));
    let names =
        rows.iter().map(|row| row.presentation.options.iter().map(|option| option.name.as_str()).collect());
    columns.push("options", false, super::strings(names)?);
    let logprobs: Vec<Option<Vec<f32>>> = scores()
        .map(|scores| Some(&scores?.option_logprobs).filter(|logprobs| !logprobs.is_empty()))
        .map(|logprobs| Some(logprobs?.iter().map(|logprob| *logprob as f32).collect()))
        .collect();
    // Questions differ in their number of options, so this stays a list in both profiles.
    let logprobs = vectors::floats(Profile::Lake, 0, logprobs.iter().map(Option::as_deref))?;
    columns.push("option_logprobs", true, logprobs);
    columns.optional_double("entropy", scores().map(|scores| scores?.entropy));
    columns.optional_double("option_entropy", scores().map(|scores| scores?.option_entropy));
    columns.optional_int("top1_token", scores().map(|scores| Some(scores?.top.first()?.0 as i32)));
    columns.optional_double("top1_logprob", scores().map(|scores| scores?.top1_logprob));
    columns.optional_double("cer", answered().map(|answer| answer?.cer));
    columns.optional_text("finish_reason", answered().map(|answer| Some(answer?.finish.as_str())));
    columns.text("status", rows.iter().map(Row::status));
    columns.optional_text("error", rows.iter().map(Row::failure));
    columns.finish()
}
