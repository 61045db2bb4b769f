//! Promises of the whole page.

use std::fs::File;
use std::io::Write;

use super::{
    About, AnswerView, CasePrompt, CaseView, ItemView, Page, RenderingView, fidelity, sample, sample_items,
};
use crate::analysis::summary::{Analysis, BalancePoint, ConsistencyAnalysis, Estimate, FollowingAnalysis};

const FIGURES: [&str; 6] = ["tally", "curve", "tiers", "cells", "halves", "controls"];
const LAYER_FIGURES: [&str; 4] = ["oscillations", "heat-map", "classes", "trajectories"];
pub(super) const CONSISTENCY_FIGURES: [&str; 4] = ["modalities", "resolution", "effects", "tokens"];
const DEPTH_FIGURES: [&str; 2] = ["depths", "similarity"];

/// The page of these analyses of following.
fn render(about: &About, following: &[FollowingAnalysis], cases: &[CaseView]) -> String {
    let analysis = Analysis { following: following.to_vec(), ..Analysis::default() };
    super::render(&Page { about, analysis: &analysis, fidelity: None, cases, items: &[] })
}

fn page() -> String {
    render(&sample::about(), &[sample::analysis()], &sample::cases())
}

/// The page of these analyses of consistency, the first of which is its run's.
pub(super) fn consistency_page(consistency: Vec<ConsistencyAnalysis>, items: &[ItemView]) -> String {
    let models = (consistency.len() > 1).then(|| crate::analysis::models::compare(&consistency));
    let analysis = Analysis { consistency, models, ..Analysis::default() };
    super::render(&Page { about: &sample::about(), analysis: &analysis, fidelity: None, cases: &[], items })
}

/// A page with everything: both kinds of analysis, a reference run, and other models to compare with.
pub(super) fn full_page() -> String {
    let consistency = [vec![sample_items::analysis()], sample_items::others()].concat();
    let analysis =
        Analysis { following: vec![sample::analysis()], consistency, models: Some(sample_items::models()) };
    let (about, cases, items) = (sample::about(), sample::cases(), sample_items::items());
    super::render(&Page {
        about: &about,
        analysis: &analysis,
        fidelity: Some(&fidelity::tests::comparison()),
        cases: &cases,
        items: &items,
    })
}

/// The values of an attribute, in the order of the page.
pub(super) fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
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
    assert_eq!(full_page(), full_page());
}

