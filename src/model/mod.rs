//! The exported model: its directory, its family, its graphs, and the sessions that run them.
//!
//! Only this room names `ort`. A [`ModelDirectory`] is checked without a runtime; a [`Model`] holds the three sessions
//! (vision encoder, token embedding, decoder) on one execution provider.

mod binding;
mod contract;
mod decoder;
mod directory;
mod embedding;
mod error;
pub mod family;
mod genai;
pub mod graph;
mod inspection;
mod kernels;
mod layout;
mod logits;
mod names;
mod onnxruntime;
mod open;
mod operators;
mod past;
mod past_inputs;
mod placement;
mod probe;
mod provider;
mod seen;
mod sessions;
mod surgery;
mod tensorrt;
mod tensors;
mod vision;

pub use decoder::{DecoderInput, DecoderOutput, LogitPositions};
pub use directory::{GraphFile, ModelDirectory, Precision};
pub use embedding::ImageRows;
pub use error::ModelError;
pub use inspection::{DecoderSizes, Features, GraphDescription, Inspection};
pub use layout::LayoutKind;
pub use logits::Logits;
pub use onnxruntime::{OnnxRuntime, execution_providers};
pub use placement::Placement;
pub use probe::{Depths, LensOutput, Probe, ProbeInput};
pub use provider::{Arithmetic, Provider, ProviderOptions};
pub use seen::Seen;
pub use sessions::{Graphs, Model, SessionSettings};
pub use tensorrt::ShapeRange;
pub use vision::ImageFeatures;
