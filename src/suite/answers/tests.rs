use super::*;

fn choice(texts: &[&str]) -> Vec<AnswerOption> {
    let labelled = ('A'..='Z').zip(texts).map(|(label, text)| (label.to_string(), *text));
    labelled.map(|(name, text)| AnswerOption { spellings: vec![name.clone(), text.into()], name }).collect()
}

fn check(reading: &Reading, options: &[AnswerOption], cases: &[(&str, Option<&str>)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (text, expected, reading.read(text, options)))
        .filter(|(_, expected, found)| found.as_deref() != **expected)
        .map(|(text, expected, found)| format!("{text:?}: {found:?}, expected {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn options_are_read_by_label_or_text() {
    let options = choice(&["red", "green", "dark green", "a blue leaf", "E. coli"]);
    let b = Some("B");
    check(
        &Reading::new(AnswerKind::Choice),
        &options,
        &[
            // Labels alone.
            ("B", b),
            ("b", b),
            (" B.\n", b),
            ("(B)", b),
            ("(b)", b),
            ("b)", b),
            ("[B]", b),
            ("**B**", b),
            ("`B`", b),
            ("\"B\"", b),
            ("B:", b),
            ("\u{ff22}", b),
            ("A", Some("A")),
            ("a.", Some("A")),
            ("E", Some("E")),
            ("F", None),
            ("", None),
            // A label and its text.
            ("B. green", b),
            ("B) green", b),
            ("(B) green.", b),
            ("B: Green", b),
            ("**B. green**", b),
            ("B - green", b),
            ("B green", b),
            // The text alone; the longer text is the one that is meant.
            ("green", b),
            ("Green.", b),
            ("Dark green", Some("C")),
            ("A blue leaf", Some("D")),
            ("E. coli", Some("E")),
            // Statements.
            ("Answer: B", b),
            ("ANSWER: B", b),
            ("Answer:B", b),
            ("Answer: (b)", b),
            ("**Answer:** B", b),
            ("**Final Answer**\nB", b),
            ("Final answer: $\\boxed{B}$", b),
            ("The answer is B", b),
            ("the answer is **B**.", b),
            ("The correct answer is:\n\nB. green", b),
            ("The correct answer is option B.", b),
            ("The answer to the question is (B) because leaves are.", b),
            ("The answer is most likely B, as A is impossible.", b),
            ("The answer must be green, not red.", b),
            ("The answer is that leaves are green.", b),
            ("The answer is not A but B.", b),
            ("\\boxed{B}", b),
            ("\\boxed{\\text{B}}", b),
            ("$\\boxed{\\textbf{(B)} green}$", b),
            ("<answer>B</answer>", b),
            ("<answer>\nB\n</answer>", b),
            ("Option B", b),
            ("Option (B) is correct.", b),
            ("So B is the correct choice. A is a flower's color.", b),
            ("Therefore, the correct option is B.\n\nLet me know if A is still unclear.", b),
            ("**Answer: B. green**", b),
            ("The final answer is $\\boxed{\\text{B}}$", b),
            ("Answer: 'green'", b),
            ("Answer: B (green)", b),
            ("A) red is wrong.\nB) green is right.\n\n**B) green**", b),
            ("\u{7b54}\u{6848}\u{ff1a}B", b),
            ("I would go with B.", b),
            ("I think (b).", b),
            ("I choose A.", Some("A")),
            ("The answer is A because roses are red.", Some("A")),
            ("The answer is a.", Some("A")),
            // The last statement holds, whatever follows it.
            ("The answer is A. No, the answer is B.", b),
            ("Answer: A\nI was wrong.\nAnswer: B", b),
            ("The answer is B. I hope this helps!", b),
            ("B\n\nLeaves are not red, and a rose is no leaf.", b),
            ("The options are:\nA. red\nB. green\n\nB", b),
            ("A. red: no.\nB. green: yes.\n\nSo it must be green.", b),
            // Articles, pronouns and names are no labels.
            ("A leaf is green.", b),
            ("The answer is a leaf that is green.", b),
            ("A leaf is what I see.", None),
            ("Vitamin B-12 is needed", None),
            ("I do not know.", None),
            ("It isn't red.", None),
            // Two answers are none.
            ("A or B", None),
            ("A, B", None),
            ("The answer is A and B.", None),
            ("The answer is either red or green.", None),
            ("Answer: A/B", None),
            ("It is red or green.", None),
            ("A. red\nB. green", None),
            ("Either A. red or B. green", None),
            ("Answer: B or B. green", b),
        ],
    );
}

#[test]
fn labels_may_be_digits_and_texts_may_be_numbers() {
    let mut digits = choice(&["ice", "steam", "4"]);
    for (option, label) in digits.iter_mut().zip(["1", "2", "3"]) {
        option.name = label.into();
        option.spellings[0] = label.into();
    }
    check(
        &Reading::new(AnswerKind::Choice),
        &digits,
        &[
            ("2", Some("2")),
            ("(2)", Some("2")),
            ("2. steam", Some("2")),
            ("Answer: 2", Some("2")),
            ("The answer is 2.5", None),
            ("4", Some("3")),
            ("Steam, at 2 bar", Some("2")),
            ("Option 1", Some("1")),
            ("It has 3 states, but steam is right", Some("2")),
        ],
    );
    check(
        &Reading::new(AnswerKind::Choice),
        &choice(&["3", "3.5", "-3", "30%"]),
        &[
            ("3", Some("A")),
            ("3.5", Some("B")),
            ("-3", Some("C")),
            ("30%", Some("D")),
            ("The answer is 3.", Some("A")),
            ("Answer: 3.5.", Some("B")),
            ("D", Some("D")),
            ("5", None),
        ],
    );
}

#[test]
fn numbers_are_read_in_one_form() {
    let twelve = Some("12");
    check(
        &Reading::new(AnswerKind::Number),
        &[],
        &[
            ("12", twelve),
            (" 12.\n", twelve),
            ("12.0", twelve),
            ("+12", twelve),
            ("012", twelve),
            ("$12", twelve),
            ("\u{20ac}12", twelve),
            ("12%", twelve),
            ("12 apples", twelve),
            ("12cm", twelve),
            ("**12**", twelve),
            ("\\boxed{12}", twelve),
            ("$\\boxed{12}$.", twelve),
            ("\\boxed{12 \\text{ apples}}", twelve),
            ("#### 12", twelve),
            ("The answer is 12.", twelve),
            ("The answer is: 12", twelve),
            ("Answer: 12 apples, of 20.", twelve),
            ("<answer>12</answer>", twelve),
            ("\u{ff11}\u{ff12}", twelve),
            ("1,234", Some("1234")),
            ("1,234,567.50", Some("1234567.5")),
            ("$1,234.00", Some("1234")),
            ("1{,}234", Some("1234")),
            ("-3", Some("-3")),
            ("\u{2212}3", Some("-3")),
            ("A = -3", Some("-3")),
            ("A = \u{2212} 3", Some("-3")),
            ("-$3", Some("-3")),
            ("-0", Some("0")),
            ("0.50", Some("0.5")),
            (".5", Some("0.5")),
            ("3.50", Some("3.5")),
            ("1/2", Some("0.5")),
            ("\u{bd}", Some("0.5")),
            ("-3/4", Some("-0.75")),
            ("2 1/2", Some("2.5")),
            ("6/3", Some("2")),
            ("2/6", Some("1/3")),
            ("\\frac{1}{4}", Some("0.25")),
            ("1/0", None),
            ("1e3", Some("1000")),
            ("1.5 \\times 10^3", Some("1500")),
            ("1.5 \u{d7} 10^{-2}", Some("0.015")),
            // What is stated holds; else the last number.
            ("Answer: 12\nThis took 3 steps.", twelve),
            ("The answer is 5. No, the answer is 12.", twelve),
            ("The answer is 3 * 4 = 12.", twelve),
            ("The answer is 12 = 3 * 4.", twelve),
            ("Answer: A = 12, for 3 * 4 is that.", twelve),
            ("The answer is that 3 times 4 gives 12.", twelve),
            ("Answer: 12 (3 \u{d7} 4)", twelve),
            ("**Answer: 12 pens**", twelve),
            ("Answer:\n\n$$12$$", twelve),
            ("First 3, then 4, so there are 12 apples.", twelve),
            ("3 + 9 = 12", twelve),
            ("A + B = 7 and A - B = 1, so A = 4 and B = 3", Some("3")),
            ("5-3", Some("3")),
            ("- 12 apples", twelve),
            // Two numbers, or none.
            ("The answer is 12 or 13.", None),
            ("Answer: 12, 13", None),
            ("Answer: 10-12", None),
            ("Answer: 12 or 12.0", twelve),
            ("vitamin B12", None),
            ("none", None),
            ("", None),
        ],
    );
}

#[test]
fn one_word_is_read_from_among_the_options() {
    let options: Vec<AnswerOption> =
        ["red", "green", "metal", "cube", "boxes", "light blue"].map(AnswerOption::named).into();
    let red = Some("red");
    check(
        &Reading::new(AnswerKind::Word),
        &options,
        &[
            ("red", red),
            ("Red", red),
            ("RED", red),
            ("red.", red),
            ("\"Red\"", red),
            ("**red**", red),
            (" red\n", red),
            ("\u{201c}red\u{201d}", red),
            ("It is red.", red),
            ("It's red", red),
            ("The color is red.", red),
            ("The circle is red!", red),
            ("red, I think", red),
            ("The answer is red.", red),
            ("Answer: Red", red),
            ("<answer>red</answer>", red),
            ("\\boxed{\\text{red}}", red),
            ("It is not green but red.", red),
            ("It isn't green, it's red", red),
            ("red rather than green", red),
            ("red red", red),
            ("Red\n\nThe green one is a square.", red),
            ("a cube", Some("cube")),
            ("The cube", Some("cube")),
            ("cubes", Some("cube")),
            ("Cubes.", Some("cube")),
            ("two boxes", Some("boxes")),
            ("metal", Some("metal")),
            ("METAL!", Some("metal")),
            ("light blue", Some("light blue")),
            ("Light Blue.", Some("light blue")),
            ("It is green.", Some("green")),
            ("The answer is not red but green.", Some("green")),
            ("red or green", None),
            ("red and green", None),
            ("It is red, or green.", None),
            ("The answer is red. The answer is green.", Some("green")),
            ("redder", None),
            ("reddish", None),
            ("infrared", None),
            ("blue", None),
            ("It is not red.", None),
            ("neither red nor green", None),
            ("", None),
        ],
    );
}

#[test]
fn without_options_the_one_word_is_the_answer() {
    check(
        &Reading::new(AnswerKind::Word),
        &[],
        &[
            ("Circle", Some("circle")),
            ("It is a circle.", Some("circle")),
            ("The answer is: **circle**.", Some("circle")),
            ("a red circle", None),
            ("", None),
        ],
    );
}

#[test]
fn a_transcription_is_all_that_was_written() {
    let reading = Reading::new(AnswerKind::Transcript);
    assert_eq!(reading.read(" The answer\nis B. ", &choice(&["x", "y"])).unwrap(), "The answer\nis B.");
}

#[test]
fn equal_numbers_have_one_form() {
    for (written, form) in [("12.0", Some("12")), ("1,234", Some("1234")), ("4 or 5", None), ("four", None)] {
        assert_eq!(canonical_number(written).as_deref(), form, "{written}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_can_be_read(text in r"(?s)(answer is |\\boxed\{|\PC|[-A-C0-9 .,/)\n*=]){0,60}") {
        let options = choice(&["red", "4", "\u{130}x", ""]);
        for kind in [AnswerKind::Choice, AnswerKind::Number, AnswerKind::Word] {
            let read = Reading::new(kind).read(&text, &options);
            if kind == AnswerKind::Number {
                // A number's form is its own form.
                proptest::prop_assert_eq!(read.as_deref().and_then(canonical_number), read);
            } else if let Some(name) = read {
                proptest::prop_assert!(options.iter().any(|option| option.name == name));
            }
        }
    }
}
