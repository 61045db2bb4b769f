//! How the numbers were made: definitions, settings, and what is needed to make them again.

use super::figure::DH_REL;
use super::input::About;
use super::{escape, number};
use crate::analysis::summary::{
    ConsistencyAnalysis, ConsistencySettings, FollowingAnalysis, LayersSettings, Unparsed,
};

/// The closing sections: method notes on the kinds of analysis that the page has, and how to reproduce the run.
#[must_use]
pub fn notes(
    about: &About,
    following: &[&FollowingAnalysis],
    consistency: &[&ConsistencyAnalysis],
) -> String {
    let of_consistency = if consistency.is_empty() { "" } else { CONSISTENCY };
    let of_following =
        if following.is_empty() && !consistency.is_empty() { String::new() } else { definitions() };
    let of_layers = if following.iter().any(|of| of.layers.is_some()) { LAYERS } else { "" };
    format!(
        "<section id=\"method\"><h2>Method</h2>{of_consistency}{of_following}{of_layers}</section>{}",
        reproduction(about, following, consistency)
    )
}

const CONSISTENCY: &str = "<dl class=\"definitions\">\
    <div><dt>Comparison</dt><dd>One item in one rendering: its answer to the text, to the image, and to the mixed \
    presentation where its suite has one. It is complete when none of them is missing or failed, and scored when each of \
    them is known to be right or wrong.</dd></div>\
    <div><dt>OCR-correct</dt><dd>Comparisons whose rendering the model transcribes with a character error rate of exactly 0, \
    (substitutions + insertions + deletions) / length of the reference, after normalisation. The gate is the model's own, so \
    models differ in what passes it.</dd></div>\
    <div><dt>RER</dt><dd>Render-equivalence rate: share of complete comparisons whose answers are all the same, right or \
    wrong.</dd></div>\
    <div><dt>MMC</dt><dd>Max modal coverage, <i>N<sub>c</sub></i> / <i>N</i>: share of the <i>N</i> scored comparisons that \
    are right in at least one modality.</dd></div>\
    <div><dt>CFR</dt><dd>Cross-modality failure rate: share of the <i>N<sub>c</sub></i> that is not right in all modalities; \
    1 − (share right in all) / MMC.</dd></div>\
    <div><dt>Tests</dt><dd>Paired <i>t</i>-tests of the accuracy of items, each the mean over its renderings.</dd></div>\
    <div><dt>Cosine</dt><dd><i>i</i>·<i>t</i> / (|<i>i</i>||<i>t</i>| + 10<sup>−7</sup>), with <i>i</i> the mean image token \
    of the image and <i>t</i> the mean text token of the text. Retrieval: a pair counts as found when it is strictly more \
    alike than every other of the same rendering; the mean of both directions.</dd></div>\
    <div><dt>Intervals</dt><dd>Percentiles of a bootstrap that resamples items (groups of them, where the suite has groups); \
    numerator and denominator of a ratio are drawn together.</dd></div></dl>\
    <p>The measures follow “Same Content, Different Answers: Cross-Modal Inconsistency in MLLMs”, \
    <a href=\"https://arxiv.org/abs/2512.08923\" rel=\"noreferrer\">arXiv:2512.08923</a>.</p>";

const LAYERS: &str = "<dl class=\"definitions\">\
    <div><dt>Layers</dt><dd>The logit lens: the state of the last position after each decoder layer, through the model's own \
    final norm and unembedding. The most probable token of a layer is the image's answer, the text's answer (those that the \
    model gives to either alone), or neither. The cases are the analysed conflict cases whose rows are in the table \
    <code>layers</code>.</dd></div>\
    <div><dt>Oscillation</dt><dd>Switches of a case between image and text from layer to layer, after the layers that are \
    neither are left out. The controls have cases of their own, counted whatever they answer alone.</dd></div>\
    <div><dt>Regions</dt><dd>Ambiguous: a relative uncertainty near the balance point of the isotonic fit over this run's own \
    cases; clear: away from it. The balance point is taken as a point. The paper reports a mean of 1.43 switches for \
    ambiguous and 0.71 for clear cases of LLaVA-1.6-7B, and 0.35 for the irrelevant control of LLaVA-1.5-7B; other models \
    have other numbers of layers, so that only the comparison carries over.</dd></div></dl>";

