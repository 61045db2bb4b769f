//! What the numbers say, in plain sentences that claim no more than the intervals allow.

use crate::analysis::summary::{ConsistencyAnalysis, Estimate, Modality};
use crate::report::number;

/// The finding of one analysis, as markup (numbers and words of our own only).
#[must_use]
pub fn sentence(analysis: &ConsistencyAnalysis) -> String {
    let pooled = &analysis.all.pooled;
    if analysis.items == 0 {
        return "This run shows no item as image, so it says nothing about whether the same content is answered alike."
            .to_string();
    }
    let Some(rer) = pooled.rates.rer.filter(|rer| rer.value.is_finite()) else {
        return format!(
            "None of the {} comparisons is complete: an answer of each is missing or failed.",
            number::count(pooled.incomplete)
        );
    };
    format!(
        "Shown the same content as text and as image, this model gives the same answer {} of the time{}.{}{}",
        number::percent_estimate(&rer),
        gated(analysis, &rer),
        failure(analysis),
        better(analysis),
    )
}

/// Whether reading the picture explains it.
fn gated(analysis: &ConsistencyAnalysis, rer: &Estimate) -> String {
    let Some(gated) = analysis.ocr_correct.pooled.rates.rer.filter(|rer| rer.value.is_finite()) else {
        return String::new();
    };
    let apart = match (number::interval(rer), number::interval(&gated)) {
        (Some((_, high)), Some((low, _))) if low > high => "more often",
        (Some((low, _)), Some((_, high))) if high < low => "less often",
        _ => "about as often",
    };
    format!(", and {apart} ({}) where it transcribes the picture perfectly", number::percent_estimate(&gated))
}

fn failure(analysis: &ConsistencyAnalysis) -> String {
    analysis.all.pooled.rates.cfr.filter(|cfr| cfr.value.is_finite()).map_or_else(String::new, |cfr| {
        format!(
            " Of what it can solve in some modality, it fails {} in another.",
            number::percent_estimate(&cfr)
        )
    })
}

/// Text against image, where the paired difference is clear of 0.
fn better(analysis: &ConsistencyAnalysis) -> String {
    let test =
        analysis.all.tests.iter().find(|test| (test.first, test.second) == (Modality::Text, Modality::Image));
    let Some(difference) = test.and_then(|test| test.difference) else {
        return String::new();
    };
    let words = match number::interval(&difference) {
        Some((low, _)) if low > 0.0 => "It is right more often from the text than from the image",
        Some((_, high)) if high < 0.0 => "It is right more often from the image than from the text",
        Some(_) => "No difference in accuracy between text and image is shown",
        None => return String::new(),
    };
    format!(" {words} (text − image {}).", number::difference(Some(difference), 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_items;

    fn estimate(value: f64, low: f64, high: f64) -> Option<Estimate> {
        Some(Estimate { value, interval: Some((low, high)) })
    }

    #[test]
    fn a_model_that_reads_text_better() {
        let mut analysis = sample_items::analysis();
        analysis.all.pooled.rates.rer = estimate(0.62, 0.58, 0.66);
        analysis.ocr_correct.pooled.rates.rer = estimate(0.71, 0.67, 0.75);
        analysis.all.pooled.rates.cfr = estimate(0.31, 0.27, 0.35);
        analysis.all.tests[0].difference = estimate(0.14, 0.1, 0.18);
        assert_eq!(
            sentence(&analysis),
            "Shown the same content as text and as image, this model gives the same answer 62\u{a0}% [58,\u{a0}66] of the \
             time, and more often (71\u{a0}% [67,\u{a0}75]) where it transcribes the picture perfectly. Of what it can solve \
             in some modality, it fails 31\u{a0}% [27,\u{a0}35] in another. It is right more often from the text than from \
             the image (text − image +0.14 [0.10,\u{a0}0.18])."
        );
    }

    #[test]
    fn intervals_that_overlap_claim_nothing() {
        let mut analysis = sample_items::analysis();
        analysis.all.pooled.rates.rer = estimate(0.62, 0.58, 0.66);
        analysis.ocr_correct.pooled.rates.rer = estimate(0.65, 0.6, 0.7);
        analysis.all.tests[0].difference = estimate(0.02, -0.01, 0.05);
        let sentence = sentence(&analysis);
        assert!(sentence.contains("about as often (65\u{a0}%"), "{sentence}");
        assert!(sentence.contains("No difference in accuracy between text and image is shown"), "{sentence}");
    }

    #[test]
    fn a_run_without_complete_comparisons_says_so() {
        let mut analysis = sample_items::analysis();
        (analysis.all.pooled.rates.rer, analysis.all.pooled.incomplete) = (None, 1200);
        assert!(sentence(&analysis).starts_with("None of the 1,200 comparisons is complete"));
        analysis.items = 0;
        assert!(sentence(&analysis).contains("shows no item as image"));
    }
}
