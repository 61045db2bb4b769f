//! The one door through which text from outside (model names, prompts, answers, errors) enters the page.

/// Text as HTML or SVG character data, also fit for a quoted attribute.
///
/// Control characters other than tab and line breaks become U+FFFD: HTML cannot hold them.
#[must_use]
pub fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(character),
            _ if character.is_control() => escaped.push('\u{FFFD}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(html("<b a=\"1\" c='2'>&</b>"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;&lt;/b&gt;");
    }

    #[test]
    fn control_characters_are_replaced_and_line_breaks_kept() {
        assert_eq!(html("a\0b\u{1b}[0m\nc"), "a\u{FFFD}b\u{FFFD}[0m\nc");
    }
}
