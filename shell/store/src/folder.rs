//! Files of the user: one to be sent, and those that came, in the folder that the user chose
//! (FIL-3, FIL-12). They are not under the passphrase.

use crate::place::{name_it, sync_folder};
use crate::{ProfileDir, Store, StoreError};
use crypto::Zeroizing;
use rusqlite::OptionalExtension;
use rustix::fs::OFlags;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Name of the folder in the profile's directory that is used until the user chooses one.
const RECEIVED: &str = "received";
/// Name of the setting.
const FOLDER: &str = "folder";
/// Names that are tried for one file: `a.txt`, `a (2).txt`, ..
const NAMES: u32 = 1000;

/// What could not be done with a file of the user. The path is the user's own, and not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    /// No such file or folder.
    #[error("there is no such file or folder")]
    Missing,
    /// Not a regular file, or not a folder.
    #[error("this is no regular file, or no folder")]
    Kind,
    /// Longer than the limit.
    #[error("the file is too long")]
    TooLong,
    /// May not be read, or not be written.
    #[error("the file or folder may not be used")]
    Permission,
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// A thousand files have the name already.
    #[error("there are too many files of this name")]
    Names,
    /// The disk failed.
    #[error("the file could not be read or written: {0}")]
    Io(io::ErrorKind),
}

impl From<io::Error> for FolderError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing,
            io::ErrorKind::IsADirectory => Self::Kind,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Permission,
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::DiskFull,
            kind => Self::Io(kind),
        }
    }
}

/// Reads a file of the user whole, at most `limit` bytes.
///
/// # Errors
/// [`FolderError::TooLong`], judged before anything is read; [`FolderError::Kind`] for what is no
/// regular file (a pipe is not waited for); what reading can fail with.
pub fn read_whole(path: &Path, limit: u32) -> Result<Zeroizing<Vec<u8>>, FolderError> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(FolderError::Kind);
    }
    if found.len() > limit.into() {
        return Err(FolderError::TooLong);
    }
    // Reserved at once, so that no copy of a part stays behind where it grew.
    let room = usize::try_from(found.len()).map_or(0, |len| len.saturating_add(1));
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(u64::from(limit).saturating_add(1)).read_to_end(&mut bytes)?;
    // It may have grown meanwhile.
    if u64::try_from(bytes.len()).is_ok_and(|len| len <= limit.into()) {
        Ok(bytes)
    } else {
        Err(FolderError::TooLong)
    }
}

/// Saves a file that came: whole, synced, mode 0600, under a name that nothing had. Gives the
/// name: `name`, or with a number before its extension. A file of one of these names with the same
/// bytes is taken for it, so that to save again after a crash changes nothing.
///
/// `name` is one safe component (`content::safe_file_name`); `mark` makes the name of the
/// unfinished file.
///
/// # Errors
/// [`FolderError`]; no file of the name is there then, and none that was there was touched.
pub fn save_file(
    folder: &Path,
    name: &str,
    mark: &[u8; 16],
    bytes: &[u8],
) -> Result<String, FolderError> {
    if !folder.metadata()?.is_dir() {
        return Err(FolderError::Kind);
    }
    let part = Unfinished(folder.join(format!(".{:032x}.part", u128::from_be_bytes(*mark))));
    // What a crash left of this file.
    let _ = std::fs::remove_file(&part.0);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part.0)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    for number in 1..=NAMES {
        let name = numbered(name, number);
        let to = folder.join(&name);
        match name_it(&part.0, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !same(&to, bytes) {
                    continue;
                }
            }
            Err(error) => return Err(error.into()),
        }
        sync_folder(folder)?;
        return Ok(name);
    }
    Err(FolderError::Names)
}

/// `a.txt`, `a (2).txt`, `a (3).txt`, ..
fn numbered(name: &str, number: u32) -> String {
    if number < 2 {
        return name.to_owned();
    }
    match name.rfind('.').and_then(|dot| name.split_at_checked(dot)) {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem} ({number}){extension}"),
        _ => format!("{name} ({number})"),
    }
}

