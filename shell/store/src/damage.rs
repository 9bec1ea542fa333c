//! Damage is not deletion (STO-29).

use crate::StoreError;
use crate::profile::{DATABASE_FILES, ProfileDir};
use rusqlite::Connection;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// More copies than anybody keeps.
const MAX_COPIES: u32 = 1000;

/// Authenticates every page of the file, then walks every table and index, log included.
///
/// # Errors
/// [`StoreError::Damaged`].
pub(crate) fn check(connection: &Connection) -> Result<(), StoreError> {
    // One row for every page that is not authentic, none if all are.
    let mut pages = connection.prepare("PRAGMA cipher_integrity_check")?;
    if pages.exists([])? {
        return Err(StoreError::Damaged { salvage: None });
    }
    let verdict: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(StoreError::Damaged { salvage: None }) }
}

/// Copies the files of the database, as they are, to the next free `salvage-<n>`, and returns `n`.
/// A copy that is there already is not made again. `None` if there is no room, or no permission.
pub(crate) fn keep_copy(dir: &ProfileDir) -> Option<u32> {
    let free = (1..MAX_COPIES).find(|n| !dir.has(&name(*n)))?;
    let last = free.saturating_sub(1);
    if dir.has(&name(last)) && is_copy(dir, &dir.join(&name(last))).unwrap_or(false) {
        return Some(last);
    }
    copy(dir, &dir.join(&name(free))).ok().map(|()| free)
}

fn name(n: u32) -> String {
    format!("salvage-{n}")
}

fn copy(dir: &ProfileDir, to: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    for name in DATABASE_FILES.into_iter().filter(|name| dir.has(name)) {
        let mut from = File::open(dir.join(name))?;
        let mut target =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(to.join(name))?;
        io::copy(&mut from, &mut target)?;
        target.sync_all()?;
    }
    File::open(to)?.sync_all()
}

fn is_copy(dir: &ProfileDir, of: &Path) -> io::Result<bool> {
    for name in DATABASE_FILES {
        // SQLite builds the `-shm` anew at every open; it holds nothing of its own.
        if name.ends_with("-shm") {
            continue;
        }
        if !same(&dir.join(name), &of.join(name))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = match (File::open(one), File::open(other)) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(_), Err(_)) => return Ok(true),
        _ => return Ok(false),
    };
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let mut pairs = io::BufReader::new(one).bytes().zip(io::BufReader::new(other).bytes());
    pairs.try_fold(true, |same, (a, b)| Ok(same && a? == b?))
}
