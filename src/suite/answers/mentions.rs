//! Options in a piece of text: where their labels and their own words stand.

use crate::suite::AnswerOption;

/// Words that may stand before an option without saying anything else.
const FILLERS: [&str; 32] = [
    "option",
    "choice",
    "letter",
    "answer",
    "the",
    "is",
    "be",
    "it",
    "its",
    "s",
    "indeed",
    "therefore",
    "thus",
    "so",
    "clearly",
    "likely",
    "probably",
    "definitely",
    "simply",
    "most",
    "final",
    "correct",
    "right",
    "boxed",
    "text",
    "textbf",
    "mathrm",
    "mathbf",
    "bf",
    "either",
    "both",
    "strong",
];

/// Words after which an option is not what is said.
const NEGATIONS: [&str; 7] = ["not", "t", "than", "neither", "nor", "never", "cannot"];

/// Words that may follow the label A (or I): any other makes it an article (a pronoun).
const AFTER_LABEL: [&str; 16] = [
    "is", "was", "because", "since", "as", "for", "and", "or", "would", "must", "seems", "fits", "matches",
    "which", "not", "but",
];

/// Words that join two options.
const JOINTS: [&str; 3] = ["and", "or", "nor"];

/// Letters of a text, with their lower-case forms at the same places.
pub(super) struct Letters {
    chars: Vec<char>,
    lower: Vec<char>,
}

impl Letters {
    pub fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let lower = chars.iter().map(|char| char.to_lowercase().next().unwrap_or(*char)).collect();
        Self { chars, lower }
    }

    fn at(&self, index: usize) -> Option<char> {
        self.chars.get(index).copied()
    }

    fn before(&self, index: usize) -> Option<char> {
        index.checked_sub(1).and_then(|index| self.at(index))
    }

    fn is_wordy(&self, index: Option<usize>) -> bool {
        index.and_then(|index| self.at(index)).is_some_and(char::is_alphanumeric)
    }

    /// The word at `start`, in lower case; empty where there is none.
    fn word(&self, start: usize) -> String {
        self.lower.iter().skip(start).take_while(|char| char.is_alphanumeric()).collect()
    }

    /// The word that ends before `end`, white space and signs between them left out, and where it starts.
    fn word_before(&self, end: usize) -> Option<(String, usize)> {
        let last = (0..end).rev().find(|&index| self.is_wordy(Some(index)))?;
        let start = (0..=last).rev().take_while(|&index| self.is_wordy(Some(index))).last()?;
        Some((self.word(start), start))
    }

    /// Whether `start..end` is a word (or words) of its own, and not a part of one, of a number or of a compound.
    fn stands_alone(&self, start: usize, end: usize) -> bool {
        let digits = self.at(start).is_some_and(|char| char.is_ascii_digit());
        let joints = if digits { ['.', ',', '/'] } else { ['-', '\'', '\u{2019}'] };
        let joined = |sign: Option<char>, beyond: Option<usize>| {
            sign.is_some_and(|sign| joints.contains(&sign)) && self.is_wordy(beyond)
        };
        let in_a_word = self.is_wordy(start.checked_sub(1)) || self.is_wordy(Some(end));
        let in_a_compound =
            joined(self.before(start), start.checked_sub(2)) || joined(self.at(end), Some(end + 1));
        let signed =
            matches!(self.before(start), Some('-' | '\u{2212}' | '$' | '.')) || self.at(end) == Some('%');
        !(in_a_word || in_a_compound || digits && signed)
    }

    /// Where `form` (in lower case) ends that starts here, as words of their own; a plural is as good.
    fn spells(&self, start: usize, form: &[char]) -> Option<usize> {
        let end = start + form.len();
        if form.is_empty() || self.lower.get(start..end)? != form {
            return None;
        }
        let plural = |ending: &[char]| self.lower[end..].starts_with(ending).then_some(end + ending.len());
        let letters = form.last().is_some_and(|char| char.is_alphabetic()) && form.len() > 2;
        let endings = if letters { &[&[][..], &['s'], &['e', 's']][..] } else { &[&[][..]] };
        endings.iter().filter_map(|ending| plural(ending)).find(|&end| self.stands_alone(start, end))
    }

    /// Where the label ends that starts here. `stated`: where an answer is expected, a label needs no signs about it.
    fn labels(&self, start: usize, label: &str, stated: bool) -> Option<usize> {
        let lower: Vec<char> = label.to_lowercase().chars().collect();
        let end = start + lower.len();
        if self.lower.get(start..end)? != lower || !self.stands_alone(start, end) {
            return None;
        }
        let enclosed = self.before(start).is_some_and(|char| "([{\"'`*_\u{201c}\u{2018}>$".contains(char))
            && self.at(end).is_some_and(|char| ")]}\"'`*_\u{201d}\u{2019}<$.:".contains(char));
        let marked = enclosed
            || self.at(end) == Some(')')
            || self.word_before(start).is_some_and(|(word, at)| {
                ["option", "choice", "letter", "answer"].contains(&word.as_str())
                    && self.chars[at..start].iter().all(|char| char.is_alphanumeric() || *char == ' ')
            });
        let capital = self.chars[start].is_uppercase();
        let one_letter = lower.len() == 1 && (lower[0] == 'a' || lower[0] == 'i');
        let is_article = one_letter && !enclosed && self.is_followed_by_a_word(end);
        (!is_article && (stated || marked || capital)).then_some(end)
    }

    fn is_followed_by_a_word(&self, end: usize) -> bool {
        let next = (end..self.chars.len()).find(|&index| !self.chars[index].is_whitespace()).unwrap_or(end);
        let word = self.word(next);
        next > end
            && word.starts_with(char::is_alphabetic)
            && word.len() > 1
            && !AFTER_LABEL.contains(&word.as_str())
    }
}

