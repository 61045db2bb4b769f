//! The suites that the program knows by name: what `crossmodal suite list` shows.

use super::attribute_recognition::Attribute;
use super::{color_recognition, mc2, rest, soebench};

/// A suite's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct KnownSuite {
    /// What `--suite` takes.
    pub name: &'static str,
    /// What it asks, in a few words.
    pub about: &'static str,
    /// How many groups and prompts it has as a whole.
    pub size: &'static str,
    /// What must be handed in; empty when nothing.
    pub needs: &'static str,
}

/// All of them.
pub const KNOWN: &[KnownSuite] = &[
    KnownSuite {
        name: color_recognition::NAME,
        about: "drawn shapes; a text gives the target another color (arXiv 2511.02243)",
        size: "400 groups, 65,200 prompts",
        needs: "",
    },
    KnownSuite {
        name: Attribute::Shape.suite_name(),
        about: "CLEVR scenes; a text gives the target another shape (arXiv 2511.02243)",
        size: "300 groups, 20,400 prompts",
        needs: "--data DIR: the CLEVR folder, with scenes/CLEVR_val_scenes.json and images/val/",
    },
    KnownSuite {
        name: Attribute::Material.suite_name(),
        about: "CLEVR scenes; a text gives the target another material (arXiv 2511.02243)",
        size: "300 groups, 20,400 prompts",
        needs: "--data DIR: the CLEVR folder, with scenes/CLEVR_val_scenes.json and images/val/",
    },
    KnownSuite {
        name: mc2::NAME,
        about: "photographs; a text contradicts them, two answers in both orders (arXiv 2505.20977)",
        size: "2,000 groups, 12,000 prompts",
        needs: "--data FILE: evaluate_final.json of MC2; --images DIR: COCO 2014, with train2014/ and val2014/",
    },
    KnownSuite {
        name: rest::REST,
        about: "questions as text, as image, and as both (arXiv 2512.08923)",
        size: "5 prompts an item",
        needs: "nothing; for other items --data [TASK=]PATH: published files of MMLU, ARC, GSM-Symbolic, GSM8K",
    },
    KnownSuite {
        name: rest::REST_PLUS,
        about: "the same in 10 renderings: typefaces, resolutions, colors (arXiv 2512.08923)",
        size: "41 prompts an item",
        needs: "nothing; for other items --data, as rest",
    },
    KnownSuite {
        name: soebench::NAME,
        about: "systems of linear equations as text and as image (arXiv 2512.08923)",
        size: "150 items, 750 prompts",
        needs: "",
    },
];

/// Whether a suite of ours has this name.
pub fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|suite| suite.name == name)
}

/// Their names, for a message.
pub fn names() -> String {
    KNOWN.iter().map(|suite| suite.name).collect::<Vec<_>>().join(", ")
}
