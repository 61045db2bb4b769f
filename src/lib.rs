//! Batch evaluation of multimodal LLMs exported to ONNX.

pub mod analysis;
pub mod cli;
pub mod engine;
pub mod model;
pub mod prepare;
pub mod render;
pub mod suite;
