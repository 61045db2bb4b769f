//! The renderings of REST (one) and REST+ (ten), and which of them are asked for.

use crate::render::typeset::Typeface;
use crate::suite::seeding::hex_digest;
use crate::suite::{Rendering, SuiteError};

/// Resolution of REST, dots per inch.
const REST_DPI: u32 = 200;

/// Resolutions of REST+, dots per inch.
const DPIS: [u32; 3] = [50, 100, 200];

/// What the colored rendering may be colored in (the values are ours: the paper names the colors only).
const COLORS: [(&str, [u8; 3]); 4] =
    [("red", [255, 0, 0]), ("green", [0, 128, 0]), ("blue", [0, 0, 255]), ("yellow", [255, 255, 0])];

/// One way of rendering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Variant {
    pub font: Typeface,
    /// Dots per inch.
    pub dpi: u32,
    /// Whether the text is in a color, which is each item's own, or black.
    pub colored: bool,
}

/// REST: DejaVu Sans, 200 DPI, black.
pub(super) fn rest() -> Vec<Variant> {
    vec![Variant { font: Typeface::DejaVuSans, dpi: REST_DPI, colored: false }]
}

/// REST+: three typefaces at three resolutions in black, and REST's rendering in color.
pub(super) fn rest_plus() -> Vec<Variant> {
    let black =
        Typeface::ALL.into_iter().flat_map(|font| DPIS.map(|dpi| Variant { font, dpi, colored: false }));
    black.chain(rest().into_iter().map(|variant| Variant { colored: true, ..variant })).collect()
}

impl Variant {
    /// What `name` says of this rendering; `None` when it is no property of one.
    fn property(&self, name: &str) -> Option<String> {
        match name {
            "font" => Some(self.font.name().into()),
            "dpi" => Some(self.dpi.to_string()),
            "color" => Some(if self.colored { "colored" } else { "black" }.into()),
            _ => None,
        }
    }

    /// The color in which `item` is rendered: its name and RGB. Which color is an item's own is drawn by a hash of its id.
    pub fn color(&self, item: &str) -> (&'static str, [u8; 3]) {
        if !self.colored {
            return ("black", [0, 0, 0]);
        }
        let digest = hex_digest(item);
        let byte = u8::from_str_radix(&digest[..2], 16).unwrap_or_default();
        COLORS[usize::from(byte) % COLORS.len()]
    }

    /// How `item` is rendered, for the tables.
    pub fn rendering(&self, item: &str) -> Rendering {
        let (font, (color, _)) = (self.font.name(), self.color(item));
        let suffix = if self.colored { format!("-{color}") } else { String::new() };
        Rendering {
            variant: format!("{font}-{}{suffix}", self.dpi),
            font: Some(font.into()),
            dpi: i32::try_from(self.dpi).ok(),
            color: Some(color.into()),
        }
    }
}

/// The variants for which all `filters` hold: `dpi=50,200` holds for either.
pub(super) fn select(all: Vec<Variant>, filters: &[String]) -> Result<Vec<Variant>, SuiteError> {
    let setting = SuiteError::Setting;
    let mut left = all.clone();
    for filter in filters {
        let known = |name: &str| {
            let mut values: Vec<String> = Vec::new();
            for value in all.iter().filter_map(|variant| variant.property(name)) {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            values
        };
        let (name, values) = filter.split_once('=').unwrap_or((filter, ""));
        let values: Vec<&str> = values.split(',').collect();
        let known_values = known(name);
        if known_values.is_empty() {
            return Err(setting(format!(
                "--variants {filter}: expected font=..., dpi=... or color=..., as in dpi=50,200"
            )));
        }
        if let Some(unknown) = values.iter().find(|value| !known_values.iter().any(|known| known == *value)) {
            return Err(setting(format!(
                "--variants {filter}: the suite has no {name} {unknown:?}; it has {}",
                known_values.join(", ")
            )));
        }
        left.retain(|variant| variant.property(name).is_some_and(|value| values.contains(&value.as_str())));
    }
    if left.is_empty() {
        return Err(setting(format!(
            "--variants {}: no rendering of the suite is all of that",
            filters.join(" ")
        )));
    }
    Ok(left)
}
