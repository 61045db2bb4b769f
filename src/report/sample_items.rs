//! Made-up data for the tests of this folder: a model that reads large letters better than small ones, and text best.
//!
//! The answers come from a simple generator of numbers; none of them was measured.

use std::io::Cursor;
use std::sync::LazyLock;

use image::{ImageFormat, Rgb, RgbImage};

use super::input::{AnswerView, ItemView, RenderingView};
use super::sample_layers;
use crate::analysis::consistency::analyze_rows;
use crate::analysis::models::compare;
use crate::analysis::summary::{ConsistencyAnalysis, ConsistencySettings, ModelComparison};
use crate::analysis::tables::{ConsistencyRow, Shown};

const TASKS: [&str; 4] = ["mmlu", "arc", "gsm-symbolic", "soebench"];
const FONTS: [&str; 3] = ["dejavu-sans", "courier-prime", "dancing-script"];
const DPIS: [i32; 3] = [50, 100, 200];
const COLORS: [(&str, [u8; 3]); 4] =
    [("red", [190, 30, 30]), ("green", [20, 120, 40]), ("blue", [30, 60, 190]), ("yellow", [200, 170, 0])];
const ITEMS: usize = 60;

/// Numbers in [0, 1) that look random.
struct Luck(u64);

impl Luck {
    fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64
    }
}

/// Font, resolution and color of an item's ten renderings.
fn looks(item: usize) -> Vec<(&'static str, i32, &'static str)> {
    let black = FONTS.into_iter().flat_map(|font| DPIS.map(|dpi| (font, dpi, "black")));
    black.chain([(FONTS[0], 200, COLORS[item % 4].0)]).collect()
}

fn variant((font, dpi, color): (&str, i32, &str)) -> String {
    let color = if color == "black" { String::new() } else { format!("-{color}") };
    format!("{font}-{dpi}{color}")
}

fn rows(run: &str, skill: f64) -> Vec<ConsistencyRow> {
    let mut luck = Luck(7 + run.len() as u64);
    let mut rows = Vec::new();
    for item in 0..ITEMS {
        let hard = 0.25 * luck.draw();
        let mut row = |shown: Shown, look: Option<(&str, i32, &str)>, ease: f64| {
            let (failed, silent) = (luck.draw() < 0.01, luck.draw() < 0.03);
            let right = luck.draw() < (skill - hard) * ease;
            let guess = ["A", "C", "D"][(luck.draw() * 3.0) as usize];
            let answered = !failed && !silent && shown != Shown::Ocr;
            let size = look.map_or(0.0, |(_, dpi, _)| f64::from(dpi) / 200.0);
            let misread = luck.draw() > 0.35 + 0.6 * size;
            ConsistencyRow {
                run: run.to_string(),
                item_id: format!("{}/{item:04}", TASKS[item % 4]),
                group_id: format!("group-{item:04}"),
                shown,
                variant: look.map_or_else(|| "none".to_string(), variant),
                task: Some(TASKS[item % 4].to_string()),
                font: look.map(|(font, ..)| font.to_string()),
                dpi: look.map(|(_, dpi, _)| dpi),
                color: look.map(|(.., color)| color.to_string()),
                text_tokens: Some(if look.is_some() { 22 } else { 96 + (item % 30) as i32 }),
                vision_tokens: Some(look.map_or(0, |(_, dpi, _)| dpi * dpi / 60 + 40)),
                expected: Some("B".to_string()),
                answer: answered.then(|| if right { "B" } else { guess }.to_string()),
                correct: (!failed && shown != Shown::Ocr).then_some(answered && right),
                cer: (shown == Shown::Ocr && !failed)
                    .then(|| if misread { 0.04 + 0.3 * luck.draw() } else { 0.0 }),
                failed,
            }
        };
        rows.push(row(Shown::Text, None, 1.0));
        for look in looks(item) {
            let fancy = if look.0 == FONTS[2] { 0.8 } else { 1.0 };
            let ease = fancy * (0.45 + 0.5 * f64::from(look.1) / 200.0);
            rows.push(row(Shown::Ocr, Some(look), 1.0));
            rows.push(row(Shown::Image, Some(look), ease));
            rows.push(row(Shown::Mixed, Some(look), 0.5 + 0.5 * ease));
            if look == (FONTS[0], 200, "black") {
                rows.push(row(Shown::OcrFirst, Some(look), 0.92));
            }
        }
    }
    rows
}