/// Whether a regular file, and no link to one, has these bytes.
fn same(path: &Path, bytes: &[u8]) -> bool {
    let regular = path.symlink_metadata().is_ok_and(|found| {
        found.is_file() && u64::try_from(bytes.len()).is_ok_and(|len| found.len() == len)
    });
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let open = || OpenOptions::new().read(true).custom_flags(flags).open(path);
    regular && open().is_ok_and(|file| read_same(file, bytes))
}

fn read_same(file: File, bytes: &[u8]) -> bool {
    let limit = u64::try_from(bytes.len()).map_or(u64::MAX, |len| len.saturating_add(1));
    let mut found = Zeroizing::new(Vec::new());
    file.take(limit).read_to_end(&mut found).is_ok() && found.as_slice() == bytes
}

/// A file that has no name yet; removed when it does not get one.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After it was given its name there is nothing of this name.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Store {
    /// The folder that the user chose for files that come; `None` before a choice.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn folder(&self) -> Result<Option<String>, StoreError> {
        let sql = "SELECT value FROM setting WHERE name = ?1";
        Ok(self.reader.query_row(sql, [FOLDER], |row| row.get(0)).optional()?)
    }

    /// Keeps the choice of a folder.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn set_folder(&mut self, folder: &str) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO setting (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                [FOLDER, folder],
            )?;
            Ok(())
        })
    }
}

impl ProfileDir {
    /// The folder for files that come, in the profile's directory; made if it is missing.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn received(&self) -> Result<PathBuf, FolderError> {
        let path = self.join(RECEIVED);
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
            _ => Ok(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::os::unix::fs::{MetadataExt, symlink};

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn fil_12_nothing_is_overwritten_and_what_is_there_already_is_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let save = |bytes: &[u8]| save_file(folder.path(), "a.txt", &[7; 16], bytes);
        assert_eq!(save(b"one").unwrap(), "a.txt");
        assert_eq!(save(b"two").unwrap(), "a (2).txt");
        assert_eq!(save(b"one").unwrap(), "a.txt");
        assert_eq!(save(b"two").unwrap(), "a (2).txt");
        assert_eq!(names(folder.path()), ["a (2).txt", "a.txt"]);
        assert_eq!(std::fs::read(folder.path().join("a.txt")).unwrap(), b"one");
        let mode = folder.path().join("a.txt").metadata().unwrap().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }

    #[test]
    fn fil_12_links_are_not_followed_and_leftovers_of_a_crash_do_not_hinder() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, b"one").unwrap();
        symlink(&victim, folder.path().join("a")).unwrap();
        symlink(&victim, folder.path().join(format!(".{:032x}.part", 9))).unwrap();
        let mark = 9_u128.to_be_bytes();
        assert_eq!(save_file(folder.path(), "a", &mark, b"one").unwrap(), "a (2)");
        assert_eq!(std::fs::read(&victim).unwrap(), b"one");
        assert_eq!(names(folder.path()), ["a", "a (2)", "victim"]);
        let gone = folder.path().join("gone");
        assert_eq!(save_file(&gone, "a", &mark, b"one"), Err(FolderError::Missing));
        assert_eq!(save_file(&victim, "a", &mark, b"one"), Err(FolderError::Kind));
    }

    #[test]
    fn fil_3_only_regular_files_up_to_the_limit_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, b"1234").unwrap();
        assert_eq!(read_whole(&path, 4).unwrap().as_slice(), b"1234");
        assert_eq!(read_whole(&path, 3), Err(FolderError::TooLong));
        assert_eq!(read_whole(folder.path(), 4), Err(FolderError::Kind));
        assert_eq!(read_whole(&folder.path().join("gone"), 4), Err(FolderError::Missing));
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert_eq!(read_whole(&pipe, 4), Err(FolderError::Kind));
    }
}
