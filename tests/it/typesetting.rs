//! Typeset text against other programs, against the rules of the page, and against pictures that were looked at.
//!
//! `export_scripts/golden_typesetting.py` wrote `pages.json` and `pages/`. `hashes.json` pins our own pictures; after a change that
//! is meant to change them,
//!
//! ```text
//! TYPESETTING_PICTURES=/tmp/pictures UPDATE_TYPESETTING_HASHES=1 cargo test --release --test it -- typesetting
//! ```
//!
//! writes the new hashes, and the pictures to be looked at.

mod texts;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crossmodal::render::load::{ImageError, load};
use crossmodal::render::typeset::{TextSpec, Typeface, TypesetError, Uncovered, typeset};
use crossmodal::suite::ImageSource;
use image::{GrayImage, Rgb, RgbImage};
use sha2::{Digest, Sha256};

use texts::{TEXTS, cases, spec};

const WHITE: Rgb<u8> = Rgb([255; 3]);

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/typesetting").join(name)
}

fn drawn(text: &str) -> RgbImage {
    typeset(&spec(text)).unwrap()
}

fn digest(image: &RgbImage) -> String {
    let mut hasher = Sha256::new();
    hasher.update(image.width().to_le_bytes());
    hasher.update(image.height().to_le_bytes());
    hasher.update(image.as_raw());
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Smallest and largest column, then smallest and largest row, with ink.
fn ink(image: &RgbImage) -> Option<[u32; 4]> {
    let inked = || image.enumerate_pixels().filter(|&(_, _, pixel)| *pixel != WHITE);
    let columns = || inked().map(|(x, _, _)| x);
    let rows = || inked().map(|(_, y, _)| y);
    Some([columns().min()?, columns().max()?, rows().min()?, rows().max()?])
}

#[test]
fn pages_are_those_of_harfbuzz_and_freetype() {
    let specs: BTreeMap<String, TextSpec> =
        serde_json::from_slice(&fs::read(golden("pages.json")).unwrap()).unwrap();
    assert!(specs.len() >= 10);
    for (name, spec) in specs {
        let expected: GrayImage =
            image::open(golden("pages").join(format!("{name}.png"))).unwrap().into_luma8();
        let found = typeset(&spec).unwrap();
        assert_eq!(found.dimensions(), expected.dimensions(), "{name}");
        let differences =
            || found.pixels().zip(expected.pixels()).map(|(found, wanted)| found.0[0].abs_diff(wanted.0[0]));
        let ink: f64 = expected.pixels().map(|pixel| f64::from(255 - pixel.0[0])).sum();
        let share = differences().map(f64::from).sum::<f64>() / ink;
        let worst = differences().max().unwrap();
        assert!(share < 0.05 && worst < 48, "{name}: {share} of the ink differs, a pixel by {worst}");
    }
}

#[test]
fn pictures_are_the_pinned_ones() {
    let pictures = std::env::var_os("TYPESETTING_PICTURES").map(PathBuf::from);
    let mut found = BTreeMap::new();
    for (name, spec) in cases() {
        let image = typeset(&spec).unwrap_or_else(|error| panic!("{name}: {error}"));
        if let Some(folder) = &pictures {
            fs::create_dir_all(folder).unwrap();
            image.save(folder.join(format!("{}.png", name.replace(", ", "-")))).unwrap();
        }
        found.insert(name, digest(&image));
    }
    if std::env::var_os("UPDATE_TYPESETTING_HASHES").is_some() {
        fs::write(golden("hashes.json"), serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
    }
    let pinned: BTreeMap<String, String> =
        serde_json::from_slice(&fs::read(golden("hashes.json")).unwrap()).unwrap();
    let changed: Vec<&String> = found.keys().filter(|name| found.get(*name) != pinned.get(*name)).collect();
    assert!(changed.is_empty(), "other pictures than the pinned ones: {changed:?}");
    assert_eq!(found.len(), pinned.len());
}

#[test]
fn the_same_specification_gives_the_same_bytes_in_every_thread() {
    let digests = || -> Vec<String> {
        TEXTS
            .iter()
            .map(|(_, text)| digest(&typeset(&TextSpec { dpi: 100, ..spec(text) }).unwrap()))
            .collect()
    };
    let expected = digests();
    let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(digests)).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), expected);
    }
}

#[test]
fn pages_are_as_wide_as_asked_and_margins_are_white() {
    for (name, spec) in cases() {
        let image = typeset(&spec).unwrap();
        assert_eq!(image.width(), (spec.page_width_in * spec.dpi as f32).round() as u32, "{name}");
        let Some([left, right, top, bottom]) = ink(&image) else {
            assert!(spec.text.trim().is_empty(), "{name}: no ink");
            continue;
        };
        let margin = f64::from(spec.margin_in) * f64::from(spec.dpi);
        let inside = |first: u32, last: u32, side: u32| {
            f64::from(first) >= margin.floor() && f64::from(last) < f64::from(side) - margin.floor()
        };
        assert!(
            inside(left, right, image.width()),
            "{name}: ink from {left} to {right} of {}",
            image.width()
        );
        assert!(
            inside(top, bottom, image.height()),
            "{name}: ink from {top} to {bottom} of {}",
            image.height()
        );
    }
}

