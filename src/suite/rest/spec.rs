//! What a user may set of REST, in a form that a run can keep.

use serde::{Deserialize, Serialize};

/// Settings of `rest`, `rest-plus` and `soebench`; what is `None` or empty is as the suite has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RestSpec {
    /// Which renderings: `dpi=50,200`, `font=dejavu-sans`, `color=black`; all must hold.
    pub variants: Vec<String>,
    /// Width of the page, inches.
    pub page_width_in: Option<f32>,
    /// Margin of the page, inches.
    pub margin_in: Option<f32>,
    /// Size of the text, points.
    pub point_size: Option<f32>,
    /// Tokens to write at most, instead of the prompt file's numbers.
    pub max_new_tokens: Option<usize>,
    /// Longest content that is kept, characters.
    pub max_characters: Option<usize>,
    /// Whether items with LaTeX are kept.
    pub keep_latex: bool,
    /// Fewest and most unknowns of generated systems of equations.
    pub unknowns: Option<(usize, usize)>,
    /// Largest coefficient of generated systems of equations.
    pub coefficients: Option<u32>,
}
