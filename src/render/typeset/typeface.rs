//! What a text may be written in, and which fonts help out.

use serde::{Deserialize, Serialize};

use super::font::FontFile;

/// A typeface of REST and REST+.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Typeface {
    /// The sans-serif of REST.
    #[serde(rename = "dejavu-sans")]
    DejaVuSans,
    /// Monospaced; it stands in for Courier New.
    CourierPrime,
    /// Cursive.
    DancingScript,
}

impl Typeface {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::DejaVuSans, Self::CourierPrime, Self::DancingScript];

    /// The name in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::DejaVuSans => "dejavu-sans",
            Self::CourierPrime => "courier-prime",
            Self::DancingScript => "dancing-script",
        }
    }

    /// The typeface of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|typeface| typeface.name() == name)
    }

    /// The typeface's own font.
    pub(super) fn font(self) -> FontFile {
        match self {
            Self::DejaVuSans => FontFile::DejaVuSans,
            Self::CourierPrime => FontFile::CourierPrime,
            Self::DancingScript => FontFile::DancingScript,
        }
    }

    /// The typeface's own font, then those that are asked for what it lacks, in this order.
    pub(super) fn fonts(self) -> impl Iterator<Item = FontFile> {
        const FOR_ALL: [FontFile; 5] = [
            FontFile::DejaVuSans,
            FontFile::NotoSansMath,
            FontFile::NotoSansDevanagari,
            FontFile::DroidSansFallback,
            FontFile::NotoEmoji,
        ];
        let own: &[FontFile] = match self {
            Self::DejaVuSans => &[],
            Self::CourierPrime => &[FontFile::CourierPrime, FontFile::DejaVuSansMono],
            Self::DancingScript => &[FontFile::DancingScript],
        };
        own.iter().copied().chain(FOR_ALL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_files_and_in_the_program() {
        for typeface in Typeface::ALL {
            assert_eq!(Typeface::from_name(typeface.name()), Some(typeface));
            assert_eq!(serde_json::to_string(&typeface).unwrap(), format!("\"{}\"", typeface.name()));
            assert_eq!(typeface.fonts().next(), Some(typeface.font()));
        }
        assert_eq!(Typeface::from_name("arial"), None);
    }
}
