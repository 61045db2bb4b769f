//! A table of cells, each column as wide as its widest cell.

use super::cell::left;

/// A heading, column heads and rows; nothing where there are no rows.
pub(super) fn section<const COLUMNS: usize>(
    heading: &str,
    heads: [&str; COLUMNS],
    rows: &[[String; COLUMNS]],
) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heads[column].chars().count()]).max().unwrap_or_default()
    };
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let line = |cells: &[String; COLUMNS]| {
        let cells: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| left(cell, width)).collect();
        format!("  {}\n", cells.join("  ").trim_end())
    };
    let heads = heads.map(str::to_owned);
    std::iter::once(format!("{heading}\n")).chain(std::iter::once(&heads).chain(rows).map(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::section;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a".to_owned(), "0.5".to_owned()], ["longer".to_owned(), "1".to_owned()]];
        assert_eq!(
            section("Heading", ["x", "y"], &rows),
            "Heading\n  x       y\n  a       0.5\n  longer  1\n"
        );
        assert_eq!(section("Heading", ["x"], &[]), "");
    }
}
