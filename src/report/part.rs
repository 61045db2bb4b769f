//! A section of an analysis on the page.

/// A section of the page that the table of contents links to.
pub(super) struct Part {
    /// The end of its id.
    pub key: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it is about, as markup.
    pub intro: String,
    /// Its figures, as markup.
    pub body: String,
}

/// The sections of the analysis `id`; `named` says whether it has a heading of its own above theirs.
pub(super) fn sections(id: &str, named: bool, parts: impl IntoIterator<Item = Part>) -> String {
    let level = if named { 3 } else { 2 };
    let section = |Part { key, title, intro, body }: Part| {
        format!(
            "<section id=\"{id}-{key}\"><h{level}>{title}</h{level}><p class=\"intro\">{intro}</p>{body}</section>"
        )
    };
    parts.into_iter().map(section).collect()
}
