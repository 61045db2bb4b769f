//! REST, REST+ and SoEBench: what is shown and asked of an item, and in which renderings (arXiv 2512.08923).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crossmodal::render::typeset::{TextSpec, Typeface};
use crossmodal::suite::rest::RestSpec;
use crossmodal::suite::{
    Ask, Group, ImageSource, Part, Presentation, PresentationKind, Suite, SuiteSpec, open,
};

use crate::program::{program, succeed};

pub fn golden(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rest").join(name).display().to_string()
}

/// The suite `name` of these data, with the short prompts.
pub fn spec(name: &str, data: &[&str]) -> SuiteSpec {
    SuiteSpec {
        name: name.into(),
        data: data.iter().map(|data| data.to_string()).collect(),
        prompts: Some("rest-brief".into()),
        ..SuiteSpec::default()
    }
}

pub fn groups(suite: &dyn Suite) -> Vec<Group> {
    (0..suite.group_count()).map(|index| suite.group(index).unwrap()).collect()
}

/// The error of a suite, without the path of the golden files.
pub fn error(spec: &SuiteSpec) -> String {
    let message = open(spec).err().unwrap_or_else(|| panic!("{spec:?} opens")).to_string();
    message.replace(&format!("{}/", golden("")), "").replace(&golden(""), "")
}

/// A message's parts, one a line: the text of images (and how they are written), texts, and what the model wrote for a row.
fn shown(group: &Group, row: &Presentation) -> String {
    let image = |image: &usize| match &group.images[*image] {
        ImageSource::Text(spec) => format!("[image of {:?}]", spec.text),
        other => panic!("{other:?}"),
    };
    let part = |part: &Part| match part {
        Part::Text(text) => format!("{text:?}"),
        Part::Image(index) => image(index),
        Part::Written(row) => {
            let row = &group.presentations[*row];
            format!("[written for {} of {}]", row.kind.as_str(), row.variant())
        }
    };
    let parts: Vec<String> = row.messages.iter().flat_map(|message| &message.content).map(part).collect();
    format!("{} {}: {}", row.kind.as_str(), row.variant(), parts.join(" "))
}

fn described(group: &Group) -> String {
    group.presentations.iter().map(|row| shown(group, row)).collect::<Vec<_>>().join("\n")
}

pub fn of_kind(group: &Group, kind: PresentationKind) -> &Presentation {
    group.presentations.iter().find(|row| row.kind == kind).unwrap()
}

