//! What a right answer costs in tokens of the prompt, as text and as image.
//!
//! Both sides are summed over the same comparisons, so that the text of an item counts once for every rendering that it is
//! compared with.

use std::collections::BTreeMap;

use super::comparison::Comparison;
use crate::analysis::estimates::{Part, Ratios, mean_part, quotient};
use crate::analysis::statistics::bootstrap::GroupBootstrap;
use crate::analysis::summary::{Modality, TokenUse};

/// All renderings together, then each; empty where no comparison knows its tokens.
pub(super) fn tokens(complete: &[Comparison], resampling: &GroupBootstrap) -> Vec<TokenUse> {
    let counted: Vec<Counted> = complete.iter().filter_map(Counted::of).collect();
    if counted.is_empty() {
        return Vec::new();
    }
    let mut by_variant: BTreeMap<&str, Vec<Counted>> = BTreeMap::new();
    for one in &counted {
        by_variant.entry(one.of.place.variant).or_default().push(*one);
    }
    let whole = token_use(None, &counted, resampling);
    let each =
        by_variant.into_iter().map(|(variant, counted)| token_use(Some(variant), &counted, resampling));
    std::iter::once(whole).chain(each).collect()
}

/// A comparison whose token counts are known.
#[derive(Clone, Copy)]
struct Counted<'s> {
    of: &'s Comparison<'s>,
    text: f64,
    image_vision: f64,
    image_text: f64,
}

impl<'s> Counted<'s> {
    fn of(one: &'s Comparison<'s>) -> Option<Self> {
        Some(Self {
            of: one,
            text: one.text.text_tokens?.into(),
            image_vision: one.image.vision_tokens?.into(),
            image_text: one.image.text_tokens?.into(),
        })
    }

    /// Three means, then tokens for each right answer: of the text, of the image's vision tokens, of all of the image's.
    fn parts(&self) -> [Part; 6] {
        let per_right = |tokens: f64, modality| {
            self.of.right(modality).map_or((0.0, 0.0), |right| (tokens, f64::from(u8::from(right))))
        };
        [
            mean_part(Some(self.text)),
            mean_part(Some(self.image_vision)),
            mean_part(Some(self.image_text)),
            per_right(self.text, Modality::Text),
            per_right(self.image_vision, Modality::Image),
            per_right(self.image_vision + self.image_text, Modality::Image),
        ]
    }
}

fn token_use(variant: Option<&str>, counted: &[Counted], resampling: &GroupBootstrap) -> TokenUse {
    let ratios = Ratios::new(counted.iter().map(|one| (one.of.place.group, one.parts())));
    let [text_prompt, image_prompt_vision, image_prompt_text, text, vision, image] =
        ratios.pooled(resampling);
    let [vision_ratio, image_ratio] = ratios.derived(resampling, |strata| {
        let [.., text, vision, image] = strata[0].map(quotient);
        let over_text = |tokens: Option<f64>| quotient((tokens?, text?));
        [over_text(vision), over_text(image)]
    });
    TokenUse {
        variant: variant.map(str::to_owned),
        comparisons: counted.len() as u64,
        text_prompt,
        image_prompt_vision,
        image_prompt_text,
        text_per_right: text,
        vision_per_right: vision,
        image_per_right: image,
        vision_ratio,
        image_ratio,
    }
}
