//! `crossmodal inspect`: what a model directory holds and what can be done with it, without running the model.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use image::RgbImage;
use serde::Serialize;

use super::error::CliError;
use super::suite::size;
use crate::model::graph::{Interface, Outlet};
use crate::model::{Inspection, LogitPositions, ModelDirectory, Precision};
use crate::prepare::Preparer;
use crate::suite::{Message, Part, Role};

/// `crossmodal inspect`.
#[derive(Debug, Args)]
pub(super) struct InspectArguments {
    /// Directory of the exported model
    #[arg(value_name = "DIR")]
    model: PathBuf,
    /// Weights to describe
    #[arg(long, value_enum, default_value_t = Precision::Fp32)]
    precision: Precision,
    /// Count the tokens of an image of this size (may be given several times)
    #[arg(long, value_name = "WxH", value_parser = size, default_values = ["336x336", "640x480", "1024x768", "1920x1080"])]
    image: Vec<(u32, u32)>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    model: Inspection,
    image_tokens: Vec<ImageTokens>,
    image_placeholder: String,
    /// A turn with an image and a question, rendered.
    chat_template_example: Result<String, String>,
}

#[derive(Serialize)]
struct ImageTokens {
    width: u32,
    height: u32,
    /// Placeholder tokens in the prompt.
    tokens: Option<usize>,
    /// Shapes of what the vision encoder takes.
    inputs: Vec<(&'static str, Vec<usize>)>,
    error: Option<String>,
}

/// Runs `crossmodal inspect`.
pub(super) fn run(arguments: &InspectArguments) -> Result<(), CliError> {
    let directory = ModelDirectory::open(&arguments.model, arguments.precision)?;
    let preparer = Preparer::open(&directory)?;
    let example = Message {
        role: Role::User,
        content: vec![Part::Image(0), Part::Text("What color is the square?".into())],
    };
    let report = Report {
        model: Inspection::of(&directory)?,
        image_tokens: arguments.image.iter().map(|&size| image_tokens(&preparer, size)).collect(),
        image_placeholder: preparer.family().image_placeholder().to_string(),
        chat_template_example: preparer.render_messages(&[example]),
    };
    if arguments.json {
        let text =
            serde_json::to_string_pretty(&report).map_err(|error| CliError::Arguments(error.to_string()))?;
        println!("{text}");
    } else {
        print!("{}", to_text(&report));
    }
    Ok(())
}

fn image_tokens(preparer: &Preparer, (width, height): (u32, u32)) -> ImageTokens {
    match preparer.family().pixels(&RgbImage::new(width, height)) {
        Ok(pixels) => ImageTokens {
            width,
            height,
            tokens: Some(pixels.tokens),
            inputs: pixels.inputs.iter().map(|(name, tensor)| (*name, tensor.shape().to_vec())).collect(),
            error: None,
        },
        Err(error) => ImageTokens { width, height, tokens: None, inputs: Vec::new(), error: Some(error) },
    }
}

fn to_text(report: &Report) -> String {
    let model = &report.model;
    let mut text = String::new();
    let mut line = |label: &str, value: String| {
        let _ = writeln!(text, "{label:<17} {value}");
    };
    line("model", model.name.clone());
    line("family", model.model_type.clone());
    line("layout", model.layout.into());
    if !model.precisions.is_empty() {
        line("precisions", format!("{} (below: {})", model.precisions.join(", "), model.precision));
    }
    let sizes = &model.decoder;
    let number = |value: Option<u64>| value.map_or_else(|| "?".to_string(), |value| value.to_string());
    line(
        "decoder",
        format!(
            "{} layers, {} heads ({} for keys and values) of {}, hidden size {}",
            number(sizes.layers),
            number(sizes.attention_heads),
            number(sizes.key_value_heads),
            number(sizes.head_size),
            number(sizes.hidden_size)
        ),
    );
    line("vocabulary", format!("{} tokens", number(sizes.vocabulary)));
    line("context", sizes.context_length.map_or_else(|| "?".into(), |tokens| format!("{tokens} tokens")));
    for graph in &model.graphs {
        line("", String::new());
        line(
            graph.role,
            format!("{} ({}, opset {})", graph.file, size_of(graph.bytes), graph.interface.opset),
        );
        let Interface { inputs, outputs, .. } = &graph.interface;
        for (side, outlets) in [("in", inputs), ("out", outputs)] {
            for outlet in collapsed(outlets) {
                line(&format!("  {side}"), outlet);
            }
        }
    }
    line("", String::new());
    for image in &report.image_tokens {
        let size = format!("image {}x{}", image.width, image.height);
        let shapes: Vec<String> =
            image.inputs.iter().map(|(name, shape)| format!("{name} {shape:?}")).collect();
        line(
            &size,
            match (&image.tokens, &image.error) {
                (Some(tokens), _) => format!("{tokens} tokens; {}", shapes.join(", ")),
                (None, error) => format!("refused: {}", error.as_deref().unwrap_or_default()),
            },
        );
    }
    line("placeholder", report.image_placeholder.clone());
    match &report.chat_template_example {
        Ok(rendered) => line("chat template", format!("{rendered:?}")),
        Err(error) => line("chat template", format!("fails: {error}")),
    }
    line("", String::new());
    let features = &model.features;
    let yes = |yes: bool, no: &str| if yes { "yes".to_string() } else { format!("no: {no}") };
    line(
        "logit positions",
        match features.logit_positions {
            LogitPositions::Asked => "those that are asked for".into(),
            LogitPositions::Last => "the last one (`num_logits_to_keep`)".into(),
            LogitPositions::All => "all are computed: the LM head was not found in the graph".into(),
        },
    );
    line(
        "hidden states",
        match &features.hidden_states {
            Some(tensor) => format!("the residual stream after the final norm (`{tensor}`)"),
            None => "none: the LM head was not found in the graph".into(),
        },
    );
    line(
        "layer probe",
        match &features.layer_probe {
            Ok(layers) => format!("the residual stream after each of {layers} layers"),
            Err(reason) => format!("no: {reason}"),
        },
    );
    line("KV reuse", yes(features.kv_reuse, "the graph takes no past"));
    line("padded batches", yes(features.padding, "prompts of one length run together"));
    // Trailing blanks of empty values.
    text.lines().map(|line| line.trim_end().to_string() + "\n").collect()
}

fn size_of(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.0} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// One line for all layers' tensors of one name and type, in the shape of the first.
fn collapsed(outlets: &[Outlet]) -> Vec<String> {
    let mut lines: Vec<(String, &Outlet, usize)> = Vec::new();
    for outlet in outlets {
        let unnumbered =
            outlet.name.split('.').map(|part| if part.parse::<usize>().is_ok() { "*" } else { part });
        let name = unnumbered.collect::<Vec<_>>().join(".");
        match lines.iter_mut().find(|line| line.0 == name && line.1.element == outlet.element) {
            Some(line) => line.2 += 1,
            None => lines.push((name, outlet, 1)),
        }
    }
    let described = lines.into_iter().map(|(name, first, count)| {
        let line = format!("{name}  {} [{}]", first.element, first.shape.join(", "));
        if count == 1 { line } else { format!("{line}  ({count} of them)") }
    });
    described.collect()
}
