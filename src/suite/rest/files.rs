//! From a path, a folder or a pattern to files, in sorted order.

use std::path::{Component, Path, PathBuf};

use regex::Regex;

use super::rows::ENDINGS;
use crate::suite::SuiteError;

/// The files that `pattern` names: a file, the data files below a folder, or those that fit names with `*` and `?` (`**`
/// is any number of folders).
pub(super) fn matching(pattern: &str) -> Result<Vec<PathBuf>, SuiteError> {
    let path = Path::new(pattern);
    let mut found = Vec::new();
    if path.is_file() {
        found.push(path.to_path_buf());
    } else if path.is_dir() {
        below(path, &mut found)?;
    } else if pattern.contains(['*', '?']) {
        let parts: Vec<Component> = path.components().collect();
        expand(PathBuf::new(), &parts, &mut found)?;
    }
    found.sort();
    found.dedup();
    if found.is_empty() {
        let reason = format!(
            "expected a file, a folder or a pattern of .{} files; there is none",
            ENDINGS.join(", .")
        );
        return Err(SuiteError::File { path: path.into(), reason });
    }
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, SuiteError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let io = |source| SuiteError::Io { action: "list", path: folder.into(), source };
    let names = std::fs::read_dir(folder).map_err(io)?.map(|entry| Ok(entry.map_err(io)?.path()));
    names.collect()
}

/// Data files in a folder and the folders in it. Links to folders are not followed: they may lead around.
fn below(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), SuiteError> {
    for path in entries(folder)? {
        if path.is_dir() && !path.is_symlink() {
            below(&path, found)?;
        } else if path.is_file()
            && path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
        {
            found.push(path);
        }
    }
    Ok(())
}

fn expand(base: PathBuf, parts: &[Component], found: &mut Vec<PathBuf>) -> Result<(), SuiteError> {
    let Some((part, rest)) = parts.split_first() else {
        if base.is_file() {
            found.push(base);
        }
        return Ok(());
    };
    let name = part.as_os_str().to_string_lossy();
    if !name.contains(['*', '?']) {
        let path = base.join(part);
        return if path.exists() { expand(path, rest, found) } else { Ok(()) };
    }
    if name == "**" {
        expand(base.clone(), rest, found)?;
        let folders = entries(&base)?.into_iter().filter(|path| path.is_dir() && !path.is_symlink());
        return folders.into_iter().try_for_each(|folder| expand(folder, parts, found));
    }
    let fits = fitting(&name)?;
    for path in entries(&base)? {
        let named = path.file_name().is_some_and(|name| fits.is_match(&name.to_string_lossy()));
        if named && (rest.is_empty() || path.is_dir()) {
            expand(path, rest, found)?;
        }
    }
    Ok(())
}

fn fitting(pattern: &str) -> Result<Regex, SuiteError> {
    let escaped = regex::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".");
    Regex::new(&format!("(?s)^{escaped}$"))
        .map_err(|error| SuiteError::Setting(format!("the pattern {pattern:?} cannot be used: {error}")))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;

    #[test]
    fn files_folders_and_patterns() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.parquet", "a.parquet", "sub/c.jsonl", "sub/deep/d.json", "sub/readme.md"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let names = |pattern: &str| -> Vec<String> {
            let files = matching(&format!("{}{pattern}", folder.path().display())).unwrap();
            files.iter().map(|path| path.strip_prefix(folder.path()).unwrap().display().to_string()).collect()
        };
        assert_eq!(names("/a.parquet"), ["a.parquet"]);
        assert_eq!(names(""), ["a.parquet", "b.parquet", "sub/c.jsonl", "sub/deep/d.json"]);
        assert_eq!(names("/*.parquet"), ["a.parquet", "b.parquet"]);
        assert_eq!(names("/?ub/*.jsonl"), ["sub/c.jsonl"]);
        assert_eq!(names("/**/*.js*"), ["sub/c.jsonl", "sub/deep/d.json"]);
        assert_eq!(names("/s*/**/d.json"), ["sub/deep/d.json"]);
        let message = matching(&format!("{}/*.csv", folder.path().display())).unwrap_err().to_string();
        assert!(message.contains("*.csv: expected a file, a folder or a pattern"), "{message}");
    }
}