fn definitions() -> String {
    format!(
        "<dl class=\"definitions\">\
         <div><dt>Case</dt><dd>An image <i>I</i>, a text <i>T</i> and a question <i>Q</i>, where image and text were made \
         to give different answers. <i>Y<sub>v</sub></i> = M(<i>I</i>, <i>Q</i>) is the answer from the image alone, \
         <i>Y<sub>t</sub></i> = M(<i>T</i>, <i>Q</i>) from the text alone, <i>Y<sub>m</sub></i> = M(<i>I</i>, <i>T</i>, \
         <i>Q</i>) from both. A case is analysed where <i>Y<sub>v</sub></i> and <i>Y<sub>t</sub></i> are each the answer \
         their modality was designed to give.</dd></div>\
         <div><dt>Following</dt><dd>Text following: <i>Y<sub>m</sub></i> = <i>Y<sub>t</sub></i>. Vision following: \
         <i>Y<sub>m</sub></i> = <i>Y<sub>v</sub></i>. Else: other.</dd></div>\
         <div><dt>TFR</dt><dd>Text-following ratio, text / (text + vision). Other is in neither, and is reported beside \
         it.</dd></div>\
         <div><dt>Entropy</dt><dd><i>H</i> = −Σ <i>p</i> ln <i>p</i> in nats over the whole vocabulary at the answer \
         token: <i>H<sub>v</sub></i> from the image alone, <i>H<sub>t</sub></i> from the text alone.</dd></div>\
         <div><dt>{DH_REL}</dt><dd>Relative uncertainty, 2 (<i>H<sub>t</sub></i> − <i>H<sub>v</sub></i>) / \
         (<i>H<sub>t</sub></i> + <i>H<sub>v</sub></i>), between −2 and 2; negative where the text is the easier one, \
         absent where both entropies are 0.</dd></div>\
         <div><dt>Balance point</dt><dd>The {DH_REL} at which the isotonic (falling, pool-adjacent-violators) fit crosses \
         one half. Below 0: inherent vision preference. Above 0: inherent text preference.</dd></div>\
         <div><dt>Monotonicity</dt><dd>Case-weighted mean distance between the bins' shares and their isotonic fit, with \
         the share of label shuffles that come as close; and Spearman's ρ over cases.</dd></div>\
         <div><dt>Intervals</dt><dd>Percentiles of a bootstrap that resamples conflict groups, not single cases: cases of \
         one group share shapes and answers, and are not independent.</dd></div></dl>\
         <p>The measures follow “When Modalities Conflict: How Unimodal Reasoning Uncertainty Governs Preference \
         Dynamics in MLLMs”, <a href=\"https://arxiv.org/abs/2511.02243\" rel=\"noreferrer\">arXiv:2511.02243</a>.</p>"
    )
}

fn reproduction(
    about: &About,
    following: &[&FollowingAnalysis],
    consistency: &[&ConsistencyAnalysis],
) -> String {
    let mut rows = String::new();
    for (name, value) in [
        ("run", about.run.clone()),
        ("model", about.model.clone()),
        ("suite", about.suite.clone()),
        ("made by", about.created_by.clone()),
        ("prompts", number::count(about.prompts)),
        ("failed prompts", number::count(about.failed)),
    ] {
        rows.push_str(&row(name, &value));
    }
    for (name, value) in &about.settings {
        rows.push_str(&row(name, value));
    }
    let named = following.len() + consistency.len() > 1;
    let name = |kind: &str, model: &str, suite: &str| match named {
        true => format!("analysis of {kind}, {model} × {suite}"),
        false => "analysis".to_string(),
    };
    for of in consistency {
        rows.push_str(&row(&name("consistency", &of.model, &of.suite), &consistency_words(&of.settings)));
    }
    for of in following {
        rows.push_str(&row(&name("following", &of.model, &of.suite), &analysis_words(of)));
    }
    format!(
        "<section id=\"reproduce\"><h2>Reproduce</h2><p>On a CPU, the same model files, suite, settings and program version give \
         the same tables, byte for byte; the same tables give this page.</p>\
         <div class=\"scroll\" role=\"group\" tabindex=\"0\" aria-label=\"Settings\"><table class=\"settings\">\
         <tbody>{rows}</tbody></table></div></section>"
    )
}

fn row(name: &str, value: &str) -> String {
    format!(
        "<tr><th scope=\"row\">{}</th><td><code>{}</code></td></tr>",
        escape::html(name),
        escape::html(value)
    )
}

fn analysis_words(of: &FollowingAnalysis) -> String {
    let settings = &of.settings;
    let layers = of.layers.as_ref().map_or_else(String::new, |layers| {
        let LayersSettings { ambiguous_width, min_cell_cases } = layers.settings;
        format!(", ambiguous within {ambiguous_width}, at least {min_cell_cases} cases a cell")
    });
    format!(
        "bin width {}, at least {} cases a bin, {} bootstrap resamples, confidence {}, {} permutations, seed {}{layers}",
        settings.bin_width,
        settings.min_bin_cases,
        settings.bootstrap,
        settings.confidence,
        settings.permutations,
        settings.seed
    )
}

fn consistency_words(settings: &ConsistencySettings) -> String {
    let unparsed = match settings.unparsed {
        Unparsed::Agree => "agree with each other",
        Unparsed::Disagree => "agree with nothing",
    };
    format!(
        "unparseable answers {unparsed}, {} bootstrap resamples, confidence {}, seed {}",
        settings.bootstrap, settings.confidence, settings.seed
    )
}
