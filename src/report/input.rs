//! What a report is made from beside the analysis: the run it is about, and a sample of its cases and items.
//!
//! The caller fills these from the tables; nothing here is escaped or checked yet, the page does both.

/// The run that the page is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Run identifier (the tables' `run` column).
    pub run: String,
    /// Model name.
    pub model: String,
    /// Suite name.
    pub suite: String,
    /// Program and version that made the run.
    pub created_by: String,
    /// What the run was told, as (name, value) in the order to show.
    pub settings: Vec<(String, String)>,
    /// Prompts that ran, all presentations together.
    pub prompts: u64,
    /// Prompts whose row has `status = error`.
    pub failed: u64,
}

/// One conflict case (or control) with its three presentations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaseView {
    /// Item identifier.
    pub item_id: String,
    /// Conflict group: cases that share shapes and answers, and are resampled together.
    pub group_id: String,
    /// Visual difficulty tier.
    pub dv: Option<i32>,
    /// Text difficulty tier.
    pub dt: Option<i32>,
    /// Name of the control; empty or "none" for a conflict case proper.
    pub control: String,
    /// The image as a PNG file.
    pub image_png: Option<Vec<u8>>,
    /// Its (width, height) in pixels.
    pub image_size: Option<(u32, u32)>,
    /// The presentations, in the order to show.
    pub prompts: Vec<CasePrompt>,
    /// The answer that the image is designed to give (Yv).
    pub expected_vision: Option<String>,
    /// The answer that the text is designed to give (Yt).
    pub expected_text: Option<String>,
    /// "text", "vision" or "other"; `None` where it cannot be said.
    pub follows: Option<String>,
    /// Whether both unimodal answers were the designed ones.
    pub analysed: bool,
    /// Relative uncertainty 2 (Ht - Hv) / (Ht + Hv), in [-2, 2].
    pub dh_rel: Option<f64>,
}

/// One presentation of a case and what the model made of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CasePrompt {
    /// "vision-only", "text-only" or "conflict".
    pub presentation: String,
    /// The prompt, with `<image>` where the image stands.
    pub text: String,
    /// The parsed answer.
    pub answer: Option<String>,
    /// The answer as the model wrote it.
    pub raw_text: String,
    /// Entropy over the whole vocabulary at the answer token, nats.
    pub entropy: Option<f64>,
    /// The options with their probabilities in [0, 1], in the suite's order.
    pub options: Vec<(String, f64)>,
    /// "ok", or why there is no answer.
    pub status: String,
    /// The error message, where the prompt failed.
    pub error: Option<String>,
}

/// An item that is shown in several ways, with what the model made of each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ItemView {
    /// Item identifier.
    pub item_id: String,
    /// Task that it belongs to.
    pub task: Option<String>,
    /// The right answer.
    pub expected: Option<String>,
    /// The answer to the text.
    pub text: Option<AnswerView>,
    /// Its renderings, in the order to show.
    pub renderings: Vec<RenderingView>,
}

/// One rendering of an item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RenderingView {
    /// Its name.
    pub variant: String,
    /// The picture as a PNG file.
    pub png: Option<Vec<u8>>,
    /// Its (width, height) in pixels.
    pub size: Option<(u32, u32)>,
    /// The answer to the picture.
    pub image: Option<AnswerView>,
    /// The answer to picture and text mixed.
    pub mixed: Option<AnswerView>,
    /// The answer to the model's own transcription.
    pub ocr_first: Option<AnswerView>,
    /// What the model reads in the picture.
    pub transcription: Option<AnswerView>,
    /// Character error rate of the transcription.
    pub cer: Option<f64>,
}

/// What the model made of one prompt.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AnswerView {
    /// The answer read from it.
    pub answer: Option<String>,
    /// What the model wrote.
    pub raw_text: String,
    /// Whether the answer is right; `None` where that is not known.
    pub correct: Option<bool>,
    /// The error message, where the prompt failed.
    pub error: Option<String>,
}
