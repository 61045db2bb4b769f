//! The text for the terminal, as it is read.

use crossmodal::analysis::summary::{
    BalancePoint, CellRow, ControlRow, Counts, Curve, CurveBin, CurveSplit, Estimate, FollowingAnalysis,
    FollowingSettings, Logistic, Monotonicity, TierRow,
};
use crossmodal::analysis::table::following as to_text;

fn estimate(value: f64, low: f64, high: f64) -> Estimate {
    Estimate { value, interval: Some((low, high)) }
}

fn analysis() -> FollowingAnalysis {
    let bin = |low: f64, cases, text_following| CurveBin {
        low,
        high: low + 0.25,
        mean_dh_rel: Some(low + 0.1),
        cases,
        text_following,
    };
    let curve = Curve {
        cases: 12_420,
        bins: vec![
            bin(-1.0, 3_120, Some(estimate(0.914, 0.9, 0.931))),
            bin(-0.75, 0, None),
            bin(-0.5, 9_281, Some(Estimate { value: 0.41, interval: None })),
            bin(1.75, 19, None),
        ],
        isotonic: vec![(-1.0, 0.9), (1.0, 0.1)],
        logistic: Some(Logistic {
            intercept: -0.912,
            slope: -2.204,
            balance_point: Some(estimate(-0.414, -0.46, -0.37)),
        }),
        balance_point: BalancePoint::Crossing(estimate(-0.42, -0.5, -0.35)),
        monotonicity: Some(Monotonicity { distance: 0.0041, p_value: 0.0005, spearman_rho: Some(-0.612) }),
    };
    let tier = |tier, value: f64| TierRow {
        tier,
        prompts: 1_200,
        entropy: Some(estimate(value, value - 0.01, value + 0.01)),
        accuracy: estimate(0.9, 0.88, 0.92),
    };
    FollowingAnalysis {
        run: "2026-05-01".into(),
        model: "tiny-vlm".into(),
        suite: "color-recognition".into(),
        settings: FollowingSettings::default(),
        counts: Counts {
            cases: 16_800,
            failed: 12,
            analysed: 13_500,
            text: 4_900,
            vision: 7_600,
            other: 1_000,
        },
        tfr: Some(estimate(0.392, 0.371, 0.41)),
        other_rate: Some(estimate(0.074, 0.07, 0.079)),
        curve: Some(curve.clone()),
        splits: vec![
            CurveSplit { name: "low".into(), curve: Curve { cases: 6_210, ..curve.clone() } },
            CurveSplit {
                name: "high".into(),
                curve: Curve { balance_point: BalancePoint::AlwaysVision, ..curve },
            },
        ],
        cells: vec![
            CellRow {
                dv: 0,
                dt: 1,
                analysed: 390,
                text: 120,
                vision: 260,
                other: 10,
                mean_dh_rel: Some(0.31),
            },
            CellRow { dv: 13, dt: 2, analysed: 0, text: 0, vision: 0, other: 0, mean_dh_rel: None },
        ],
        vision_tiers: vec![tier(0, 0.08), tier(13, 1.25)],
        text_tiers: vec![tier(2, 0.4)],
        controls: vec![ControlRow {
            control: "text-irrelevant".into(),
            cases: 5_600,
            designed_text: 12,
            designed_vision: 5_500,
            other: 88,
        }],
        layers: None,
    }
}

