//! An item: one question with its answer, in pieces that may be shown apart.

use serde::Serialize;

use super::task::Task;

/// One question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Item {
    /// `task/id`.
    pub id: String,
    pub task: Task,
    pub body: Body,
    /// The right option's label, or the number in its canonical form.
    pub answer: Option<String>,
    /// Why it cannot be asked.
    pub fault: Option<String>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) enum Body {
    /// Multiple choice: what is asked, and the options with their labels.
    Choice { stem: String, options: Vec<(String, String)> },
    /// A question whose answer is a number; what is asked begins at the byte `asked`.
    Number { content: String, asked: usize },
}

impl Body {
    /// A question whose last sentence asks, and what stands before it is the context.
    pub fn number(content: String) -> Self {
        let asked = question_start(&content);
        Self::Number { content, asked }
    }

    /// The whole.
    pub fn content(&self) -> String {
        match self {
            Self::Choice { stem, options } if options.is_empty() => stem.clone(),
            Self::Choice { stem, .. } => format!("{stem}\n{}", self.options()),
            Self::Number { content, .. } => content.clone(),
        }
    }

    /// The options, one a line.
    pub fn options(&self) -> String {
        match self {
            Self::Choice { options, .. } => {
                options.iter().map(|(label, text)| format!("{label}. {text}")).collect::<Vec<_>>().join("\n")
            }
            Self::Number { .. } => String::new(),
        }
    }

    /// What an image shows when the rest is text: the stem, or the context (which may be empty).
    pub fn shown(&self) -> &str {
        match self {
            Self::Choice { stem, .. } => stem,
            Self::Number { content, asked } => content[..*asked].trim_end(),
        }
    }

    /// What is asked, apart from the context.
    pub fn question(&self) -> &str {
        match self {
            Self::Choice { stem, .. } => stem,
            Self::Number { content, asked } => &content[*asked..],
        }
    }
}

/// Words whose full stop ends no sentence, whatever follows it.
const ABBREVIATIONS: [&str; 8] = ["mr", "mrs", "ms", "dr", "st", "jr", "sr", "vs"];

/// Where the question begins: at the last sentence that ends in a question mark, or else at the last sentence.
fn question_start(content: &str) -> usize {
    let mut starts = vec![0];
    for (at, sign) in content.char_indices().filter(|(_, sign)| ".?!\n".contains(*sign)) {
        let after = &content[at + 1..];
        let rest = after.trim_start_matches(['"', '\'', ')', '\u{201d}', '\u{2019}']);
        let next = rest.trim_start();
        let last_word = content[..at].rsplit(char::is_whitespace).next().unwrap_or("").to_lowercase();
        let initial = last_word.chars().count() == 1 && last_word.starts_with(char::is_alphabetic);
        let numbered = last_word == "no" && next.starts_with(|next: char| next.is_ascii_digit());
        let abbreviated = sign == '.'
            && (numbered || initial || ABBREVIATIONS.contains(&last_word.trim_start_matches('(')))
            && !next.starts_with("How")
            && !next.starts_with("What");
        let parted = sign == '\n' || rest.starts_with(char::is_whitespace);
        if parted && !next.is_empty() && !abbreviated && !next.starts_with(char::is_lowercase) {
            starts.push(content.len() - next.len());
        }
    }
    starts.dedup();
    let asks = |pair: &[usize]| content[pair[0]..pair[1]].trim_end().ends_with(['?']);
    let ends: Vec<usize> = starts.iter().copied().chain([content.len()]).collect();
    ends.windows(2)
        .rev()
        .find(|pair| asks(pair))
        .map_or_else(|| starts.last().copied().unwrap_or(0), |pair| pair[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_parted_from_its_context() {
        for (context, question) in [
            ("A pen costs $1.50. A cup costs $2.", "How much are both?"),
            ("Mr. Li and Dr. No. 5 met at 5 p.m. They left at 6.", "How long did they stay?"),
            ("He has 5.", "How many has he?  Round up."),
            ("A + B = 7\nA - B = 1", "What is A?"),
            ("Ann said \"I have 5.\"", "How many has she?"),
            ("She ran at 5 a.m.", "How far?"),
            ("\"Is it 5?\" he asked. It was 6.", "By how much is he off?"),
            ("He has 5.", "Find twice that."),
            ("", "If he has 5.5 kg, how many grams are that?"),
            ("", ""),
        ] {
            let gap = if question.is_empty() || context.is_empty() {
                ""
            } else if context.contains('\n') {
                "\n"
            } else {
                " "
            };
            let body = Body::number(format!("{context}{gap}{question}"));
            assert_eq!((body.shown(), body.question()), (context, question));
        }
    }

    #[test]
    fn a_choice_is_its_stem_and_its_options() {
        let options = [("1", "ice"), ("2", "fog")].map(|(label, text)| (label.to_string(), text.to_string()));
        let body = Body::Choice { stem: "What floats?".into(), options: options.into() };
        assert_eq!(body.content(), "What floats?\n1. ice\n2. fog");
        assert_eq!((body.shown(), body.options().as_str()), ("What floats?", "1. ice\n2. fog"));
    }
}
