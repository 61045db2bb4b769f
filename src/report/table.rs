//! Plain tables: the numbers behind a figure, for those who read rather than look, and for copying out.

use super::escape;

/// A table under construction.
#[derive(Debug, Clone)]
pub struct Table {
    headers: &'static [&'static str],
    rows: String,
}

impl Table {
    /// A table with these column heads (markup of our own).
    #[must_use]
    pub fn new(headers: &'static [&'static str]) -> Self {
        Self { headers, rows: String::new() }
    }

    /// Adds a row; the first cell is its head. Cells are escaped.
    pub fn row<const CELLS: usize>(&mut self, cells: [String; CELLS]) {
        self.cells(cells.into_iter());
    }

    /// Adds a row of as many cells as the table has heads.
    pub fn cells(&mut self, cells: impl Iterator<Item = String>) {
        self.rows.push_str("<tr>");
        for (index, cell) in cells.enumerate() {
            let cell = escape::html(&cell);
            if index == 0 {
                self.rows.push_str(&format!("<th scope=\"row\">{cell}</th>"));
            } else {
                self.rows.push_str(&format!("<td>{cell}</td>"));
            }
        }
        self.rows.push_str("</tr>");
    }

    /// Writes the table in a box that scrolls sideways on a narrow screen.
    #[must_use]
    pub fn finish(self) -> String {
        let heads: String =
            self.headers.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
        format!(
            "<div class=\"scroll\" role=\"group\" tabindex=\"0\" aria-label=\"Table\"><table><thead><tr>{heads}</tr></thead>\
             <tbody>{}</tbody></table></div>",
            self.rows
        )
    }
}
