//! Promises of the sections on consistency; `report::tests` has those of every page.

use crate::analysis::summary::ConsistencyAnalysis;
use crate::report::tests::{CONSISTENCY_FIGURES, consistency_page, full_page, values};
use crate::report::{sample, sample_items};

#[test]
fn an_empty_analysis_of_consistency_has_a_sentence_for_every_figure() {
    let nothing = crate::analysis::consistency::analyze_rows("m", "s", &[], &Default::default()).unwrap();
    let page = consistency_page(vec![ConsistencyAnalysis { run: sample::about().run, ..nothing }], &[]);
    assert!(page.contains("shows no item as image"));
    assert!(values(&page, "data-figure").is_empty());
    // The figures, the table of tasks, and the contact sheet.
    assert_eq!(page.matches("<p class=\"nothing\">").count(), CONSISTENCY_FIGURES.len() + 2);
}

#[test]
fn only_the_runs_own_analyses_are_drawn_and_all_are_compared() {
    let page = full_page();
    for model in ["large-vlm", "small-vlm-2b", "another-vlm-7b", "old-vlm"] {
        assert!(page.contains(&format!("{model} × rest")), "{model} stands in the comparison");
        assert!(page.contains(&format!("{model}: cosine")), "{model} is a point");
    }
    assert_eq!(page.matches("<dl class=\"tiles four\">").count(), 1);
}

#[test]
fn the_contact_sheet_shows_every_rendering_with_its_answers() {
    let items = sample_items::items();
    let page = consistency_page(vec![sample_items::analysis()], &items);
    assert_eq!(page.matches("<article class=\"case item\"").count(), items.len());
    let renderings: usize = items.iter().map(|item| item.renderings.len()).sum();
    assert_eq!(page.matches("<div class=\"rendering\">").count(), renderings);
    let pictures = items.iter().flat_map(|item| &item.renderings).filter(|rendering| rendering.png.is_some());
    assert_eq!(values(&page, "src").len(), pictures.count());
    assert!(page.contains("read without an error") && page.contains("read with CER 0."));
    assert!(page.contains("The picture is not part of this page."));
    assert!(!page.contains("id=\"cases\""), "conflict cases belong to another kind of run");
}
