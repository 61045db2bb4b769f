use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;

fn item(image: &str, vision: &str, text: &str) -> Value {
    json!({
        "image_id": image, "task": "color", "question": "What {first} color is the bus?",
        "answer_vision": vision, "answer_text": text, "context": "A bus {question} drives by."
    })
}

/// A folder with the items in a file, and one photograph in each half of COCO.
fn folder(items: &[Value]) -> (tempfile::TempDir, SuiteSpec) {
    let folder = tempfile::tempdir().unwrap();
    for (half, number) in [("train2014", 17), ("val2014", 18)] {
        std::fs::create_dir_all(folder.path().join("coco").join(half)).unwrap();
        let name = format!("coco/{half}/COCO_{half}_{number:012}.jpg");
        image::RgbImage::new(4, 3).save(folder.path().join(name)).unwrap();
    }
    let data = folder.path().join("evaluate_final.json");
    std::fs::write(&data, Value::from(items).to_string()).unwrap();
    let spec = SuiteSpec {
        data: vec![data.display().to_string()],
        images: Some(folder.path().join("coco")),
        ..SuiteSpec::default()
    };
    (folder, spec)
}

fn said(row: &Presentation) -> &str {
    match row.messages[0].content.last() {
        Some(Part::Text(text)) => text,
        other => panic!("no text: {other:?}"),
    }
}

#[test]
fn an_item_is_asked_in_both_orders_as_published() {
    let (_folder, spec) = folder(&[item("000000000017", " green", "blue ")]);
    let group = Mc2::open(&spec).unwrap().group(0).unwrap();
    let ids: Vec<(&str, &str)> =
        group.presentations.iter().map(|row| (row.item_id.as_str(), row.kind.as_str())).collect();
    assert_eq!(
        ids,
        [
            ("mc2-00000-vt", "vision-only"),
            ("mc2-00000-vt", "text-only"),
            ("mc2-00000-vt", "conflict"),
            ("mc2-00000-tv", "vision-only"),
            ("mc2-00000-tv", "text-only"),
            ("mc2-00000-tv", "conflict"),
        ]
    );
    // The strings of the published evaluation script: question + "\nA. " + one + "\nB. " + other + "\nAnswer ...".
    let ending = "\nAnswer the question by selecting the correct answer A or B.";
    let question = "What {first} color is the bus?";
    assert_eq!(said(&group.presentations[0]), format!("{question}\nA. green\nB. blue{ending}"));
    assert_eq!(said(&group.presentations[3]), format!("{question}\nA. blue\nB. green{ending}"));
    let context = "Text context: A bus {question} drives by.\n";
    for row in [1, 2, 4, 5] {
        let alone = said(&group.presentations[row / 3 * 3]);
        assert_eq!(said(&group.presentations[row]), format!("{context}{alone}"));
    }
    let shows = |row: &Presentation| row.messages[0].content.contains(&Part::Image(0));
    assert_eq!(
        group.presentations.iter().map(shows).collect::<Vec<_>>(),
        [true, false, true, true, false, true]
    );
}

#[test]
fn answers_keep_their_names_whatever_the_order() {
    let (_folder, spec) = folder(&[item("000000000017", "green", "blue")]);
    let group = Mc2::open(&spec).unwrap().group(0).unwrap();
    for (row, [first, second]) in [(2, ["green", "blue"]), (5, ["blue", "green"])] {
        let row = &group.presentations[row];
        let option =
            |name: &str, letter: &str| AnswerOption { name: name.into(), spellings: vec![letter.into()] };
        assert_eq!(*row.options, [option(first, "A"), option(second, "B")]);
        assert_eq!((row.vision_answer.as_deref(), row.text_answer.as_deref()), (Some("green"), Some("blue")));
        assert_eq!((row.answer.as_deref(), row.task.as_deref()), (None, Some("color")));
    }
    let answers: Vec<Option<&str>> = group.presentations.iter().map(|row| row.answer.as_deref()).collect();
    assert_eq!(answers[..2], [Some("green"), Some("blue")]);
    for case in &group.cases {
        let ids = [case.conflict, case.vision, case.text].map(|row| &group.presentations[row].item_id);
        assert!(ids.iter().all(|id| *id == ids[0]));
    }
    assert_eq!(group.cases.len(), 2);
}

#[test]
fn images_are_found_in_either_half_of_coco() {
    let named = ["val2014/COCO_val2014_000000000018.jpg", "COCO_train2014_000000000017.jpg"];
    let items: Vec<Value> =
        ["000000000017", "18", named[0], named[1], "19"].iter().map(|id| item(id, "green", "blue")).collect();
    let (folder, spec) = folder(&items);
    let suite = Mc2::open(&spec).unwrap();
    let image = |index: usize| -> PathBuf {
        match &suite.group(index).unwrap().images[..] {
            [ImageSource::File(path)] => path.strip_prefix(folder.path().join("coco")).unwrap().into(),
            other => panic!("{other:?}"),
        }
    };
    let train = "train2014/COCO_train2014_000000000017.jpg";
    let val = "val2014/COCO_val2014_000000000018.jpg";
    let found: Vec<PathBuf> = (0..5).map(image).collect();
    assert_eq!(found, [train, val, val, train, "val2014/COCO_val2014_000000000019.jpg"].map(PathBuf::from));
    let [note] = &suite.notes()[..] else { panic!("no note") };
    assert!(note.starts_with("1 of 5 items have no image below "), "{note}");
}

#[test]
fn equal_answers_are_the_items_fault() {
    let (_folder, spec) = folder(&[item("17", "Green ", "green"), item("17", "green", "blue")]);
    let suite = Mc2::open(&spec).unwrap();
    let faults = |index: usize| {
        let rows = suite.group(index).unwrap().presentations;
        rows.iter().filter_map(|row| row.fault.clone()).collect::<BTreeSet<String>>()
    };
    assert_eq!(faults(0), BTreeSet::from(["its two answers are the same: \"Green\" and \"green\"".into()]));
    assert_eq!(faults(1), BTreeSet::new());
}

#[test]
fn items_and_pictures_are_part_of_the_suite() {
    let (folder_one, one) = folder(&[item("17", "green", "blue")]);
    let (_other, other) = folder(&[item("17", "green", "red")]);
    let digest = |spec: &SuiteSpec| Mc2::open(spec).unwrap().fingerprint();
    let whole = digest(&one);
    assert_ne!(whole, digest(&other));
    let photograph = folder_one.path().join("coco/train2014/COCO_train2014_000000000017.jpg");
    image::RgbImage::new(5, 5).save(photograph).unwrap();
    assert_ne!(whole, digest(&one));
}

#[test]
fn an_image_must_lie_below_its_folder() {
    for id in ["../17", "/etc/COCO.jpg", "val2014/../../COCO.jpg"] {
        let (_folder, spec) = folder(&[item(id, "green", "blue")]);
        let message = Mc2::open(&spec).map(drop).unwrap_err().to_string();
        let expected = format!("item 0 (from 0): `image_id` is {id:?}, expected a number of COCO");
        assert!(message.contains(&expected), "{message}");
    }
}
