//! `crossmodal suite show`: an item as the model gets it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::print_json;
use crate::cli::error::CliError;
use crate::cli::progress::note;
use crate::cli::selection::SuiteSelection;
use crate::model::{ModelDirectory, Precision};
use crate::prepare::Preparer;
use crate::render::load::load;
use crate::suite::export::row_of;
use crate::suite::row::{Row, RowImage, RowPart};
use crate::suite::{self, Ask, Group, Part, Presentation, PresentationKind, Suite, SuiteError};

/// `crossmodal suite show`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct ShowArguments {
    /// Which suite: a name (see `crossmodal suite list`), or files of your own
    #[arg(value_name = "NAME|FILE")]
    name: String,
    /// The item to show; without it the first items are named
    #[arg(long, value_name = "ID")]
    item: Option<String>,
    /// Only this presentation of it
    #[arg(long, value_name = "KIND", requires = "item")]
    presentation: Option<PresentationKind>,
    /// Only this rendering of it
    #[arg(long, value_name = "NAME", requires = "item")]
    variant: Option<String>,
    /// Write its images into this folder, as PNG
    #[arg(long, value_name = "DIR", requires = "item")]
    out: Option<PathBuf>,
    /// Show the prompt's text under this model's chat template, too
    #[arg(long, value_name = "DIR", requires = "item")]
    model: Option<PathBuf>,
    /// Write JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    selection: SuiteSelection,
}

const EXAMPLES: &str = "\
Examples:
  crossmodal suite show color-recognition
  crossmodal suite show color-recognition --item cr-00000-dv05-dt1 --model onnx/tiny-llava
  crossmodal suite show shape-recognition --data CLEVR_v1.0 --item sr-00000-dv03 --out pictures
  crossmodal suite show my/suite.parquet --item sky --presentation conflict --json";

/// Items that are named when none is asked for.
const FIRST_ITEMS: usize = 20;

/// A row as it is shown.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    row: Row,
    /// Its images, in order.
    images: Vec<ShownImage>,
    /// What is wanted of the model, in words.
    asked: String,
    /// The text under a model's chat template.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<Result<String, String>>,
}

