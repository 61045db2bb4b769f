//! The scenes of CLEVR (arXiv 1612.06890), as they are published.

use std::fs::File;
use std::io::BufReader;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::suite::SuiteError;

/// Objects have one of eight colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Color {
    Gray,
    Red,
    Blue,
    Green,
    Brown,
    Purple,
    Cyan,
    Yellow,
}

impl Color {
    pub const ALL: [Self; 8] =
        [Self::Gray, Self::Red, Self::Blue, Self::Green, Self::Brown, Self::Purple, Self::Cyan, Self::Yellow];

    pub fn as_str(self) -> &'static str {
        ["gray", "red", "blue", "green", "brown", "purple", "cyan", "yellow"][self as usize]
    }
}

/// Objects have one of two sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Size {
    Large,
    Small,
}

/// What of an object matters here.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Object {
    pub color: Color,
    pub size: Size,
    pub shape: String,
    pub material: String,
}

/// A scene.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Scene {
    pub image_filename: String,
    pub objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Scenes {
    scenes: Vec<Scene>,
}

/// The scenes, below CLEVR's folder.
pub(super) const SCENES: &str = "scenes/CLEVR_val_scenes.json";

/// Their pictures, below CLEVR's folder.
pub(super) const IMAGES: &str = "images/val";

/// Reads the scenes of the validation split below `folder`.
pub(super) fn read(folder: &Path) -> Result<Vec<Scene>, SuiteError> {
    let wrong = |path: PathBuf, reason: String| SuiteError::File { path, reason };
    let path = folder.join(SCENES);
    if !path.is_file() || !folder.join(IMAGES).is_dir() {
        let reason = format!(
            "it is no CLEVR folder; expected {SCENES} and {IMAGES}/ in it, as CLEVR v1.0 is published"
        );
        return Err(wrong(folder.into(), reason));
    }
    let file =
        File::open(&path).map_err(|source| SuiteError::Io { action: "read", path: path.clone(), source })?;
    let Scenes { scenes } = serde_json::from_reader(BufReader::new(file))
        .map_err(|error| wrong(path.clone(), format!("it is no scene file of CLEVR: {error}")))?;
    for scene in &scenes {
        let mut parts = Path::new(&scene.image_filename).components();
        if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
            return Err(wrong(
                path,
                format!(
                    "`image_filename` is {:?}, expected the name of a file in {IMAGES}/",
                    scene.image_filename
                ),
            ));
        }
    }
    Ok(scenes)
}
