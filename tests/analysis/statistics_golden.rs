//! Fits, correlation and test against scikit-learn, scipy and numpy.

use crossmodal::analysis::statistics::isotonic::{Crossing, DecreasingFit, Point, evaluate};
use crossmodal::analysis::statistics::logistic::{self, Observation};
use crossmodal::analysis::statistics::permutation::{LabelledBin, test_decrease};
use crossmodal::analysis::statistics::{pearson, spearman, student_t};
use serde::Deserialize;

use crate::{assert_close, golden};

#[derive(Deserialize)]
struct IsotonicCase {
    x: Vec<f64>,
    y: Vec<f64>,
    weight: Vec<f64>,
    at: Vec<f64>,
    fitted: Vec<f64>,
    crossing: Option<f64>,
}

#[test]
fn isotonic_fit_is_that_of_scikit_learn() {
    for case in golden::<Vec<IsotonicCase>>("isotonic.json") {
        let points = (0..case.x.len()).map(|i| Point { x: case.x[i], y: case.y[i], weight: case.weight[i] });
        let fit = DecreasingFit::new(points).unwrap();
        let knots = fit.knots();
        for (&x, &expected) in case.at.iter().zip(&case.fitted) {
            assert_close(evaluate(&knots, x).unwrap(), expected, 1e-6);
        }
        let crossing = match fit.crossing(0.5) {
            Crossing::At(x) => Some(x),
            Crossing::Above | Crossing::Below => None,
        };
        assert_eq!(crossing, case.crossing);
    }
}

#[derive(Deserialize)]
struct LogisticCase {
    x: Vec<f64>,
    positive: Vec<bool>,
    intercept: f64,
    slope: f64,
}

#[test]
fn logistic_fit_is_that_of_scikit_learn() {
    for case in golden::<Vec<LogisticCase>>("logistic.json") {
        let observations: Vec<Observation> = std::iter::zip(&case.x, &case.positive)
            .map(|(&x, &positive)| Observation { x, positive, weight: 1.0 })
            .collect();
        let fit = logistic::fit(&observations, None).unwrap();
        assert_close(fit.intercept, case.intercept, 1e-6);
        assert_close(fit.slope, case.slope, 1e-6);
    }
}

#[derive(Deserialize)]
struct SpearmanCase {
    x: Vec<f64>,
    y: Vec<f64>,
    rho: f64,
}

#[test]
fn rho_is_that_of_scipy() {
    for case in golden::<Vec<SpearmanCase>>("spearman.json") {
        let pairs: Vec<(f64, f64)> = case.x.into_iter().zip(case.y).collect();
        assert_close(spearman::rho(&pairs).unwrap(), case.rho, 1e-9);
    }
}

#[derive(Deserialize)]
struct PermutationCase {
    cases: Vec<u64>,
    labelled: Vec<u64>,
    distance: f64,
    p_value: f64,
}

#[test]
fn permutation_test_agrees_with_numpy() {
    for case in golden::<Vec<PermutationCase>>("permutation.json") {
        let bins: Vec<LabelledBin> = std::iter::zip(&case.cases, &case.labelled)
            .map(|(&cases, &labelled)| LabelledBin { cases, labelled })
            .collect();
        let found = test_decrease(&bins, 4000, 0).unwrap();
        assert_close(found.distance, case.distance, 1e-9);
        // Two independent estimates from 4000 shuffles each: within four standard errors of their difference.
        assert_close(found.p_value, case.p_value, 4.0 * (2.0 * 0.25 / 4000.0_f64).sqrt());
    }
}

#[derive(Deserialize)]
struct StudentCases {
    distribution: Vec<StudentCase>,
    tests: Vec<PairedCase>,
}

#[derive(Deserialize)]
struct StudentCase {
    t: f64,
    degrees_of_freedom: f64,
    p_value: f64,
}

#[derive(Deserialize)]
struct PairedCase {
    differences: Vec<f64>,
    t: f64,
    p_value: f64,
}

#[test]
fn paired_t_test_is_that_of_scipy() {
    let cases: StudentCases = golden("student_t.json");
    for case in cases.distribution {
        assert_close(student_t::two_sided(case.t, case.degrees_of_freedom), case.p_value, 1e-9);
    }
    for case in cases.tests {
        let found = student_t::paired_test(&case.differences).unwrap();
        assert_close(found.t, case.t, 1e-9);
        assert_close(found.p_value, case.p_value, 1e-9);
    }
}

#[derive(Deserialize)]
struct PearsonCase {
    x: Vec<f64>,
    y: Vec<f64>,
    r: f64,
    p_value: f64,
}

#[test]
fn correlation_is_that_of_scipy() {
    for case in golden::<Vec<PearsonCase>>("pearson.json") {
        let pairs: Vec<(f64, f64)> = case.x.into_iter().zip(case.y).collect();
        let found = pearson::correlation(&pairs).unwrap();
        assert_close(found.r, case.r, 1e-9);
        assert_close(found.p_value, case.p_value, 1e-9);
    }
}
