//! Behaviour of the analysis on small sets of rows made here.

use proptest::prelude::*;

use super::*;
use crate::analysis::summary::{Factor, Incomplete, IncompleteReason, Modality, Unparsed};
use crate::analysis::tables::Shown;
use crate::analysis::tables::consistency::NO_VARIANT;

const SETTINGS: ConsistencySettings =
    ConsistencySettings { unparsed: Unparsed::Disagree, bootstrap: 50, confidence: 0.95, seed: 0 };

/// An answer to item `item`, whose right answer is "B".
fn row(item: usize, shown: Shown, variant: &str, answer: Option<&str>) -> ConsistencyRow {
    ConsistencyRow {
        run: "run".into(),
        item_id: format!("item-{item:02}"),
        group_id: format!("group-{}", item / 2),
        shown,
        variant: variant.into(),
        task: Some("arc".into()),
        font: (shown != Shown::Text).then(|| "dejavu-sans".into()),
        dpi: (shown != Shown::Text).then_some(200),
        color: (shown != Shown::Text).then(|| "black".into()),
        text_tokens: Some(40),
        vision_tokens: Some(if shown == Shown::Text { 0 } else { 100 }),
        expected: Some("B".into()),
        answer: answer.map(Into::into),
        correct: Some(answer == Some("B")),
        cer: (shown == Shown::Ocr).then_some(0.0),
        failed: false,
    }
}

/// Text, image and mixed of an item, all in one rendering.
fn item(item: usize, [text, image, mixed]: [Option<&str>; 3]) -> Vec<ConsistencyRow> {
    vec![
        row(item, Shown::Text, NO_VARIANT, text),
        row(item, Shown::Image, "plain", image),
        row(item, Shown::Mixed, "plain", mixed),
    ]
}

fn analysis(rows: &[ConsistencyRow]) -> ConsistencyAnalysis {
    analyze_rows("model", "suite", rows, &SETTINGS).unwrap()
}

fn value(estimate: Option<crate::analysis::summary::Estimate>) -> Option<f64> {
    estimate.map(|estimate| estimate.value)
}

#[test]
fn the_metrics_of_the_paper_on_four_items() {
    let rows = [
        item(0, [Some("B"), Some("B"), Some("B")]),
        item(1, [Some("B"), Some("A"), Some("B")]),
        item(2, [Some("A"), Some("A"), Some("A")]),
        item(3, [Some("A"), Some("C"), None]),
    ]
    .concat();
    let pooled = analysis(&rows).all.pooled;
    assert_eq!((pooled.comparisons, pooled.scored, pooled.covered), (4, 4, 2));
    let rates = pooled.rates;
    assert_eq!(value(rates.rer), Some(0.5), "right alike and wrong alike");
    assert_eq!(
        (value(rates.mmc), value(rates.all_right), value(rates.cfr)),
        (Some(0.5), Some(0.25), Some(0.5))
    );
    let accuracy = rates.accuracy;
    assert_eq!(
        [accuracy.text, accuracy.image, accuracy.mixed].map(value),
        [Some(0.5), Some(0.25), Some(0.5)]
    );
    assert_eq!(value(rates.unparsed.mixed), Some(0.25));
}

#[test]
fn unparseable_answers_agree_only_if_told() {
    let rows = item(0, [None; 3]);
    assert_eq!(value(analysis(&rows).all.pooled.rates.rer), Some(0.0));
    let agree = ConsistencySettings { unparsed: Unparsed::Agree, ..SETTINGS };
    let found = analyze_rows("m", "s", &rows, &agree).unwrap();
    assert_eq!(value(found.all.pooled.rates.rer), Some(1.0));
    let one_parsed = analyze_rows("m", "s", &item(0, [None, Some("A"), None]), &agree).unwrap();
    assert_eq!(value(one_parsed.all.pooled.rates.rer), Some(0.0));
}

