//! Batch evaluation of multimodal LLMs exported to ONNX.

pub mod analysis;
pub mod cli;
pub mod runtime;
