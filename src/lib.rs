//! Batch evaluation of multimodal LLMs exported to ONNX.

pub mod analysis;
