use std::collections::{BTreeMap, BTreeSet};

use super::clevr::{Scene, Size};
use super::*;
use crate::suite::{Part, Presentation, PresentationKind};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/clevr")
}

fn spec() -> SuiteSpec {
    SuiteSpec { data: vec![folder().display().to_string()], ..SuiteSpec::default() }
}

fn suite(attribute: Attribute) -> AttributeRecognition {
    AttributeRecognition::open(attribute, &spec()).unwrap()
}

fn said(row: &Presentation) -> &str {
    match row.messages[0].content.last() {
        Some(Part::Text(text)) => text,
        other => panic!("no text: {other:?}"),
    }
}

/// Scenes as CLEVR makes them: objects of random kinds, three to ten of them, in equal shares.
fn many_scenes(count: usize) -> Vec<Scene> {
    use rand::RngExt;
    let rng = &mut generator(7, &["scenes"]);
    let object = |rng: &mut rand_chacha::ChaCha8Rng| Object {
        color: Color::ALL[rng.random_range(0..8)],
        size: [Size::Large, Size::Small][rng.random_range(0..2)],
        shape: Attribute::Shape.values()[rng.random_range(0..3)].into(),
        material: Attribute::Material.values()[rng.random_range(0..2)].into(),
    };
    (0..count)
        .map(|index| Scene {
            image_filename: format!("{index}.png"),
            objects: (0..3 + index % 8).map(|_| object(rng)).collect(),
        })
        .collect()
}

#[test]
fn every_image_shows_one_object_of_the_targets_color_as_its_tier_asks() {
    let scenes = many_scenes(15_000);
    for attribute in Attribute::ALL {
        let groups = deal::deal(&scenes, attribute, DEFAULT_GROUPS, 0).groups;
        assert_eq!(groups.len(), 300, "{attribute:?}");
        let mut shown = BTreeSet::new();
        for group in &groups {
            assert_ne!(group.vision, group.text);
            for (tier, scene) in VISUAL_TIERS.iter().zip(group.scenes) {
                let of_color: Vec<&Object> =
                    scenes[scene].objects.iter().filter(|object| object.color == group.color).collect();
                let [target] = of_color[..] else { panic!("{} targets", of_color.len()) };
                assert_eq!(attribute.of(target), attribute.values()[group.vision]);
                assert_eq!(target.size, if tier.dv < 2 { Size::Large } else { Size::Small });
                let objects = [3..=4, 6..=8, 6..=8, 10..=10][tier.dv as usize].clone();
                assert!(objects.contains(&scenes[scene].objects.len()), "dv {}", tier.dv);
                assert!(shown.insert((group.color, tier.dv, scene)), "a target is shown twice");
            }
        }
    }
}

#[test]
fn colors_and_answers_have_equal_shares() {
    let scenes = many_scenes(15_000);
    for (attribute, pairs) in [(Attribute::Shape, 24), (Attribute::Material, 16)] {
        let groups = deal::deal(&scenes, attribute, 300, 0).groups;
        let count = |key: &dyn Fn(&Dealt) -> (usize, usize)| {
            let mut counts: BTreeMap<(usize, usize), usize> = BTreeMap::new();
            groups.iter().for_each(|group| *counts.entry(key(group)).or_default() += 1);
            counts
        };
        let shown = count(&|group| (group.color as usize, group.vision));
        assert_eq!(shown.len(), pairs);
        assert!(shown.values().all(|&share| share == 300 / pairs || share == 300 / pairs + 1), "{shown:?}");
        let conflicts = count(&|group| (group.vision, group.text));
        let values = attribute.values().len();
        assert_eq!(conflicts.len(), values * (values - 1));
        let even = 300 / conflicts.len();
        assert!(conflicts.values().all(|&share| share.abs_diff(even) <= even / 5), "{conflicts:?}");
    }
}

#[test]
fn the_first_groups_are_the_same_however_many_are_asked_for() {
    let scenes = many_scenes(2_000);
    let of = |groups, seed| deal::deal(&scenes, Attribute::Shape, groups, seed).groups;
    assert_eq!(of(30, 0)[..10], of(10, 0));
    assert_ne!(of(10, 0), of(10, 1));
}