/// An option at its place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mention {
    option: usize,
    end: usize,
}

/// The forms in which options are known.
pub(super) struct Catalogue<'a> {
    options: &'a [AnswerOption],
    /// Whether the options' names are labels.
    labelled: bool,
    /// Option and one of its spellings, in lower case, without the sign at its end.
    forms: Vec<(usize, Vec<char>)>,
}

impl<'a> Catalogue<'a> {
    /// Options of a choice: known by their labels, and by their texts.
    pub fn labelled(options: &'a [AnswerOption]) -> Self {
        let is_label =
            |form: &str| options.iter().any(|option| option.name.eq_ignore_ascii_case(form.trim()));
        Self { options, labelled: true, forms: forms(options, |form| !is_label(form)) }
    }

    /// Words.
    pub fn words(options: &'a [AnswerOption]) -> Self {
        Self { options, labelled: false, forms: forms(options, |_| true) }
    }

    fn name(&self, option: usize) -> String {
        self.options[option].name.clone()
    }

    /// The option that stands at `start`: its longest form; a label before a text of the same length.
    fn mention(&self, text: &Letters, start: usize, stated: bool) -> Option<Mention> {
        if text.is_wordy(start.checked_sub(1)) || text.at(start).is_none_or(char::is_whitespace) {
            return None;
        }
        let labels =
            self.options.iter().enumerate().filter(|_| self.labelled).filter_map(|(option, known)| {
                text.labels(start, &known.name, stated).map(|end| Mention { option, end })
            });
        let texts = self.forms.iter().filter_map(|(option, form)| {
            text.spells(start, form).map(|end| Mention { option: *option, end })
        });
        // The last of the longest.
        texts.chain(labels).max_by_key(|mention| mention.end)
    }

    /// Passes signs and words that say nothing, up to an option.
    fn next_mention(&self, text: &Letters, mut start: usize) -> Option<Mention> {
        loop {
            while text.at(start).is_some_and(char::is_whitespace) {
                start += 1;
            }
            text.at(start)?;
            if let Some(mention) = self.mention(text, start, true) {
                return Some(mention);
            }
            let word = text.word(start);
            let passed = match word.as_str() {
                "" => 1,
                "a" | "an" => word.len(),
                word if FILLERS.contains(&word) => word.len(),
                _ => return None,
            };
            start += passed;
        }
    }