fn text_spec(source: &ImageSource) -> &TextSpec {
    match source {
        ImageSource::Text(spec) => spec,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rest_has_one_rendering_and_rest_plus_has_ten() {
    let arc = format!("arc={}", golden("arc.parquet"));
    let variants = |name: &str| -> Vec<String> {
        let group = open(&spec(name, &[&arc])).unwrap().group(0).unwrap();
        let ocr = group.presentations.iter().filter(|row| row.kind == PresentationKind::Ocr);
        ocr.map(|row| row.variant().to_string()).collect()
    };
    assert_eq!(variants("rest"), ["dejavu-sans-200"]);
    let mut expected: Vec<String> = Vec::new();
    for font in Typeface::ALL {
        expected.extend([50, 100, 200].map(|dpi| format!("{}-{dpi}", font.name())));
    }
    let all = variants("rest-plus");
    assert_eq!(all[..9], expected);
    assert_eq!(all.len(), 10);
    assert!(all.contains(&"courier-prime-50".to_string()));

    let group = open(&spec("rest-plus", &[&arc])).unwrap().group(0).unwrap();
    // The text once; ocr, image, mixed and ocr-first in each rendering.
    assert_eq!(group.presentations.len(), 1 + 10 * 4);
    assert_eq!(group.images.len(), 10 * 2);
    let keys: BTreeSet<_> = group.presentations.iter().map(Presentation::key).collect();
    assert_eq!(keys.len(), group.presentations.len());
    let looks: BTreeSet<_> = group
        .images
        .iter()
        .map(text_spec)
        .map(|spec| (spec.font.name(), spec.dpi, spec.color, spec.text.clone()))
        .collect();
    assert_eq!(looks.len(), group.images.len());
}

#[test]
fn the_color_is_the_items_own() {
    let spec = SuiteSpec { groups: Some(200), ..spec("rest-plus", &["soebench"]) };
    let suite = open(&spec).unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for group in groups(&*suite) {
        let row = group.presentations.last().unwrap();
        let rendering = row.rendering.clone().unwrap();
        let color = rendering.color.unwrap();
        assert_eq!(rendering.variant, format!("dejavu-sans-200-{color}"));
        assert_eq!((rendering.font.as_deref(), rendering.dpi), (Some("dejavu-sans"), Some(200)));
        let black = group.images.iter().filter(|image| text_spec(image).color == [0, 0, 0]).count();
        assert_eq!(black, 18);
        *counts.entry(color).or_default() += 1;
    }
    assert_eq!(counts.keys().map(String::as_str).collect::<Vec<_>>(), ["blue", "green", "red", "yellow"]);
    assert!(counts.values().all(|count| (25..=75).contains(count)), "{counts:?}");
}

#[test]
fn the_short_prompts_of_each_task() {
    let file = |name: &str| described(&open(&spec("rest", &[&golden(name)])).unwrap().group(0).unwrap());
    insta::assert_snapshot!(file("mmlu.parquet"), @r#"
    text none: "How many sides has a hexagon?\nA. five\nB. six\nC. seven\nD. eight\nAnswer with the letter of the right option."
    ocr dejavu-sans-200: [image of "How many sides has a hexagon?\nA. five\nB. six\nC. seven\nD. eight"] "Transcribe the text in the image exactly."
    image dejavu-sans-200: [image of "How many sides has a hexagon?\nA. five\nB. six\nC. seven\nD. eight"] "Answer the question in the image with the letter of the right option."
    mixed dejavu-sans-200: [image of "How many sides has a hexagon?"] "The image shows the question. Options:\nA. five\nB. six\nC. seven\nD. eight\nAnswer with the letter of the right option."
    ocr-first dejavu-sans-200: [written for ocr of dejavu-sans-200] "\nAnswer with the letter of the right option."
    "#);
    insta::assert_snapshot!(file("gsm-symbolic.parquet"), @r#"
    text none: "Mia has 3 boxes with 12 pens each. She gives 7 away. How many are left?\nAnswer with a number."
    ocr dejavu-sans-200: [image of "Mia has 3 boxes with 12 pens each. She gives 7 away. How many are left?"] "Transcribe the text in the image exactly."
    image dejavu-sans-200: [image of "Mia has 3 boxes with 12 pens each. She gives 7 away. How many are left?"] "Answer the question in the image with a number."
    mixed dejavu-sans-200: [image of "Mia has 3 boxes with 12 pens each. She gives 7 away."] "The image shows the context.\nHow many are left?\nAnswer with a number."
    ocr-first dejavu-sans-200: [written for ocr of dejavu-sans-200] "\nAnswer with a number."
    "#);
    let digits = open(&spec("rest", &[&golden("arc.parquet")])).unwrap().group(1).unwrap();
    insta::assert_snapshot!(described(&digits), @r#"
    text none: "What is ice?\n1. solid\n2. liquid\n3. gas\n4. none\nAnswer with the letter of the right option."
    ocr dejavu-sans-200: [image of "What is ice?\n1. solid\n2. liquid\n3. gas\n4. none"] "Transcribe the text in the image exactly."
    image dejavu-sans-200: [image of "What is ice?\n1. solid\n2. liquid\n3. gas\n4. none"] "Answer the question in the image with the letter of the right option."
    mixed dejavu-sans-200: [image of "What is ice?"] "The image shows the question. Options:\n1. solid\n2. liquid\n3. gas\n4. none\nAnswer with the letter of the right option."
    ocr-first dejavu-sans-200: [written for ocr of dejavu-sans-200] "\nAnswer with the letter of the right option."
    "#);
    let equations = open(&spec("soebench", &[])).unwrap().group(0).unwrap();
    insta::assert_snapshot!(described(&equations), @r#"
    text none: "-7A + 6B - 9C = 48\n9A - B - 4C = 25\n-4A - 9B + C = 3\nWhat is B?\nAnswer with a number."
    ocr dejavu-sans-200: [image of "-7A + 6B - 9C = 48\n9A - B - 4C = 25\n-4A - 9B + C = 3\nWhat is B?"] "Transcribe the text in the image exactly."
    image dejavu-sans-200: [image of "-7A + 6B - 9C = 48\n9A - B - 4C = 25\n-4A - 9B + C = 3\nWhat is B?"] "Answer the question in the image with a number."
    mixed dejavu-sans-200: [image of "-7A + 6B - 9C = 48\n9A - B - 4C = 25\n-4A - 9B + C = 3"] "The image shows the context.\nWhat is B?\nAnswer with a number."
    ocr-first dejavu-sans-200: [written for ocr of dejavu-sans-200] "\nAnswer with a number."
    "#);
}

#[test]
fn by_default_answers_are_reasoned() {
    let spec =
        SuiteSpec { prompts: None, ..spec("rest", &[&golden("arc.parquet"), &golden("gsm8k.parquet")]) };
    let suite = open(&spec).unwrap();
    insta::assert_snapshot!(described(&suite.group(0).unwrap()), @r#"
    text none: "Which gives light?\nA. Moon\nB. mirror\nC. Sun\nD. window\n\nThink step by step. Then give the letter of the right option on a last line of its own, as \"Answer: \" and the letter."
    ocr dejavu-sans-200: [image of "Which gives light?\nA. Moon\nB. mirror\nC. Sun\nD. window"] "Transcribe the text in the image exactly. Write the text alone, line by line, and nothing else."
    image dejavu-sans-200: [image of "Which gives light?\nA. Moon\nB. mirror\nC. Sun\nD. window"] "The image shows a question and its options. Think step by step. Then give the letter of the right option on a last line of its own, as \"Answer: \" and the letter."
    mixed dejavu-sans-200: [image of "Which gives light?"] "The image shows a question. These are its options:\nA. Moon\nB. mirror\nC. Sun\nD. window\n\nThink step by step. Then give the letter of the right option on a last line of its own, as \"Answer: \" and the letter."
    ocr-first dejavu-sans-200: [written for ocr of dejavu-sans-200] "\n\nThink step by step. Then give the letter of the right option on a last line of its own, as \"Answer: \" and the letter."
    "#);
    insta::assert_snapshot!(described(&suite.group(1).unwrap()), @r#"
    text none: "Mia has 3 boxes with 12 pens each. She gives 7 away. How many are left?\n\nThink step by step. Then give the number on a last line of its own, as \"Answer: \" and the number."
    ocr dejavu-sans-200: [image of "Mia has 3 boxes with 12 pens each. She gives 7 away. How many are left?"] "Transcribe the text in the image exactly. Write the text alone, line by line, and nothing else."
    image dejavu-sans-200: [image of "Mia has 3 boxes with 12 pens each. She gives 7 away. How many are left?"] "The image shows a question. Think step by step. Then give the number on a last line of its own, as \"Answer: \" and the number."
    mixed dejavu-sans-200: [image of "Mia has 3 boxes with 12 pens each. She gives 7 away."] "The image shows what is known. How many are left?\n\nThink step by step. Then give the number on a last line of its own, as \"Answer: \" and the number."
    ocr-first dejavu-sans-200: [written for ocr of dejavu-sans-200] "\n\nThink step by step. Then give the number on a last line of its own, as \"Answer: \" and the number."
    "#);
}

#[test]
fn answers_are_written_and_read_as_their_task_wants_it() {
    let limits = |spec: &SuiteSpec| -> BTreeMap<String, usize> {
        let groups = groups(&*open(spec).unwrap());
        let rows = groups.iter().flat_map(|group| &group.presentations);
        let limit = |row: &Presentation| match &row.ask {
            Ask::Generate(generate) => generate.max_new_tokens,
            Ask::NextToken => panic!("{row:?}"),
        };
        let task = |row: &Presentation| row.task.clone().unwrap();
        rows.map(|row| (format!("{} {}", task(row), row.kind.as_str()), limit(row))).collect()
    };
    let shipped = SuiteSpec { name: "rest".into(), ..SuiteSpec::default() };
    let of = limits(&shipped);
    assert_eq!(of.len(), 4 * 5, "{of:?}");
    assert_eq!(
        (of["arc text"], of["mmlu mixed"], of["gsm-symbolic image"], of["soebench ocr-first"]),
        (1024, 1024, 1024, 2048)
    );
    let brief = limits(&SuiteSpec { prompts: Some("rest-brief".into()), ..shipped.clone() });
    assert_eq!((brief["arc text"], brief["soebench ocr"]), (8, 400));
    let rest = RestSpec { max_new_tokens: Some(3), ..RestSpec::default() };
    assert!(limits(&SuiteSpec { rest, ..shipped }).values().all(|limit| *limit == 3));

    let suite = open(&spec("rest", &[&golden("arc.parquet"), &golden("gsm8k.parquet")])).unwrap();
    let read = |group: usize, text: &str| {
        let group = suite.group(group).unwrap();
        let row = of_kind(&group, PresentationKind::Image);
        match &row.ask {
            Ask::Generate(generate) => generate.reading.read(text, &row.options) == row.answer,
            Ask::NextToken => false,
        }
    };
    assert!(read(0, "The answer is (C).") && read(0, "It is the Sun.") && !read(0, "A"));
    assert!(read(1, "#### 29") && read(1, "29 pens") && !read(1, "36"));
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let rest = |rest: RestSpec| SuiteSpec { rest, ..spec("rest-plus", &["soebench"]) };
    let variants = |filters: &[&str]| {
        rest(RestSpec {
            variants: filters.iter().map(|filter| filter.to_string()).collect(),
            ..RestSpec::default()
        })
    };
    let presentations = |kinds: &[PresentationKind]| SuiteSpec {
        presentations: kinds.to_vec(),
        ..spec("rest", &["soebench"])
    };
    let cases = [
        variants(&["dpi=72"]),
        variants(&["font=arial"]),
        variants(&["size=3"]),
        variants(&["color=colored", "dpi=50"]),
        rest(RestSpec { unknowns: Some((1, 9)), ..RestSpec::default() }),
        rest(RestSpec { max_new_tokens: Some(0), ..RestSpec::default() }),
        presentations(&[PresentationKind::OcrFirst]),
        spec("rest", &["hellaswag=x.parquet"]),
        spec("rest", &["soebench=x.parquet"]),
        spec("rest", &["nowhere/*.parquet"]),
        spec("soebench", &["soebench"]),
        SuiteSpec { groups: Some(3), ..spec("rest", &[&golden("arc.parquet")]) },
        SuiteSpec { controls: false, ..spec("rest", &[]) },
        SuiteSpec {
            name: "color-recognition".into(),
            ..rest(RestSpec { keep_latex: true, ..RestSpec::default() })
        },
    ];
    insta::assert_snapshot!(cases.iter().map(error).collect::<Vec<_>>().join("\n"), @r#"
    --variants dpi=72: the suite has no dpi "72"; it has 50, 100, 200
    --variants font=arial: the suite has no font "arial"; it has dejavu-sans, courier-prime, dancing-script
    --variants size=3: expected font=..., dpi=... or color=..., as in dpi=50,200
    --variants color=colored dpi=50: no rendering of the suite is all of that
    --unknowns 1..9: expected a number or a range within 2..5
    --max-new-tokens 0: expected 1 or more
    --presentations: ocr-first shows the model what it wrote for ocr; add ocr, or leave ocr-first out
    --data hellaswag=x.parquet: there is no task `hellaswag`; tasks: arc, mmlu, gsm-symbolic, soebench; without a task, the columns say which it is
    --data soebench=x.parquet: its items are generated; give --data soebench
    nowhere/*.parquet: expected a file, a folder or a pattern of .parquet, .jsonl, .json files; there is none
    --data: the items of the suite soebench are generated
    --groups, --seed, --unknowns and --coefficients are for items that are generated; add --data soebench for them, or take the first items with --limit
    --no-controls: the suite rest has no controls
    --variants, --page-width, --margin, --point-size, --max-new-tokens, --max-characters, --keep-latex, --unknowns and --coefficients are for the suites rest, rest-plus, soebench
    "#);
}

#[test]
fn a_page_without_room_for_text_is_refused() {
    for rest in [
        RestSpec { page_width_in: Some(0.1), ..RestSpec::default() },
        RestSpec { point_size: Some(-1.0), ..RestSpec::default() },
        RestSpec { margin_in: Some(f32::NAN), ..RestSpec::default() },
    ] {
        let message = error(&SuiteSpec { rest, ..spec("rest", &[]) });
        assert!(message.contains("page") || message.contains("expected"), "{message}");
    }
}

#[test]
fn variants_and_presentations_are_selected() {
    let selected = |filters: &[&str], kinds: &[PresentationKind]| -> Vec<(&'static str, String)> {
        let variants = filters.iter().map(|filter| filter.to_string()).collect();
        let spec = SuiteSpec {
            rest: RestSpec { variants, ..RestSpec::default() },
            presentations: kinds.to_vec(),
            ..spec("rest-plus", &["soebench"])
        };
        let group = open(&spec).unwrap().group(0).unwrap();
        group.presentations.iter().map(|row| (row.kind.as_str(), row.variant().to_string())).collect()
    };
    let image = [PresentationKind::Image];
    let named = |names: &[&str]| names.iter().map(|name| ("image", name.to_string())).collect::<Vec<_>>();
    assert_eq!(
        selected(&["dpi=50,200", "font=dejavu-sans", "color=black"], &image),
        named(&["dejavu-sans-50", "dejavu-sans-200"])
    );
    assert_eq!(selected(&["color=colored"], &image).len(), 1);
    assert_eq!(selected(&[], &[PresentationKind::Text]), [("text", "none".to_string())]);
    let ocr_first =
        selected(&["dpi=50", "font=courier-prime"], &[PresentationKind::Ocr, PresentationKind::OcrFirst]);
    let names: Vec<&str> = ocr_first.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(names, ["ocr", "ocr-first"]);
}

#[test]
fn ocr_first_is_given_what_was_written_for_its_own_rendering() {
    for kinds in [vec![], vec![PresentationKind::Ocr, PresentationKind::OcrFirst]] {
        let spec = SuiteSpec { presentations: kinds, ..spec("rest-plus", &["soebench"]) };
        let group = open(&spec).unwrap().group(0).unwrap();
        let ocr_first: Vec<_> =
            group.presentations.iter().filter(|row| row.kind == PresentationKind::OcrFirst).collect();
        assert_eq!(ocr_first.len(), 10);
        for row in ocr_first {
            let Part::Written(written) = row.messages[0].content[0] else { panic!("{row:?}") };
            let written = &group.presentations[written];
            assert_eq!((written.kind, written.variant()), (PresentationKind::Ocr, row.variant()));
        }
    }
}

#[test]
fn whatever_changes_the_content_changes_the_fingerprint() {
    let base = spec("rest", &[&golden("arc.parquet"), "soebench"]);
    let set = |rest: RestSpec| SuiteSpec { rest, ..base.clone() };
    let other = RestSpec::default;
    let specs = [
        base.clone(),
        SuiteSpec { name: "rest-plus".into(), ..base.clone() },
        SuiteSpec { seed: 1, ..base.clone() },
        SuiteSpec { groups: Some(7), ..base.clone() },
        SuiteSpec { prompts: None, ..base.clone() },
        SuiteSpec { data: vec!["soebench".into()], ..base.clone() },
        SuiteSpec { presentations: vec![PresentationKind::Text], ..base.clone() },
        set(RestSpec { page_width_in: Some(5.0), ..other() }),
        set(RestSpec { margin_in: Some(0.5), ..other() }),
        set(RestSpec { point_size: Some(11.0), ..other() }),
        set(RestSpec { max_new_tokens: Some(5), ..other() }),
        set(RestSpec { max_characters: Some(40), ..other() }),
        set(RestSpec { unknowns: Some((2, 2)), ..other() }),
        set(RestSpec { coefficients: Some(3), ..other() }),
    ];
    let fingerprint = |spec: &SuiteSpec| open(spec).unwrap().fingerprint();
    let distinct: BTreeSet<String> = specs.iter().map(fingerprint).collect();
    assert_eq!(distinct.len(), specs.len());
    assert_eq!(fingerprint(&base), fingerprint(&SuiteSpec { limit: Some(2), ..base.clone() }));
}

#[test]
fn the_shipped_questions_are_sound() {
    let spec = SuiteSpec { name: "rest-plus".into(), ..SuiteSpec::default() };
    let suite = open(&spec).unwrap();
    let groups = groups(&*suite);
    let tasks: BTreeSet<_> =
        groups.iter().map(|group| group.presentations[0].task.clone().unwrap()).collect();
    assert_eq!(tasks.into_iter().collect::<Vec<_>>(), ["arc", "gsm-symbolic", "mmlu", "soebench"]);
    for row in groups.iter().flat_map(|group| &group.presentations) {
        assert_eq!(row.fault, None, "{}", row.item_id);
    }
    for group in &groups {
        assert!(
            group.presentations.iter().any(|row| row.kind == PresentationKind::Mixed),
            "{}",
            group.group_id
        );
    }
    // The first groups are of all tasks.
    let first: BTreeSet<_> = groups[..4].iter().map(|group| group.presentations[0].task.clone()).collect();
    assert_eq!(first.len(), 4);
    assert!(suite.notes().iter().all(|note| note.ends_with("items read")), "{:?}", suite.notes());
}

#[test]
fn an_exported_suite_asks_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let data = [golden("arc.parquet"), "soebench".into()];
    let settings =
        ["--data", &data[0], "--data", &data[1], "--groups", "3", "--unknowns", "4", "--max-new-tokens", "5"];
    let mut command = program();
    command.args(["suite", "export", "rest-plus", "--variants", "dpi=50", "color=black", "--margin", "0.1"]);
    command.args(["--prompts", "rest-brief", "--presentations", "text,ocr,ocr-first,mixed"]).args(settings);
    succeed(command.arg("--out").arg(folder.path()));

    use PresentationKind::{Mixed, Ocr, OcrFirst, Text};
    let direct = SuiteSpec {
        groups: Some(3),
        presentations: vec![Text, Ocr, OcrFirst, Mixed],
        rest: RestSpec {
            variants: vec!["dpi=50".into(), "color=black".into()],
            margin_in: Some(0.1),
            unknowns: Some((4, 4)),
            max_new_tokens: Some(5),
            ..RestSpec::default()
        },
        ..spec("rest-plus", &data.each_ref().map(String::as_str))
    };
    let read_back =
        SuiteSpec { name: folder.path().join("suite.jsonl").display().to_string(), ..SuiteSpec::default() };
    let rows = |spec: &SuiteSpec| -> Vec<Presentation> {
        groups(&*open(spec).unwrap()).into_iter().flat_map(|group| group.presentations).collect()
    };
    let direct = rows(&direct);
    assert_eq!(direct.len(), (5 + 3) * (1 + 3 * 3));
    assert_eq!(rows(&read_back), direct);
}
