//! Just enough SVG to draw the figures: elements, a drawing with its title and description, scales and axes.
//!
//! Coordinates are user units of the drawing's view box; colours are never set here but by class in `style.css`, so
//! that a figure follows the page into the dark.

pub mod axis;
pub mod drawing;
pub mod element;
pub mod scale;