#[test]
fn twice_the_resolution_is_twice_the_size() {
    for (name, text) in TEXTS {
        let [small, large] = [100, 200].map(|dpi| typeset(&TextSpec { dpi, ..spec(text) }).unwrap());
        assert_eq!(large.width(), 2 * small.width());
        // Each line's ascent and descent are rounded up.
        let lines = small.height() / 19;
        assert!((large.height()..=large.height() + 2 * lines).contains(&(2 * small.height())), "{name}");
        if let (Some(small), Some(large)) = (ink(&small), ink(&large)) {
            assert!(
                small[0].abs_diff(large[0] / 2) <= 1 && small[1].abs_diff(large[1] / 2) <= 1,
                "{name}: {small:?} {large:?}"
            );
        }
    }
}

#[test]
fn wrapped_words_come_in_order_and_none_is_lost() {
    // Courier Prime's letters are 1228/2048 em wide each; the text is 36 em wide.
    const LETTERS: usize = 36 * 2048 / 1228;
    let (_, text) = TEXTS[27];
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().unwrap();
        if line.is_empty() {
            line.push_str(word);
        } else if line.len() + 1 + word.len() <= LETTERS {
            *line += &format!(" {word}");
        } else {
            lines.push(word.to_string());
        }
    }
    assert_eq!(text.chars().count(), 800);
    let courier = |text: &str| typeset(&TextSpec { font: Typeface::CourierPrime, ..spec(text) }).unwrap();
    assert!(courier(text) == courier(&lines.join("\n")));
}

#[test]
fn a_word_wider_than_the_page_is_broken_between_grapheme_clusters() {
    const LETTERS: usize = 36 * 2048 / 1228;
    let courier = |text: &str| typeset(&TextSpec { font: Typeface::CourierPrime, ..spec(text) }).unwrap();
    let line = "é".repeat(LETTERS);
    assert!(courier(&"e\u{301}".repeat(LETTERS + 2)) == courier(&format!("{line}\néé")));
    assert!(courier(&format!("short {line}ee")) == courier(&format!("short\n{line}\nee")));
    let indented = format!("  {}", "w".repeat(LETTERS - 2));
    assert!(courier(&format!("{indented}ww")) == courier(&format!("{indented}\nww")), "an indented one");
}

#[test]
fn lines_do_not_touch_each_other() {
    // A page of two lines is the page of one above the page of the other.
    for (name, text) in TEXTS.into_iter().filter(|(_, text)| !text.contains('\n') && !text.is_empty()) {
        let wide = |text: &str| typeset(&TextSpec { page_width_in: 50.0, ..spec(text) }).unwrap();
        let (above, below, both) = (wide(text), wide("ÅÅÅ jjj"), wide(&format!("{text}\nÅÅÅ jjj")));
        let row = above.width() as usize * 3;
        let margin = 50 * row;
        let rows = [&above.as_raw()[..above.len() - margin], &below.as_raw()[margin..]].concat();
        assert!(*both.as_raw() == rows, "{name}");
    }
}

#[test]
fn newlines_at_the_end_are_ignored_and_others_make_lines() {
    let line = drawn("x").height() - 100;
    assert!(drawn("x\n\n\n") == drawn("x") && drawn("x\r\ny\r\n") == drawn("x\ny"));
    assert_eq!(drawn("\n\nx").height() - 100, 3 * line);
    assert_eq!(drawn("x\n\ny").height() - 100, 3 * line);
    for blank in ["", "\n\n", "  ", "\t"] {
        let page = drawn(blank);
        assert_eq!((page.height() - 100, ink(&page)), (line, None), "{blank:?}");
    }
}

#[test]
fn spaces_at_the_start_are_kept_and_tabs_go_to_stops() {
    let start = |text: &str| ink(&drawn(text)).unwrap()[0];
    let em = 12.0 * 200.0 / 72.0;
    let space = 651.0 / 2048.0 * em; // DejaVu Sans' own
    let moved = |spaces: f64| (f64::from(start("x")) + spaces * space).round() as u32;
    assert!(start("    x").abs_diff(moved(4.0)) <= 1 && start("\tx").abs_diff(moved(8.0)) <= 1);
    let end = |text: &str| ink(&drawn(text)).unwrap()[1];
    for before in ["\tb", "i\tb", "www\tb", "   \tb"] {
        assert_eq!(end(before), end("\tb"), "{before:?}");
    }
    assert!(end("wwww\tb") > end("\tb"));
    assert_eq!(end("wwww\tb"), end("\t\tb"));
}

#[test]
fn right_to_left_paragraphs_are_flush_right() {
    let sides = |text: &str| {
        let image = drawn(text);
        let [left, right, ..] = ink(&image).unwrap();
        (left - 50 < 6, image.width() - 50 - right < 6)
    };
    assert_eq!(sides("English, then שלום"), (true, false));
    assert_eq!(sides("שלום, then English"), (false, true));
    // Brackets are mirrored: in this order they enclose the word in both directions.
    assert!(drawn("(שלום)") == drawn("\u{200F}(שלום)") && drawn("(שלום)") != drawn(")שלום("));
}

