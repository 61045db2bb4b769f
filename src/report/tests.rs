//! Promises of the whole page.

use std::fs::File;
use std::io::Write;

use super::{About, CasePrompt, CaseView, render, sample};
use crate::analysis::summary::{BalancePoint, Estimate, FollowingAnalysis};

const FIGURES: [&str; 6] = ["tally", "curve", "tiers", "cells", "halves", "controls"];

fn page() -> String {
    render(&sample::about(), &[sample::analysis()], &sample::cases())
}

/// The values of an attribute, in the order of the page.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let opening = format!(" {attribute}=\"");
    page.split(&opening).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// The page's text and attributes, without style and script.
fn content(page: &str) -> String {
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    let (body, rest) = rest.split_once("<script>").unwrap();
    let (_, tail) = rest.split_once("</script>").unwrap();
    [head, body, tail].concat()
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(page(), page());
}

#[test]
fn nothing_is_loaded_from_a_network() {
    let page = page();
    assert!(values(&page, "src").iter().all(|source| source.starts_with("data:image/png;base64,")));
    assert!(values(&page, "src").len() > 10);
    for link in values(&page, "href") {
        assert!(link.starts_with('#') || link == "https://arxiv.org/abs/2511.02243", "{link}");
    }
    for loader in
        ["url(", "@import", "<link", "<iframe", "<object", "<use", "fetch(", "XMLHttpRequest", "import("]
    {
        assert!(!page.contains(loader), "{loader}");
    }
}

#[test]
fn the_policy_allows_this_style_and_this_script_and_no_network() {
    use base64::Engine;
    use sha2::{Digest, Sha256};

    let page = page();
    let policy = values(&page, "content")[0];
    assert!(policy.starts_with("default-src 'none'; img-src data:;"), "{policy}");
    assert!(!policy.contains("http") && !policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    for element in ["style", "script"] {
        let source = page.split(&format!("<{element}>")).nth(1).unwrap();
        let source = source.split(&format!("</{element}>")).next().unwrap();
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(source));
        assert!(policy.contains(&format!("{element}-src 'sha256-{hash}'")), "{element}: {policy}");
    }
    // A policy without 'unsafe-inline' drops these silently.
    assert!(values(&page, "style").is_empty());
    assert!(!content(&page).contains(" onclick="));
}

#[test]
fn every_figure_is_there() {
    assert_eq!(values(&page(), "data-figure"), FIGURES);
}

#[test]
fn ids_are_unique_and_links_and_labels_lead_somewhere() {
    let page = render(&sample::about(), &[sample::analysis(), sample::analysis()], &sample::cases());
    let page = content(&page);
    let ids = values(&page, "id");
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(ids.len(), unique.len());
    for link in values(&page, "href").into_iter().filter_map(|link| link.strip_prefix('#')) {
        assert!(ids.contains(&link), "{link}");
    }
    for label in values(&page, "aria-labelledby").into_iter().flat_map(str::split_whitespace) {
        assert!(ids.contains(&label), "{label}");
    }
}

#[test]
fn text_from_outside_is_escaped_wherever_it_enters() {
    let evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'>&";
    let about = About {
        run: evil.to_string(),
        model: evil.to_string(),
        suite: evil.to_string(),
        created_by: evil.to_string(),
        settings: vec![(evil.to_string(), evil.to_string())],
        prompts: 1,
        failed: 0,
    };
    let mut analysis = sample::analysis();
    analysis.run = evil.to_string();
    analysis.model = evil.to_string();
    analysis.suite = evil.to_string();
    analysis.controls[0].control = evil.to_string();
    analysis.splits[0].name = evil.to_string();
    let prompt = CasePrompt {
        presentation: evil.to_string(),
        text: format!("<image>{evil}"),
        answer: Some(evil.to_string()),
        raw_text: format!("{evil} again"),
        entropy: Some(0.5),
        options: vec![(evil.to_string(), 0.5)],
        status: evil.to_string(),
        error: None,
    };
    let failed = CasePrompt { error: Some(evil.to_string()), ..prompt.clone() };
    let case = CaseView {
        item_id: evil.to_string(),
        group_id: evil.to_string(),
        control: evil.to_string(),
        image_png: sample::cases()[0].image_png.clone(),
        prompts: vec![prompt, failed],
        expected_vision: Some(evil.to_string()),
        expected_text: Some("blue".to_string()),
        follows: Some(evil.to_string()),
        ..CaseView::default()
    };
    let page = render(&about, &[analysis.clone(), analysis], &[case]);
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script").count(), 1);
    assert!(!page.contains("<img src=x"));
    assert!(!content(&page).contains("\"'>"));
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"));
    assert!(page.contains("<span class=\"image-mark\">image</span>&lt;/script&gt;"));
}