#[test]
fn a_whole_analysis() {
    insta::assert_snapshot!(to_text(&analysis()), @r"
    tiny-vlm on color-recognition (run 2026-05-01)
    ──────────────────────────────────────────────────────────────────────────────

    Conflict cases
      cases             16,800
      failed            12 (0.1 %)
      analysed          13,500 (80.4 %): both unimodal answers are the designed ones

    Following, with 95 % intervals (2,000 resamples by group)
      text (TFR)         39.2 %  [37.1 %, 41.0 %]    4,900 cases
      image (VFR)        60.8 %  [59.0 %, 62.9 %]    7,600 cases
      other               7.4 %  [7.0 %, 7.9 %]      1,000 cases
                        TFR + VFR = 1; other is a share of all analysed cases

    Balance point: the dH_rel at which both modalities win equally often
      isotonic fit      -0.420  [-0.500, -0.350]
                        inherent vision preference
      logistic fit      -0.414  [-0.460, -0.370]
                        log-odds of text = -0.912 - 2.204 dH_rel
      monotonicity      distance 0.0041 from a falling curve, p = 0.0005; Spearman's rho -0.612

    P(text following | dH_rel); dH_rel < 0: the text is the easier one
      dH_rel              cases  P(text)
      [-1.00, -0.75)      3,120   91.4 %  [90.0 %, 93.1 %]   ██████████████████▎
      [-0.50, -0.25)      9,281   41.0 %                     ████████▎
      [+1.75, +2.00]         19  (fewer than 20)

    Image alone, by visual difficulty
        dv  prompts  entropy (nats)          accuracy
         0    1,200  0.080  [0.070, 0.090]    90.0 %  [88.0 %, 92.0 %]
        13    1,200  1.250  [1.240, 1.260]    90.0 %  [88.0 %, 92.0 %]

    Text alone, by text difficulty
        dt  prompts  entropy (nats)          accuracy
         2    1,200  0.400  [0.390, 0.410]    90.0 %  [88.0 %, 92.0 %]

    By visual x text difficulty
        dv    dt  analysed     text    image    other  TFR      mean dH_rel
         0     1       390      120      260       10   31.6 %  +0.310
        13     2         0        0        0        0  -        -

    Below (low) and above (high) the median total entropy Ht + Hv
      low               6,210 cases, balance point -0.420  [-0.500, -0.350]
                        inherent vision preference
      high              12,420 cases, no crossing
                        the image wins over the whole observed range

    Controls: what the answer to both modalities together agrees with
      text-irrelevant   5,600 cases: text 12, image 5,500, other 88

    Layers
      this run was not probed: `crossmodal run --probe-layers` writes what the model would answer after each layer
    ");
}

#[test]
fn nothing_analysed() {
    let empty = FollowingAnalysis {
        counts: Counts::default(),
        tfr: None,
        other_rate: None,
        curve: None,
        splits: vec![],
        cells: vec![],
        vision_tiers: vec![],
        text_tiers: vec![],
        controls: vec![],
        layers: None,
        ..analysis()
    };
    insta::assert_snapshot!(to_text(&empty), @r"
    tiny-vlm on color-recognition (run 2026-05-01)
    ──────────────────────────────────────────────────────────────────────────────

    Conflict cases
      cases             0
      failed            0
      analysed          0: both unimodal answers are the designed ones

    Following
      no analysed case follows the text or the image: there is nothing to compare
    ");
}

#[test]
fn the_balance_point_is_read_in_words() {
    let text = |point| {
        let mut analysis = analysis();
        let curve = analysis.curve.as_mut().unwrap();
        curve.balance_point = point;
        (curve.logistic, curve.monotonicity) = (None, None);
        analysis.splits.clear();
        to_text(&analysis)
    };
    for (point, words) in [
        (BalancePoint::Crossing(estimate(-0.4, -0.5, -0.3)), "inherent vision preference\n"),
        (BalancePoint::Crossing(estimate(0.4, 0.3, 0.5)), "inherent text preference\n"),
        (BalancePoint::Crossing(estimate(0.1, -0.2, 0.4)), "no clear preference: the interval includes 0\n"),
        (
            BalancePoint::Crossing(Estimate { value: -0.1, interval: None }),
            "inherent vision preference (no interval)\n",
        ),
        (BalancePoint::AlwaysText, "text wins over the whole observed range\n"),
        (BalancePoint::AlwaysVision, "the image wins over the whole observed range\n"),
    ] {
        let found = text(point);
        assert!(found.contains(words), "{words}{found}");
        assert!(found.contains("not tested: fewer than two bins hold 20 cases"), "{found}");
    }
}