#[test]
fn an_item_without_expected_answer_counts_for_rer_alone() {
    let mut rows = [item(0, [Some("B"); 3]), item(1, [Some("A"); 3])].concat();
    rows[3..].iter_mut().for_each(|row| (row.correct, row.expected) = (None, None));
    let pooled = analysis(&rows).all.pooled;
    assert_eq!((pooled.comparisons, pooled.scored), (2, 1));
    assert_eq!((value(pooled.rates.rer), value(pooled.rates.mmc)), (Some(1.0), Some(1.0)));
}

#[test]
fn what_is_incomplete_is_left_out_and_said_why() {
    let mut rows = [item(0, [Some("B"); 3]), item(1, [Some("B"); 3]), item(2, [Some("B"); 3])].concat();
    rows[4].failed = true;
    rows.remove(6);
    let found = analysis(&rows);
    assert_eq!((found.all.pooled.comparisons, found.all.pooled.incomplete), (1, 2));
    assert_eq!(
        found.incomplete,
        [
            Incomplete { modality: Modality::Text, reason: IncompleteReason::Missing, comparisons: 1 },
            Incomplete { modality: Modality::Image, reason: IncompleteReason::Failed, comparisons: 1 },
        ]
    );
}

#[test]
fn an_item_that_is_never_shown_mixed_is_compared_without_it() {
    let mut rows =
        [item(0, [Some("B"), Some("B"), Some("A")]), item(1, [Some("B"), Some("B"), Some("A")])].concat();
    rows.retain(|row| row.item_id != "item-01" || row.shown != Shown::Mixed);
    // A second rendering of the first item lacks its mixed row: that one is incomplete.
    rows.push(row(0, Shown::Image, "small", Some("B")));
    let found = analysis(&rows);
    assert_eq!((found.all.pooled.comparisons, found.all.pooled.incomplete, found.without_mixed), (2, 1, 1));
    assert_eq!(value(found.all.pooled.rates.rer), Some(0.5));
    assert_eq!(value(found.all.pooled.rates.accuracy.mixed), Some(0.0), "over the item that has it");
}

#[test]
fn the_gate_is_a_transcription_without_an_error_in_the_same_rendering() {
    let mut rows: Vec<ConsistencyRow> = (0..4).flat_map(|number| item(number, [Some("B"); 3])).collect();
    rows.extend([
        row(0, Shown::Ocr, "plain", None),
        ConsistencyRow { cer: Some(1e-9), ..row(1, Shown::Ocr, "plain", None) },
        ConsistencyRow { failed: true, ..row(2, Shown::Ocr, "plain", None) },
        row(3, Shown::Ocr, "other", None),
    ]);
    let found = analysis(&rows);
    assert_eq!(found.ocr_correct.pooled.comparisons, 1);
    assert_eq!(found.ocr[0].transcriptions, 3);
    assert_eq!(value(found.ocr[0].perfect), Some(2.0 / 3.0));
}

#[test]
fn tasks_count_once_in_the_macro_mean_and_items_once_in_the_pooled_one() {
    let mut rows: Vec<ConsistencyRow> = (0..3).flat_map(|number| item(number, [Some("B"); 3])).collect();
    let mut other = item(3, [Some("B"), Some("A"), Some("C")]);
    other.iter_mut().for_each(|row| row.task = Some("mmlu".into()));
    rows.extend(other);
    let found = analysis(&rows).all;
    assert_eq!((value(found.pooled.rates.rer), value(found.macro_mean.rer)), (Some(0.75), Some(0.5)));
    assert_eq!(found.by_task.iter().map(|of| of.task.as_str()).collect::<Vec<_>>(), ["arc", "mmlu"]);
}