#[test]
fn a_group_has_its_images_texts_conflicts_and_controls() {
    for attribute in Attribute::ALL {
        let suite = suite(attribute);
        let group = suite.group(0).unwrap();
        assert_eq!((group.images.len(), group.presentations.len(), group.cases.len()), (4, 68, 48));
        let bare = SuiteSpec { controls: false, ..spec() };
        let bare = AttributeRecognition::open(attribute, &bare).unwrap();
        assert_eq!(bare.group(0).unwrap().presentations, group.presentations[..24]);
        assert_ne!(bare.fingerprint(), suite.fingerprint());
    }
}

#[test]
fn texts_state_their_answer_and_controls_speak_of_something_else() {
    for attribute in Attribute::ALL {
        let suite = suite(attribute);
        for index in 0..suite.group_count() {
            let group = suite.group(index).unwrap();
            let question = format!("What {} is the ", attribute.as_str());
            let stated = group.presentations[0].text_answer.clone().unwrap();
            for row in group.presentations.iter().filter(|row| row.kind == PresentationKind::TextOnly) {
                let target = row.target.as_deref().unwrap();
                let (description, asked) = said(row).split_at(said(row).find(&question).unwrap());
                assert!(!description.contains(['{', '}']), "{description}");
                assert_eq!(
                    asked,
                    format!("{question}{target}? Please use one word to answer this question.")
                );
                assert_eq!(
                    description.contains(target),
                    row.control != Control::TextIrrelevant,
                    "{description}"
                );
                assert_eq!(description.contains(&stated), row.dt != Some(2), "{description}");
                let in_clevr = Color::ALL.iter().any(|color| target.starts_with(color.as_str()));
                assert_eq!(in_clevr, row.control != Control::ImageIrrelevant, "{target}");
            }
        }
    }
}

#[test]
fn a_spatial_text_speaks_of_the_object_that_has_the_answer() {
    let prompts = Prompts::read(None, Attribute::Shape).unwrap();
    let opposite = |side: &str| match side {
        "to the left of" => "to the right of",
        "to the right of" => "to the left of",
        "in front of" => "behind",
        "behind" => "in front of",
        "above" => "below",
        "below" => "above",
        other => panic!("{other}"),
    };
    let mut sides = BTreeSet::new();
    for number in 0..200 {
        let rng = &mut generator(number, &["spatial"]);
        let text = prompts.describe(3, "red object", &prompts.answers[1], rng);
        let known = ["to the left of", "to the right of", "in front of", "behind", "above", "below"];
        let mut found: Vec<(usize, &str)> = known.iter().flat_map(|side| text.match_indices(side)).collect();
        found.sort();
        let [(_, first), (_, second)] = found[..] else { panic!("{text}") };
        // The second object is on one side of the first; what is asked of is on the other side of the second.
        assert_eq!(second, opposite(first), "{text}");
        sides.insert(first.to_string());
    }
    assert_eq!(sides.len(), 6);
}

#[test]
fn scenes_that_do_not_suffice_make_fewer_groups_and_say_so() {
    let suite = suite(Attribute::Shape);
    assert_eq!(suite.group_count(), 9);
    let [note] = &suite.notes()[..] else { panic!("no note") };
    assert!(note.contains("only 9 of 300 groups can be made of its 12 scenes"), "{note}");
    let few = SuiteSpec { groups: Some(5), ..spec() };
    let few = AttributeRecognition::open(Attribute::Shape, &few).unwrap();
    assert_eq!((few.group_count(), few.notes().len()), (5, 0));
}

#[test]
fn pictures_are_part_of_the_suite() {
    let copy = tempfile::tempdir().unwrap();
    for place in ["scenes", "images/val"] {
        std::fs::create_dir_all(copy.path().join(place)).unwrap();
        for entry in std::fs::read_dir(folder().join(place)).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, copy.path().join(place).join(path.file_name().unwrap())).unwrap();
        }
    }
    let digest = || {
        let spec = SuiteSpec { data: vec![copy.path().display().to_string()], ..SuiteSpec::default() };
        AttributeRecognition::open(Attribute::Material, &spec).unwrap().fingerprint()
    };
    let whole = digest();
    assert_eq!(whole, suite(Attribute::Material).fingerprint(), "the folder's place is no part of it");
    std::fs::remove_file(copy.path().join("images/val/CLEVR_val_000010.png")).unwrap();
    assert_ne!(whole, digest());
}
