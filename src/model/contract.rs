//! The graphs' own inputs and outputs are the contract: what is missing, unknown or of another type is named.

use std::path::Path;

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

use super::ModelError;

/// Fails unless every name in `required` is an input, and every input is in `required` or admitted by `optional`.
pub(super) fn check_inputs(
    session: &Session,
    path: &Path,
    required: &[&str],
    optional: impl Fn(&str) -> bool,
) -> Result<(), ModelError> {
    let names: Vec<&str> = session.inputs().iter().map(Outlet::name).collect();
    let wrong = |reason: String| contract_error(path, reason, "inputs", session.inputs());
    if let Some(lacking) = required.iter().find(|name| !names.contains(name)) {
        return Err(wrong(format!("the graph has no input `{lacking}`")));
    }
    if let Some(unknown) = names.iter().find(|name| !required.contains(name) && !optional(name)) {
        return Err(wrong(format!(
            "the graph asks for an input `{unknown}` that this model family does not give"
        )));
    }
    Ok(())
}

/// The element type of an input or output.
pub(super) fn element_type(outlet: &Outlet) -> Option<TensorElementType> {
    if let ValueType::Tensor { ty, .. } = outlet.dtype() { Some(*ty) } else { None }
}

/// The dimensions of an input or output; -1 where they are free.
pub(super) fn dimensions(outlet: &Outlet) -> Vec<i64> {
    if let ValueType::Tensor { shape, .. } = outlet.dtype() { shape.to_vec() } else { Vec::new() }
}

/// Fails unless the input is a tensor of one of `types`.
pub(super) fn check_type(
    session: &Session,
    path: &Path,
    name: &str,
    types: &[TensorElementType],
) -> Result<(), ModelError> {
    let found = session.inputs().iter().find(|outlet| outlet.name() == name).and_then(element_type);
    if found.is_some_and(|found| types.contains(&found)) {
        return Ok(());
    }
    let expected: Vec<String> = types.iter().map(ToString::to_string).collect();
    let reason = format!("the input `{name}` must be a tensor of {}", expected.join(" or "));
    Err(contract_error(path, reason, "inputs", session.inputs()))
}

/// Fails unless the graph has the output.
pub(super) fn check_output(session: &Session, path: &Path, name: &str) -> Result<(), ModelError> {
    if session.outputs().iter().any(|outlet| outlet.name() == name) {
        return Ok(());
    }
    Err(contract_error(path, format!("the graph has no output `{name}`"), "outputs", session.outputs()))
}

fn contract_error(path: &Path, reason: String, what: &'static str, outlets: &[Outlet]) -> ModelError {
    // A decoder has hundreds of key/value tensors: the first few show the pattern.
    let described: Vec<String> = outlets
        .iter()
        .take(8)
        .map(|outlet| match element_type(outlet) {
            Some(ty) => format!("{} {ty}{:?}", outlet.name(), dimensions(outlet)),
            None => outlet.name().to_string(),
        })
        .collect();
    let more = if outlets.len() > 8 { format!(", ... ({} in all)", outlets.len()) } else { String::new() };
    ModelError::Contract { path: path.into(), reason, what, found: described.join(", ") + &more }
}