    /// The options that a statement begins with, and where they end: "B", "(b) green", "A or B", "green and red".
    pub fn leading(&self, text: &str) -> Option<(Vec<String>, usize)> {
        let text = Letters::of(text);
        let mut mention = self.next_mention(&text, 0)?;
        let mut found = vec![self.name(mention.option)];
        loop {
            let end = self.after_its_text(&text, mention);
            let joint = passed_joint(&text, end);
            match joint.and_then(|start| self.next_mention(&text, start)) {
                Some(next) => {
                    found.push(self.name(next.option));
                    mention = next;
                }
                None => return Some((found, end)),
            }
        }
    }

    /// The end of an option with the text that follows its label: "B. green".
    fn after_its_text(&self, text: &Letters, mention: Mention) -> usize {
        let start = (mention.end..text.chars.len())
            .find(|&index| text.is_wordy(Some(index)))
            .unwrap_or(text.chars.len());
        let own = self.forms.iter().filter(|(option, _)| *option == mention.option);
        own.filter_map(|(_, form)| text.spells(start, form)).max().unwrap_or(mention.end)
    }

    /// Whether the text is an option and nothing else, and which.
    pub fn alone(&self, text: &str) -> Option<String> {
        let (found, end) = self.leading(text)?;
        let rest_is_signs = text.chars().skip(end).all(|char| !char.is_alphanumeric())
            || text.trim_end().ends_with("</answer>");
        match found.as_slice() {
            [one] if rest_is_signs => Some(one.clone()),
            _ => None,
        }
    }

    /// All options that a text speaks of, but for those that it denies, in order.
    pub fn mentions(&self, text: &str) -> Vec<String> {
        let text = Letters::of(text);
        let mut found = Vec::new();
        let mut start = 0;
        while start < text.chars.len() {
            match self.mention(&text, start, false) {
                Some(mention) => {
                    if !is_denied(&text, start) {
                        found.push(self.name(mention.option));
                    }
                    start = mention.end;
                }
                None => start += 1,
            }
        }
        found
    }
}

fn forms(options: &[AnswerOption], wanted: impl Fn(&str) -> bool) -> Vec<(usize, Vec<char>)> {
    let mut forms: Vec<(usize, Vec<char>)> = Vec::new();
    for (option, known) in options.iter().enumerate() {
        for spelling in known.spellings.iter().chain([&known.name]).filter(|spelling| wanted(spelling)) {
            let spelling = spelling.trim().trim_end_matches(['.', '!', '?']);
            let form = Letters::of(&spelling.split_whitespace().collect::<Vec<_>>().join(" ")).lower;
            // A plural option is known by its singular too.
            let singular = form.strip_suffix(&['s']).filter(|form| form.len() > 3 && !form.ends_with(&['s']));
            for form in singular.map(<[char]>::to_vec).into_iter().chain([form]) {
                if !form.is_empty() && !forms.contains(&(option, form.clone())) {
                    forms.push((option, form));
                }
            }
        }
    }
    forms
}

/// The place after a sign or word that joins two options.
fn passed_joint(text: &Letters, start: usize) -> Option<usize> {
    let next = (start..text.chars.len()).find(|&index| !" )]}*_`\"'\u{201d}".contains(text.chars[index]))?;
    let word = text.word(next);
    match text.chars[next] {
        ',' | '/' | '&' | ';' | '|' | '+' => {
            let after = (next + 1..text.chars.len()).find(|&index| !text.chars[index].is_whitespace())?;
            let word = text.word(after);
            Some(if JOINTS.contains(&word.as_str()) { after + word.len() } else { after })
        }
        _ if JOINTS.contains(&word.as_str()) => Some(next + word.len()),
        _ => None,
    }
}

/// Whether a word before `start` says that what follows is not the answer.
fn is_denied(text: &Letters, start: usize) -> bool {
    let mut end = start;
    while let Some((word, at)) = text.word_before(end) {
        let apart = text.chars[at + word.chars().count()..end].iter().any(|char| ".,;:!?\n".contains(*char));
        if apart {
            return false;
        }
        if NEGATIONS.contains(&word.as_str()) {
            return true;
        }
        if !(FILLERS.contains(&word.as_str()) || word == "a" || word == "an") {
            return false;
        }
        end = at;
    }
    false
}
