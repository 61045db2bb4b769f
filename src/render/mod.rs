//! How it looks: specifications, seeds and text in, pixels out. Pure, and the same bytes on every machine.

mod formats;
pub mod load;
pub mod resize;
pub mod scene;
pub mod typeset;
