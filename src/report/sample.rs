//! Made-up data for the tests of this folder: a model that follows the image a little more often, with every part filled.
//!
//! The numbers are smooth formulas of the tiers; none of them was measured.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

use super::input::{About, CasePrompt, CaseView};
use crate::analysis::summary::{
    BalancePoint, CellRow, ControlRow, Counts, Curve, CurveBin, CurveSplit, Estimate, FollowingAnalysis,
    FollowingSettings, Logistic, Monotonicity, TierRow,
};

const COLORS: [(&str, [u8; 3]); 6] = [
    ("red", [214, 40, 40]),
    ("yellow", [244, 208, 0]),
    ("blue", [38, 84, 200]),
    ("green", [40, 150, 70]),
    ("purple", [130, 50, 160]),
    ("orange", [240, 130, 20]),
];

pub fn about() -> About {
    About {
        run: "smoke-vlm-32m-cpu-7f3a".to_string(),
        model: "smoke-vlm-32m".to_string(),
        suite: "color-recognition".to_string(),
        created_by: "crossmodal 0.1.0".to_string(),
        settings: [
            ("precision", "fp32"),
            ("execution provider", "CPU"),
            ("seed", "0"),
            ("model fingerprint", "sha256:5c1e0b7a94f2d86e3ab0417c9d8e6f1f20b35a7c4d9e8f60718293a4b5c6d7e8"),
            ("suite fingerprint", "sha256:a0b1c2d3e4f5061728394a5b6c7d8e9f00112233445566778899aabbccddeeff"),
        ]
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .to_vec(),
        prompts: 14_243,
        failed: 12,
    }
}

pub fn analysis() -> FollowingAnalysis {
    FollowingAnalysis {
        run: "smoke-vlm-32m-cpu-7f3a".to_string(),
        model: "smoke-vlm-32m".to_string(),
        suite: "color-recognition".to_string(),
        settings: FollowingSettings::default(),
        counts: Counts { cases: 4200, failed: 9, analysed: 2874, text: 1098, vision: 1580, other: 196 },
        tfr: Some(near(0.41, 0.03)),
        other_rate: Some(near(0.07, 0.012)),
        curve: Some(curve(-0.12, 2678)),
        splits: vec![
            CurveSplit { name: "low".to_string(), curve: curve(-0.18, 1339) },
            CurveSplit { name: "high".to_string(), curve: curve(-0.06, 1339) },
        ],
        cells: (0..14).flat_map(|dv| (0..3).map(move |dt| cell(dv, dt))).collect(),
        vision_tiers: (0..14).map(vision_tier).collect(),
        text_tiers: (0..3).map(text_tier).collect(),
        controls: vec![
            ControlRow {
                control: "text-irrelevant".to_string(),
                cases: 400,
                designed_text: 22,
                designed_vision: 355,
                other: 23,
            },
            ControlRow {
                control: "image-irrelevant".to_string(),
                cases: 400,
                designed_text: 371,
                designed_vision: 5,
                other: 24,
            },
        ],
        layers: Some(super::sample_layers::layers()),
    }
}

pub fn cases() -> Vec<CaseView> {
    (0..24).map(case).collect()
}

fn around(value: f64, half_width: f64) -> Estimate {
    Estimate { value, interval: Some((value - half_width, value + half_width)) }
}

fn near(value: f64, half_width: f64) -> Estimate {
    Estimate { value, interval: Some(((value - half_width).max(0.0), (value + half_width).min(1.0))) }
}

fn falling(dh_rel: f64, balance: f64) -> f64 {
    1.0 / (1.0 + (3.1 * (dh_rel - balance)).exp())
}

fn curve(balance: f64, cases: u64) -> Curve {
    let bins: Vec<CurveBin> = (0..16)
        .map(|index| {
            let low = -2.0 + 0.25 * f64::from(index);
            let middle = low + 0.13;
            let held = (cases as f64 * 0.16 * (-(middle - 0.15).powi(2) / 0.72).exp()) as u64;
            let wobble = 0.035 * (f64::from(index) * 2.3).sin();
            let share = (falling(middle, balance) + wobble).clamp(0.01, 0.99);
            let half_width = 1.96 * (share * (1.0 - share) / held.max(1) as f64).sqrt();
            CurveBin {
                low,
                high: low + 0.25,
                mean_dh_rel: (held > 0).then_some(middle),
                cases: held,
                text_following: (held >= 20).then(|| near(share, half_width)),
            }
        })
        .collect();
    let isotonic = bins
        .iter()
        .filter(|bin| bin.text_following.is_some())
        .flat_map(|bin| [bin.low, bin.high].map(|x| (x, falling(bin.low + 0.13, balance))))
        .collect();
    let estimate = Estimate { value: balance, interval: Some((balance - 0.08, balance + 0.07)) };
    Curve {
        cases,
        bins,
        isotonic,
        logistic: Some(Logistic {
            intercept: 3.1 * balance,
            slope: -3.1,
            balance_point: Some(Estimate { value: balance - 0.01, ..estimate }),
        }),
        balance_point: BalancePoint::Crossing(estimate),
        monotonicity: Some(Monotonicity { distance: 0.014, p_value: 0.0, spearman_rho: Some(-0.57) }),
    }
}

