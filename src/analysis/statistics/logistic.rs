//! Logistic regression on one variable by maximum likelihood (Newton's method, which is iteratively reweighted least
//! squares here), without regularisation.
//!
//! The maximum exists only where the two classes overlap in x; elsewhere the likelihood rises without end, and the
//! answer is `None` instead of a large number that depends on when the iteration was stopped.

/// One observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Position.
    pub x: f64,
    /// Whether it belongs to the class whose probability is modelled.
    pub positive: bool,
    /// Weight (a count, in a resample); 0 leaves it out.
    pub weight: f64,
}

/// `p(x) = 1 / (1 + exp(-(intercept + slope * x)))`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticFit {
    /// Log-odds at x = 0.
    pub intercept: f64,
    /// Log-odds for one unit of x.
    pub slope: f64,
}

/// Newton steps before giving up; overlapping classes need fewer than ten.
const MAX_STEPS: usize = 100;
/// Halvings of one step before it counts as no progress at all.
const MAX_HALVINGS: usize = 40;
/// A step this small (in log-odds over the standardised x) ends the iteration.
const TOLERANCE: f64 = 1e-11;

/// The maximum likelihood fit. `start`, where given, is a fit of similar data: it saves steps and does not change the
/// result beyond rounding. `None` where one class is absent, where a threshold in x separates the classes (touching
/// included), or where x is constant.
pub fn fit(observations: &[Observation], start: Option<LogisticFit>) -> Option<LogisticFit> {
    if !classes_overlap(observations) {
        return None;
    }
    let scale = Standardisation::of(observations)?;
    let mut at = start.map_or(Parameters { a: 0.0, b: 0.0 }, |fit| scale.forward(fit));
    let mut local = Local::at(observations, &scale, at);
    if !local.log_likelihood.is_finite() {
        return None;
    }
    for _ in 0..MAX_STEPS {
        let mut step = local.newton_step()?;
        let mut halvings = 0;
        let (next, reached) = loop {
            let next = Parameters { a: at.a + step.a, b: at.b + step.b };
            let reached = Local::at(observations, &scale, next);
            let slack = 1e-12 * local.log_likelihood.abs();
            if reached.log_likelihood >= local.log_likelihood - slack {
                break (next, reached);
            }
            halvings += 1;
            if halvings > MAX_HALVINGS {
                return None;
            }
            step = Parameters { a: 0.5 * step.a, b: 0.5 * step.b };
        };
        (at, local) = (next, reached);
        if step.a.abs().max(step.b.abs()) < TOLERANCE * (1.0 + at.a.abs().max(at.b.abs())) {
            return Some(scale.back(at));
        }
    }
    None
}

fn classes_overlap(observations: &[Observation]) -> bool {
    let range = |positive: bool| {
        let of_class = observations.iter().filter(|one| one.positive == positive && one.weight > 0.0);
        of_class
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), one| (low.min(one.x), high.max(one.x)))
    };
    let (yes, no) = (range(true), range(false));
    // An absent class has the range (inf, -inf), which overlaps nothing.
    yes.0 < no.1 && no.0 < yes.1
}

/// x is centred and scaled, so that the two parameters are nearly independent and of like size.
struct Standardisation {
    mean: f64,
    deviation: f64,
}

impl Standardisation {
    fn of(observations: &[Observation]) -> Option<Self> {
        let total: f64 = observations.iter().map(|one| one.weight).sum();
        let mean = observations.iter().map(|one| one.weight * one.x).sum::<f64>() / total;
        let squares: f64 = observations.iter().map(|one| one.weight * (one.x - mean).powi(2)).sum();
        let deviation = (squares / total).sqrt();
        (deviation > 0.0).then_some(Self { mean, deviation })
    }

    fn forward(&self, fit: LogisticFit) -> Parameters {
        Parameters { a: fit.intercept + fit.slope * self.mean, b: fit.slope * self.deviation }
    }

    fn back(&self, at: Parameters) -> LogisticFit {
        let slope = at.b / self.deviation;
        LogisticFit { intercept: at.a - slope * self.mean, slope }
    }
}

/// Intercept and slope over the standardised x.
#[derive(Clone, Copy)]
struct Parameters {
    a: f64,
    b: f64,
}

