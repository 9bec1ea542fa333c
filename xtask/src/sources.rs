//! What the Rust sources of the workspace contain: tests by name, and numbered rules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::project::Project;

/// The folders that hold sources of ours.
const FOLDERS: &[&str] = &["protocol", "shell", "apps", "testing", "xtask"];

/// Names rules as data: a vector of a mistake is not the line that refuses it. A test of that crate holds its names against the pages.
const DATA: &str = "testing/vectors/src/mistakes";

/// What was found.
#[derive(Default)]
pub(crate) struct Sources {
    /// Tests that run, each with the files that define one of that name.
    pub(crate) tests: BTreeMap<String, Vec<PathBuf>>,
    /// Rule ids (`BRD-7`) that stand in a source line.
    pub(crate) ids: BTreeSet<String>,
}

impl Sources {
    /// Reads every `.rs` file of the workspace, fixtures aside.
    pub(crate) fn scan(project: &Project) -> Result<Self> {
        let mut found = Self::default();
        for folder in FOLDERS {
            for (place, text) in rust_texts(project.root(), folder)? {
                found.add(&place, &text);
            }
        }
        Ok(found)
    }

    fn add(&mut self, file: &Path, text: &str) {
        if !file.starts_with(DATA) {
            self.ids.extend(text.lines().flat_map(ids));
        }
        for name in test_names(text) {
            self.tests.entry(name).or_default().push(file.to_path_buf());
        }
    }
}

/// All `.rs` files under `root/folder`, by their paths from `root`, with what they say.
pub(crate) fn rust_texts(root: &Path, folder: &str) -> Result<Vec<(PathBuf, String)>> {
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        Ok((file.strip_prefix(root).unwrap_or(&file).to_path_buf(), text))
    };
    rust_files(&root.join(folder))?.into_iter().map(read).collect()
}

/// All `.rs` files under `folder`, in order, without `fixtures` and build directories.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(folder) = todo.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                if !(path.ends_with("fixtures") || path.ends_with("target")) {
                    todo.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Names of the functions under a test attribute; ignored tests show nothing and do not count.
fn test_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut attributed = false;
    let mut ignored = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            (attributed, ignored) = (true, false);
        }
        if line.starts_with("#[ignore") {
            ignored = true;
        }
        if let Some(name) = attributed.then(|| function_name(line)).flatten() {
            if !ignored {
                names.push(name.to_owned());
            }
            attributed = false;
        }
    }
    names
}

/// `name` of a line `[pub] [async] fn name(..`, also behind an attribute on the same line.
fn function_name(line: &str) -> Option<&str> {
    let rest =
        line.strip_prefix("fn ").or_else(|| line.split_once(" fn ").map(|(_, rest)| rest))?;
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    rest.get(..end).filter(|name| !name.is_empty())
}

/// The ids in a line: upper-case words and a number, joined by `-`, as in `BRD-7` or `ID-CERT-1`.
pub(crate) fn ids(line: &str) -> Vec<String> {
    let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    words.filter(|word| is_id(word)).map(str::to_owned).collect()
}

fn is_id(word: &str) -> bool {
    let Some((family, number)) = word.rsplit_once('-') else { return false };
    let upper = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.chars().all(|c| c.is_ascii_uppercase())
    };
    !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) && family.split('-').all(upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_tests_by_attribute_and_skips_ignored_ones() {
        let text = "#[test]\nfn one() {}\nfn helper() {}\n#[tokio::test(start_paused = true)]\nasync fn two() {}\n\
                    #[test]\n#[ignore = \"slow\"]\nfn three() {}\n    #[test]\n    #[cfg(unix)]\n    pub fn four(x: u8) {}\n#[test] fn five() {}\n";
        assert_eq!(test_names(text), ["one", "two", "four", "five"]);
    }

    #[test]
    fn rules_that_mistakes_name_are_not_placed_by_that() {
        let mut found = Sources::default();
        found.add(Path::new("testing/vectors/src/mistakes/board.rs"), "BRD-7");
        assert_eq!(found.ids, BTreeSet::new());
        found.add(Path::new("protocol/board/src/tag.rs"), "// BRD-7");
        assert_eq!(found.ids, BTreeSet::from(["BRD-7".to_owned()]));
    }

    #[test]
    fn finds_ids_as_whole_words() {
        assert_eq!(ids("// BRD-7, [ID-CERT-1]: see TH-8."), ["BRD-7", "ID-CERT-1", "TH-8"]);
        assert_eq!(
            ids("SHA-256x, utf-8, ML-, X25519, -3, B2-1 and ML_KEM-768"),
            Vec::<String>::new()
        );
    }
}
