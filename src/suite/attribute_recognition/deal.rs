//! Which scenes make a group: four pictures, one of each visual tier, in which the one object of a color has the same value.

use std::ops::RangeInclusive;

use rand::seq::SliceRandom;

use super::Attribute;
use super::clevr::{Color, Object, Scene, Size};
use crate::suite::seeding::generator;

/// One visual difficulty tier (arXiv 2511.02243, the table of dv 0-3 of the attribute set).
#[derive(Debug, Clone)]
pub(super) struct VisualTier {
    /// The tier's number.
    pub dv: i32,
    /// Number of objects in the scene.
    pub objects: RangeInclusive<usize>,
    /// Size of the target.
    pub target: Size,
}

/// The tiers in order of difficulty.
pub(super) const VISUAL_TIERS: [VisualTier; 4] = [
    VisualTier { dv: 0, objects: 3..=4, target: Size::Large },
    VisualTier { dv: 1, objects: 6..=8, target: Size::Large },
    VisualTier { dv: 2, objects: 6..=8, target: Size::Small },
    VisualTier { dv: 3, objects: 10..=usize::MAX, target: Size::Small },
];

/// What a group shows and says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dealt {
    /// The target is the one object of this color.
    pub color: Color,
    /// Its value in the pictures, as an index into the attribute's values.
    pub vision: usize,
    /// Its value in the texts.
    pub text: usize,
    /// One scene a tier.
    pub scenes: [usize; VISUAL_TIERS.len()],
}

/// The scenes that may show a target of one color and value, by tier.
struct Candidates {
    color: Color,
    value: usize,
    scenes: [Vec<usize>; VISUAL_TIERS.len()],
}

/// Groups, and the tier that the fewest groups could be made of.
pub(super) struct Deal {
    /// At most as many as were asked for.
    pub groups: Vec<Dealt>,
    /// Index of the tier that the scenes are shortest of.
    pub scarcest: usize,
}

/// Deals up to `groups` groups. Colors and values take turns, so that each has its share; no picture shows the same target in
/// two groups; and the first groups are the same however many are asked for.
pub(super) fn deal(scenes: &[Scene], attribute: Attribute, groups: usize, seed: u64) -> Deal {
    let mut pairs: Vec<Candidates> = Color::ALL
        .into_iter()
        .flat_map(|color| (0..attribute.values().len()).map(move |value| (color, value)))
        .map(|(color, value)| candidates(scenes, attribute, color, value, seed))
        .collect();
    pairs.shuffle(&mut generator(seed, &[attribute.suite_name(), "pairs"]));
    let supply = |tier: usize| pairs.iter().map(|pair| pair.scenes[tier].len()).sum::<usize>();
    let scarcest = (0..VISUAL_TIERS.len()).min_by_key(|&tier| supply(tier)).unwrap_or(0);
    let rounds = pairs.iter().flat_map(|pair| pair.scenes.iter().map(Vec::len)).max().unwrap_or(0);
    let dealt = (0..rounds).flat_map(|round| {
        pairs.iter().filter_map(move |pair| {
            let tiers: Vec<usize> =
                pair.scenes.iter().map(|scenes| scenes.get(round).copied()).collect::<Option<_>>()?;
            // The other values take turns, too.
            let others: Vec<usize> =
                (0..attribute.values().len()).filter(|&other| other != pair.value).collect();
            Some(Dealt {
                color: pair.color,
                vision: pair.value,
                text: others[(round + pair.color as usize) % others.len()],
                scenes: tiers.try_into().ok()?,
            })
        })
    });
    Deal { groups: dealt.take(groups).collect(), scarcest }
}

fn candidates(scenes: &[Scene], attribute: Attribute, color: Color, value: usize, seed: u64) -> Candidates {
    let name = attribute.values()[value];
    let of_tier = |tier: &VisualTier| {
        let shows = |scene: &Scene| {
            tier.objects.contains(&scene.objects.len())
                && the_one(scene, color)
                    .is_some_and(|object| object.size == tier.target && attribute.of(object) == name)
        };
        let mut found: Vec<usize> = (0..scenes.len()).filter(|&scene| shows(&scenes[scene])).collect();
        let tier = tier.dv.to_string();
        let path = [attribute.suite_name(), "scenes", color.as_str(), name, &tier];
        found.shuffle(&mut generator(seed, &path));
        found
    };
    Candidates { color, value, scenes: VISUAL_TIERS.each_ref().map(of_tier) }
}

/// The object of this color, where there is exactly one.
pub(super) fn the_one(scene: &Scene, color: Color) -> Option<&Object> {
    let mut of_color = scene.objects.iter().filter(|object| object.color == color);
    of_color.next().filter(|_| of_color.next().is_none())
}
