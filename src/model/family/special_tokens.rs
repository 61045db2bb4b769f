//! Placeholders that a model's files give a name.

use serde_json::Value;

use crate::model::{ModelDirectory, ModelError};

/// The token of this `name` (such as `image_token`): in `tokenizer_config.json`, by itself or among the tokens that
/// transformers keeps under further names, in `processor_config.json`, or else the published one.
///
/// # Errors
/// When a file does not parse.
pub(super) fn named_token(
    directory: &ModelDirectory,
    name: &str,
    published: &str,
) -> Result<String, ModelError> {
    let (tokenizer, processor) = (directory.tokenizer_config()?, directory.processor_config()?);
    let places = [
        Some(&tokenizer),
        tokenizer.get("extra_special_tokens"),
        tokenizer.get("model_specific_special_tokens"),
        Some(&processor),
    ];
    let mut found = places.into_iter().flatten().filter_map(|place| token(place.get(name)?));
    Ok(found.find(|token| !token.is_empty()).unwrap_or(published).to_string())
}

/// A token is a string, or an object with its `content`.
fn token(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("content")?.as_str())
}
