//! Made-up layers for the tests of this folder: a model that settles late, and wavers near its balance point.
//!
//! The numbers are smooth formulas of layer and dH_rel; none of them was measured.

use crate::analysis::summary::{
    BestDepth, Class, ClassCounts, Estimate, HeatCell, LayerSet, LayersAnalysis, LayersSettings,
    Representation, SimilarityMatrix, Trajectories, Trajectory, TrajectoryPoint,
};

const LAYERS: i32 = 24;

pub fn layers() -> LayersAnalysis {
    let set = |name: &str, cases: u64, mean: f64, lean: f64| LayerSet {
        name: name.to_string(),
        cases,
        oscillations: Some(near(mean, 0.07)),
        classes: (1..=LAYERS).map(|layer| classes(layer, cases, lean)).collect(),
    };
    LayersAnalysis {
        settings: LayersSettings::default(),
        layers: LAYERS,
        analysed: 2874,
        probed: 2870,
        unplaced: 4,
        balance_point: Some(-0.12),
        sets: vec![
            set("conflict", 2870, 1.02, 0.42),
            set("ambiguous", 1240, 1.43, 0.5),
            set("clear", 1626, 0.71, 0.38),
            set("image-irrelevant", 400, 0.22, 0.9),
            set("text-irrelevant", 396, 0.35, 0.1),
        ],
        difference: Some(Estimate { value: 0.72, interval: Some((0.6, 0.84)) }),
        heat_map: (1..=LAYERS).flat_map(|layer| (0..16).map(move |bin| cell(layer, bin))).collect(),
        trajectories: Some(trajectories()),
    }
}

fn near(value: f64, half_width: f64) -> Estimate {
    Estimate { value, interval: Some((value - half_width, value + half_width)) }
}

/// How far a layer has settled, from 0 to 1.
fn settled(layer: i32) -> f64 {
    1.0 / (1.0 + (-(f64::from(layer) - 13.0) / 2.6).exp())
}

fn classes(layer: i32, cases: u64, lean: f64) -> ClassCounts {
    let known = cases as f64 * (0.04 + 0.92 * settled(layer));
    let text = (known * lean) as u64;
    let vision = (known * (1.0 - lean)) as u64;
    ClassCounts { layer, vision, text, other: cases - text - vision }
}

fn cell(layer: i32, bin: i32) -> HeatCell {
    let low = -2.0 + 0.25 * f64::from(bin);
    let cases = (300.0 * (-(low - 0.1).powi(2) / 0.7).exp()) as u64;
    let wobble = 0.4 * (f64::from(layer * 3 + bin) * 1.7).sin();
    HeatCell {
        layer,
        low,
        high: low + 0.25,
        cases,
        logit_difference: (cases >= 5).then(|| -4.6 * (low + 0.24) * settled(layer) + wobble),
    }
}

fn trajectories() -> Trajectories {
    let words = [" the", " a", "\n", " shape", " color", " is", "<b>"];
    let case = |dt: i32, tilt: f64, follows: &str| {
        let point = |layer: i32| {
            let value = tilt * settled(layer)
                + 1.3 * (f64::from(layer + 5 * dt) * 0.9).sin() * (1.0 - 0.7 * settled(layer));
            let class = match (layer + dt) % 5 {
                0 | 2 if layer < 15 => Class::Other,
                _ if layer < 7 => Class::Other,
                _ if value > 0.0 => Class::Text,
                _ => Class::Vision,
            };
            let word = match class {
                Class::Text => " blue",
                Class::Vision => " red",
                Class::Other => words[(layer as usize + dt as usize) % words.len()],
            };
            TrajectoryPoint {
                layer,
                top1_text: Some(word.to_string()),
                class: Some(class),
                logit_difference: Some(value),
            }
        };
        Trajectory {
            item_id: format!("color/g000/dv0/dt{dt}"),
            dt,
            dh_rel: Some(0.4 * f64::from(dt) - 0.3),
            follows: Some(follows.to_string()),
            oscillations: 4 - dt as u32,
            points: (1..=LAYERS).map(point).collect(),
        }
    };
    Trajectories {
        group_id: "g000".to_string(),
        dv: 0,
        expected_vision: Some("red".to_string()),
        expected_text: Some("blue".to_string()),
        cases: vec![case(0, 2.8, "text"), case(1, 0.5, "text"), case(2, -2.4, "vision")],
    }
}

/// Image and text that are most alike at this depth of a decoder of 24 layers.
pub fn representations(cosine: f64) -> (Vec<Representation>, BestDepth) {
    let near = |value: f64| Some(near(value, 0.03));
    let at = |place: i32| {
        let alike = cosine * (0.25 + 0.75 * (-f64::from(place - 15).powi(2) / 70.0).exp());
        let depth = match place {
            0 => "input".to_string(),
            place if place > LAYERS => "output".to_string(),
            place => format!("layer-{place:02}"),
        };
        Representation {
            depth,
            pairs: 600,
            cosine: near(alike),
            image_to_text: near(0.9 * alike.powi(2)),
            text_to_image: near(0.9 * alike.powi(2) + 0.08),
            retrieval: near(0.9 * alike.powi(2) + 0.04),
        }
    };
    let best = BestDepth { cosine: "layer-15".to_string(), retrieval: Some("layer-15".to_string()) };
    ((0..=LAYERS + 1).map(at).collect(), best)
}

pub fn similarities() -> SimilarityMatrix {
    let items: Vec<String> = (0..32)
        .map(|item| format!("{}/{item:04}", ["mmlu", "arc", "gsm-symbolic", "soebench"][item % 4]))
        .collect();
    let similar = |row: usize, column: usize| {
        let noise = 0.12 * ((row * 37 + column * 101) as f64).sin();
        if row == column && row % 7 != 3 { 0.78 + noise } else { 0.42 + noise }
    };
    SimilarityMatrix {
        depth: "layer-15".to_string(),
        variant: "courier-prime-50".to_string(),
        similarities: (0..items.len())
            .map(|row| (0..items.len()).map(|column| similar(row, column)).collect())
            .collect(),
        items,
    }
}
