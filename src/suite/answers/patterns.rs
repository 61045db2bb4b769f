//! Patterns that find where an answer is stated, as data: regular expressions with one capture group, and tests of them.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use super::{AnswerKind, Reading, Said};
use crate::suite::AnswerOption;

/// The patterns that ship with the program.
pub const BUILT_IN: &str = include_str!("../../../data/prompts/answers.toml");

/// Largest compiled size of one pattern, bytes. Matching takes time in proportion to the text.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// Where answers are stated: tried in order; of the first pattern that finds an answer, the last match holds.
#[derive(Debug, Clone, Default)]
pub struct Patterns(Arc<[Regex]>);

impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().map(Regex::as_str).eq(other.0.iter().map(Regex::as_str))
    }
}

/// What is wrong with a table of patterns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Not a regular expression, or too large a one.
    #[error("pattern {pattern:?}: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What the parser says.
        reason: String,
    },
    /// Not exactly one capture group.
    #[error(
        "pattern {pattern:?} has {found} capture groups, expected one: what the answer is read from; write (?:...) for the others"
    )]
    Groups {
        /// The pattern.
        pattern: String,
        /// How many there are.
        found: usize,
    },
    /// A test reads something else.
    #[error("the test of {text:?} reads {found}, expected {expected}")]
    Test {
        /// The test's text.
        text: String,
        /// What it should read.
        expected: String,
        /// What it reads.
        found: String,
    },
}

/// Patterns and tests as they stand in a prompt file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternTable {
    patterns: Vec<String>,
    #[serde(default)]
    tests: Vec<Test>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    /// What a model may write.
    text: String,
    /// Texts of the options A, B, ... of a choice; words that may be said.
    #[serde(default)]
    options: Vec<String>,
    /// What must be read; nothing when left out.
    answer: Option<String>,
}

impl PatternTable {
    /// Compiles the patterns and runs the tests.
    ///
    /// # Errors
    /// A pattern that cannot be used, or a test that reads something else.
    pub fn compile(&self, kind: AnswerKind) -> Result<Patterns, PatternError> {
        let patterns = self.patterns.iter().map(|pattern| compile(pattern)).collect::<Result<_, _>>()?;
        let reading = Reading { kind, patterns: Patterns(patterns) };
        self.tests.iter().try_for_each(|test| test.run(&reading))?;
        Ok(reading.patterns)
    }
}

impl Test {
    fn run(&self, reading: &Reading) -> Result<(), PatternError> {
        let labelled = ('A'..='Z').zip(&self.options);
        let options: Vec<AnswerOption> = match reading.kind {
            AnswerKind::Choice => labelled.map(|(label, text)| labelled_option(label, text)).collect(),
            _ => self.options.iter().map(|word| AnswerOption::named(word)).collect(),
        };
        let found = reading.read(&self.text, &options);
        let shown = |answer: &Option<String>| {
            answer.as_ref().map_or_else(|| "no answer".into(), |answer| format!("{answer:?}"))
        };
        if found == self.answer {
            return Ok(());
        }
        Err(PatternError::Test {
            text: self.text.clone(),
            expected: shown(&self.answer),
            found: shown(&found),
        })
    }
}

fn labelled_option(label: char, text: &str) -> AnswerOption {
    AnswerOption { name: label.into(), spellings: vec![label.into(), text.into()] }
}

fn compile(pattern: &str) -> Result<Regex, PatternError> {
    let regex = RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED_BYTES)
        .build()
        .map_err(|error| PatternError::Pattern { pattern: pattern.into(), reason: error.to_string() })?;
    // The whole match is a group of its own.
    match regex.captures_len() - 1 {
        1 => Ok(regex),
        found => Err(PatternError::Groups { pattern: pattern.into(), found }),
    }
}

