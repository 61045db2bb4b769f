//! What the model would answer after each layer: the section, and its finding in words.

use super::case_links::CaseLinks;
use super::figure::{classes, heat_map, nothing, oscillations, trajectories};
use super::number;
use super::part::Part;
use crate::analysis::summary::{FollowingAnalysis, LayerSet, LayersAnalysis};

/// The section of an analysis; how to get one where the run was not probed and has something to probe.
pub(super) fn part(id: &str, analysis: &FollowingAnalysis, links: &CaseLinks) -> Option<Part> {
    let (key, title) = ("layers", "Inside the model");
    let Some(layers) = &analysis.layers else {
        let body =
            nothing("This run was not probed; `crossmodal run --probe-layers` writes what is shown here.");
        let intro = "What would the model answer after each of its layers?".to_string();
        return (analysis.counts.analysed > 0).then_some(Part { key, title, intro, body });
    };
    let figures = [
        oscillations::figure(id, layers),
        heat_map::figure(id, layers, links),
        classes::figure(id, layers),
        trajectories::figure(id, layers.trajectories.as_ref(), links),
    ];
    Some(Part {
        key,
        title,
        intro: format!(
            "The state after each of the {} layers, read through the model's own last norm and vocabulary, says what the \
             model would answer if it stopped there. If conflicts are settled on the way, a model that is near its balance \
             point should waver: its layers should switch between the two answers.",
            layers.layers
        ),
        body: format!("<p>{}</p>{}", finding(layers), figures.concat()),
    })
}

/// What the switches say, no more than the intervals allow; markup of numbers and words of our own.
pub(super) fn finding(of: &LayersAnalysis) -> String {
    let mean = |name: &str| of.set(name).and_then(|set| set.oscillations);
    let Some(all) = mean(LayerSet::CONFLICT) else {
        return format!(
            "None of the {} analysed cases has layers whose answers are known.",
            number::count(of.analysed)
        );
    };
    let cases = match of.probed == of.analysed {
        true => format!("All {} analysed cases were probed.", number::count(of.analysed)),
        false => format!(
            "{} of the {} analysed cases were probed.",
            number::count(of.probed),
            number::count(of.analysed)
        ),
    };
    let regions = match (mean(LayerSet::AMBIGUOUS), mean(LayerSet::CLEAR), of.difference) {
        (Some(ambiguous), Some(clear), Some(difference)) => {
            let words = match number::interval(&difference) {
                Some((low, _)) if low > 0.0 => {
                    "Near the balance point the layers switch more often than away from it"
                }
                Some((_, high)) if high < 0.0 => {
                    "Near the balance point the layers switch less often than away from it"
                }
                Some(_) => {
                    "No difference in switches is shown between cases near the balance point and those away from it"
                }
                None => {
                    "Whether the layers switch more often near the balance point cannot be said: the difference has no interval"
                }
            };
            format!(
                "{words}: {} a case against {} (difference {}).",
                number::estimate(&ambiguous, 2),
                number::estimate(&clear, 2),
                number::difference(Some(difference), 2)
            )
        }
        _ if of.balance_point.is_none() => format!(
            "The curve has no balance point, so cases near it cannot be told from others; over all, the layers of a case \
             switch {} times.",
            number::estimate(&all, 2)
        ),
        _ => format!(
            "One of the regions holds no probed case, so there is nothing to compare; over all, the layers of a case switch \
             {} times.",
            number::estimate(&all, 2)
        ),
    };
    format!("{cases} {regions}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::Estimate;
    use crate::report::sample_layers;

    fn said(difference: Option<(f64, f64, f64)>, balance_point: Option<f64>) -> String {
        let mut layers = sample_layers::layers();
        layers.balance_point = balance_point;
        layers.difference =
            difference.map(|(value, low, high)| Estimate { value, interval: Some((low, high)) });
        finding(&layers)
    }

    #[test]
    fn a_difference_that_is_clear_of_0_is_claimed_and_no_other() {
        let more = said(Some((0.72, 0.6, 0.84)), Some(-0.1));
        assert!(more.contains("switch more often") && more.contains("+0.72 [0.60,\u{a0}0.84]"), "{more}");
        assert!(said(Some((-0.2, -0.3, -0.1)), Some(-0.1)).contains("switch less often"));
        assert!(said(Some((0.1, -0.1, 0.3)), Some(-0.1)).contains("No difference in switches is shown"));
    }

    #[test]
    fn without_regions_there_is_no_claim() {
        let none = said(None, None);
        assert!(none.contains("no balance point") && !none.contains("more often"), "{none}");
        assert!(said(None, Some(0.3)).contains("holds no probed case"));
    }

    #[test]
    fn a_run_that_was_not_probed_says_how_to() {
        let mut analysis = crate::report::sample::analysis();
        analysis.layers = None;
        let links = CaseLinks::default();
        assert!(part("a", &analysis, &links).is_some_and(|part| part.body.contains("--probe-layers")));
        analysis.counts.analysed = 0;
        assert!(part("a", &analysis, &links).is_none(), "there is nothing to probe");
    }
}
