//! The model's chat template, run in a sandbox: limited fuel, recursion and output.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, Value, context};
use serde::Serialize;

use crate::suite::{Message, Part};

/// Instructions that a template may take.
const FUEL: u64 = 2_000_000;

/// Depth of nested calls and loops.
const RECURSION: usize = 64;

/// Longest rendered prompt, bytes.
const MAX_OUTPUT_BYTES: usize = 8 << 20;

/// A compiled template with the special tokens it may name.
pub struct ChatTemplate {
    environment: Environment<'static>,
    bos_token: String,
    eos_token: String,
}

/// A template that does not compile or does not render.
#[derive(Debug, Clone, thiserror::Error)]
#[error("chat template: {0}")]
pub struct TemplateError(String);

#[derive(Serialize)]
struct TemplateMessage<'a> {
    role: crate::suite::Role,
    content: TemplateContent<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum TemplateContent<'a> {
    Parts(Vec<TemplatePart<'a>>),
    Text(String),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum TemplatePart<'a> {
    Text { text: &'a str },
    Image,
}

impl<'a> TemplateMessage<'a> {
    /// `shown` counts the conversation's images.
    fn of(message: &'a Message, image_text: ImageText, shown: &mut usize) -> Self {
        let part = |part: &'a Part| match part {
            Part::Text(text) => TemplatePart::Text { text },
            Part::Image(_) => TemplatePart::Image,
            // Only where a template is shown before anything was written: the preparer fills it in.
            Part::Written(_) => TemplatePart::Text { text: WRITTEN },
        };
        let content = if image_text(1).is_none() {
            TemplateContent::Parts(message.content.iter().map(part).collect())
        } else {
            let mut text = String::new();
            for part in &message.content {
                match part {
                    Part::Text(part) => text.push_str(part),
                    Part::Written(_) => text.push_str(WRITTEN),
                    Part::Image(_) => {
                        *shown += 1;
                        text.push_str(&image_text(*shown).unwrap_or_default());
                    }
                }
            }
            TemplateContent::Text(text)
        };
        Self { role: message.role, content }
    }
}

/// What stands for a text that the model has yet to write.
const WRITTEN: &str = "<written>";

/// What stands for the image of a number (from 1) where a template takes texts only.
pub type ImageText<'a> = &'a dyn Fn(usize) -> Option<String>;

impl ChatTemplate {
    /// Compiles the template.
    ///
    /// # Errors
    /// When it is no valid Jinja.
    pub fn compile(source: String, bos_token: String, eos_token: String) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(RECURSION);
        // transformers compiles chat templates with both.
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| TemplateError(describe(&error)))?);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> Result<Value, minijinja::Error> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
        });
        environment
            .add_template_owned("chat", without_generation_tags(&source))
            .map_err(|error| TemplateError(describe(&error)))?;
        Ok(Self { environment, bos_token, eos_token })
    }

    /// Renders a conversation, with the prompt for the model's turn at its end. Where `image_text` says something, messages
    /// are given to the template as texts, else as lists of parts.
    ///
    /// # Errors
    /// When the template raises, runs out of fuel, or writes too much.
    pub fn render(&self, messages: &[Message], image_text: ImageText) -> Result<String, TemplateError> {
        let mut shown = 0;
        let messages: Vec<TemplateMessage> =
            messages.iter().map(|message| TemplateMessage::of(message, image_text, &mut shown)).collect();
        let template =
            self.environment.get_template("chat").map_err(|error| TemplateError(describe(&error)))?;
        let mut rendered = Capped(Vec::new());
        let values = context! {
            messages => Serde(messages),
            add_generation_prompt => true,
            bos_token => &self.bos_token,
            eos_token => &self.eos_token,
        };
        template
            .render_captured_to(values, &mut rendered)
            .map_err(|error| TemplateError(describe(&error)))?;
        String::from_utf8(rendered.0).map_err(|error| TemplateError(error.to_string()))
    }

    /// The beginning-of-sequence token's text, empty when the model has none.
    pub fn bos_token(&self) -> &str {
        &self.bos_token
    }
}

/// transformers marks what the model wrote by `{% generation %}` ... `{% endgeneration %}`, for training; they print nothing.
/// Here they become an `if` that holds, which leaves the whitespace control beside them as it is.
fn without_generation_tags(source: &str) -> String {
    let mut rewritten = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start + 2);
        rewritten.push_str(before);
        rest = tag;
        let Some(end) = tag.find("%}") else { break };
        let statement = &tag[..end];
        let word = statement.trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '+');
        let instead = match word {
            "generation" => "if true",
            "endgeneration" => "endif",
            _ => continue,
        };
        rewritten.push_str(&statement.replace(word, instead));
        rest = &tag[end..];
    }
    rewritten + rest
}

/// A prompt that stops growing at [`MAX_OUTPUT_BYTES`].
struct Capped(Vec<u8>);

impl std::io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT_BYTES {
            return Err(std::io::Error::other("too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn describe(error: &minijinja::Error) -> String {
    if error.kind() == ErrorKind::WriteFailure {
        return format!("the prompt is longer than {MAX_OUTPUT_BYTES} bytes, the most that is taken");
    }
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_string);
    match error.line() {
        Some(line) => format!("line {line}: {detail}"),
        None => detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::Role;

    fn render(source: &str) -> Result<String, TemplateError> {
        let content = vec![Part::Image(0), Part::Text("hi ".into())];
        let messages = [Message { role: Role::User, content }];
        ChatTemplate::compile(source.into(), "<s>".into(), "</s>".into())?.render(&messages, &|_| None)
    }

    #[test]
    fn python_methods_and_parts_work() {
        let source = "{{ bos_token }}{% for m in messages %}{{ m['role'].upper() }}:{% for c in m.content %}{{ '<image>' if c.type == 'image' else c['text'].strip() }}{% endfor %}{% endfor %}";
        assert_eq!(render(source).unwrap(), "<s>USER:<image>hi");
    }

    #[test]
    fn marks_for_training_print_nothing() {
        let source = "{% set a = '%' %}a {%- generation -%} {{ 'b' }}{% endgeneration %}c";
        assert_eq!(render(source).unwrap(), "abc");
    }

    #[test]
    fn what_a_template_raises_is_the_error() {
        let message = render("\n{{ raise_exception('only one turn') }}").unwrap_err().to_string();
        assert_eq!(message, "chat template: line 2: only one turn");
    }

    #[test]
    fn a_long_prompt_is_cut_off_while_it_grows() {
        let source = "{% for a in range(90000) %}{{ 'x' * 1000 }}{% endfor %}";
        assert_eq!(
            render(source).unwrap_err().to_string(),
            "chat template: the prompt is longer than 8388608 bytes, the most that is taken"
        );
    }

    #[test]
    fn a_template_that_calls_itself_ends() {
        let source = "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}";
        assert!(render(source).unwrap_err().to_string().contains("recursion"));
    }

    #[test]
    fn an_endless_template_runs_out_of_fuel() {
        let source = "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}";
        assert!(render(source).unwrap_err().to_string().contains("fuel"));
    }
}
