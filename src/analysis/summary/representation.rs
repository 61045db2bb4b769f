//! How alike a model represents the same content shown as image and as text (arXiv 2512.08923).

use serde::{Deserialize, Serialize};

use super::Estimate;

/// How alike image and text of the same content are at one depth of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Representation {
    /// "input" of the decoder, "layer-01" and so on (after so many decoder layers), or its "output" (after the last layer
    /// and the final norm).
    pub depth: String,
    /// Pairs of an item's rendering and its text.
    pub pairs: u64,
    /// Mean of `i.t / (|i||t| + 1e-7)`, with i the mean image token of the image and t the mean text token of the text.
    pub cosine: Option<Estimate>,
    /// Share of images that are more like their own text than like any other of the same rendering; mean over renderings.
    pub image_to_text: Option<Estimate>,
    /// The same from text to image.
    pub text_to_image: Option<Estimate>,
    /// Mean of both directions: the bidirectional retrieval accuracy.
    pub retrieval: Option<Estimate>,
}

/// The depth at which image and text are most alike, by either measure; of equals the shallowest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BestDepth {
    /// By mean cosine.
    pub cosine: String,
    /// By bidirectional retrieval; `None` where there was nothing to find a pair among.
    pub retrieval: Option<String>,
}

/// Similarities of images and texts, for looking at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimilarityMatrix {
    /// Depth.
    pub depth: String,
    /// Rendering of the images.
    pub variant: String,
    /// The items, evenly spread over all.
    pub items: Vec<String>,
    /// [image, text]: `i.t / (|i||t| + 1e-7)`, rows and columns in the order of `items`.
    pub similarities: Vec<Vec<f64>>,
}
