//! What the page says of a run against a reference run.

use super::*;
use crate::analysis::summary::{
    BalancePoint, ComparedRun, ConsistencyFidelity, ConsistencySettings, Distance, EntropyCell, EntropyGrid,
    Estimate, FollowingFidelity, Paired, PresentationFidelity, PromptFidelity, RatesFidelity, TextFidelity,
    Verdict,
};
use crate::report::tests::values;

fn estimate(value: f64) -> Option<Estimate> {
    Some(Estimate { value, interval: Some((value - 0.01, value + 0.01)) })
}

fn paired(reference: f64, run: f64) -> Paired {
    Paired { reference: estimate(reference), run: estimate(run), change: estimate(run - reference) }
}

pub fn comparison() -> Comparison {
    let distance = Some(Distance { values: 8400, mean: 0.0123, p95: 0.04, max: 0.5, mean_change: 0.002 });
    let prompts = PromptFidelity {
        joined: 4200,
        only_run: 7,
        failed_run: 3,
        compared: 4197,
        same_answers: 4185,
        answer_agreement: estimate(4185.0 / 4197.0),
        top1_agreement: estimate(0.99),
        option_logprob: distance,
        entropy: distance,
        texts: Some(TextFidelity { texts: 4197, same: estimate(0.9), distance: estimate(0.0315) }),
        scored: 4197,
        accuracy: paired(0.8, 0.79),
        ..PromptFidelity::default()
    };
    let crossing = |value| Some(BalancePoint::Crossing(Estimate { value, interval: None }));
    let rates = RatesFidelity {
        comparisons_reference: 960,
        comparisons_run: 960,
        rer: paired(0.7, 0.69),
        mmc: paired(0.9, 0.9),
        cfr: paired(0.2, 0.22),
    };
    Comparison {
        verdict: Verdict::AnswersDiffer { differ: 12, compared: 4197 },
        reference: ComparedRun { run: "fp32-run".into(), model: "tiny".into(), precision: None },
        run: ComparedRun { run: "int8-run".into(), model: "tiny".into(), precision: Some("int8".into()) },
        suite: "color-recognition".into(),
        settings: ConsistencySettings::default(),
        prompts,
        by_presentation: ["conflict", "text-only"]
            .map(|kind| PresentationFidelity {
                presentation: kind.into(),
                control: "none".into(),
                fidelity: prompts,
            })
            .into(),
        following: Some(FollowingFidelity {
            cases: 3600,
            decided: 3590,
            same: 3554,
            agreement: estimate(0.99),
            analysed_reference: 3500,
            analysed_run: 3490,
            tfr: paired(0.242, 0.24),
            balance_reference: crossing(-0.84),
            balance_run: Some(BalancePoint::AlwaysVision),
            balance_shift: None,
        }),
        consistency: Some(ConsistencyFidelity {
            all: rates,
            ocr_correct: RatesFidelity { comparisons_run: 940, ..rates },
        }),
        entropies: EntropyGrid {
            width: 0.05,
            cells: vec![
                EntropyCell { reference: 0, run: 0, prompts: 4000 },
                EntropyCell { reference: 3, run: 4, prompts: 197 },
            ],
        },
    }
}

#[test]
fn the_verdict_comes_first_and_the_figures_follow() {
    let page = render_comparison(&comparison());
    let place = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}"));
    assert!(place("12 of 4,197 answers differ") < place("<main>"));
    for words in [
        "7 are in the run alone.",
        "3 failed in the run.",
        "none, image throughout",
        "\u{2212}0.010 [\u{2212}0.020,\u{a0}0.000]",
        "960 / 940 comparisons",
        "3,500 / 3,490 cases",
        "4,000 of 4,197 prompts lie on the diagonal",
        "a square of 0.05\u{a0}nats",
    ] {
        place(words);
    }
    assert!(page.contains("<h1>tiny (int8) <span class=\"times\">against</span> tiny</h1>"));
    assert!(!page.contains("failed in the reference"), "what does not occur is not said");
    assert_eq!(values(&page, "data-figure"), ["entropies"]);
    assert_eq!(page, render_comparison(&comparison()));
}

#[test]
fn names_from_outside_are_escaped() {
    let mut evil = comparison();
    let name = || "<script>alert(1)</script>".to_string();
    (evil.run.run, evil.run.model, evil.reference.run) = (name(), name(), name());
    (evil.reference.model, evil.suite) = (name(), name());
    evil.by_presentation[0].presentation = name();
    for text in [render_comparison(&evil), section(&evil)] {
        assert!(!text.contains("<script>alert"), "{text}");
        assert!(text.contains("&lt;script&gt;alert"));
    }
}

#[test]
fn sections_without_content_are_left_out() {
    let mut bare = comparison();
    (bare.following, bare.consistency, bare.entropies) = (None, None, EntropyGrid::default());
    bare.by_presentation.clear();
    bare.prompts = PromptFidelity { compared: 1, joined: 1, same_answers: 1, ..PromptFidelity::default() };
    bare.verdict = Verdict::Identical;
    let page = render_comparison(&bare);
    assert_eq!(values(&page, "href"), ["#fidelity-answers"]);
    assert!(page.contains("<p class=\"finding\">identical</p>"));
}
