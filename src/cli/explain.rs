//! `crossmodal run --explain`: the plan, before anything is run; and what came true of it.

use std::time::Duration;

use super::error::CliError;
use super::model::ModelArguments;
use super::progress::note;
use crate::engine::pipeline::Took;
use crate::engine::preparation::{Preparation, Units};
use crate::engine::{Expectation, Work};
use crate::model::ModelDirectory;
use crate::prepare::Preparer;
use crate::suite::{self, SuiteSpec};

/// Prepares every unit and prints what running them takes.
pub(super) fn run(
    model: &ModelArguments,
    spec: &SuiteSpec,
    groups_per_unit: Option<usize>,
) -> Result<(), CliError> {
    let suite = suite::open(spec)?;
    suite.notes().iter().for_each(|told| note(&format!("note: {told}")));
    let directory = ModelDirectory::open(&model.model, model.session.precision)?;
    let preparer = Preparer::open(&directory)?;
    let units = Units::of(&*suite, groups_per_unit);
    let mut expected = Expectation::default();
    for prepared in (Preparation { suite: &*suite, units, preparer: &preparer }).all() {
        expected += Expectation::of(&prepared?, &preparer);
    }
    println!("{} to {}: nothing was run", suite.name(), directory.name);
    println!();
    for (name, text) in described(&expected, units.count()) {
        println!("{name:<16}  {text}");
    }
    Ok(())
}

fn described(expected: &Expectation, units: usize) -> Vec<(&'static str, String)> {
    let mut lines = vec![("units", counted(units))];
    let mut prompts = counted(expected.prompts);
    if expected.waiting_prompts > 0 {
        prompts += &format!(
            ", and {} that hold what the model writes for others (not in what follows)",
            counted(expected.waiting_prompts)
        );
    }
    if expected.failed_prompts > 0 {
        prompts += &format!("; {} cannot be made", counted(expected.failed_prompts));
    }
    lines.push(("prompts", prompts));
    lines.push(("images", shared(expected.images_encoded, expected.images_shown, "to encode", "shown")));
    lines.push((
        "prefill tokens",
        shared(expected.prefill_tokens, expected.prompt_tokens, "to run", "in the prompts"),
    ));
    if expected.transcriptions > 0 {
        lines.push((
            "transcriptions",
            format!(
                "{} of {} tokens: {} passes token by token, {} with drafts if the model reads without an error",
                counted(expected.transcriptions),
                counted(expected.transcription_tokens),
                counted(expected.transcription_tokens - expected.transcriptions),
                counted(expected.transcription_passes),
            ),
        ));
    }
    if expected.written_answers > 0 {
        lines.push((
            "other answers",
            format!(
                "{} of {} tokens at most",
                counted(expected.written_answers),
                counted(expected.written_tokens_at_most)
            ),
        ));
    }
    lines
}

/// What came true, in one line.
pub(super) fn done(work: &Work, took: Took) -> String {
    let mut told = vec![
        format!("images: {}", shared(work.images_encoded, work.images_shown, "encoded", "shown")),
        format!("prompts: {}", shared(work.prefill_tokens, work.prompt_tokens, "tokens run", "tokens")),
    ];
    if work.written_tokens > 0 {
        told.push(format!(
            "answers: {} tokens in {} steps",
            counted(work.written_tokens),
            counted(work.decode_steps)
        ));
    }
    let all = took.waited + took.worked;
    if all > Duration::ZERO {
        told.push(format!("model idle {:.1} %", 100.0 * took.waited.as_secs_f64() / all.as_secs_f64()));
    }
    told.join("; ")
}

/// `part` of `whole`, and how much is saved.
fn shared(part: usize, whole: usize, done: &str, of: &str) -> String {
    let saved = match whole {
        0 => String::new(),
        _ => format!(" ({:.0} % saved)", 100.0 - 100.0 * part as f64 / whole as f64),
    };
    format!("{} {done} of {} {of}{saved}", counted(part), counted(whole))
}

/// 1234567 as 1,234,567.
fn counted(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_savings_told() {
        assert_eq!([7, 1000, 1_234_567].map(counted), ["7", "1,000", "1,234,567"]);
        assert_eq!(shared(250, 1000, "run", "tokens"), "250 run of 1,000 tokens (75 % saved)");
        assert_eq!(shared(0, 0, "encoded", "shown"), "0 encoded of 0 shown");
    }
}