#[test]
fn colored_text_is_blended_with_white_paper() {
    let red = typeset(&TextSpec { color: [255, 0, 0], ..spec("red") }).unwrap();
    assert!(red.pixels().all(|&Rgb([r, g, b])| r == 255 && g == b));
    assert!(red.pixels().any(|pixel| pixel.0 == [255, 0, 0]), "some pixel is all ink");
    let black = drawn("red");
    assert!(black.pixels().zip(red.pixels()).all(|(black, red)| black.0[0] == red.0[1]));
}

#[test]
fn an_emoji_sequence_is_one_picture_where_the_font_has_one() {
    let width = |text: &str| ink(&drawn(text)).map(|[left, right, ..]| right - left).unwrap();
    assert!(width("👩\u{200D}🔬") < width("👩🔬") * 2 / 3);
    assert!(width("🇩🇪") < width("🇩 🇪"));
    assert!(width("👩\u{200D}🚌") > width("👩") * 3 / 2, "one that the font has not is drawn as its parts");
    assert!(drawn("❤\u{FE0F}") != drawn("❤\u{FE0E}"));
}

#[test]
fn characters_without_a_glyph_are_named() {
    let error = typeset(&spec("fine\nab ข c ข\u{E000}")).unwrap_err();
    let lacking = |character, line, column| Uncovered { character, line, column };
    let characters = vec![lacking('ข', 2, 4), lacking('\u{E000}', 2, 9)];
    assert_eq!(error, TypesetError::NoGlyph { characters, distinct: 2 });
    let message = "no font has a glyph for 'ข' (U+0E02) in line 2, column 4; '\\u{e000}' (U+E000) in line 2, column 9; replace";
    assert!(error.to_string().starts_with(message), "{error}");
    let thai: String = ('ก'..='ฮ').collect();
    let error = typeset(&spec(&thai)).unwrap_err().to_string();
    assert!(error.contains("'ช'") && !error.contains("'ซ'") && error.contains("; and 36 more;"), "{error}");
    for control in ["a\u{7}b", "a\u{1b}[1m", "a\rb", "a\u{b}b", "a\u{85}b", "a\u{0}b"] {
        assert!(matches!(typeset(&spec(control)), Err(TypesetError::Control(_))), "{control:?}");
    }
}

#[test]
fn what_cannot_be_typeset_says_why() {
    let message = |spec: TextSpec| typeset(&spec).unwrap_err().to_string();
    assert_eq!(
        message(TextSpec { size_pt: f32::NAN, ..spec("x") }),
        "size_pt is NaN, expected a number above 0"
    );
    assert_eq!(message(TextSpec { size_pt: -1.0, ..spec("x") }), "size_pt is -1, expected a number above 0");
    assert_eq!(message(TextSpec { dpi: 0, ..spec("x") }), "dpi is 0, expected at least 1");
    assert_eq!(
        message(TextSpec { margin_in: -0.1, ..spec("x") }),
        "margin_in is -0.1, expected a number not below 0"
    );
    assert!(message(TextSpec { dpi: 2, ..spec("x") }).contains("at least a pixel"));
    for page_width_in in [0.4, 0.6] {
        let error = message(TextSpec { page_width_in, ..spec("x") });
        assert!(error.starts_with("a letter is wider than the text may be"), "{error}");
    }
    let error = message(TextSpec { page_width_in: 0.7, ..spec("a ⟶ b") });
    assert!(error.starts_with("\"⟶\" is wider than the text may be, which is 1.20 em"), "{error}");
    for large in [
        TextSpec { page_width_in: 101.0, ..spec("x") },
        TextSpec { page_width_in: f32::MAX, ..spec("x") },
        TextSpec { margin_in: 64.0, page_width_in: 133.0, dpi: 150, ..spec("x") },
        TextSpec { dpi: u32::MAX, ..spec("x") },
        spec(&"x\n".repeat(1000)),
        spec(&format!("{}x", "\n".repeat(1000))),
    ] {
        assert!(matches!(typeset(&large), Err(TypesetError::PageTooLarge { .. })));
    }
    assert!(message(spec(&"x".repeat(1 << 19))).starts_with("the text has 524288 bytes, at most 262144"));
}

#[test]
fn a_suite_shows_text_as_an_image() {
    let shown = spec("Same content, different answers?");
    assert!(load(&ImageSource::Text(Box::new(shown.clone()))).unwrap() == typeset(&shown).unwrap());
    let error = load(&ImageSource::Text(Box::new(spec("ข")))).unwrap_err();
    assert!(matches!(&error, ImageError::Untypesettable { reason } if reason.contains("U+0E02")), "{error}");
    let written = serde_json::to_string(&shown).unwrap();
    assert_eq!(serde_json::from_str::<TextSpec>(&written).unwrap(), shown);
}