#[test]
fn nothing_is_loaded_from_a_network() {
    let page = full_page();
    assert!(values(&page, "src").iter().all(|source| source.starts_with("data:image/png;base64,")));
    assert!(values(&page, "src").len() > 40);
    let papers = ["https://arxiv.org/abs/2511.02243", "https://arxiv.org/abs/2512.08923"];
    for link in values(&page, "href") {
        assert!(link.starts_with('#') || papers.contains(&link), "{link}");
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

    let page = full_page();
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
    assert_eq!(values(&page(), "data-figure"), [&FIGURES[..], &LAYER_FIGURES].concat());
    let alone = consistency_page(vec![sample_items::analysis()], &[]);
    assert_eq!(values(&alone, "data-figure"), [&CONSISTENCY_FIGURES[..], &DEPTH_FIGURES].concat());
    let all =
        [&CONSISTENCY_FIGURES[..], &DEPTH_FIGURES, &["alignment"], &FIGURES, &LAYER_FIGURES, &["entropies"]]
            .concat();
    assert_eq!(values(&full_page(), "data-figure"), all);
}

#[test]
fn ids_are_unique_and_links_and_labels_lead_somewhere() {
    let twice = [sample::analysis(), sample::analysis()];
    for page in [
        render(&sample::about(), &twice, &sample::cases()),
        consistency_page(vec![sample_items::analysis(); 2], &sample_items::items()),
        full_page(),
    ] {
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
    let evil = || evil.to_string();
    let mut consistent = sample_items::model(&evil(), &evil(), 0.9, 0.5);
    consistent.suite = evil();
    consistent.representations[0].depth = evil();
    consistent.all.by_task[0].task = evil();
    consistent.effects[3].level = evil();
    for variant in &mut consistent.all.by_variant {
        variant.rendering.font = Some(evil());
    }
    consistent.tokens[1].variant = Some(evil());
    let answer = AnswerView { answer: None, raw_text: evil(), correct: Some(false), error: None };
    let rendering = RenderingView {
        variant: evil(),
        png: sample::cases()[0].image_png.clone(),
        image: Some(AnswerView { answer: Some(evil()), ..answer.clone() }),
        mixed: Some(AnswerView { error: Some(evil()), ..answer.clone() }),
        transcription: Some(answer.clone()),
        ..RenderingView::default()
    };
    let item = ItemView {
        item_id: evil(),
        task: Some(evil()),
        expected: Some(evil()),
        text: Some(answer),
        renderings: vec![rendering],
    };
    let consistency = vec![consistent.clone(), consistent];
    let models = Some(crate::analysis::models::compare(&consistency));
    let analysis = Analysis { following: vec![analysis.clone(), analysis], consistency, models };
    let page = super::render(&Page {
        about: &about,
        analysis: &analysis,
        fidelity: None,
        cases: &[case],
        items: &[item],
    });
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script").count(), 1);
    assert!(!page.contains("<img src=x"));
    assert!(!content(&page).contains("\"'>"));
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"));
    assert!(page.contains("<span class=\"image-mark\">image</span>&lt;/script&gt;"));
}

#[test]
fn tags_are_balanced() {
    let page = content(&full_page());
    for tag in [
        "svg", "figure", "section", "article", "div", "table", "tr", "td", "ul", "li", "dl", "dt", "dd", "p",
        "text", "a", "details", "span", "strong", "q",
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
    let mut consistent = sample_items::analysis();
    let rates = &mut consistent.all.pooled.rates;
    (rates.rer, rates.cfr, rates.mmc) = (Some(nowhere), Some(nowhere), Some(nowhere));
    (rates.accuracy.text, rates.unparsed.mixed) = (Some(nowhere), Some(nowhere));
    consistent.all.tests[0].difference = Some(nowhere);
    consistent.all.by_variant[2].metrics.rates.rer = Some(nowhere);
    consistent.ocr[1].cer = Some(nowhere);
    consistent.effects[0].difference.as_mut().unwrap().accuracy = Some(nowhere);
    consistent.tokens[0].text_prompt = Some(nowhere);
    consistent.tokens[3].image_prompt_vision = Some(nowhere);
    consistent.representations[1].cosine = Some(nowhere);
    let consistency = vec![consistent, sample_items::others().remove(0)];
    let models = Some(crate::analysis::models::compare(&consistency));
    let analysis = Analysis { following: vec![analysis], consistency, models };
    let items = sample_items::items();
    let page =
        Page { about: &sample::about(), analysis: &analysis, fidelity: None, cases: &cases, items: &items };
    let page = content(&super::render(&page));
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
    for (attribute, filter) in [
        ("data-dv", "dv"),
        ("data-dt", "dt"),
        ("data-control", "control"),
        ("data-follows", "follows"),
        ("data-bin", "bin"),
    ] {
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
    assert!(page.contains("No analysis was made of this run"));
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
        layers: None,
        ..sample::analysis()
    };
    let page = render(&sample::about(), &[analysis], &[]);
    assert!(values(&page, "data-figure").is_empty());
    assert_eq!(page.matches("<p class=\"nothing\">").count(), FIGURES.len() + 1);
}

#[test]
fn answers_without_entropies_leave_the_panel_of_entropy_out() {
    let mut analysis = sample::analysis();
    for row in analysis.vision_tiers.iter_mut().chain(&mut analysis.text_tiers) {
        row.entropy = None;
    }
    let figure = |page: &str| {
        let figure = page.split("<figure data-figure=\"tiers\"").nth(1).unwrap();
        figure.split("</figure>").next().unwrap().to_string()
    };
    assert!(figure(&page()).contains("entropy, nats"));
    let without = figure(&render(&sample::about(), &[analysis], &[]));
    assert!(!without.contains("entropy, nats") && without.contains("accuracy"), "{without}");
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
        (
            "crossmodal-report-consistency.html",
            consistency_page(vec![sample_items::analysis()], &sample_items::items()),
        ),
        ("crossmodal-report-full.html", full_page()),
    ] {
        File::create(std::env::temp_dir().join(name)).unwrap().write_all(page.as_bytes()).unwrap();
    }
}
