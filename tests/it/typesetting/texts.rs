//! Texts that are hard to set, and the pages that are pinned.

use crossmodal::render::typeset::{TextSpec, Typeface};

/// Texts that are hard to set.
pub const TEXTS: [(&str, &str); 30] = [
    ("plain", "If x + 3 = 7, what is the value of x? AV To Yo. 0123456789"),
    (
        "long-words",
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft and Pneumonoultramicroscopicsilicovolcanoconiosis",
    ),
    (
        "one-long-word",
        "LlanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogochLlanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
    ),
    (
        "url",
        "See https://example.org/a/very/long/path/with?query=1&another=value%20here#fragment-identifier-that-goes-on or someone@example.org.",
    ),
    ("tabs", "a\tb\tc\n1\t22\t333\na longer word\tx\ty\n\tindented\t\ttwice"),
    (
        "leading-spaces",
        "def f(x):\n    if x > 0:\n        return f(x - 1)\n    return 0  # spaces follow    ",
    ),
    (
        "many-spaces",
        "one     two          three                    four                                            five and six",
    ),
    ("newlines", "first\r\nsecond\n\n\nthird\n\n"),
    (
        "quotes",
        "“double” ‘single’ «guillemets» — dash – dash … •·¿¡§¶†‡°©®™€£¥₹ `~!@#$%^&*_-+=|\\:;\"'<>,.?/()[]{}",
    ),
    ("greek", "Ελληνικά: Ἀρχιμήδης, δός μοι πᾶ στῶ καὶ τὰν γᾶν κινάσω, ᾧ."),
    ("cyrillic", "Съешь ещё этих мягких французских булок, да выпей чаю. Ђурђевак, їжак."),
    (
        "chinese",
        "我们的目标是让模型从图像和文本中得到同样的答案。请问：三加四等于多少？（七）「引用」《书名》，第一、第二！",
    ),
    (
        "japanese-korean",
        "これは、カタカナと「漢字」のテストです。ー〜 다람쥐 헌 쳇바퀴에 타고파. 한국어 문장은 단어 사이에서 줄을 바꿉니다.",
    ),
    ("mixed-chinese", "The word 模型 means model, 图像 is image (图像), and GPU很快."),
    ("emoji", "😀 🎉 🚀 ☺ ✓ ★ ♥ ⚡ 🥺 end"),
    (
        "emoji-sequences",
        "👩\u{200D}🔬 👍🏽 👨\u{200D}👩\u{200D}👧\u{200D}👦 ❤\u{FE0F} ❤\u{FE0E} 🇩🇪 1\u{FE0F}\u{20E3} 🏳\u{FE0F}\u{200D}🌈 🐈\u{200D}⬛",
    ),
    (
        "combining",
        "cafe\u{301} n\u{303} a\u{308} x\u{304} x\u{302}\u{323} Vie\u{302}\u{323}t q\u{307}\u{323} Ẍẍ",
    ),
    (
        "stacked",
        "Z\u{353}\u{30D}\u{352}\u{301}a\u{325}\u{310}\u{302}\u{30A}l\u{33B}\u{30D}g\u{323}\u{302}o\u{330}\u{30E}\nbelow it",
    ),
    (
        "arabic",
        "مرحبا بالعالم، هذا نص عربي طويل بما يكفي ليمتد على أكثر من سطر واحد (الصفحة 123). لا إله. مُحَمَّد",
    ),
    ("hebrew", "שָׁלוֹם עולם, זה טקסט בעברית עם English באמצע (2024) ועוד מילים לשורה שנייה."),
    (
        "bidi",
        "The word سلام means peace, and (שלום) too; see p. 12.\nالكلمة hello تعني مرحبا!\n\tעמודה\tשנייה",
    ),
    ("hindi", "सभी मनुष्य: क्षत्रिय और विद्यार्थी पढ़ते हैं। १२३"),
    (
        "maths",
        "∑ᵢ₌₁ⁿ i² = n(n+1)(2n+1)/6, √2 ≤ ∞, ℝ ⊂ ℂ, ∀x∈ℕ ∃y: x≠y; ∫₀^π sin θ dθ = 2, α → β ⇒ γ, ½ × ¾ ÷ ±1, 10⁻³, H₂O",
    ),
    ("maths-letters", "𝒜 𝔸 𝐱 𝛼 ⟨ψ|φ⟩ x\u{304} = 3, 5′ 6″ ⪯ ⟦a⟧ ⨯ ⟶ ∂ ∇ ⊕ ⊢ ≅"),
    ("boxes", "┌─┬─┐\n│a│b│\n├─┼─┤\n└─┴─┘ ▓▒░ ■□▲△"),
    (
        "invisible",
        "so\u{AD}ft hy\u{AD}phens, zero\u{200B}width, no\u{A0}break, \u{FEFF}mark, em\u{2003}space, thin\u{2009}space",
    ),
    ("questions", "A + 2B = 14\n3A − B = 7\n(A) 4  (B) 5\n(C) 6  (D) jgpqy ÀÉÎÕÜ"),
    (
        "800",
        "A train leaves the station at 9:40 and travels at 80 km/h. Another leaves on the same track at 10:10 and travels at 120 km/h. How many minutes after 10:10 does the second train catch up with the first, and how far from the station are they then? Explain each step, and give the answer as two integers, separated by a comma. For example, if they meet after an hour and a half at a distance of ninety kilometres, the answer is \"90, 90\". Assume that both trains travel at a constant speed from the moment they leave, that neither stops on its way, that the track is straight, and that the lengths of the trains do not matter. If the second train never catches up with the first, answer \"never\". If there is more than one answer, give the smallest of them; if there is none, say why. Round 0.5 up, please",
    ),
    ("empty", ""),
    ("only-newlines", "\n\r\n\n"),
];

/// The text with the default settings.
pub fn spec(text: &str) -> TextSpec {
    TextSpec::new(text)
}

/// Every text in every typeface, some at all of REST+'s resolutions, with a name; and a few pages that are unusual otherwise.
pub fn cases() -> Vec<(String, TextSpec)> {
    let mut cases: Vec<(String, TextSpec)> = Vec::new();
    for (name, text) in TEXTS {
        for font in Typeface::ALL {
            let is_typical = ["plain", "questions", "maths", "800"].contains(&name);
            for dpi in if is_typical { &[50, 100, 200][..] } else { &[100] } {
                cases.push((
                    format!("{name}, {}, {dpi}", font.name()),
                    TextSpec { font, dpi: *dpi, ..spec(text) },
                ));
            }
        }
    }
    let (_, plain) = TEXTS[0];
    cases.extend([
        ("tiny".into(), TextSpec { dpi: 6, ..spec(plain) }),
        ("no margins".into(), TextSpec { margin_in: 0.0, font: Typeface::DancingScript, ..spec("jjj\nfff") }),
        ("narrow".into(), TextSpec { page_width_in: 1.0, ..spec(plain) }),
        ("large".into(), TextSpec { size_pt: 200.0, page_width_in: 50.0, ..spec("jÅ 語") }),
        ("odd".into(), TextSpec { dpi: 37, margin_in: 0.27, page_width_in: 3.34, ..spec(TEXTS[19].1) }),
        ("very wide".into(), TextSpec { page_width_in: 60.0, ..spec(&plain.repeat(12)) }),
    ]);
    for (name, color) in
        [("red", [255, 0, 0]), ("green", [0, 128, 0]), ("blue", [0, 0, 255]), ("yellow", [255, 255, 0])]
    {
        cases.push((name.into(), TextSpec { color, ..spec(plain) }));
    }
    cases
}
