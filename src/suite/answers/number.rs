//! Numbers: from the ways in which they are written to one form, so that equal numbers are equal texts.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::Said;
use super::choice::first_sentence;

/// A number as it is written: sign, digits (thousands apart by commas), fraction or mixed fraction, exponent.
static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let thousands = r"\d{1,3}(?:(?:,|\{,\}|\\,)\d{3})+";
    let decimal = format!(r"(?:{thousands}|\d+)(?:\.\d+)?|\.\d+");
    let over = r"(?P<over>\d+)[ ]?[/\u{2044}][ ]?(?P<under>\d+)";
    let latex = r"\\[dt]?frac\{(?P<over2>\d+)\}\{(?P<under2>\d+)\}";
    let exponent = r"(?:[eE](?P<e>[+-]?\d+)\b|\s?(?:\u{d7}|x|\*|\\times|\\cdot)\s?10\^\{?(?P<e2>-?\d+)\}?)?";
    let sign = r"(?P<sign>[-\u{2212}\u{2013}]\s?)?[$\u{20ac}\u{a3}]?";
    let fraction = format!(r"(?:(?P<whole>\d+)[ ])?(?:{over}|{latex})");
    Regex::new(&format!(r"{sign}(?:{fraction}|(?P<decimal>{decimal}){exponent})")).ok()
});

/// Largest exponent that is written out.
const MAX_EXPONENT: i64 = 60;

/// A number in its place.
struct Found {
    start: usize,
    end: usize,
    value: String,
}

/// One form for equal numbers: no sign but `-`, no thousands, no zeros that say nothing ("1,234.50" is "1234.5", "12.0" is
/// "12"); a fraction as a decimal where that is exact ("1/2" is "0.5"), else in lowest terms ("2/6" is "1/3").
///
/// `None` when the text, but for signs and units about it, is not one number.
pub fn canonical(text: &str) -> Option<String> {
    match numbers(text).as_slice() {
        [one] => Some(one.value.clone()),
        _ => None,
    }
}

/// What a statement says: the number that it begins with ("12 apples"; "12 or 13" is two), the result of a calculation
/// ("3 + 4 = 7"), or else the last number of its first sentence.
pub(super) fn stated(fragment: &str) -> Said {
    let sentence = first_sentence(fragment);
    let found = numbers(sentence);
    if let Some(result) = result(sentence, &found) {
        return Said::One(result);
    }
    let leads = |number: &Found| !sentence[..number.start].contains(char::is_alphanumeric);
    match found.first().filter(|number| leads(number)) {
        Some(first) => {
            let joined = found.windows(2).take_while(|pair| {
                let between = sentence[pair[0].end..pair[1].start].trim();
                ["", ",", "/", "or", "and", "-", "\u{2013}", "to", ", or", "&"].contains(&between)
            });
            let others = joined.map(|pair| pair[1].value.clone());
            Said::all([first.value.clone()].into_iter().chain(others))
        }
        None => found.last().map_or(Said::Nothing, |last| Said::One(last.value.clone())),
    }
}

/// The last number of the text.
pub(super) fn anywhere(text: &str) -> Said {
    numbers(text).pop().map_or(Said::Nothing, |last| Said::One(last.value))
}

/// The number that is all that stands after the last equals sign: no result is `4 * 12` in "48 = 4 * 12".
fn result(sentence: &str, found: &[Found]) -> Option<String> {
    let equals = sentence.rfind('=')?;
    let number = found.iter().find(|number| number.start > equals)?;
    let next = sentence[number.end..].trim_start().chars().next();
    let goes_on = next.is_some_and(|next| "+-*/\u{d7}\u{f7}^".contains(next));
    (!goes_on).then(|| number.value.clone())
}

fn numbers(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for captures in NUMBER.iter().flat_map(|number| number.captures_iter(text)) {
        let Some(whole) = captures.get(0) else { continue };
        let before = text[..whole.start()].trim_end_matches(' ').chars().next_back();
        let adjacent = text[..whole.start()].chars().next_back();
        // A hyphen between two words or numbers is no sign; one before a space is a bullet, unless something equals it.
        let sign = captures.name("sign").is_some_and(|sign| {
            let spaced = sign.as_str().ends_with(char::is_whitespace);
            !adjacent.is_some_and(|char| char.is_alphanumeric() || char == ')')
                && (!spaced || before == Some('='))
        });
        // B12 is a name, and 1.2.3 a version.
        let part_of_a_word = captures.name("sign").is_none()
            && adjacent.is_some_and(|char| char.is_alphabetic() || char == '.' || char.is_ascii_digit());
        if part_of_a_word {
            continue;
        }
        if let Some(value) = value(&captures, sign) {
            found.push(Found { start: whole.start(), end: whole.end(), value });
        }
    }
    found
}

fn value(captures: &Captures, negative: bool) -> Option<String> {
    let group = |name: &str| captures.name(name).map(|group| group.as_str());
    let sign = if negative { "-" } else { "" };
    if let Some((over, under)) = group("over").zip(group("under")).or(group("over2").zip(group("under2"))) {
        let (over, under): (u128, u128) = (over.parse().ok()?, under.parse().ok()?);
        let whole: u128 = group("whole").map_or(Some(0), |whole| whole.parse().ok())?;
        return fraction(whole.checked_mul(under)?.checked_add(over)?, under, sign);
    }
    let digits: String =
        group("decimal")?.chars().filter(|char| char.is_ascii_digit() || *char == '.').collect();
    let exponent: i64 = group("e").or(group("e2")).map_or(Some(0), |exponent| exponent.parse().ok())?;
    let (whole, part) = digits.split_once('.').unwrap_or((&digits, ""));
    shifted(&format!("{whole}{part}"), exponent - part.len() as i64, sign)
}

/// The digits times ten to the power `exponent`, written out.
fn shifted(digits: &str, exponent: i64, sign: &str) -> Option<String> {
    if exponent.abs() > MAX_EXPONENT.max(digits.len() as i64) {
        return None;
    }
    let (whole, part) = if exponent >= 0 {
        (format!("{digits}{}", "0".repeat(exponent as usize)), String::new())
    } else {
        let places = exponent.unsigned_abs() as usize;
        let padded = format!("{}{digits}", "0".repeat(places.saturating_sub(digits.len()) + 1));
        let (whole, part) = padded.split_at(padded.len() - places);
        (whole.to_string(), part.to_string())
    };
    let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
    Some(match (whole, part) {
        ("", "") => "0".into(),
        (whole, "") => format!("{sign}{whole}"),
        ("", part) => format!("{sign}0.{part}"),
        (whole, part) => format!("{sign}{whole}.{part}"),
    })
}

fn fraction(over: u128, under: u128, sign: &str) -> Option<String> {
    if under == 0 {
        return None;
    }
    let divisor = greatest_common_divisor(over, under);
    let (over, under) = (over / divisor, under / divisor);
    // Exact as a decimal when nothing but twos and fives divides: then a power of ten is a multiple.
    let tens = (0..=20_u32).find(|&places| 10_u128.pow(places) % under == 0);
    match tens {
        Some(places) => {
            let digits = over.checked_mul(10_u128.pow(places) / under)?.to_string();
            shifted(&digits, -i64::from(places), sign)
        }
        None => Some(format!("{sign}{over}/{under}")),
    }
}

fn greatest_common_divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a.max(1) } else { greatest_common_divisor(b, a % b) }
}
