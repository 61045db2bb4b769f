//! Batch evaluation of multimodal LLMs exported to ONNX: does a model treat the same content alike as text and as image,
//! and which modality does it follow when they disagree?
//!
//! # The way data flows
//!
//! One direction, no step back. The rooms stand in this order:
//!
//! | room | what it is about | in | out |
//! |---|---|---|---|
//! | [`suite`] | what is asked: items and their presentations; prompts are data files | a name and a seed, or a file | groups |
//! | [`render`] | how it looks: drawing, typesetting, decoding, resizing; pure | an image source | RGB pixels |
//! | [`prepare`] | what a model sees: chat template, tokens, image processors; pure per prompt, on rayon | groups | prompts and pixels |
//! | [`model`] | the exported model: directory, family, graphs and their edits (the layer probe is one), sessions, execution providers, operators of our own | tensors | tensors |
//! | [`engine`] | how it is run: prefix tree, batches, drafts, scores, the pipeline | prepared units | answers |
//! | [`record`] | what is kept: tables, Parquet parts, the run directory, resume | answers | files |
//! | [`analysis`] | what it means: ratios, curves, intervals; reads Parquet only | files | numbers |
//! | [`report`] | what one sees: one self-contained page | numbers | HTML |
//! | [`cli`] | the front door: arguments, a validated plan, the rooms above called in order | arguments | an exit code |
//!
//! [`runtime`] stands beside them: it finds or installs the ONNX Runtime library that `model` opens.
//!
//! # What always holds
//!
//! 1. Only `model` names `ort`; only `record` writes into a run; `analysis` never touches a model.
//! 2. The same model files, suite, settings and version give the same table *bytes*, whatever the number of threads, the
//!    number of shards, the order of completion, and however often the job was killed and resumed. The **unit of work** is a fixed run of
//!    consecutive groups; batches are formed inside a unit only; a unit becomes one part file a table.
//! 3. One sample's failure is a row with a status and a message. What makes *all* samples fail is found before the first.
//! 4. A part file is whole or absent.
//! 5. What a user hands in is not trusted: images have size limits, templates run with fuel, nothing is fetched unasked.

pub mod analysis;
pub mod cli;
pub mod engine;
pub mod model;
pub mod prepare;
pub mod record;
pub mod render;
pub mod report;
pub mod runtime;
pub mod suite;
