//! Suites: the user's own in both formats, written and read back; what is wrong with them; and the command that shows them.

mod bad_files;
mod bad_rows;
mod command;
mod published;
mod round_trip;

use std::path::{Path, PathBuf};

use crossmodal::render::load::load;
use crossmodal::suite::{Group, Part, Presentation, Suite, SuiteSpec, open};
use image::RgbImage;

use crate::program::{program, stderr};

/// Files that `export_scripts/golden_suites.py` and `golden_clevr.py` wrote.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn open_path(path: &Path) -> Box<dyn Suite> {
    open(&SuiteSpec { name: path.display().to_string(), ..SuiteSpec::default() }).unwrap()
}

fn groups(suite: &dyn Suite) -> Vec<Group> {
    (0..suite.group_count()).map(|index| suite.group(index).unwrap()).collect()
}

/// The pixels that a row shows, in order.
fn pictures(group: &Group, row: &Presentation) -> Vec<RgbImage> {
    let parts = row.messages.iter().flat_map(|message| &message.content);
    let shown = parts.filter_map(|part| if let Part::Image(image) = part { Some(*image) } else { None });
    shown.map(|image| load(&group.images[image]).unwrap()).collect()
}

/// Whether both ask the same, with the same pictures.
fn assert_same(ours: &[Group], theirs: &[Group]) {
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(ours.group_id, theirs.group_id);
        assert_eq!(ours.presentations, theirs.presentations);
        assert_eq!(ours.cases, theirs.cases);
        for (our, their) in ours.presentations.iter().zip(&theirs.presentations) {
            assert!(pictures(ours, our) == pictures(theirs, their), "{:?} shows other pictures", our.key());
        }
    }
}

/// The error of `crossmodal suite show` on these arguments, which must fail; `folder` is written as FOLDER.
fn refused(arguments: &[&str], folder: &Path) -> String {
    let (code, message) = stderr(program().args(["suite", "show"]).args(arguments));
    assert_eq!(code, Some(1), "{message}");
    message.replace(&folder.display().to_string(), "FOLDER")
}
