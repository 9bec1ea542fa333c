//! Test vectors of ours (`vectors/`, described in its README): made here, replayed and judged here.
//!
//! Whatever the crates and the reference of this crate both know must agree, or nothing is written.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "makes and judges test data; a fault ends the run"
)]

mod dice;
mod hexed;
mod judge;
pub mod mistakes;
mod play;
mod reference;
pub mod transcript;

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// What the transcript's file is called.
pub const TRANSCRIPT: &str = "transcript.json";
/// What the file of the states is called, which the mistakes name with `@`.
pub const STATES: &str = "states.json";

/// The folder of the vectors in this checkout: that of what cargo runs, since checkouts share a build
/// directory; without cargo, the one that this was built in.
#[must_use]
pub fn folder() -> PathBuf {
    let package = std::env::var("CARGO_MANIFEST_DIR");
    let package = package.unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let root = Path::new(&package).ancestors().find(|up| up.join("Cargo.lock").is_file());
    root.unwrap_or(Path::new(".")).join("vectors")
}

/// All files that are made, by their path in [`folder`].
#[must_use]
pub fn generate() -> BTreeMap<String, Value> {
    let mut files = mistakes::generate();
    files.insert(TRANSCRIPT.to_owned(), transcript::generate());
    files
}

/// Reads a vector.
///
/// # Errors
/// If it cannot be read, or is no JSON.
pub fn load(folder: &Path, name: &str) -> io::Result<Value> {
    Ok(serde_json::from_slice(&fs::read(folder.join(name))?)?)
}

/// The names of the mistakes in a folder, in order; none if there is no such folder.
///
/// # Errors
/// If the folder cannot be listed.
pub fn mistakes_in(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let entries = match fs::read_dir(folder.join("mistakes")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        entries => entries?,
    };
    for entry in entries {
        names.push(format!("mistakes/{}", entry?.file_name().to_string_lossy()));
    }
    names.sort();
    Ok(names)
}

/// Writes `files` into `folder`, and removes mistakes that are no longer made.
///
/// # Errors
/// If a file cannot be written or removed.
pub fn write(folder: &Path, files: &BTreeMap<String, Value>) -> io::Result<()> {
    fs::create_dir_all(folder.join("mistakes"))?;
    for name in mistakes_in(folder)?.iter().filter(|name| !files.contains_key(*name)) {
        fs::remove_file(folder.join(name))?;
    }
    for (name, value) in files {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

/// The files of `folder` that are missing, superfluous, or not what is made.
///
/// # Errors
/// If the folder cannot be listed.
pub fn differences(folder: &Path, files: &BTreeMap<String, Value>) -> io::Result<Vec<String>> {
    let same =
        |(name, value): &(&String, &Value)| load(folder, name).is_ok_and(|found| found == **value);
    let mut different: Vec<String> =
        files.iter().filter(|file| !same(file)).map(|(name, _)| name.clone()).collect();
    different.extend(mistakes_in(folder)?.into_iter().filter(|name| !files.contains_key(name)));
    Ok(different)
}
