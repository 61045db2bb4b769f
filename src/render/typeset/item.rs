//! Which font and which script each part of a paragraph is set in.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use harfrust::unicode::{Decomposed, combining_class, decompose, script};
use harfrust::{GlyphId, Script};
use unicode_segmentation::UnicodeSegmentation;

use super::font::FontFile;
use super::shape::{Glyph, Run, Shaper};
use super::text::is_ignorable;
use super::typeface::Typeface;

/// Part of a paragraph in one font and one script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// Its bytes of the paragraph.
    pub range: Range<usize>,
    /// What it is set in.
    pub font: FontFile,
    /// What it is written in.
    pub script: Script,
}

/// The paragraph's items in its order, and the bytes at which characters stand that no font has.
///
/// A word is set in the first font that has all of it; where none has, each of its grapheme clusters is; where none has even
/// that, each character. Characters of no script of their own (spaces, digits, marks) take the one before them, those at the
/// start the first that comes.
pub(super) fn items(paragraph: &str, typeface: Typeface, shaper: &mut Shaper) -> (Vec<Item>, Vec<usize>) {
    let mut script = own_script(paragraph).unwrap_or(Script::COMMON);
    let mut fonts = Fonts { typeface, shaper, known: BTreeMap::new() };
    let (mut items, mut uncovered) = (Vec::new(), Vec::new());
    for (word_start, word) in paragraph.split_word_bound_indices() {
        let of_word = fonts.of_word(word);
        for (at, cluster) in word.grapheme_indices(true) {
            script = own_script(cluster).unwrap_or(script);
            let start = word_start + at;
            if let Some(font) = of_word.or_else(|| fonts.of(cluster).first().copied()) {
                push(&mut items, Item { range: start..start + cluster.len(), font, script });
                continue;
            }
            for (at, character) in cluster.char_indices() {
                let range = start + at..start + at + character.len_utf8();
                match fonts.of(&paragraph[range.clone()]).first() {
                    Some(&font) => push(&mut items, Item { range, font, script }),
                    None => uncovered.push(range.start),
                }
            }
        }
    }
    (items, uncovered)
}

/// The first script that belongs to a character of its own right.
fn own_script(text: &str) -> Option<Script> {
    let shared = [Script::COMMON, Script::INHERITED, Script::UNKNOWN];
    text.chars().map(|character| script(character as u32)).find(|script| !shared.contains(script))
}

/// Adds the item, to the last one if it is of the same kind.
fn push(items: &mut Vec<Item>, item: Item) {
    match items.last_mut() {
        Some(last)
            if last.font == item.font && last.script == item.script && last.range.end == item.range.start =>
        {
            last.range.end = item.range.end;
        }
        _ => items.push(item),
    }
}

/// Finds the fonts of grapheme clusters, each once.
struct Fonts<'text, 'shaper> {
    typeface: Typeface,
    shaper: &'shaper mut Shaper,
    known: BTreeMap<&'text str, Rc<[FontFile]>>,
}

impl<'text> Fonts<'text, '_> {
    /// The first font that has every cluster of the word.
    fn of_word(&mut self, word: &'text str) -> Option<FontFile> {
        let mut clusters = word.graphemes(true);
        let mut fonts = self.of(clusters.next()?).to_vec();
        for cluster in clusters {
            let of_cluster = self.of(cluster);
            fonts.retain(|font| of_cluster.contains(font));
        }
        fonts.first().copied()
    }

    /// The fonts that have the cluster and put its marks over or under the letter, or if there are none that have it at
    /// all. Of what asks to be a picture, the one with the emoji comes first.
    fn of(&mut self, cluster: &'text str) -> Rc<[FontFile]> {
        if let Some(known) = self.known.get(cluster) {
            return Rc::clone(known);
        }
        let picture = asks_for_picture(cluster).then_some(FontFile::NotoEmoji);
        let mut fonts: Vec<FontFile> = picture.into_iter().chain(self.typeface.fonts()).collect();
        fonts.retain(|font| covers(*font, cluster, self.shaper));
        let is_marked = |code: u32| combining_class(code) != 0 || decompose(code).is_some();
        if cluster.chars().any(|character| is_marked(character as u32)) {
            let placing: Vec<FontFile> =
                (fonts.iter().copied()).filter(|font| places_marks(*font, cluster, self.shaper)).collect();
            fonts = if placing.is_empty() { fonts } else { placing };
        }
        let fonts: Rc<[FontFile]> = fonts.into();
        self.known.insert(cluster, Rc::clone(&fonts));
        fonts
    }
}

/// Whether the cluster has an emoji variation selector, or a character of the blocks that emoji are in.
fn asks_for_picture(cluster: &str) -> bool {
    !cluster.contains('\u{FE0E}')
        && cluster.chars().any(|character| matches!(character, '\u{FE0F}' | '\u{1F000}'..='\u{1FAFF}'))
}

