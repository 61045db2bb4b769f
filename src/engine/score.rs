//! Reading a next-token distribution: entropy, option masses, the best tokens. All sums in 64-bit floats, in token order.

use crate::prepare::OptionTokens;

/// What the answer position's logits say. Answers that come from elsewhere may know a part of it, or nothing (the default).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scores {
    /// Entropy over the whole vocabulary, H = -sum p ln p, nats (arXiv 2511.02243, section 3).
    pub entropy: Option<f64>,
    /// ln of each option's mass: the summed probability of its first tokens. Empty where it is not known.
    pub option_logprobs: Vec<f64>,
    /// Entropy of the option masses after they are scaled to sum to one, nats.
    pub option_entropy: Option<f64>,
    /// The best tokens with their logits, best first; equal logits by token id. Empty where they are not known.
    pub top: Vec<(u32, f32)>,
    /// ln p of the best token.
    pub top1_logprob: Option<f64>,
    /// The option that the best token says.
    pub answer: Option<usize>,
}

/// Scores one row of logits, keeping the best `top_k`.
///
/// # Errors
/// When the logits hold NaN or infinity, which no sound model gives.
pub fn score(logits: &[f32], options: &OptionTokens, top_k: usize) -> Result<Scores, String> {
    if let Some(token) = logits.iter().position(|logit| !logit.is_finite()) {
        return Err(format!("the model gave the logit {} for token {token}", logits[token]));
    }
    let best = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shifted = |logit: f32| f64::from(logit) - f64::from(best);
    let total: f64 = logits.iter().map(|&logit| shifted(logit).exp()).sum();
    let log_total = total.ln();
    let log_p = |logit: f32| shifted(logit) - log_total;
    let entropy = logits.iter().map(|&logit| -log_p(logit).exp() * log_p(logit)).sum::<f64>();
    let mass = |tokens: &Vec<u32>| -> f64 {
        tokens.iter().filter_map(|&token| logits.get(token as usize)).map(|&logit| log_p(logit).exp()).sum()
    };
    let masses: Vec<f64> = options.tokens.iter().map(mass).collect();
    let top = best_tokens(logits, top_k.max(1));
    Ok(Scores {
        entropy: Some(entropy.max(0.0)), // rounding may leave -1e-17
        option_entropy: (!masses.is_empty()).then(|| entropy_of(&masses)),
        option_logprobs: masses.iter().map(|mass| mass.ln()).collect(),
        top1_logprob: Some(log_p(top[0].1)),
        answer: options.option_of(top[0].0),
        top,
    })
}

fn best_tokens(logits: &[f32], count: usize) -> Vec<(u32, f32)> {
    let mut tokens: Vec<(u32, f32)> =
        logits.iter().enumerate().map(|(id, &logit)| (id as u32, logit)).collect();
    let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if count < tokens.len() {
        tokens.select_nth_unstable_by(count - 1, order);
        tokens.truncate(count);
    }
    tokens.sort_unstable_by(order);
    tokens
}

/// Entropy of masses after they are scaled to sum to one, nats.
pub fn entropy_of(masses: &[f64]) -> f64 {
    let total: f64 = masses.iter().sum();
    if total <= 0.0 {
        return 0.0;
    }
    let shares = masses.iter().map(|mass| mass / total).filter(|share| *share > 0.0);
    shares.map(|share| -share * share.ln()).sum::<f64>().max(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn options(tokens: &[&[u32]]) -> OptionTokens {
        OptionTokens {
            names: (0..tokens.len()).map(|option| option.to_string()).collect(),
            tokens: tokens.iter().map(|tokens| tokens.to_vec()).collect(),
        }
    }

    #[test]
    fn a_uniform_distribution_has_the_entropy_of_its_size() {
        let scores = score(&[2.5; 8], &options(&[&[0, 1], &[5]]), 3).unwrap();
        assert!((scores.entropy.unwrap() - 8f64.ln()).abs() < 1e-12);
        assert!((scores.option_logprobs[0] - 0.25f64.ln()).abs() < 1e-12);
        let expected = -(2.0 / 3.0 * (2.0f64 / 3.0).ln() + 1.0 / 3.0 * (1.0f64 / 3.0).ln());
        assert!((scores.option_entropy.unwrap() - expected).abs() < 1e-12);
        assert_eq!(scores.top, [(0, 2.5), (1, 2.5), (2, 2.5)]);
        assert_eq!(scores.answer, Some(0));
    }

    #[test]
    fn the_answer_is_the_best_token_even_when_an_option_has_more_mass() {
        let scores = score(&[1.0, 1.1, 1.0], &options(&[&[0, 2]]), 1).unwrap();
        assert_eq!(scores.answer, None);
    }

    #[test]
    fn nan_is_an_error() {
        assert!(score(&[0.0, f32::NAN], &options(&[&[0]]), 1).unwrap_err().contains("token 1"));
    }

    proptest! {
        #[test]
        fn entropy_is_within_its_bounds_and_ignores_a_shift(
            logits in proptest::collection::vec(-30f32..30.0, 2..200), shift in -50f32..50.0
        ) {
            let options = options(&[&[0], &[1]]);
            let scores = score(&logits, &options, 5).unwrap();
            prop_assert!((0.0..=(logits.len() as f64).ln() + 1e-9).contains(&scores.entropy.unwrap()));
            prop_assert!(scores.option_entropy.unwrap() <= 2f64.ln() + 1e-12);
            prop_assert!(scores.top.windows(2).all(|pair| pair[0].1 >= pair[1].1));
            let shifted: Vec<f32> = logits.iter().map(|logit| logit + shift).collect();
            let of_shifted = score(&shifted, &options, 5).unwrap();
            prop_assert!((of_shifted.entropy.unwrap() - scores.entropy.unwrap()).abs() < 1e-3);
        }
    }
}
