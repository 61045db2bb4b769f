//! The user's own suite: a JSON Lines file in the format of [`super::row`].
//!
//! The whole file is checked when it is opened, so that a wrong row is reported by line before any model runs. Images are
//! read later, one group at a time: a missing or corrupt one fails its own rows only.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use sha2::{Digest, Sha256};

use super::row::{Row, RowPart};
use super::seeding::hex_digest;
use super::{
    AnswerOption, ConflictCase, Control, Group, ImageSource, Message, Part, Presentation, PresentationKind,
    Suite, SuiteError,
};

/// A suite read from a file.
pub struct OwnSuite {
    name: String,
    folder: PathBuf,
    digest: String,
    /// Rows of each group, in file order.
    groups: Vec<(String, Vec<Row>)>,
}

impl OwnSuite {
    /// Reads and checks the file; `limit` keeps the first groups only.
    ///
    /// # Errors
    /// When it cannot be read, or a row does not fit the format: the message names line and field.
    pub fn open(path: &Path, limit: Option<usize>) -> Result<Self, SuiteError> {
        let text = std::fs::read_to_string(path).map_err(|source| SuiteError::Io {
            action: "read",
            path: path.into(),
            source,
        })?;
        let mut groups: Vec<(String, Vec<Row>)> = Vec::new();
        let mut lines_of: Vec<Vec<usize>> = Vec::new();
        let mut group_at: HashMap<String, usize> = HashMap::new();
        let mut seen: HashMap<(String, PresentationKind), usize> = HashMap::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = |reason: String| SuiteError::Row { path: path.into(), line: index + 1, reason };
            let row: Row = serde_json::from_str(line).map_err(|error| {
                // serde counts lines within the row, which is always its first.
                let text = error.to_string();
                let text = text.split(" at line ").next().unwrap_or_default();
                wrong(format!("not a suite row, at column {}: {text}", error.column()))
            })?;
            check(&row).map_err(wrong)?;
            if let Some(first) = seen.insert((row.item_id.clone(), row.presentation), index + 1) {
                return Err(wrong(format!(
                    "`item_id` {:?} with presentation {} stands on line {first} already; each pair must be unique",
                    row.item_id,
                    row.presentation.as_str()
                )));
            }
            let at = *group_at.entry(row.group_id.clone()).or_insert_with(|| {
                groups.push((row.group_id.clone(), Vec::new()));
                lines_of.push(Vec::new());
                groups.len() - 1
            });
            groups[at].1.push(row);
            lines_of[at].push(index + 1);
        }
        for ((_, rows), lines) in groups.iter().zip(&lines_of) {
            cases(rows).map_err(|(row, reason)| SuiteError::Row {
                path: path.into(),
                line: lines[row],
                reason,
            })?;
        }
        if groups.is_empty() {
            return Err(SuiteError::Setting(format!("{} has no rows", path.display())));
        }
        groups.truncate(limit.unwrap_or(usize::MAX));
        let stem = path.file_stem().map_or_else(|| "own".into(), |stem| stem.to_string_lossy().into_owned());
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let mut content = format!("{} groups of {}", groups.len(), hex_digest(&text));
        let files: BTreeSet<&String> = groups
            .iter()
            .flat_map(|(_, rows)| rows.iter().flat_map(images))
            .filter(|image| !image.starts_with("data:"))
            .collect();
        for image in files {
            // A picture that is mended or exchanged makes another suite; one that is missing is a fact like any other.
            let digest = digest_of_file(&folder.join(image)).unwrap_or_else(|_| "unreadable".into());
            content += &format!("\n{image} {digest}");
        }
        let digest = hex_digest(content);
        Ok(Self { name: stem, folder, digest, groups })
    }

    fn image(&self, reference: &str) -> ImageSource {
        match reference.strip_prefix("data:").and_then(|url| url.split_once(";base64,")) {
            // `check` has decoded it once; a broken one would come out as an image that cannot be read.
            Some((_, encoded)) => ImageSource::Bytes(
                base64::engine::general_purpose::STANDARD.decode(encoded).unwrap_or_default().into(),
            ),
            None => ImageSource::File(self.folder.join(reference)),
        }
    }
}

fn digest_of_file(path: &Path) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = std::fs::File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// What the type system does not check.
fn check(row: &Row) -> Result<(), String> {
    if row.item_id.is_empty() || row.group_id.is_empty() {
        return Err("`item_id` and `group_id` must not be empty".into());
    }
    if row.messages.is_empty() {
        return Err("`messages` is empty; give at least one user message".into());
    }
    if row.options.len() < 2 {
        return Err(format!("`options` has {} entries, expected two or more", row.options.len()));
    }
    for (field, answer) in
        [("answer", &row.answer), ("vision_answer", &row.vision_answer), ("text_answer", &row.text_answer)]
    {
        if let Some(answer) = answer.as_ref().filter(|answer| !row.options.contains(answer)) {
            return Err(format!(
                "`{field}` is {answer:?}, which is none of `options` ({})",
                row.options.join(", ")
            ));
        }
    }
    for tag in ["dv", "dt"] {
        if let Some(value) = row.tags.get(tag).filter(|value| !value.is_null() && tier(row, tag).is_none()) {
            return Err(format!("tag `{tag}` is {value}, expected a whole number"));
        }
    }
    control(row)?;
    let images: Vec<&String> = images(row).collect();
    match (row.presentation, images.is_empty()) {
        (PresentationKind::TextOnly, false) => {
            return Err("a text-only row must not have an image part".into());
        }
        (PresentationKind::VisionOnly | PresentationKind::Conflict, true) => {
            return Err(format!("a {} row needs an image part", row.presentation.as_str()));
        }
        _ => {}
    }
    images.into_iter().try_for_each(|image| check_image(image))
}

