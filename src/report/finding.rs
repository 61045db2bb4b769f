//! What the numbers say, in one plain sentence that claims no more than the intervals allow.

use super::figure::DH_REL;
use super::number;
use crate::analysis::summary::{BalancePoint, Curve, Estimate, FollowingAnalysis};

/// The finding of one analysis, as markup (numbers and words of our own only).
#[must_use]
pub fn sentence(analysis: &FollowingAnalysis) -> String {
    let counts = &analysis.counts;
    if counts.cases == 0 {
        return "This run holds no conflict cases, so it says nothing about which modality the model follows.".to_string();
    }
    if counts.analysed == 0 {
        return format!(
            "None of the {} conflict cases can be analysed: in no case are both unimodal answers the designed ones.",
            number::count(counts.cases)
        );
    }
    let Some(tfr) = analysis.tfr.filter(|tfr| tfr.value.is_finite()) else {
        return format!(
            "In the {} analysed cases this model follows neither the text nor the image.",
            number::count(counts.analysed)
        );
    };
    let balance =
        analysis.curve.as_ref().map(|curve| balance_words(&curve.balance_point)).unwrap_or_default();
    let caveat = analysis.curve.as_ref().map(caveat).unwrap_or_default();
    format!("This model {}: TFR {}{balance}.{caveat}", preference_words(&tfr), number::estimate(&tfr, 2))
}

fn preference_words(tfr: &Estimate) -> &'static str {
    match number::interval(tfr) {
        Some((low, high)) if low <= 0.5 && high >= 0.5 => {
            "follows text and image about equally often (the interval holds one half)"
        }
        _ if tfr.value > 0.5 => "follows the text more often",
        _ if tfr.value < 0.5 => "follows the image more often",
        _ => "follows text and image equally often",
    }
}

fn balance_words(balance: &BalancePoint) -> String {
    match balance {
        BalancePoint::Crossing(at) if at.value.is_finite() => format!(
            "; it switches to the text once {DH_REL} is below {} ({})",
            number::estimate(at, 2),
            inherent_preference(at)
        ),
        BalancePoint::Crossing(_) => String::new(),
        BalancePoint::AlwaysText => {
            format!("; the text wins over the whole observed range of {DH_REL}, so there is no balance point")
        }
        BalancePoint::AlwaysVision => {
            format!(
                "; the image wins over the whole observed range of {DH_REL}, so there is no balance point"
            )
        }
    }
}

/// Said where the law does not hold: a balance point of a curve that does not fall means little.
fn caveat(curve: &Curve) -> String {
    match curve.monotonicity.and_then(|monotonicity| monotonicity.spearman_rho) {
        Some(rho) if rho >= 0.0 => format!(
            " Text following does not fall as {DH_REL} rises (Spearman ρ {}), against the law.",
            number::fixed(rho, 2)
        ),
        _ => String::new(),
    }
}

/// What a balance point says about a model when both modalities are equally uncertain.
#[must_use]
pub fn inherent_preference(balance: &Estimate) -> &'static str {
    match number::interval(balance) {
        Some((low, high)) if low <= 0.0 && high >= 0.0 => {
            "no inherent preference shown: the interval holds 0"
        }
        _ if balance.value < 0.0 => "inherent vision preference",
        _ if balance.value > 0.0 => "inherent text preference",
        _ => "no inherent preference",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn said(tfr: (f64, f64, f64), balance: BalancePoint) -> String {
        let mut analysis = sample::analysis();
        analysis.tfr = Some(Estimate { value: tfr.0, interval: Some((tfr.1, tfr.2)) });
        if let Some(curve) = analysis.curve.as_mut() {
            curve.balance_point = balance;
        }
        sentence(&analysis)
    }

    fn crossing(value: f64, low: f64, high: f64) -> BalancePoint {
        BalancePoint::Crossing(Estimate { value, interval: Some((low, high)) })
    }

    #[test]
    fn a_model_that_follows_the_image() {
        assert_eq!(
            said((0.41, 0.38, 0.44), crossing(-0.12, -0.20, -0.05)),
            "This model follows the image more often: TFR 0.41 [0.38,\u{a0}0.44]; it switches to the text once \
             Δ<i>H</i><sub>rel</sub> is below −0.12 [−0.20,\u{a0}−0.05] (inherent vision preference)."
        );
    }

    #[test]
    fn an_interval_that_holds_the_middle_claims_nothing() {
        let sentence = said((0.52, 0.47, 0.57), crossing(0.04, -0.03, 0.11));
        assert!(sentence.contains("about equally often"), "{sentence}");
        assert!(sentence.contains("no inherent preference shown"), "{sentence}");
    }

    #[test]
    fn no_crossing_is_an_answer() {
        let sentence = said((0.93, 0.91, 0.95), BalancePoint::AlwaysText);
        assert!(sentence.contains("follows the text more often"), "{sentence}");
        assert!(sentence.contains("no balance point"), "{sentence}");
    }

    #[test]
    fn a_curve_that_does_not_fall_is_said_to_break_the_law() {
        let mut analysis = sample::analysis();
        assert!(!sentence(&analysis).contains("against the law"));
        if let Some(monotonicity) = analysis.curve.as_mut().and_then(|curve| curve.monotonicity.as_mut()) {
            monotonicity.spearman_rho = Some(0.08);
        }
        assert!(sentence(&analysis).ends_with("(Spearman ρ 0.08), against the law."));
    }

    #[test]
    fn nothing_analysed_is_said() {
        let mut analysis = sample::analysis();
        analysis.counts.analysed = 0;
        assert!(sentence(&analysis).starts_with("None of the 4,200 conflict cases"));
        analysis.counts.cases = 0;
        assert!(sentence(&analysis).contains("no conflict cases"));
    }
}