#[derive(Serialize)]
struct ShownImage {
    /// What its file is called.
    name: String,
    /// Width, pixels.
    width: u32,
    /// Height, pixels.
    height: u32,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Runs `crossmodal suite show`.
pub(super) fn run(arguments: &ShowArguments) -> Result<(), CliError> {
    let suite = suite::open(&arguments.selection.spec(&arguments.name)?)?;
    suite.notes().iter().for_each(|line| note(&format!("note: {line}")));
    let Some(item) = &arguments.item else {
        return first_items(&*suite, arguments.json);
    };
    let group = group_of(&*suite, item)?;
    let rows = chosen(&group, item, arguments)?;
    let preparer = arguments.model.as_deref().map(open_preparer).transpose()?;
    let shown: Vec<Shown> = rows
        .into_iter()
        .map(|row| show(&group, row, arguments.out.as_deref(), preparer.as_ref()))
        .collect::<Result<_, _>>()?;
    if arguments.json {
        return print_json(&shown);
    }
    let texts: Vec<String> = shown.iter().map(to_text).collect();
    print!("{}", texts.join("\n"));
    Ok(())
}

/// Template and tokenizer are the same whatever the weights: those that are there will do.
fn open_preparer(model: &Path) -> Result<Preparer, CliError> {
    let with = |precision: &Precision| ModelDirectory::open(model, *precision);
    let found = Precision::value_variants().iter().find_map(|precision| with(precision).ok());
    let directory = found.map_or_else(|| with(&Precision::Fp32), Ok)?;
    Ok(Preparer::open(&directory)?)
}

fn first_items(suite: &dyn Suite, json: bool) -> Result<(), CliError> {
    let mut items: Vec<(String, Vec<&str>)> = Vec::new();
    for index in 0..suite.group_count() {
        for row in suite.group(index)?.presentations {
            match items.iter_mut().find(|(item, _)| *item == row.item_id) {
                Some((_, kinds)) => kinds.push(row.kind.as_str()),
                None => items.push((row.item_id, vec![row.kind.as_str()])),
            }
        }
        if items.len() >= FIRST_ITEMS {
            break;
        }
    }
    items.truncate(FIRST_ITEMS);
    if json {
        return print_json(&items.iter().map(|(item, _)| item).collect::<Vec<_>>());
    }
    let width = items.iter().map(|(item, _)| item.len()).max().unwrap_or(0);
    for (item, mut kinds) in items {
        kinds.dedup();
        println!("{item:width$}  {}", kinds.join(", "));
    }
    println!("... the first items of {} groups; see one with --item ID", suite.group_count());
    Ok(())
}

fn group_of(suite: &dyn Suite, item: &str) -> Result<Group, SuiteError> {
    let mut first = None;
    for index in 0..suite.group_count() {
        let group = suite.group(index)?;
        if group.presentations.iter().any(|row| row.item_id == item) {
            return Ok(group);
        }
        first = first.or_else(|| group.presentations.first().map(|row| row.item_id.clone()));
    }
    Err(SuiteError::Setting(format!(
        "{} has no item {item:?}; its first is {:?} (without --item the first ones are named)",
        suite.name(),
        first.unwrap_or_default()
    )))
}

/// The rows of the item that the arguments leave, by index.
fn chosen(group: &Group, item: &str, arguments: &ShowArguments) -> Result<Vec<usize>, SuiteError> {
    let of_item = |row: &&Presentation| row.item_id == item;
    let fits = |row: &Presentation| {
        arguments.presentation.is_none_or(|kind| row.kind == kind)
            && arguments.variant.as_ref().is_none_or(|variant| row.variant() == variant)
    };
    let rows: Vec<usize> = (0..group.presentations.len())
        .filter(|&row| group.presentations[row].item_id == item && fits(&group.presentations[row]))
        .collect();
    if rows.is_empty() {
        let there = group.presentations.iter().filter(of_item);
        let there: Vec<String> =
            there.map(|row| format!("{} ({})", row.kind.as_str(), row.variant())).collect();
        return Err(SuiteError::Setting(format!(
            "{item:?} has no such presentation; it has, with their variants: {}",
            there.join(", ")
        )));
    }
    Ok(rows)
}

fn show(
    group: &Group,
    index: usize,
    out: Option<&Path>,
    preparer: Option<&Preparer>,
) -> Result<Shown, CliError> {
    let presentation = &group.presentations[index];
    let parts = presentation.messages.iter().flat_map(|message| &message.content);
    let mut indices: Vec<usize> =
        parts.filter_map(|part| if let Part::Image(image) = part { Some(*image) } else { None }).collect();
    let name = |image: usize| format!("{}-{image:02}.png", file_name(&group.group_id));
    let row = row_of(group, index, &name);
    indices.dedup();
    let images = indices.into_iter().map(|image| {
        let name = name(image);
        match load(&group.images[image]) {
            Ok(pixels) => {
                if let Some(folder) = out {
                    let path = folder.join(&name);
                    let written = std::fs::create_dir_all(folder)
                        .and_then(|()| pixels.save(&path).map_err(std::io::Error::other));
                    written.map_err(|source| CliError::Write { path, source })?;
                }
                Ok(ShownImage { name, width: pixels.width(), height: pixels.height(), error: None })
            }
            Err(error) => Ok(ShownImage { name, width: 0, height: 0, error: Some(error.to_string()) }),
        }
    });
    Ok(Shown {
        row,
        images: images.collect::<Result<_, CliError>>()?,
        asked: asked(&presentation.ask),
        prompt: preparer.map(|preparer| preparer.render(presentation)),
    })
}

/// A name that is safe as a file's.
fn file_name(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

fn asked(ask: &Ask) -> String {
    match ask {
        Ask::NextToken => "the next token: the option that the best token begins".into(),
        Ask::Generate(generate) => {
            let reading = suite::row::RowReading::from(generate.reading.kind);
            format!("up to {} tokens, read as {}", generate.max_new_tokens, reading.as_str())
        }
    }
}

fn to_text(shown: &Shown) -> String {
    let Shown { row, images, .. } = shown;
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // The lines of a value stand below each other.
        let lines = format!("{name:<13}{value}").replace('\n', "\n             ");
        _ = writeln!(text, "{}", lines.trim_end());
    };
    line("item", &row.item_id);
    line("group", &row.group_id);
    line("presentation", row.presentation.as_str());
    for message in &row.messages {
        line("", "");
        line(
            message.role.as_str(),
            &message.content.iter().map(|part| in_words(part, images)).collect::<Vec<_>>().join("\n"),
        );
    }
    line("", "");
    let option = |option: &suite::AnswerOption| format!("{} ({})", option.name, option.spellings.join(", "));
    line("options", &row.options.iter().map(option).collect::<Vec<_>>().join("; "));
    for (name, answer) in
        [("answer", &row.answer), ("by image", &row.vision_answer), ("by text", &row.text_answer)]
    {
        line(name, answer.as_deref().unwrap_or("-"));
    }
    line("asked", &shown.asked);
    let tags = serde_json::to_value(&row.tags).unwrap_or_default();
    let tags = tags.as_object().into_iter().flatten().map(|(name, value)| format!("{name} {value}"));
    line("tags", &tags.collect::<Vec<_>>().join(", "));
    match &shown.prompt {
        Some(Ok(prompt)) => line("prompt", prompt),
        Some(Err(error)) => line("prompt", &format!("failed: {error}")),
        None => {}
    }
    text
}

fn in_words(part: &RowPart, images: &[ShownImage]) -> String {
    match part {
        RowPart::Text { text } => text.clone(),
        RowPart::Written { written } => format!("<what the model wrote for {}>", written.as_str()),
        RowPart::Image { image: RowImage::Embedded(_) } => "<image>".into(),
        RowPart::Image { image: RowImage::Path(path) } => {
            match images.iter().find(|image| image.name == *path) {
                Some(ShownImage { error: Some(error), .. }) => format!("<image: {error}>"),
                Some(ShownImage { width, height, .. }) => format!("<image {path}, {width} x {height} px>"),
                None => format!("<image {path}>"),
            }
        }
    }
}