fn check_image(reference: &str) -> Result<(), String> {
    if let Some(url) = reference.strip_prefix("data:") {
        let encoded = url.split_once(";base64,").ok_or("a data URL must be `data:<type>;base64,<data>`")?.1;
        return base64::engine::general_purpose::STANDARD
            .decode(encoded)
            .map(drop)
            .map_err(|error| format!("the data URL's base64 is broken: {error}"));
    }
    if reference.contains("://") {
        return Err(format!(
            "image {reference:?} is a URL; nothing is fetched: store the file beside the suite"
        ));
    }
    let inside = Path::new(reference)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside {
        return Err(format!("image {reference:?} must be a path below the suite file's folder"));
    }
    Ok(())
}

fn images(row: &Row) -> impl Iterator<Item = &String> {
    let parts = row.messages.iter().flat_map(|message| &message.content);
    parts.filter_map(|part| if let RowPart::Image { image } = part { Some(image) } else { None })
}

fn tier(row: &Row, tag: &str) -> Option<i32> {
    row.tags.get(tag)?.as_i64().and_then(|value| i32::try_from(value).ok())
}

fn control(row: &Row) -> Result<Control, String> {
    match row.tags.get("control").and_then(|value| value.as_str()) {
        None | Some("none") => Ok(Control::None),
        Some("text-irrelevant") => Ok(Control::TextIrrelevant),
        Some("image-irrelevant") => Ok(Control::ImageIrrelevant),
        Some(other) => {
            Err(format!("tag `control` is {other:?}, expected none, text-irrelevant or image-irrelevant"))
        }
    }
}

impl Suite for OwnSuite {
    fn name(&self) -> &str {
        &self.name
    }

    fn fingerprint(&self) -> String {
        self.digest.clone()
    }

    fn group_count(&self) -> usize {
        self.groups.len()
    }

    fn group(&self, index: usize) -> Result<Group, SuiteError> {
        let (group_id, rows) = &self.groups[index];
        let mut image_at: HashMap<&str, usize> = HashMap::new();
        let mut sources = Vec::new();
        for reference in rows.iter().flat_map(images) {
            image_at.entry(reference).or_insert_with(|| {
                sources.push(self.image(reference));
                sources.len() - 1
            });
        }
        let text =
            |row: &Row, tag: &str| row.tags.get(tag).and_then(|value| value.as_str()).map(String::from);
        let presentations = rows
            .iter()
            .map(|row| {
                let part = |part: &RowPart| match part {
                    RowPart::Text { text } => Ok(Part::Text(text.clone())),
                    RowPart::Image { image } => Ok(Part::Image(image_at[image.as_str()])),
                    RowPart::Written { written } => {
                        let of_item =
                            |other: &Row| other.item_id == row.item_id && other.presentation == *written;
                        rows.iter().position(of_item).map(Part::Written).ok_or_else(|| {
                            SuiteError::Setting(format!(
                                "{:?} has no presentation {}",
                                row.item_id,
                                written.as_str()
                            ))
                        })
                    }
                };
                let messages = row
                    .messages
                    .iter()
                    .map(|message| {
                        let content = message.content.iter().map(part).collect::<Result<_, SuiteError>>()?;
                        Ok(Message { role: message.role, content })
                    })
                    .collect::<Result<_, SuiteError>>()?;
                Ok(Presentation {
                    control: control(row).map_err(SuiteError::Setting)?,
                    options: row.options.iter().map(|name| AnswerOption::named(name)).collect(),
                    answer: row.answer.clone(),
                    vision_answer: row.vision_answer.clone(),
                    text_answer: row.text_answer.clone(),
                    dv: tier(row, "dv"),
                    dt: tier(row, "dt"),
                    target: text(row, "target"),
                    ..Presentation::new(row.item_id.clone(), row.presentation, messages)
                })
            })
            .collect::<Result<Vec<_>, SuiteError>>()?;
        let cases = cases(rows).map_err(|(_, reason)| SuiteError::Setting(reason))?;
        Ok(Group { group_id: group_id.clone(), images: sources, cases, presentations })
    }
}

/// A conflict row's unimodal rows: those its tags name, else the group's only ones.
///
/// The error is the row's index and what is wrong with it.
fn cases(rows: &[Row]) -> Result<Vec<ConflictCase>, (usize, String)> {
    let find = |row: &Row, tag: &str, kind: PresentationKind| {
        let of_kind: Vec<usize> = (0..rows.len()).filter(|&other| rows[other].presentation == kind).collect();
        match row.tags.get(tag).and_then(|value| value.as_str()) {
            Some(id) => of_kind.into_iter().find(|&other| rows[other].item_id == id).ok_or_else(|| {
                format!("tag `{tag}` names {id:?}, which is no {} row of its group", kind.as_str())
            }),
            None if of_kind.len() == 1 => Ok(of_kind[0]),
            None => Err(format!(
                "a conflict row needs the tag `{tag}` when its group has {} {} rows (with one it is clear)",
                of_kind.len(),
                kind.as_str()
            )),
        }
    };
    let conflicts = rows.iter().enumerate().filter(|(_, row)| row.presentation == PresentationKind::Conflict);
    conflicts
        .map(|(conflict, row)| {
            let at = |reason: String| (conflict, reason);
            Ok(ConflictCase {
                conflict,
                vision: find(row, "vision_item", PresentationKind::VisionOnly).map_err(at)?,
                text: find(row, "text_item", PresentationKind::TextOnly).map_err(at)?,
            })
        })
        .collect()
}