/// The log-likelihood, its gradient and its negated second derivatives at one place.
#[derive(Default)]
struct Local {
    log_likelihood: f64,
    gradient: (f64, f64),
    information: (f64, f64, f64),
}

impl Local {
    fn at(observations: &[Observation], scale: &Standardisation, at: Parameters) -> Self {
        let mut local = Self::default();
        for one in observations {
            let z = (one.x - scale.mean) / scale.deviation;
            let log_odds = at.a + at.b * z;
            let decay = (-log_odds.abs()).exp();
            let p = if log_odds >= 0.0 { 1.0 / (1.0 + decay) } else { decay / (1.0 + decay) };
            let y = f64::from(u8::from(one.positive));
            local.log_likelihood += one.weight * (y * log_odds - log_odds.max(0.0) - decay.ln_1p());
            let residual = one.weight * (y - p);
            local.gradient.0 += residual;
            local.gradient.1 += residual * z;
            let curvature = one.weight * p * (1.0 - p);
            local.information.0 += curvature;
            local.information.1 += curvature * z;
            local.information.2 += curvature * z * z;
        }
        local
    }

    fn newton_step(&self) -> Option<Parameters> {
        let (aa, ab, bb) = self.information;
        let determinant = aa * bb - ab * ab;
        (determinant > 0.0).then(|| Parameters {
            a: (bb * self.gradient.0 - ab * self.gradient.1) / determinant,
            b: (aa * self.gradient.1 - ab * self.gradient.0) / determinant,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observations(positives: &[f64], negatives: &[f64]) -> Vec<Observation> {
        let of = |xs: &[f64], positive| {
            xs.iter().map(|&x| Observation { x, positive, weight: 1.0 }).collect::<Vec<_>>()
        };
        [of(positives, true), of(negatives, false)].concat()
    }

    #[test]
    fn two_positions_give_the_log_odds_of_their_shares() {
        // At x = 0: 3 of 4; at x = 1: 1 of 4. The saturated model reproduces both shares.
        let data = observations(&[0.0, 0.0, 0.0, 1.0], &[0.0, 1.0, 1.0, 1.0]);
        let found = fit(&data, None).unwrap();
        assert!((found.intercept - 3.0_f64.ln()).abs() < 1e-9, "{found:?}");
        assert!((found.slope + 2.0 * 3.0_f64.ln()).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_weight_counts_as_so_many_observations() {
        let repeated = observations(&[-1.0, -1.0, -1.0, 0.5], &[-0.2, 1.0, 1.0]);
        let weighted: Vec<_> =
            [(-1.0, true, 3.0), (0.5, true, 1.0), (-0.2, false, 1.0), (1.0, false, 2.0), (9.0, true, 0.0)]
                .map(|(x, positive, weight)| Observation { x, positive, weight })
                .to_vec();
        let (one, other) = (fit(&repeated, None).unwrap(), fit(&weighted, None).unwrap());
        assert!((one.slope - other.slope).abs() < 1e-9 && (one.intercept - other.intercept).abs() < 1e-9);
    }

    #[test]
    fn the_start_does_not_change_the_answer() {
        let data = observations(&[-1.5, -1.0, -0.3, 0.2], &[-0.8, 0.1, 0.9, 1.4]);
        let cold = fit(&data, None).unwrap();
        let warm = fit(&data, Some(LogisticFit { intercept: 4.0, slope: 7.0 })).unwrap();
        assert!((cold.slope - warm.slope).abs() < 1e-9 && (cold.intercept - warm.intercept).abs() < 1e-9);
    }

    #[test]
    fn no_maximum_no_fit() {
        assert_eq!(fit(&[], None), None, "nothing");
        assert_eq!(fit(&observations(&[0.0, 1.0], &[]), None), None, "one class");
        assert_eq!(fit(&observations(&[-1.0, 0.0], &[0.5, 1.0]), None), None, "separated");
        assert_eq!(fit(&observations(&[-1.0, 0.0], &[0.0, 1.0]), None), None, "touching");
        assert_eq!(fit(&observations(&[0.3, 0.3], &[0.3]), None), None, "constant x");
    }
}