fn cell(dv: i32, dt: i32) -> CellRow {
    let analysed = 92 - 4 * dv as u64 - 9 * dt as u64;
    let dh_rel = 0.9 * f64::from(dt) - 0.14 * f64::from(dv) + 0.1;
    let other = analysed / 15;
    let text = ((analysed - other) as f64 * falling(dh_rel, -0.12)) as u64;
    CellRow { dv, dt, analysed, text, vision: analysed - other - text, other, mean_dh_rel: Some(dh_rel) }
}

fn vision_tier(tier: i32) -> TierRow {
    let hard = f64::from(tier) / 13.0;
    TierRow {
        tier,
        prompts: 100,
        entropy: Some(around(0.12 + 1.1 * hard * hard, 0.05 + 0.07 * hard)),
        accuracy: near(0.985 - 0.38 * hard * hard, 0.02 + 0.06 * hard),
    }
}

fn text_tier(tier: i32) -> TierRow {
    let hard = f64::from(tier) / 2.0;
    TierRow {
        tier,
        prompts: 1400,
        entropy: Some(around(0.08 + 0.74 * hard, 0.03)),
        accuracy: near(0.99 - 0.13 * hard, 0.015),
    }
}

fn case(index: usize) -> CaseView {
    let (vision, text) = (COLORS[index % 6], COLORS[(index * 5 + 2 + index / 6) % 6]);
    let text = if text.0 == vision.0 { COLORS[(index + 1) % 6] } else { text };
    let follows = ["text", "vision", "vision", "text", "other", "vision"][index % 6];
    let answer = match follows {
        "text" => text.0,
        "vision" => vision.0,
        _ => "brown",
    };
    let (dv, dt) = ((index * 5 % 14) as i32, (index % 3) as i32);
    let failed = index == 7;
    let question = "What color is the circle?\nPlease use one word to answer this question.";
    let description = [
        format!("In this picture, the circle is {}.", text.0),
        format!("The circle has the same color as the kite. The kite is {}.", text.0),
        format!("The circle has the color of a ripe {} fruit that everyone knows.", text.0),
    ][dt as usize]
        .clone();
    let control = if index % 8 == 5 { "text-irrelevant" } else { "none" };
    CaseView {
        item_id: format!("color/g{:03}/dv{dv}/dt{dt}", index / 2),
        group_id: format!("g{:03}", index / 2),
        dv: Some(dv),
        dt: Some(dt),
        control: control.to_string(),
        image_png: (index != 3).then(|| scene(vision.1, index)),
        image_size: Some((224, 168)),
        prompts: vec![
            prompt("vision-only", format!("<image>\n{question}"), vision.0, 0.21 + 0.09 * f64::from(dv)),
            prompt("text-only", format!("{description}\n{question}"), text.0, 0.18 + 0.4 * f64::from(dt)),
            if failed {
                CasePrompt {
                    presentation: "conflict".to_string(),
                    text: format!("<image>\n{description}\n{question}"),
                    status: "error".to_string(),
                    error: Some("the prompt has 2311 tokens, the context holds 2048".to_string()),
                    ..CasePrompt::default()
                }
            } else {
                prompt("conflict", format!("<image>\n{description}\n{question}"), answer, 0.88)
            },
        ],
        expected_vision: Some(vision.0.to_string()),
        expected_text: Some(text.0.to_string()),
        follows: (!failed).then(|| follows.to_string()),
        analysed: !failed && control == "none",
        dh_rel: (!failed).then(|| 0.7 * f64::from(dt) - 0.12 * f64::from(dv)),
    }
}

fn prompt(presentation: &str, text: String, answer: &str, entropy: f64) -> CasePrompt {
    CasePrompt {
        presentation: presentation.to_string(),
        text,
        answer: Some(answer.to_string()),
        raw_text: format!("{}{}.", answer[..1].to_uppercase(), &answer[1..]),
        entropy: Some(entropy),
        options: COLORS
            .iter()
            .map(|(name, _)| {
                (
                    (*name).to_string(),
                    if *name == answer { 0.78 - 0.2 * entropy } else { 0.01 + 0.04 * entropy },
                )
            })
            .collect(),
        status: "ok".to_string(),
        error: None,
    }
}

fn scene(color: [u8; 3], index: usize) -> Vec<u8> {
    let (x, y) = (60.0 + (index * 37 % 100) as f64, 55.0 + (index * 23 % 60) as f64);
    let image = RgbImage::from_fn(224, 168, |column, row| {
        let distance = (f64::from(column) - x).hypot(f64::from(row) - y);
        if distance < 34.0 { Rgb(color) } else { Rgb([255, 255, 255]) }
    });
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}
