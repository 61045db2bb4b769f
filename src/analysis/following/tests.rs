//! Behaviour of the analysis on small sets of rows made here.

use proptest::prelude::*;

use super::*;
use crate::analysis::summary::{BalancePoint, ControlRow, Curve, Estimate};

fn settings() -> FollowingSettings {
    FollowingSettings { bootstrap: 200, permutations: 100, min_bin_cases: 2, ..FollowingSettings::default() }
}

/// An analysed conflict case with this dH_rel, at Ht + Hv = 2.
fn case(number: usize, dh_rel: f64, follows: Follows) -> FollowingRow {
    FollowingRow {
        run: "run".into(),
        item_id: format!("item-{number:03}"),
        group_id: format!("group-{}", number / 2),
        control: NO_CONTROL.into(),
        dv: Some(0),
        dt: Some(1),
        expected_vision: Some("red".into()),
        expected_text: Some("blue".into()),
        y_conflict: Some("red".into()),
        h_vision: Some(1.0 - dh_rel / 2.0),
        h_text: Some(1.0 + dh_rel / 2.0),
        dh_rel: Some(dh_rel),
        follows: Some(follows),
        analysed: true,
        failed: false,
    }
}

/// Text follows up to `threshold`, the image above it; dH_rel from -1.5 to 1.5.
fn step(threshold: f64) -> Vec<FollowingRow> {
    let dh_rel = |number: usize| number as f64 * 0.05 - 1.5;
    let follows = |x: f64| {
        if x < threshold { Follows::Text } else { Follows::Vision }
    };
    (0..=60).map(|number| case(number, dh_rel(number), follows(dh_rel(number)))).collect()
}

fn analysis(rows: &[FollowingRow]) -> FollowingAnalysis {
    analyze_rows("model", "suite", rows, &[], &settings()).unwrap()
}

fn curve_of(rows: &[FollowingRow]) -> Curve {
    analysis(rows).curve.unwrap()
}

#[test]
fn without_analysed_cases_there_are_counts_and_nothing_else() {
    let mut rows = step(0.0);
    for row in &mut rows {
        row.analysed = false;
    }
    rows[0].failed = true;
    let found = analysis(&rows);
    assert_eq!(found.counts, Counts { cases: 61, failed: 1, ..Counts::default() });
    assert_eq!((found.tfr, found.other_rate, found.curve), (None, None, None));
    assert!(found.splits.is_empty());
    assert_eq!(found.cells.len(), 1, "the cell stays, with zeros");
}

#[test]
fn a_model_that_always_follows_one_modality_has_no_balance_point() {
    for (threshold, point, tfr) in
        [(9.0, BalancePoint::AlwaysText, 1.0), (-9.0, BalancePoint::AlwaysVision, 0.0)]
    {
        let found = analysis(&step(threshold));
        assert_eq!(found.tfr, Some(Estimate { value: tfr, interval: Some((tfr, tfr)) }));
        let curve = found.curve.unwrap();
        assert_eq!(curve.balance_point, point);
        assert_eq!(curve.logistic, None);
        assert_eq!(curve.monotonicity.unwrap().spearman_rho, None);
    }
}

#[test]
fn a_step_is_found_in_the_middle_of_its_gap() {
    let curve = curve_of(&step(-0.52));
    let BalancePoint::Crossing(at) = curve.balance_point else { panic!("{:?}", curve.balance_point) };
    assert!((at.value + 0.525).abs() < 1e-9, "{at:?}");
    let (low, high) = at.interval.unwrap();
    assert!(low <= at.value && at.value <= high && high - low < 0.5, "{at:?}");
    assert_eq!(curve.logistic, None, "separated by a threshold");
    assert_eq!(curve.monotonicity.unwrap().distance, 0.0);
}

#[test]
fn other_is_outside_the_ratio_and_an_answer_that_is_no_option_is_other() {
    let mut rows: Vec<_> = [Follows::Text, Follows::Vision, Follows::Vision, Follows::Other]
        .into_iter()
        .enumerate()
        .map(|(number, follows)| case(number, 0.1, follows))
        .collect();
    rows.push(FollowingRow { follows: None, y_conflict: None, ..case(4, 0.1, Follows::Other) });
    let found = analysis(&rows);
    assert_eq!(found.counts, Counts { cases: 5, failed: 0, analysed: 5, text: 1, vision: 2, other: 2 });
    assert!((found.tfr.unwrap().value - 1.0 / 3.0).abs() < 1e-12);
    assert!((found.other_rate.unwrap().value - 0.4).abs() < 1e-12);
    assert_eq!(found.curve.unwrap().cases, 3);
}

#[test]
fn a_case_without_dh_rel_counts_but_has_no_place_on_the_curve() {
    let mut rows = step(0.0);
    (rows[0].dh_rel, rows[0].h_text, rows[0].h_vision) = (None, Some(0.0), Some(0.0));
    let found = analysis(&rows);
    assert_eq!(found.counts.text + found.counts.vision, 61);
    assert_eq!(found.curve.unwrap().cases, 60);
}

