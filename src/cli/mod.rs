//! The front door: one file a subcommand.

pub mod runtime;
