//! The fonts that the program carries: `data/fonts/README.md` says where each is from.

use std::sync::LazyLock;

use harfrust::Font;

/// A font file in `data/fonts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FontFile {
    DejaVuSans,
    DejaVuSansMono,
    CourierPrime,
    DancingScript,
    NotoSansMath,
    NotoSansDevanagari,
    DroidSansFallback,
    NotoEmoji,
}

/// A font that was read.
pub(super) struct Face {
    /// Its tables.
    pub font: Font,
    /// One of its units, ems.
    pub unit: f64,
    /// Height of a line above the baseline, ems.
    pub ascent: f64,
    /// Depth of a line below the baseline, ems; positive.
    pub descent: f64,
}

/// In the order of [`FontFile::ALL`].
static FACES: LazyLock<[Face; FontFile::ALL.len()]> = LazyLock::new(|| FontFile::ALL.map(FontFile::read));

impl FontFile {
    /// All of them, in the order of declaration.
    const ALL: [Self; 8] = [
        Self::DejaVuSans,
        Self::DejaVuSansMono,
        Self::CourierPrime,
        Self::DancingScript,
        Self::NotoSansMath,
        Self::NotoSansDevanagari,
        Self::DroidSansFallback,
        Self::NotoEmoji,
    ];

    /// The font, which is read once.
    pub fn face(self) -> &'static Face {
        &FACES[self as usize]
    }

    /// Whether the font maps the character to a glyph by itself.
    pub fn maps(self, character: char) -> bool {
        self.face().font.charmap().map_unicode(character).is_some()
    }

    /// The file's name in `data/fonts`, and what is in it.
    fn file(self) -> (&'static str, &'static [u8]) {
        macro_rules! data {
            ($name:literal) => {
                ($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/fonts/", $name, ".ttf")))
            };
        }
        match self {
            Self::DejaVuSans => data!("DejaVuSans"),
            Self::DejaVuSansMono => data!("DejaVuSansMono"),
            Self::CourierPrime => data!("CourierPrime-Regular"),
            Self::DancingScript => data!("DancingScript-Regular"),
            Self::NotoSansMath => data!("NotoSansMath-Regular"),
            Self::NotoSansDevanagari => data!("NotoSansDevanagari-Regular"),
            Self::DroidSansFallback => data!("DroidSansFallback"),
            Self::NotoEmoji => data!("NotoEmoji-Regular"),
        }
    }

    fn read(self) -> Face {
        let (name, bytes) = self.file();
        let Some(font) = Font::new(bytes, 0) else { unreachable!("data/fonts/{name}.ttf is a font") };
        let unit = 1.0 / f64::from(font.units_per_em());
        let line = font.metrics().hhea_line.unwrap_or_default();
        let (ascent, descent) = (line.ascender.to_f64() * unit, -line.descender.to_f64() * unit);
        Face { font, unit, ascent, descent }
    }
}

#[cfg(test)]
impl FontFile {
    /// The font of that name in `data/fonts`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|font| font.file().0 == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_font_is_read_and_stands_in_its_place() {
        for (index, file) in FontFile::ALL.into_iter().enumerate() {
            assert_eq!(file as usize, index);
            let face = file.face();
            assert!(face.ascent > 0.7 && face.descent > 0.15, "{file:?}: {} {}", face.ascent, face.descent);
        }
        assert!(FontFile::NotoEmoji.maps('😀') && FontFile::DroidSansFallback.maps('语'));
        assert!(!FontFile::CourierPrime.maps('ω') && FontFile::DejaVuSansMono.maps('ω'));
    }
}
