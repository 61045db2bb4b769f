//! Wordings as data: reading a prompt file, and filling the placeholders of its texts.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::SuiteError;
use super::seeding::hex_digest;

/// A prompt file, read.
pub(super) struct PromptFile<T> {
    /// What stands in it.
    pub content: T,
    /// The file, or "(built in)".
    pub path: String,
    /// SHA-256 of its text, hex.
    pub digest: String,
}

impl<T: DeserializeOwned> PromptFile<T> {
    /// The user's file, or else the one that ships with the program.
    ///
    /// # Errors
    /// When it cannot be read or does not parse.
    pub fn read(path: Option<&Path>, built_in: &str) -> Result<Self, SuiteError> {
        match path {
            None => Self::parse(built_in, "(built in)".into()),
            Some(path) => {
                let io = |source| SuiteError::Io { action: "read", path: path.into(), source };
                Self::parse(&std::fs::read_to_string(path).map_err(io)?, path.display().to_string())
            }
        }
    }

    fn parse(text: &str, path: String) -> Result<Self, SuiteError> {
        match toml::from_str(text) {
            Ok(content) => Ok(Self { content, path, digest: hex_digest(text) }),
            Err(error) => Err(SuiteError::Prompts { path, reason: error.to_string() }),
        }
    }
}

impl<T> PromptFile<T> {
    /// The complaint that something is wrong with the file.
    pub fn wrong(&self, reason: String) -> SuiteError {
        SuiteError::Prompts { path: self.path.clone(), reason }
    }

    /// Sees to it that the text called `name` has all `placeholders`.
    pub fn require(&self, name: &str, text: &str, placeholders: &[&str]) -> Result<(), SuiteError> {
        match placeholders.iter().find(|placeholder| !text.contains(&format!("{{{placeholder}}}"))) {
            Some(lacking) => Err(self.wrong(format!("{name} {text:?} has no {{{lacking}}}"))),
            None => Ok(()),
        }
    }
}

/// Puts each value in the place of its placeholder. What stands in a value is left as it is, braces included.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let value = values
            .iter()
            .find_map(|(name, value)| Some((*value, after.strip_prefix(name)?.strip_prefix('}')?)));
        match value {
            Some((value, next)) => {
                filled.push_str(value);
                rest = next;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_filled_again() {
        let values = [("question", "What is {first}?"), ("first", "one")];
        assert_eq!(fill("{question} A. {first} {else} {", &values), "What is {first}? A. one {else} {");
    }
}
