//! The statistics behind the figures: fits, intervals and tests over plain numbers.
//!
//! Nothing here knows of tables, models or modalities, and every function is pure: randomness comes from a seed, each
//! resample has a stream of its own, so that a result depends neither on threads nor on their order.

pub mod bootstrap;
pub mod isotonic;
pub mod logistic;
pub mod pearson;
pub mod permutation;
pub mod retrieval;
pub mod spearman;
pub mod student_t;
