//! Promises of what the page says of layers and depths.

use super::tests::{consistency_page, full_page, values};
use super::{About, CaseView, Page, sample, sample_items};
use crate::analysis::summary::{Analysis, Estimate, FollowingAnalysis};

fn page(analysis: FollowingAnalysis, cases: &[CaseView]) -> String {
    let analysis = Analysis { following: vec![analysis], ..Analysis::default() };
    super::render(&Page { about: &sample::about(), analysis: &analysis, fidelity: None, cases, items: &[] })
}

/// The markup of the figure of this kind.
fn figure<'a>(page: &'a str, kind: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("<figure data-figure=\"{kind}\"")).unwrap();
    rest.split_once("</figure>").unwrap().0
}

#[test]
fn a_cell_leads_to_a_card_of_its_bin_and_no_cell_without_one_leads_anywhere() {
    let page = page(sample::analysis(), &sample::cases());
    let figure = figure(&page, "heat-map");
    let links: Vec<(&str, &str)> =
        values(figure, "href").into_iter().zip(values(figure, "data-to-bin")).collect();
    assert!(links.len() > 24, "{}", links.len());
    for (href, bin) in links {
        let (_, card) = page.split_once(&format!("<article class=\"case\" id=\"{}\"", &href[1..])).unwrap();
        assert_eq!(values(card, "data-bin")[0], bin);
        assert!(card.split("</article>").next().unwrap().contains(">analysed<"), "{href}");
    }
}

#[test]
fn cases_of_another_suite_are_not_linked() {
    let other = FollowingAnalysis { suite: "attribute-recognition".into(), ..sample::analysis() };
    assert!(values(figure(&page(other, &sample::cases()), "heat-map"), "href").is_empty());
}

#[test]
fn the_example_shows_its_picture_where_the_page_has_it() {
    let with = page(sample::analysis(), &sample::cases());
    assert_eq!(figure(&with, "trajectories").matches("<img ").count(), 1);
    let without = page(sample::analysis(), &[]);
    assert_eq!(figure(&without, "trajectories").matches("<img ").count(), 0);
}

#[test]
fn a_matrix_leads_to_the_items_of_the_page() {
    let page = consistency_page(vec![sample_items::analysis()], &sample_items::items());
    let links: std::collections::BTreeSet<&str> =
        values(figure(&page, "similarity"), "href").into_iter().collect();
    assert_eq!(links.into_iter().collect::<Vec<_>>(), ["#item-1", "#item-2", "#item-3", "#item-4"]);
}

#[test]
fn two_depths_are_a_table_and_no_curve() {
    let mut analysis = sample_items::analysis();
    analysis.representations.drain(1..25);
    let page = consistency_page(vec![analysis], &[]);
    assert!(!values(&page, "data-figure").contains(&"depths"));
    assert!(page.contains("<th scope=\"row\">output</th>"));
}

#[test]
fn words_from_outside_are_escaped() {
    let evil = || "</script><script>alert(1)</script>\"'>&".to_string();
    let mut following = sample::analysis();
    let layers = following.layers.as_mut().unwrap();
    layers.sets[3].name = evil();
    let example = layers.trajectories.as_mut().unwrap();
    (example.group_id, example.expected_vision, example.expected_text) = (evil(), Some(evil()), Some(evil()));
    example.cases[0].item_id = evil();
    example.cases[0].follows = Some(evil());
    example.cases[0].points[0].top1_text = Some("<b>\"".into());
    let mut consistent = sample_items::analysis();
    consistent.representations[3].depth = evil();
    consistent.best_depth.as_mut().unwrap().cosine = evil();
    let matrix = consistent.similarities.as_mut().unwrap();
    (matrix.depth, matrix.variant, matrix.items[0]) = (evil(), evil(), evil());
    let analysis =
        Analysis { following: vec![following], consistency: vec![consistent], ..Analysis::default() };
    let about: About = sample::about();
    let page =
        super::render(&Page { about: &about, analysis: &analysis, fidelity: None, cases: &[], items: &[] });
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("<b>"));
    assert!(page.contains("&lt;b&gt;&quot;"));
}

#[test]
fn numbers_that_are_none_are_left_out() {
    let nowhere = Some(Estimate { value: f64::NAN, interval: Some((f64::NAN, f64::INFINITY)) });
    let mut following = sample::analysis();
    let layers = following.layers.as_mut().unwrap();
    layers.sets[1].oscillations = nowhere;
    layers.sets[2].oscillations = nowhere.map(|of| Estimate { value: 1.0, ..of });
    (layers.difference, layers.balance_point) = (nowhere, Some(f64::NAN));
    layers.heat_map[100].logit_difference = Some(f64::NAN);
    layers.trajectories.as_mut().unwrap().cases[1].points[4].logit_difference = Some(f64::INFINITY);
    let mut consistent = sample_items::analysis();
    consistent.representations[7].cosine = nowhere;
    consistent.representations[9].retrieval = nowhere;
    consistent.similarities.as_mut().unwrap().similarities[2][3] = f64::NAN;
    let following = page(following, &sample::cases());
    for page in [following, consistency_page(vec![consistent], &[])] {
        let body = page.split_once("<body>").unwrap().1.split_once("<script>").unwrap().0;
        for word in ["NaN", "nan\"", ">nan", "=\"inf", ">inf", "-inf"] {
            assert!(!body.contains(word), "{word}");
        }
    }
}

#[test]
fn drawings_with_links_are_groups() {
    let page = full_page();
    for kind in ["heat-map", "similarity"] {
        assert!(figure(&page, kind).contains("role=\"group\" viewBox"), "{kind}");
    }
}