#[test]
fn color_is_compared_with_black_in_the_same_font_and_resolution() {
    let look = |shown, variant: &str, dpi, color: &str, answer| ConsistencyRow {
        dpi: Some(dpi),
        color: Some(color.into()),
        ..row(0, shown, variant, Some(answer))
    };
    let rows = [
        row(0, Shown::Text, NO_VARIANT, Some("B")),
        look(Shown::Image, "200", 200, "black", "B"),
        look(Shown::Image, "50", 50, "black", "A"),
        look(Shown::Image, "50-red", 50, "red", "B"),
    ];
    let found = analysis(&rows).effects;
    let levels: Vec<_> = found.iter().map(|at| (at.factor, at.level.as_str(), at.comparisons)).collect();
    assert_eq!(
        levels,
        [
            (Factor::Dpi, "50", 1),
            (Factor::Dpi, "200", 1),
            (Factor::Color, "black", 1),
            (Factor::Color, "colored", 1),
            (Factor::Color, "red", 1),
        ],
        "one font has no effect; the red one has its partner at 50 dpi"
    );
    assert_eq!(value(found[0].difference.unwrap().accuracy), Some(-1.0));
    assert_eq!(value(found[4].difference.unwrap().accuracy), Some(1.0));
    assert!(found[1].reference && found[1].difference.is_none());
}

#[test]
fn renderings_agree_when_the_image_is_answered_alike_in_all() {
    let image = |item, variant: &str, answer| row(item, Shown::Image, variant, answer);
    let rows = [
        image(0, "a", Some("A")),
        image(0, "b", Some("A")),
        image(1, "a", Some("A")),
        image(1, "b", Some("B")),
        image(2, "a", Some("A")),
        image(3, "a", Some("A")),
        ConsistencyRow { failed: true, ..image(3, "b", None) },
    ];
    let found = analysis(&rows).variant_agreement.unwrap();
    assert_eq!(
        (found.items, value(found.share)),
        (2, Some(0.5)),
        "neither one rendering nor a failed one counts"
    );
    assert_eq!(analysis(&rows[4..5]).variant_agreement, None);
}

#[test]
fn tokens_are_summed_over_all_answers_and_divided_by_the_right_ones() {
    let rows =
        [item(0, [Some("B"), Some("B"), Some("B")]), item(1, [Some("B"), Some("A"), Some("B")])].concat();
    let found = &analysis(&rows).tokens[0];
    assert_eq!(value(found.text_per_right), Some(40.0));
    assert_eq!(value(found.vision_per_right), Some(200.0));
    assert_eq!(value(found.image_per_right), Some(280.0));
    assert_eq!(value(found.vision_ratio), Some(5.0));
    let uncounted: Vec<_> =
        rows.iter().map(|row| ConsistencyRow { text_tokens: None, ..row.clone() }).collect();
    assert!(analysis(&uncounted).tokens.is_empty());
}

#[test]
fn without_rows_there_is_nothing_and_no_panic() {
    let found = analysis(&[]);
    assert_eq!((found.items, found.all.pooled.comparisons), (0, 0));
    assert_eq!(found.all.macro_mean, Default::default());
    assert!(found.ocr.is_empty() && found.effects.is_empty() && found.tokens.is_empty());
    assert!(found.ocr_first.is_none() && found.variant_agreement.is_none());
}

#[test]
fn a_confidence_out_of_range_is_refused_by_name() {
    let settings = ConsistencySettings { confidence: 1.0, ..SETTINGS };
    let found = analyze_rows("m", "s", &[], &settings).unwrap_err().to_string();
    assert!(found.contains("confidence must be between 0 and 1"), "{found}");
}