/// Whether the font has the cluster. What it doesn't map it may compose (e and an acute to é) or decompose: the shaper knows.
fn covers(font: FontFile, cluster: &str, shaper: &mut Shaper) -> bool {
    let maps = |character: char| character == '\t' || is_ignorable(character) || font.maps(character);
    if cluster.chars().all(maps) {
        return true;
    }
    let maps_part = |character: char| match decompose(character as u32) {
        Some(Decomposed::Singleton(part) | Decomposed::Pair(part, _)) => {
            char::from_u32(part).is_some_and(|part| font.maps(part))
        }
        None => false,
    };
    let is_single = cluster.chars().nth(1).is_none();
    if is_single && !cluster.chars().all(maps_part) {
        return false;
    }
    shape(font, cluster, shaper)
        .is_some_and(|glyphs| !glyphs.is_empty() && glyphs.iter().all(|glyph| glyph.id != GlyphId::NOTDEF))
}

/// Whether the middle of each mark is over or under the middle half of the letter. Where a font doesn't say where its mark
/// goes on this letter, it falls beside.
fn places_marks(font: FontFile, cluster: &str, shaper: &mut Shaper) -> bool {
    let face = font.face();
    let outlines = face.font.outline_glyphs();
    let mut pen = 0.0;
    let mut inks = shape(font, cluster, shaper).unwrap_or_default().into_iter().filter_map(|glyph| {
        let extents = outlines.get(glyph.id)?.extents().ok()?;
        let left = pen + glyph.at.0 + f64::from(extents.x_bearing) * face.unit;
        pen += glyph.advance;
        Some((left, f64::from(extents.width) * face.unit))
    });
    let Some((left, width)) = inks.next() else { return false };
    let middle = left + width / 4.0..=left + width * 3.0 / 4.0;
    inks.all(|(left, width)| middle.contains(&(left + width / 2.0)))
}

fn shape(font: FontFile, cluster: &str, shaper: &mut Shaper) -> Option<Vec<Glyph>> {
    let script = own_script(cluster).unwrap_or(Script::COMMON);
    shaper.shape(cluster, &Run { range: 0..cluster.len(), font, script, is_rtl: false }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fonts(text: &str, typeface: Typeface) -> Vec<(&str, FontFile)> {
        let (items, uncovered) = items(text, typeface, &mut Shaper::default());
        assert_eq!(uncovered, Vec::<usize>::new(), "{text}");
        items.into_iter().map(|item| (&text[item.range], item.font)).collect()
    }

    #[test]
    fn each_part_is_set_in_the_first_font_that_has_it() {
        use FontFile::*;
        let two_scripts = [("plain ∑ ", DejaVuSans), ("ψ", DejaVuSans)];
        assert_eq!(fonts("plain ∑ ψ", Typeface::DejaVuSans), two_scripts);
        assert_eq!(fonts("ψ语", Typeface::CourierPrime), [("ψ", DejaVuSansMono), ("语", DroidSansFallback)]);
        assert_eq!(fonts("한𝒜", Typeface::DancingScript), [("한", DroidSansFallback), ("𝒜", NotoSansMath)]);
        assert_eq!(fonts("क्षि", Typeface::DejaVuSans), [("क्षि", NotoSansDevanagari)]);
    }

    #[test]
    fn a_word_is_set_in_one_font() {
        assert!(FontFile::CourierPrime.maps('π') && !FontFile::CourierPrime.maps('λ'));
        assert_eq!(fonts("απλά", Typeface::CourierPrime), [("απλά", FontFile::DejaVuSansMono)]);
    }

    #[test]
    fn what_a_font_can_compose_is_set_in_it() {
        assert!(!FontFile::CourierPrime.maps('\u{301}'));
        assert_eq!(fonts("cafe\u{301}", Typeface::CourierPrime), [("cafe\u{301}", FontFile::CourierPrime)]);
        let stacked = "x\u{302}\u{323}";
        assert_eq!(fonts(stacked, Typeface::CourierPrime), [(stacked, FontFile::DejaVuSansMono)]);
    }

    #[test]
    fn a_font_that_drops_a_mark_beside_its_letter_does_not_set_it() {
        assert!(FontFile::DancingScript.maps('\u{304}'));
        let mean = "x\u{304}";
        assert_eq!(fonts(mean, Typeface::DancingScript), [(mean, FontFile::DejaVuSans)]);
        assert_eq!(fonts("ẍ", Typeface::DancingScript), [("ẍ", FontFile::DejaVuSans)]);
        for placed in ["a\u{304}", "ê"] {
            assert_eq!(fonts(placed, Typeface::DancingScript), [(placed, FontFile::DancingScript)]);
        }
    }

    #[test]
    fn an_emoji_sequence_is_one_picture_and_its_selectors_need_no_glyph() {
        for emoji in ["👩\u{200D}🔬", "👍🏽", "❤\u{FE0F}", "1\u{FE0F}\u{20E3}", "🇩🇪"] {
            assert_eq!(fonts(emoji, Typeface::DejaVuSans), [(emoji, FontFile::NotoEmoji)]);
        }
        assert_eq!(fonts("❤\u{FE0E}", Typeface::DejaVuSans), [("❤\u{FE0E}", FontFile::DejaVuSans)]);
    }

    #[test]
    fn what_no_font_has_is_reported() {
        let (_, uncovered) = items("aกbข", Typeface::DejaVuSans, &mut Shaper::default());
        assert_eq!(uncovered, [1, 5]);
    }
}
