//! The program as its users meet it: on the shipped model, through the command line and the library.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod determinism;
mod errors;
mod house;
mod image_processors;
mod loading;
mod models;
mod program;
mod reference;
mod samples;
mod tables;
mod typesetting;