/// Rows of a few items in two renderings, some missing, failed, unparseable or without an expected answer.
fn any_rows() -> impl Strategy<Value = Vec<ConsistencyRow>> {
    let answer = prop_oneof![Just(None), Just(Some("A")), Just(Some("B"))];
    let prompt = (answer, 0..12u8, prop_oneof![Just(0.0), 0.0..2.0f64]);
    let of_item = (prop::collection::vec(prompt, 9), 0..6u8, 0..3usize);
    prop::collection::vec(of_item, 0..12).prop_map(|items| {
        let shown = [Shown::Ocr, Shown::Image, Shown::Mixed, Shown::OcrFirst];
        let places = || {
            let rendered = ["plain", "small"].map(|variant| shown.map(|shown| (shown, variant)));
            std::iter::once((Shown::Text, NO_VARIANT)).chain(rendered.into_iter().flatten())
        };
        let mut rows = Vec::new();
        for (number, (prompts, known, task)) in items.into_iter().enumerate() {
            for ((shown, variant), (answer, luck, cer)) in places().zip(prompts) {
                let mut row = row(number, shown, variant, answer);
                row.task = ["arc", "mmlu"].get(task).map(|task| (*task).to_owned());
                row.cer = row.cer.map(|_| cer);
                row.dpi = (variant == "small").then_some(50).or(row.dpi);
                row.correct = row.correct.filter(|_| known > 0);
                row.failed = luck == 0;
                if luck != 1 {
                    rows.push(row);
                }
            }
        }
        rows
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cfr_is_one_minus_all_right_over_mmc(rows in any_rows()) {
        let found = analysis(&rows);
        for subset in [&found.all, &found.ocr_correct] {
            let tasks = subset.by_task.iter().map(|of| &of.metrics);
            let variants = subset.by_variant.iter().map(|of| &of.metrics);
            for metrics in tasks.chain(variants).chain([&subset.pooled]) {
                let (rates, covered) = (&metrics.rates, metrics.covered);
                match (value(rates.cfr), value(rates.mmc), value(rates.all_right)) {
                    (Some(cfr), Some(mmc), Some(all_right)) => {
                        prop_assert!((cfr - (1.0 - all_right / mmc)).abs() < 1e-12);
                    }
                    (cfr, ..) => prop_assert!(cfr.is_none() && covered == 0),
                }
            }
        }
    }

    #[test]
    fn rates_are_shares_and_parts_add_up(rows in any_rows()) {
        let found = analysis(&rows);
        for subset in [&found.all, &found.ocr_correct] {
            let metrics = &subset.pooled;
            let rates = &metrics.rates;
            for rate in [rates.rer, rates.mmc, rates.all_right, rates.cfr, rates.accuracy.image, rates.unparsed.text] {
                prop_assert!(rate.is_none_or(|rate| (0.0..=1.0).contains(&rate.value)));
            }
            prop_assert!(metrics.covered <= metrics.scored && metrics.scored <= metrics.comparisons);
            prop_assert!(rates.rer.is_some() == (metrics.comparisons > 0));
            // Whoever is right in all modalities answers alike, and one modality is never better than any of them.
            if metrics.scored == metrics.comparisons && metrics.comparisons > 0 {
                prop_assert!(value(rates.rer) >= value(rates.all_right));
                prop_assert!(value(rates.mmc) >= value(rates.accuracy.text));
            }
            let sum = |count: fn(&crate::analysis::summary::ConsistencyMetrics) -> u64| {
                subset.by_task.iter().map(|of| count(&of.metrics)).sum::<u64>()
            };
            prop_assert_eq!(sum(|metrics| metrics.comparisons), metrics.comparisons);
            prop_assert_eq!(sum(|metrics| metrics.incomplete), metrics.incomplete);
            let by_variant: u64 = subset.by_variant.iter().map(|of| of.metrics.comparisons).sum();
            prop_assert_eq!(by_variant, metrics.comparisons);
        }
        prop_assert!(found.ocr_correct.pooled.comparisons <= found.all.pooled.comparisons);
        let reasons: u64 = found.incomplete.iter().map(|reason| reason.comparisons).sum();
        prop_assert_eq!(reasons, found.all.pooled.incomplete);
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter(
        (rows, shuffled) in any_rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        prop_assert_eq!(analysis(&rows), analysis(&shuffled));
    }
}
