//! Batch evaluation of multimodal LLMs exported to ONNX.

pub mod analysis;
pub mod runtime;
