//! Which files a path names: itself, those in a folder, or those that a pattern fits.

use std::path::Path;
use std::sync::Arc;

use super::source::{Format, Source};
use crate::suite::SuiteError;

/// Whether `name` means files of the user's rather than one of our suites.
pub fn is_suite_path(name: &str) -> bool {
    let path = Path::new(name);
    Format::of(path).is_some() || is_pattern(path) || path.exists()
}

/// The suite's name and its files, in the order of their names.
pub(super) fn find(path: &Path) -> Result<(String, Vec<Arc<Source>>), SuiteError> {
    let wrong = |reason: &str| SuiteError::File { path: path.into(), reason: reason.into() };
    let folder = if is_pattern(path) {
        path.parent().unwrap_or(Path::new(""))
    } else if path.is_dir() {
        path
    } else {
        let format = Format::of(path).ok_or_else(|| wrong("expected a .jsonl or .parquet file"))?;
        return Ok((stem(path), vec![Arc::new(Source::new(path.into(), format))]));
    };
    let pattern = path.file_name().filter(|_| is_pattern(path)).map(|name| name.to_string_lossy());
    let entries = names(folder)?;
    let fits = |name: &&String| pattern.as_ref().is_none_or(|pattern| matches(pattern, name));
    let sources: Vec<Arc<Source>> = entries
        .iter()
        .filter(fits)
        .filter_map(|name| Some(Arc::new(Source::new(folder.join(name), Format::of(Path::new(name))?))))
        .collect();
    match sources.first() {
        Some(first) if sources.iter().any(|source| source.format != first.format) => Err(wrong(
            "it holds both .jsonl and .parquet files: name the one, or use a pattern such as '*.parquet'",
        )),
        Some(_) => Ok((stem(folder), sources)),
        None if entries.iter().any(|name| name.ends_with(".arrow")) => Err(wrong(
            "it holds .arrow files, as `save_to_disk` writes them; write the dataset with `to_parquet(\"suite.parquet\")` instead",
        )),
        None => Err(wrong("it names no .jsonl and no .parquet file")),
    }
}

fn names(folder: &Path) -> Result<Vec<String>, SuiteError> {
    let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let io = |source| SuiteError::Io { action: "list", path: place.into(), source };
    let names = std::fs::read_dir(place).map_err(io)?.map(|entry| Ok(entry?.file_name()));
    let mut names: Vec<String> = names
        .map(|name| name.map(|name: std::ffi::OsString| name.to_string_lossy().into_owned()))
        .collect::<Result<_, _>>()
        .map_err(io)?;
    names.sort();
    Ok(names)
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "own".into(), |stem| stem.to_string_lossy().into_owned())
}

fn is_pattern(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains('*'))
}

/// Whether `name` fits `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| matches(after, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, fits) in [
            ("*.parquet", "a.parquet", true),
            ("part-*-of-*.parquet", "part-0-of-2.parquet", true),
            ("part-*", "parts", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("é*", "éa", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
