//! The program as its users meet it: on the shipped model, through the command line and the library.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod asked_logits;
mod determinism;
mod errors;
mod fused_attention;
mod generation;
mod house;
mod image_processors;
mod import;
mod layers;
mod linear_layers;
mod loading;
mod models;
mod openvino;
mod pipeline;
mod program;
mod reference;
mod rest;
mod rest_data;
mod samples;
mod shared_heads;
mod suites;
mod tables;
mod typesetting;
