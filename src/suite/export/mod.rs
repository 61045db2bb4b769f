//! A suite as files, in the formats that [`super::own`] reads back: JSON Lines with an `images/` folder beside them, or
//! Parquet with the images in it, which Hugging Face `datasets` loads.

mod jsonl;
mod parquet;
mod partial;
mod rows;

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, RgbImage};
use rayon::prelude::*;

use super::row::Row;
use super::{Group, ImageSource, Part, Suite, SuiteError};
use crate::render::resize::{Filter, resize};
pub use rows::row_of;

/// How a suite is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// `suite.jsonl`, with its images as PNG files in `images/`
    #[default]
    Jsonl,
    /// `suite.parquet`, with its images inside; `datasets.load_dataset("parquet", ...)` decodes them
    Parquet,
}

/// What to write.
#[derive(Debug, Clone, Default)]
pub struct ExportSettings {
    /// The files' format.
    pub format: ExportFormat,
    /// Width and height to which images are resized (bicubic, aspect not kept), pixels; as drawn when `None`.
    pub resize: Option<(u32, u32)>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The file with the rows.
    pub path: PathBuf,
    /// How many rows it has.
    pub rows: usize,
}

/// Something that turns an image source into pixels; handed in, because drawing and decoding live further down the house.
pub type LoadImage<'a> = dyn Fn(&ImageSource) -> Result<RgbImage, String> + Sync + 'a;

/// Rows of consecutive groups, with the images that they show.
struct Slice {
    rows: Vec<Row>,
    /// Path below the folder, and the picture as PNG.
    images: Vec<(String, Vec<u8>)>,
}

/// A file format: it takes slices in order.
trait Sink {
    fn write(&mut self, slice: &Slice) -> Result<(), SuiteError>;

    /// Puts the file in its place; until then there is none.
    fn finish(self: Box<Self>) -> Result<PathBuf, SuiteError>;
}

/// Groups that are made at once: memory stays flat, and rows come out in order.
const GROUPS_AT_ONCE: usize = 32;

/// Writes the suite into `folder`.
///
/// # Errors
/// When the folder cannot be written, or an image cannot be made.
pub fn export(
    suite: &dyn Suite,
    folder: &Path,
    settings: &ExportSettings,
    load: &LoadImage,
) -> Result<Exported, SuiteError> {
    let mut sink: Box<dyn Sink> = match settings.format {
        ExportFormat::Jsonl => Box::new(jsonl::Lines::create(folder)?),
        ExportFormat::Parquet => Box::new(parquet::Table::create(folder)?),
    };
    let mut count = 0;
    let indices: Vec<usize> = (0..suite.group_count()).collect();
    for indices in indices.chunks(GROUPS_AT_ONCE) {
        let groups: Vec<(usize, Group)> = indices
            .iter()
            .map(|&index| Ok((index, suite.group(index)?)))
            .collect::<Result<_, SuiteError>>()?;
        let slice = slice(&groups, settings, load)?;
        count += slice.rows.len();
        sink.write(&slice)?;
    }
    Ok(Exported { path: sink.finish()?, rows: count })
}

fn slice(
    groups: &[(usize, Group)],
    settings: &ExportSettings,
    load: &LoadImage,
) -> Result<Slice, SuiteError> {
    let mut rows = Vec::new();
    let mut shown = BTreeSet::new();
    for (at, (index, group)) in groups.iter().enumerate() {
        let name = |image: usize| image_name(*index, image);
        for (row, presentation) in group.presentations.iter().enumerate() {
            let parts = presentation.messages.iter().flat_map(|message| &message.content);
            shown.extend(parts.filter_map(|part| match part {
                Part::Image(image) => Some((at, *image)),
                Part::Text(_) | Part::Written(_) => None,
            }));
            rows.push(row_of(group, row, &name));
        }
    }
    let shown: Vec<(usize, usize)> = shown.into_iter().collect();
    let image = |&(at, image): &(usize, usize)| {
        let (index, group) = &groups[at];
        let name = image_name(*index, image);
        let wrong = |reason: String| SuiteError::Io {
            action: "make",
            path: PathBuf::from(&name),
            source: std::io::Error::other(reason),
        };
        let mut pixels = load(&group.images[image]).map_err(wrong)?;
        if let Some((width, height)) = settings.resize {
            pixels = resize(&pixels, width, height, Filter::Bicubic);
        }
        Ok((name.clone(), png(&pixels).map_err(wrong)?))
    };
    Ok(Slice { rows, images: shown.par_iter().map(image).collect::<Result<_, SuiteError>>()? })
}

/// The picture as a PNG file.
fn png(pixels: &RgbImage) -> Result<Vec<u8>, String> {
    let mut bytes = Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, ImageFormat::Png).map_err(|error| error.to_string())?;
    Ok(bytes.into_inner())
}

/// Named by number: a group's own name may hold anything.
fn image_name(group: usize, image: usize) -> String {
    format!("images/{group:05}-{image:02}.png")
}

fn create_folder(folder: &Path) -> Result<(), SuiteError> {
    std::fs::create_dir_all(folder).map_err(|source| SuiteError::Io {
        action: "create",
        path: folder.into(),
        source,
    })
}