#[test]
fn tags_are_balanced() {
    let page = content(&page());
    for tag in [
        "svg", "figure", "section", "article", "div", "table", "tr", "td", "ul", "li", "dl", "dd", "p",
        "text", "a",
    ] {
        let opened = page.matches(&format!("<{tag} ")).count() + page.matches(&format!("<{tag}>")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn numbers_that_are_none_do_not_reach_the_page() {
    let mut analysis = sample::analysis();
    let nowhere = Estimate { value: f64::NAN, interval: Some((f64::NEG_INFINITY, f64::NAN)) };
    analysis.tfr = Some(nowhere);
    analysis.other_rate = Some(nowhere);
    analysis.vision_tiers[3].entropy = Some(nowhere);
    analysis.text_tiers[1].accuracy = nowhere;
    analysis.cells[0].mean_dh_rel = Some(f64::NAN);
    let curve = analysis.curve.as_mut().unwrap();
    curve.bins[8].text_following = Some(nowhere);
    curve.bins[7].mean_dh_rel = Some(f64::NAN);
    curve.isotonic.push((f64::NAN, f64::NAN));
    curve.balance_point = BalancePoint::Crossing(nowhere);
    let mut cases = sample::cases();
    cases[0].dh_rel = Some(f64::NAN);
    cases[0].prompts[0].entropy = Some(f64::INFINITY);
    cases[0].prompts[0].options[0].1 = f64::NAN;
    let page = content(&render(&sample::about(), &[analysis], &cases));
    for word in ["NaN", "nan\"", ">nan", "=\"inf", ">inf", "-inf"] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn the_finding_and_the_key_figures_stand_at_the_top() {
    let page = content(&page());
    let top = page.split("data-figure=\"curve\"").next().unwrap();
    for part in [
        "follows the image more often: TFR 0.41 [0.38,\u{a0}0.44]",
        ">−0.12<",
        ">2,874<",
        ">−0.57<",
        ">0.014<",
    ] {
        assert!(top.contains(part), "{part}");
    }
}

#[test]
fn every_case_is_a_card_that_the_filters_can_find() {
    let (page, cases) = (page(), sample::cases());
    assert_eq!(page.matches("<article class=\"case\"").count(), cases.len());
    assert_eq!(values(&page, "data-follows").len(), cases.len());
    for (attribute, filter) in
        [("data-dv", "dv"), ("data-dt", "dt"), ("data-control", "control"), ("data-follows", "follows")]
    {
        let select = page.split(&format!("<select data-filter=\"{filter}\"")).nth(1).unwrap();
        let select = select.split("</select>").next().unwrap();
        for value in values(&page, attribute) {
            assert!(select.contains(&format!("<option value=\"{value}\">")), "{filter} {value}");
        }
    }
}

#[test]
fn a_card_shows_what_was_asked_and_what_came_back() {
    let page = page();
    let card = page.split("<article").nth(8).unwrap();
    assert!(card.contains("the prompt has 2311 tokens, the context holds 2048"));
    assert!(card.contains("following unknown"));
    let card = page.split("<article").nth(4).unwrap();
    assert!(card.contains("The image is not part of this page."));
}

#[test]
fn bytes_that_are_no_png_are_not_shown_as_one() {
    let case = CaseView { image_png: Some(b"<svg onload=alert(1)>".to_vec()), ..CaseView::default() };
    let page = render(&About::default(), &[], &[case]);
    assert!(values(&page, "src").is_empty());
    assert!(page.contains("not a PNG file"));
}

#[test]
fn an_empty_report_says_what_is_missing() {
    let page = render(&About::default(), &[], &[]);
    assert!(page.contains("No analysis of following was made of this run"));
    assert!(page.contains("without a sample of cases"));
    assert!(values(&page, "data-figure").is_empty());
}

#[test]
fn an_empty_analysis_has_a_sentence_for_every_figure() {
    let analysis = FollowingAnalysis {
        counts: Default::default(),
        tfr: None,
        other_rate: None,
        curve: None,
        splits: Vec::new(),
        cells: Vec::new(),
        vision_tiers: Vec::new(),
        text_tiers: Vec::new(),
        controls: Vec::new(),
        ..sample::analysis()
    };
    let page = render(&sample::about(), &[analysis], &[]);
    assert!(values(&page, "data-figure").is_empty());
    assert_eq!(page.matches("<p class=\"nothing\">").count(), FIGURES.len() + 1);
}

/// To look at: `cargo test report -- --ignored`, then open `crossmodal-report*.html` in the temporary folder.
#[test]
#[ignore = "writes pages for a person to look at"]
fn pages_to_look_at() {
    let mut other = sample::analysis();
    other.suite = "attribute-recognition".to_string();
    if let Some(curve) = other.curve.as_mut() {
        curve.balance_point = BalancePoint::AlwaysText;
    }
    other.controls.clear();
    for (name, page) in [
        ("crossmodal-report.html", page()),
        ("crossmodal-report-two.html", render(&sample::about(), &[sample::analysis(), other], &[])),
        ("crossmodal-report-empty.html", render(&sample::about(), &[], &[])),
    ] {
        File::create(std::env::temp_dir().join(name)).unwrap().write_all(page.as_bytes()).unwrap();
    }
}
