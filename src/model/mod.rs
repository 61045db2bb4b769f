//! The exported model: its directory, its family, its graphs, and the sessions that run them.
//!
//! Only this room names `ort`. A [`ModelDirectory`] is checked without a runtime; a [`Model`] holds the three sessions
//! (vision encoder, token embedding, decoder) on one execution provider.

mod contract;
mod directory;
mod error;
pub mod family;
pub mod graph;
mod onnxruntime;
mod provider;
mod sessions;
mod surgery;

pub use directory::{GraphFile, ModelDirectory, Precision};
pub use error::ModelError;
pub use onnxruntime::{OnnxRuntime, execution_providers};
pub use provider::Provider;
pub use sessions::{Model, Prefill, SessionSettings};
