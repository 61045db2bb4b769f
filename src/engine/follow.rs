//! A conflict case's three answers side by side (arXiv 2511.02243, sections 2 and 3).

/// Which modality the bimodal answer follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// Ym = Yt.
    Text,
    /// Ym = Yv.
    Vision,
    /// Neither.
    Other,
}

impl Follows {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Vision => "vision",
            Self::Other => "other",
        }
    }

    /// What goes by that name in tables.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Text, Self::Vision, Self::Other].into_iter().find(|follows| follows.as_str() == name)
    }
}

/// Compares the answers. An answer that is no option (`None`) equals nothing; when the unimodal answers agree there is no
/// conflict, and the result is `None`.
pub fn follows<A: PartialEq>(vision: Option<A>, text: Option<A>, conflict: Option<A>) -> Option<Follows> {
    let (Some(vision), Some(text)) = (vision, text) else {
        return None;
    };
    if vision == text {
        return None;
    }
    Some(match conflict {
        Some(answer) if answer == text => Follows::Text,
        Some(answer) if answer == vision => Follows::Vision,
        _ => Follows::Other,
    })
}

/// Relative uncertainty `dH_rel = 2 (Ht - Hv) / (Ht + Hv)`, in [-2, 2]; negative = the text is the easier one.
/// `None` when both entropies are zero.
pub fn relative_uncertainty(text_entropy: f64, vision_entropy: f64) -> Option<f64> {
    let sum = text_entropy + vision_entropy;
    (sum > 0.0).then(|| (2.0 * (text_entropy - vision_entropy) / sum).clamp(-2.0, 2.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_cases_of_the_definition() {
        assert_eq!(follows(Some("red"), Some("blue"), Some("blue")), Some(Follows::Text));
        assert_eq!(follows(Some("red"), Some("blue"), Some("red")), Some(Follows::Vision));
        assert_eq!(follows(Some("red"), Some("blue"), Some("green")), Some(Follows::Other));
        assert_eq!(follows(Some("red"), Some("blue"), None), Some(Follows::Other));
        assert_eq!(follows(Some("red"), Some("red"), Some("red")), None);
        assert_eq!(follows(None, Some("red"), Some("red")), None);
    }

    #[test]
    fn no_uncertainty_at_all_is_null() {
        assert_eq!(relative_uncertainty(0.0, 0.0), None);
        assert_eq!(relative_uncertainty(1.0, 0.0), Some(2.0));
    }

    proptest! {
        #[test]
        fn it_is_antisymmetric_and_bounded(text in 0f64..20.0, vision in 0f64..20.0) {
            let one = relative_uncertainty(text, vision);
            let other = relative_uncertainty(vision, text);
            prop_assert_eq!(one, other.map(|value| -value));
            prop_assert!(one.is_none_or(|value| (-2.0..=2.0).contains(&value)));
        }
    }
}