/// A model of this name and skill (the share of texts that it solves at best).
pub fn model(run: &str, name: &str, skill: f64, cosine: f64) -> ConsistencyAnalysis {
    let settings = ConsistencySettings { bootstrap: 40, ..ConsistencySettings::default() };
    let analysis = analyze_rows(name, "rest", &rows(run, skill), &settings).unwrap();
    let (representations, best_depth) = sample_layers::representations(cosine);
    let similarities = Some(sample_layers::similarities());
    ConsistencyAnalysis { representations, best_depth: Some(best_depth), similarities, ..analysis }
}

/// The analysis of the run of the sample page.
pub fn analysis() -> ConsistencyAnalysis {
    static ANALYSIS: LazyLock<ConsistencyAnalysis> =
        LazyLock::new(|| model("smoke-vlm-32m-cpu-7f3a", "smoke-vlm-32m", 0.98, 0.82));
    ANALYSIS.clone()
}

/// Four models beside the one of the page.
pub fn others() -> Vec<ConsistencyAnalysis> {
    static OTHERS: LazyLock<Vec<ConsistencyAnalysis>> = LazyLock::new(|| {
        [
            ("large-vlm", 1.2, 0.93),
            ("small-vlm-2b", 0.8, 0.55),
            ("another-vlm-7b", 0.9, 0.71),
            ("old-vlm", 0.6, 0.4),
        ]
        .map(|(name, skill, cosine)| model(&format!("{name}-run"), name, skill, cosine))
        .into()
    });
    OTHERS.clone()
}

/// All five models.
pub fn models() -> ModelComparison {
    compare(&[vec![analysis()], others()].concat())
}

/// A few items with pictures.
pub fn items() -> Vec<ItemView> {
    let rows = rows("smoke-vlm-32m-cpu-7f3a", 0.98);
    let items = rows.chunk_by(|one, next| one.item_id == next.item_id).take(4).enumerate();
    items.map(|(number, rows)| item(number, rows)).collect()
}

fn item(number: usize, rows: &[ConsistencyRow]) -> ItemView {
    let answer = |row: &ConsistencyRow| AnswerView {
        answer: row.answer.clone(),
        raw_text: match row.shown {
            Shown::Ocr => "Which of these is a mammal?\nA) trout\nB) bat\nC) newt\nD) wren".to_string(),
            _ => "The options are fish, mammal, amphibian, bird. I cannot decide.".to_string(),
        },
        correct: row.correct,
        error: row.failed.then(|| "the prompt has 2311 tokens, the context holds 2048".to_string()),
    };
    let renderings = looks(number).into_iter().map(|look| {
        let of = |shown| {
            let mut of_rendering = rows.iter().filter(|row| row.variant == variant(look));
            of_rendering.find(|row| row.shown == shown)
        };
        let (width, height) = (120 + look.1 as u32, 50 + look.1 as u32 / 3);
        RenderingView {
            variant: variant(look),
            png: (look != (FONTS[1], 50, "black")).then(|| page((width, height), look)),
            size: Some((width, height)),
            image: of(Shown::Image).map(answer),
            mixed: of(Shown::Mixed).map(answer),
            ocr_first: of(Shown::OcrFirst).map(answer),
            transcription: of(Shown::Ocr).map(answer),
            cer: of(Shown::Ocr).and_then(|row| row.cer),
        }
    });
    ItemView {
        item_id: rows[0].item_id.clone(),
        task: rows[0].task.clone(),
        expected: Some("B".to_string()),
        text: Some(answer(&rows[0])),
        renderings: renderings.collect(),
    }
}

/// Bars where lines of text would be.
fn page((width, height): (u32, u32), (font, _, color): (&str, i32, &str)) -> Vec<u8> {
    let ink = COLORS.iter().find(|(name, _)| *name == color).map_or([20; 3], |(_, ink)| *ink);
    let word = 9 + 2 * FONTS.iter().position(|of| *of == font).unwrap_or_default() as u32;
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let line = y % 14 > 6 && y > 8 && y + 8 < height && x > 8 && x + 8 + (y / 14) * 17 % 60 < width;
        if line && x % word != 0 { Rgb(ink) } else { Rgb([255; 3]) }
    });
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}
