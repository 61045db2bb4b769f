//! What a model sees: messages through the chat template into tokens, images into pixels.
//!
//! Pure per prompt and run on rayon, ahead of the model. One prompt's failure is that prompt's: it comes out as an error
//! in its place.

pub mod chat_template;
pub mod image_processor;
mod preparer;
mod spelling;
mod unit;

pub use preparer::{ImageSpan, PreparedImage, Preparer, Prompt};
pub use spelling::OptionTokens;
pub use unit::PreparedUnit;