#[test]
fn one_group_has_no_intervals() {
    let mut rows = step(0.0);
    for row in &mut rows {
        row.group_id = "only".into();
    }
    let found = analysis(&rows);
    assert_eq!(found.tfr.unwrap().interval, None);
    let curve = found.curve.unwrap();
    assert!(matches!(curve.balance_point, BalancePoint::Crossing(Estimate { interval: None, .. })));
    assert!(curve.bins.iter().filter_map(|bin| bin.text_following).all(|share| share.interval.is_none()));
}

#[test]
fn repeating_the_cases_of_a_group_adds_no_evidence() {
    let mut rows = step(0.0);
    for (number, row) in rows.iter_mut().enumerate() {
        if number % 3 == 0 {
            row.follows = Some(Follows::Vision);
        } else if number % 5 == 0 {
            row.follows = Some(Follows::Text);
        }
    }
    let (once, thrice) = (curve_of(&rows), curve_of(&[rows.clone(), rows.clone(), rows].concat()));
    assert_eq!(thrice.balance_point, once.balance_point);
    for (one, three) in once.bins.iter().zip(&thrice.bins).filter(|(one, _)| one.text_following.is_some()) {
        assert_eq!(three.text_following, one.text_following);
    }
    let crossing = |curve: Curve| curve.logistic.unwrap().balance_point.unwrap();
    let ((low, high), (other_low, other_high)) =
        (crossing(once).interval.unwrap(), crossing(thrice).interval.unwrap());
    assert!((low - other_low).abs() < 1e-9 && (high - other_high).abs() < 1e-9);
    assert!(high - low > 0.1, "[{low}, {high}]");
}

#[test]
fn a_constant_dh_rel_gives_one_bin_and_no_slope() {
    let rows: Vec<_> = (0..10)
        .map(|number| case(number, 0.3, if number < 7 { Follows::Text } else { Follows::Vision }))
        .collect();
    let found = analysis(&rows);
    assert!(found.splits.is_empty(), "all totals are equal: there is no half above the median");
    let curve = found.curve.unwrap();
    assert_eq!(curve.isotonic, [(0.3, 0.7)]);
    assert_eq!((curve.logistic, curve.monotonicity), (None, None));
    assert_eq!(curve.balance_point, BalancePoint::AlwaysText);
}

#[test]
fn bins_include_their_lower_edge_and_the_last_one_both() {
    let rows: Vec<_> = [-2.0, -1.75, 0.0, 0.2499, 2.0]
        .into_iter()
        .enumerate()
        .map(|(number, dh_rel)| case(number, dh_rel, Follows::Text))
        .collect();
    let curve = curve_of(&rows);
    let filled: Vec<_> =
        curve.bins.iter().filter(|bin| bin.cases > 0).map(|bin| (bin.low, bin.high, bin.cases)).collect();
    assert_eq!(filled, [(-2.0, -1.75, 1), (-1.75, -1.5, 1), (0.0, 0.25, 2), (1.75, 2.0, 1)]);
    let shown = curve.bins.iter().filter(|bin| bin.text_following.is_some()).count();
    assert_eq!(shown, 1, "a bin needs two cases here");
}

#[test]
fn a_width_that_does_not_divide_the_range_narrows_the_last_bin() {
    let wide = FollowingSettings { bin_width: 1.5, ..settings() };
    let found = analyze_rows("m", "s", &step(0.0), &[], &wide).unwrap();
    let edges: Vec<_> = found.curve.unwrap().bins.iter().map(|bin| (bin.low, bin.high)).collect();
    assert_eq!(edges, [(-2.0, -0.5), (-0.5, 1.0), (1.0, 2.0)]);
}

#[test]
fn the_split_is_at_the_median_of_total_entropy() {
    let mut rows = step(0.0);
    for (number, row) in rows.iter_mut().enumerate() {
        // Every second case is sure of both modalities; the dH_rel stays.
        let scale = if number % 2 == 0 { 1.0 } else { 3.0 };
        row.h_text = row.h_text.map(|nats| nats * scale);
        row.h_vision = row.h_vision.map(|nats| nats * scale);
    }
    let found = analysis(&rows);
    let splits: Vec<_> = found.splits.iter().map(|split| (split.name.as_str(), split.curve.cases)).collect();
    assert_eq!(splits, [("low", 31), ("high", 30)]);
}

