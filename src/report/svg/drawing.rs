//! The `<svg>` around the elements: a view box that scales with the page, a title and a description for those who listen.

use super::element::Element;
use crate::report::escape;

/// A drawing under construction.
#[derive(Debug, Clone)]
pub struct Drawing {
    id: String,
    title: String,
    description: String,
    size: (f64, f64),
    role: &'static str,
    body: String,
}

impl Drawing {
    /// An empty drawing. `id` is unique on the page and of our own making; `size` is (width, height) in user units.
    #[must_use]
    pub fn new(id: &str, size: (f64, f64), title: &str, description: &str) -> Self {
        Self {
            id: id.to_string(),
            title: title.to_string(),
            description: description.to_string(),
            size,
            role: "img",
            body: String::new(),
        }
    }

    /// The drawing holds links: it is a group of things and no single picture, so that those who listen find them.
    #[must_use]
    pub fn with_links(mut self) -> Self {
        self.role = "group";
        self
    }

    /// Puts an element on top of what is there.
    pub fn push(&mut self, element: &Element) {
        self.body.push_str(&element.to_string());
    }

    /// Writes the drawing as inline SVG.
    #[must_use]
    pub fn finish(self) -> String {
        let (width, height) = self.size;
        let (id, role, body) = (&self.id, self.role, &self.body);
        let (title, description) = (escape::html(&self.title), escape::html(&self.description));
        format!(
            "<svg class=\"drawing\" role=\"{role}\" viewBox=\"0 0 {width} {height}\" \
             aria-labelledby=\"{id}-title {id}-desc\"><title id=\"{id}-title\">{title}</title>\
             <desc id=\"{id}-desc\">{description}</desc>{body}</svg>"
        )
    }
}