impl Patterns {
    /// The patterns that ship with the program. (A test sees to it that they are sound.)
    pub fn built_in(kind: AnswerKind) -> Self {
        static SHIPPED: LazyLock<BTreeMap<AnswerKind, Patterns>> = LazyLock::new(|| {
            let tables: BTreeMap<AnswerKind, PatternTable> = toml::from_str(BUILT_IN).unwrap_or_default();
            let compiled =
                |(kind, table): (AnswerKind, PatternTable)| Some((kind, table.compile(kind).ok()?));
            tables.into_iter().filter_map(compiled).collect()
        });
        SHIPPED.get(&kind).cloned().unwrap_or_default()
    }

    /// What is said where an answer is stated, by `read` of what the capture group holds.
    pub(super) fn stated(&self, text: &str, read: impl Fn(&str) -> Said) -> Said {
        let says = |pattern: &Regex| {
            let fragments = fragments(pattern, text);
            fragments.into_iter().rev().map(&read).find(|said| *said != Said::Nothing)
        };
        self.0.iter().find_map(says).unwrap_or(Said::Nothing)
    }
}

/// What the group captures at each match. A match may begin within what the one before it captured: an answer that is
/// stated twice in a line is stated twice.
fn fragments<'a>(pattern: &Regex, text: &'a str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(captures) = pattern.captures_at(text, start) {
        let Some(whole) = captures.get(0) else { break };
        let fragment = captures.get(1);
        found.extend(fragment.map(|fragment| fragment.as_str()));
        let next = fragment.map_or(whole.end(), |fragment| fragment.start()).max(whole.start());
        // One character on when nothing was passed.
        start =
            if next > start { next } else { next + text[next..].chars().next().map_or(1, char::len_utf8) };
        if start > text.len() {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> PatternTable {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_shipped_patterns_pass_their_tests() {
        let tables: BTreeMap<AnswerKind, PatternTable> = toml::from_str(BUILT_IN).unwrap();
        assert_eq!(tables.len(), 3);
        for (kind, table) in tables {
            assert!(table.tests.len() >= 3, "{kind:?}");
            assert_eq!(table.compile(kind).map_err(|error| error.to_string()).err(), None);
            assert_eq!(Patterns::built_in(kind).0.len(), table.patterns.len());
        }
    }

    #[test]
    fn a_wrong_pattern_is_reported() {
        for (patterns, message) in [
            ("patterns = ['answer (']", "unclosed group"),
            ("patterns = ['answer']", "pattern \"answer\" has 0 capture groups, expected one"),
            ("patterns = ['(a)(b)']", "has 2 capture groups"),
            (r"patterns = ['(\w{1000}{100})']", "exceeds size limit"),
        ] {
            let message_of = table(patterns).compile(AnswerKind::Number).unwrap_err().to_string();
            assert!(message_of.contains(message), "{message_of}");
        }
    }

    #[test]
    fn a_test_that_fails_is_reported() {
        let text = "patterns = ['=> (.+)']\n[[tests]]\ntext = '=> 4, not 5'\nanswer = '5'";
        let message = table(text).compile(AnswerKind::Number).unwrap_err().to_string();
        assert_eq!(message, r#"the test of "=> 4, not 5" reads "4", expected "5""#);
    }

    #[test]
    fn of_the_first_pattern_that_finds_an_answer_the_last_match_holds() {
        let patterns = table("patterns = ['first: (.*)', 'then: (.*)']").compile(AnswerKind::Number).unwrap();
        let reading = Reading { kind: AnswerKind::Number, patterns };
        assert_eq!(reading.read("first: 1 first: 2\nthen: 3", &[]).as_deref(), Some("2"));
        assert_eq!(reading.read("first: none\nthen: 3, then: 4\n5", &[]).as_deref(), Some("4"));
        assert_eq!(reading.read("first:\u{e9}", &[]), None);
    }

    #[test]
    fn a_pattern_that_matches_nothing_comes_to_an_end() {
        let patterns = table("patterns = ['()']").compile(AnswerKind::Number).unwrap();
        assert_eq!(fragments(&patterns.0[0], "\u{e9}\u{e9}").len(), 3);
    }
}