#[test]
fn controls_count_what_the_answer_agrees_with() {
    let answers = [Some("blue"), Some("red"), Some("red"), Some("green"), None];
    let mut rows: Vec<FollowingRow> = answers
        .into_iter()
        .enumerate()
        .map(|(number, answer)| FollowingRow {
            control: "image-irrelevant".into(),
            y_conflict: answer.map(Into::into),
            ..case(number, 0.0, Follows::Text)
        })
        .collect();
    rows.push(FollowingRow { failed: true, ..rows[0].clone() });
    rows.push(FollowingRow { expected_vision: Some("blue".into()), ..rows[0].clone() });
    let found = analysis(&rows);
    assert_eq!(found.counts.cases, 0, "controls are apart");
    let control = "image-irrelevant".into();
    assert_eq!(
        found.controls,
        [ControlRow { control, cases: 6, designed_text: 1, designed_vision: 2, other: 3 }],
        "an answer that both modalities are designed to give is other"
    );
}

#[test]
fn tiers_are_of_answered_prompts_without_control() {
    let outcome = |group: &str, presentation: &str, dv, entropy, correct| OutcomeRow {
        item_id: "item".into(),
        group_id: group.into(),
        presentation: presentation.into(),
        control: NO_CONTROL.into(),
        dv,
        dt: Some(2),
        entropy,
        correct,
        failed: false,
    };
    let mut rows = vec![
        outcome("a", "vision-only", Some(3), Some(0.5), Some(true)),
        outcome("b", "vision-only", Some(3), Some(1.5), Some(false)),
        outcome("b", "vision-only", Some(3), None, Some(true)),
        outcome("a", "vision-only", Some(0), Some(0.1), Some(true)),
        outcome("a", "vision-only", None, Some(9.0), Some(true)),
        outcome("a", "text-only", Some(3), Some(0.7), Some(false)),
        outcome("a", "conflict", Some(3), Some(9.0), Some(true)),
    ];
    rows.push(OutcomeRow { failed: true, ..rows[0].clone() });
    rows.push(OutcomeRow { control: "text-irrelevant".into(), ..rows[0].clone() });
    let found = analyze_rows("m", "s", &[], &rows, &settings()).unwrap();
    let tiers: Vec<_> = found
        .vision_tiers
        .iter()
        .map(|row| (row.tier, row.prompts, row.entropy.unwrap().value, row.accuracy.value))
        .collect();
    assert_eq!(tiers, [(0, 1, 0.1, 1.0), (3, 3, 1.0, 2.0 / 3.0)]);
    assert_eq!(found.text_tiers.len(), 1);
    assert_eq!((found.text_tiers[0].tier, found.text_tiers[0].entropy.unwrap().value), (2, 0.7));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let with = |settings| analyze_rows("m", "s", &[], &[], &settings).unwrap_err().to_string();
    let defaults = settings();
    for (bad, message) in [
        (
            FollowingSettings { bin_width: 0.0, ..defaults },
            "bin_width must be between 0.01 and 4, but it is 0",
        ),
        (FollowingSettings { bin_width: f64::NAN, ..defaults }, "but it is NaN"),
        (FollowingSettings { min_bin_cases: 0, ..defaults }, "min_bin_cases must be at least 1"),
        (FollowingSettings { confidence: 1.0, ..defaults }, "confidence must be between 0 and 1"),
    ] {
        let found = with(bad);
        assert!(found.contains(message), "{found}");
    }
}

fn any_row() -> impl Strategy<Value = FollowingRow> {
    let follows = prop_oneof![
        Just(None),
        Just(Some(Follows::Text)),
        Just(Some(Follows::Vision)),
        Just(Some(Follows::Other)),
    ];
    let dh_rel = prop_oneof![Just(None), (-8i32..=8).prop_map(|quarter| Some(f64::from(quarter) * 0.25))];
    (0..4u8, dh_rel, follows, any::<bool>(), any::<bool>()).prop_map(
        |(group, dh_rel, follows, analysed, failed)| FollowingRow {
            group_id: format!("group-{group}"),
            dh_rel,
            follows,
            analysed,
            failed,
            ..case(0, dh_rel.unwrap_or_default(), Follows::Other)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn counts_add_up_and_the_ratios_are_theirs(rows in prop::collection::vec(any_row(), 0..40)) {
        let found = analysis(&rows);
        let counts = found.counts;
        prop_assert_eq!(counts.text + counts.vision + counts.other, counts.analysed);
        prop_assert!(counts.analysed + counts.failed <= counts.cases);
        match found.tfr {
            Some(tfr) => {
                let vfr = counts.vision as f64 / (counts.text + counts.vision) as f64;
                prop_assert!((tfr.value + vfr - 1.0).abs() < 1e-12);
            }
            None => prop_assert_eq!(counts.text + counts.vision, 0),
        }
        let in_cells: u64 = found.cells.iter().map(|cell| cell.text + cell.vision + cell.other).sum();
        prop_assert_eq!(in_cells, counts.analysed);
        if let Some(curve) = found.curve {
            prop_assert_eq!(curve.bins.iter().map(|bin| bin.cases).sum::<u64>(), curve.cases);
        }
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter(
        (rows, shuffled) in prop::collection::vec(any_row(), 0..40)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        prop_assert_eq!(analysis(&rows), analysis(&shuffled));
    }
}
