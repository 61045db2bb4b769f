use super::*;
use crate::render::scene::{MIN_VISIBLE, ShapeKind, layout};
use crate::suite::{Part, Presentation, PresentationKind};

fn suite() -> ColorRecognition {
    ColorRecognition::new(Settings::default(), Prompts::built_in().unwrap()).unwrap()
}

fn scenes(group: &Group) -> Vec<&SceneSpec> {
    let scene = |image: &'_ ImageSource| matches!(image, ImageSource::Scene(_));
    assert!(group.images.iter().all(scene));
    group
        .images
        .iter()
        .filter_map(|image| if let ImageSource::Scene(spec) = image { Some(&**spec) } else { None })
        .collect()
}

#[test]
fn the_whole_set_has_16800_conflict_cases() {
    let suite = suite();
    let group = suite.group(0).unwrap();
    let conflicts = group.presentations.iter().filter(|row| row.kind == PresentationKind::Conflict);
    assert_eq!(conflicts.filter(|row| row.control == Control::None).count() * suite.group_count(), 16_800);
}

#[test]
fn the_tiers_are_the_papers() {
    let counts: Vec<usize> = VISUAL_TIERS.iter().map(|tier| tier.distractors).collect();
    assert_eq!(counts, [0, 1, 2, 3, 4, 7, 10, 7, 11, 20, 30, 40, 55, 70]);
    let overlapping: Vec<usize> = VISUAL_TIERS.iter().map(VisualTier::overlapping).collect();
    assert_eq!(overlapping, [0, 0, 0, 0, 0, 4, 8, 4, 9, 6, 18, 20, 33, 49]);
    assert!(VISUAL_TIERS.iter().all(|tier| tier.canvas == if tier.dv < 5 { (800, 600) } else { (224, 224) }));
}

#[test]
fn scenes_hold_what_their_tier_asks() {
    let suite = suite();
    for index in (0..400).step_by(23) {
        let group = suite.group(index).unwrap();
        for (tier, spec) in VISUAL_TIERS.iter().zip(scenes(&group)) {
            let scene = layout(spec);
            let target = scene.shapes[scene.target];
            let place = format!("{} dv {}", group.group_id, tier.dv);
            assert_eq!(scene.shapes.len(), tier.distractors + 1, "{place}");
            assert_eq!(scene.overlapping(), tier.overlapping(), "{place}");
            assert!(scene.target_visibility() >= MIN_VISIBLE, "{place}: {}", scene.target_visibility());
            let area = target.pixels(spec.canvas).count() as f64
                / (f64::from(spec.canvas.0) * f64::from(spec.canvas.1));
            match spec.target_extent {
                crate::render::scene::Extent::Side { low, high } => {
                    assert!((low..=high).contains(&target.side), "{place}");
                }
                crate::render::scene::Extent::AreaShare { low, high } => {
                    assert!((low - 0.003..=high + 0.003).contains(&area), "{place}: {area}");
                }
            }
            let (image, text) = suite.answers[index];
            for (at, shape) in scene.shapes.iter().enumerate().filter(|(at, _)| *at != scene.target) {
                assert_ne!(shape.kind, target.kind, "{place}, shape {at}");
                assert!(![COLORS[image].1, COLORS[text].1].contains(&shape.color), "{place}, shape {at}");
            }
        }
    }
}

#[test]
fn a_group_is_the_same_whatever_was_made_before_it() {
    let (once, again) = (suite(), suite());
    let _ = once.group(3);
    assert_eq!(once.group(7).unwrap(), again.group(7).unwrap());
    let other =
        ColorRecognition::new(Settings { seed: 1, ..Settings::default() }, Prompts::built_in().unwrap());
    assert_ne!(other.unwrap().group(7).unwrap(), again.group(7).unwrap());
}

#[test]
fn cases_link_rows_of_the_same_image_and_text() {
    let group = suite().group(11).unwrap();
    assert_eq!(group.cases.len(), 3 * 42);
    for case in &group.cases {
        let [conflict, vision, text] =
            [case.conflict, case.vision, case.text].map(|row| &group.presentations[row]);
        assert_eq!((conflict.kind, vision.kind, text.kind), {
            use PresentationKind::*;
            (Conflict, VisionOnly, TextOnly)
        });
        assert_eq!((conflict.dv, conflict.dt), (vision.dv, text.dt));
        let words = |row: &Presentation| match row.messages[0].content.last() {
            Some(Part::Text(text)) => text.clone(),
            other => panic!("no text: {other:?}"),
        };
        assert_eq!(words(conflict), words(text));
        assert!(words(conflict).ends_with(&words(vision)));
    }
}

#[test]
fn descriptions_state_the_texts_answer_and_controls_speak_of_something_else() {
    let suite = suite();
    for index in 0..40 {
        let group = suite.group(index).unwrap();
        for row in group.presentations.iter().filter(|row| row.kind == PresentationKind::TextOnly) {
            let Some(Part::Text(words)) = row.messages[0].content.first() else { panic!() };
            let stated = suite.answers[index].1;
            let target = row.target.as_deref().unwrap();
            let (description, question) = words.split_at(words.find("What color").unwrap());
            assert!(question.contains(target));
            if row.dt != Some(2) {
                assert!(description.contains(COLORS[stated].0), "{words}");
            }
            assert_eq!(description.contains(target), row.control != Control::TextIrrelevant, "{words}");
            let drawn = ShapeKind::from_name(target).is_some();
            assert_eq!(drawn, row.control != Control::ImageIrrelevant, "{words}");
            assert!(!words.contains('{'), "{words}");
        }
    }
}
