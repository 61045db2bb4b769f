//! What resolution, font and color do to accuracy, transcription and consistency.
//!
//! Resolution is compared over all fonts in black, font over all resolutions in black, and color with black in the same
//! font and resolution of the same item.

use std::collections::{BTreeMap, BTreeSet};

use super::comparison::Comparison;
use super::items::BLACK;
use crate::analysis::estimates::{Part, Ratios, mean, mean_part};
use crate::analysis::statistics::bootstrap::GroupBootstrap;
use crate::analysis::summary::{EffectLevel, EffectMeasures, Factor, Modality};

/// The resolution of the paper's plain rendering.
const REFERENCE_DPI: &str = "200";
/// Its font.
const REFERENCE_FONT: &str = "dejavu-sans";
/// All colors but black together.
const COLORED: &str = "colored";

/// The levels of every factor that has two or more: resolutions and fonts in order, then black, colored and each color.
pub(super) fn effects(complete: &[Comparison], resampling: &GroupBootstrap) -> Vec<EffectLevel> {
    let black = || complete.iter().filter(|one| one.place.color == BLACK);
    let mut dpi: BTreeMap<i32, Vec<&Comparison>> = BTreeMap::new();
    let mut font: BTreeMap<&str, Vec<&Comparison>> = BTreeMap::new();
    for one in black() {
        if let Some(level) = one.place.dpi {
            dpi.entry(level).or_default().push(one);
        }
        if let Some(level) = one.place.font {
            font.entry(level).or_default().push(one);
        }
    }
    let dpi = dpi.into_iter().map(|(level, of)| (level.to_string(), of)).collect();
    let font = font.into_iter().map(|(level, of)| (level.to_owned(), of)).collect();
    [
        levels(Factor::Dpi, REFERENCE_DPI, dpi, resampling),
        levels(Factor::Font, REFERENCE_FONT, font, resampling),
        levels(Factor::Color, BLACK, colors(complete), resampling),
    ]
    .concat()
}

/// The levels of a factor with their comparisons.
type Levels<'s, 'a> = Vec<(String, Vec<&'s Comparison<'a>>)>;

/// The colored comparisons, and the black ones of the same items in the same font and resolution.
fn colors<'s, 'a>(complete: &'s [Comparison<'a>]) -> Levels<'s, 'a> {
    let look = |one: &Comparison<'a>| (one.place.item, one.place.font, one.place.dpi);
    let colored: Vec<&Comparison> = complete.iter().filter(|one| one.place.color != BLACK).collect();
    let looks: BTreeSet<_> = colored.iter().map(|one| look(one)).collect();
    let partners: Vec<&Comparison> =
        complete.iter().filter(|one| one.place.color == BLACK && looks.contains(&look(one))).collect();
    let mut by_color: BTreeMap<&str, Vec<&Comparison>> = BTreeMap::new();
    for one in &colored {
        by_color.entry(one.place.color).or_default().push(one);
    }
    let each = by_color.into_iter().map(|(color, of)| (color.to_owned(), of));
    let together = [(BLACK.to_owned(), partners), (COLORED.to_owned(), colored)];
    together.into_iter().filter(|(_, of)| !of.is_empty()).chain(each).collect()
}

fn levels(factor: Factor, reference: &str, levels: Levels, resampling: &GroupBootstrap) -> Vec<EffectLevel> {
    if levels.len() < 2 {
        return Vec::new();
    }
    let reference_items =
        levels.iter().find(|(level, _)| level == reference).map(|(_, comparisons)| by_item(comparisons));
    let level = |(level, comparisons): (String, Vec<&Comparison>)| {
        let is_reference = level == reference;
        let paired = reference_items.as_ref().filter(|_| !is_reference);
        EffectLevel {
            factor,
            reference: is_reference,
            comparisons: comparisons.len() as u64,
            at_level: measures(comparisons.iter().map(|one| (one.place.group, values(one))), resampling),
            difference: paired.map(|reference| {
                let items = by_item(&comparisons);
                let both = items.iter().filter_map(|(item, (group, at_level))| {
                    let (_, at_reference) = reference.get(item)?;
                    Some((*group, std::array::from_fn(|which| Some(at_level[which]? - at_reference[which]?))))
                });
                measures(both, resampling)
            }),
            level,
        }
    };
    levels.into_iter().map(level).collect()
}

/// Accuracy of the image, character error rate, agreement.
fn values(one: &Comparison) -> [Option<f64>; 3] {
    let number = |yes| f64::from(u8::from(yes));
    [one.right(Modality::Image).map(number), one.place.cer, Some(number(one.agree))]
}

/// The means of an item's comparisons, with its group.
fn by_item<'a>(comparisons: &[&Comparison<'a>]) -> BTreeMap<usize, (&'a str, [Option<f64>; 3])> {
    let of_item = |item: &[&Comparison<'a>]| {
        let mean_of =
            |which: usize| mean(&item.iter().filter_map(|one| values(one)[which]).collect::<Vec<_>>());
        (item[0].place.item, (item[0].place.group, std::array::from_fn(mean_of)))
    };
    comparisons.chunk_by(|one, next| one.place.item == next.place.item).map(of_item).collect()
}

fn measures<'a>(
    observations: impl Iterator<Item = (&'a str, [Option<f64>; 3])> + Clone,
    resampling: &GroupBootstrap,
) -> EffectMeasures {
    let parts = observations.map(|(group, values)| (group, values.map(mean_part) as [Part; 3]));
    let [accuracy, cer, rer] = Ratios::new(parts).pooled(resampling);
    EffectMeasures { accuracy, cer, rer }
}
