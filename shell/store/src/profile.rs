//! The profile directory: ours alone, and held by one process (PRD-16).

use crate::StoreError;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The wrapped master key.
pub(crate) const SLOTS: &str = "slots.bin";
/// Length of `slots.bin` in bytes.
pub(crate) const SLOTS_LEN: u64 = 640;
const NEXT_SLOTS: &str = "slots.bin.next";
const OLD_SLOTS: &str = "slots.bin.old";
/// The database; SQLite keeps `-wal` and `-shm` beside it.
pub(crate) const DATABASE: &str = "pvtcoms.db";
const WAL: &str = "pvtcoms.db-wal";
const SHM: &str = "pvtcoms.db-shm";
const LOCK: &str = "lock";
/// A profile is built in here and then renamed into place, so that half of one is never found.
const NURSERY: &str = "new";

/// The files of the database, as they are copied when it is damaged.
pub(crate) const DATABASE_FILES: [&str; 3] = [DATABASE, WAL, SHM];

const DIRECTORY: &str = "profile directory";

/// A directory that belongs to this user alone: owner is the effective user, mode 0700, and every
/// file of ours in it is a regular one with mode 0600.
#[derive(Debug)]
pub struct ProfileDir {
    path: PathBuf,
}

/// The profile is ours until this is dropped.
#[derive(Debug)]
pub struct ProfileLock {
    _file: File,
}

impl ProfileDir {
    /// Makes the directory, and its parents, if they are missing; then as [`open`](Self::open).
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| StoreError::io(DIRECTORY, &error))?;
        Self::open(path)
    }

    /// Checks the directory and the files in it, and keeps its canonical path (STO-4, step 1).
    ///
    /// # Errors
    /// [`StoreError::NoProfile`] if it is not there, [`StoreError::Permission`] if it is not a
    /// directory of ours alone or holds a file that is not.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let at = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::NoProfile,
            _ => StoreError::io(DIRECTORY, &error),
        };
        let path = path.canonicalize().map_err(at)?;
        let found = path.symlink_metadata().map_err(at)?;
        if !found.is_dir() || !is_ours_alone(&found) {
            return Err(StoreError::Permission(DIRECTORY));
        }
        let dir = Self { path };
        for name in [SLOTS, NEXT_SLOTS, OLD_SLOTS, DATABASE, WAL, SHM, LOCK] {
            dir.check(name)?;
        }
        Ok(dir)
    }

    /// Takes the profile for this process. The system gives it back when the process ends,
    /// however it ends.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another process has it.
    pub fn lock(&self) -> Result<ProfileLock, StoreError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(no_follow())
            .open(self.join(LOCK))
            .map_err(|error| StoreError::io(LOCK, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(ProfileLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(TryLockError::Error(error)) => Err(StoreError::io(LOCK, &error)),
        }
    }

    /// Path of a file in the directory; canonical up to its last part.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether a file is there, of whatever kind.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.join(name).symlink_metadata().is_ok()
    }

    /// Refuses a file that is not a regular one of ours alone. A missing file passes.
    fn check(&self, name: &'static str) -> Result<(), StoreError> {
        match self.join(name).symlink_metadata() {
            Ok(found) if found.is_file() && is_ours_alone(&found) => Ok(()),
            Ok(_) => Err(StoreError::Permission(name)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(StoreError::io(name, &error)),
        }
    }

    /// Reads a file whole, up to `limit` bytes and one more.
    pub(crate) fn read(&self, name: &'static str, limit: u64) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        self.open_old(name)
            .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
            .map_err(|error| StoreError::io(name, &error))?;
        Ok(bytes)
    }

    /// Makes a new file, 0600, with `bytes` in it, on the disk when this returns.
    pub(crate) fn write_new(&self, name: &'static str, bytes: &[u8]) -> Result<(), StoreError> {
        alive()?;
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(self.join(name))?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|error| StoreError::io(name, &error))
    }

    /// Puts a new `slots.bin` in the place of the old one and overwrites the old one's blocks
    /// (STO-14).
    ///
    /// The old file keeps a name until its blocks are overwritten, so that a crash at any point
    /// leaves something for [`finish_replacing`](Self::finish_replacing) to find.
    pub(crate) fn replace_slots(&self, bytes: &[u8]) -> Result<(), StoreError> {
        self.finish_replacing()?;
        self.write_new(NEXT_SLOTS, bytes)?;
        std::fs::hard_link(self.join(SLOTS), self.join(OLD_SLOTS))
            .and_then(|()| std::fs::rename(self.join(NEXT_SLOTS), self.join(SLOTS)))
            .map_err(|error| StoreError::io(SLOTS, &error))?;
        self.sync()?;
        self.finish_replacing()
    }

    /// Ends a replacement that a crash interrupted. To be called once `slots.bin` has opened.
    pub(crate) fn finish_replacing(&self) -> Result<(), StoreError> {
        let at = |error: io::Error| StoreError::io(SLOTS, &error);
        self.remove(NEXT_SLOTS)?;
        if !self.has(OLD_SLOTS) {
            return Ok(());
        }
        let mut old = self.open_old(OLD_SLOTS).map_err(at)?;
        let is_in_place = old.metadata().map_err(at)?.ino()
            == self.join(SLOTS).symlink_metadata().map_err(at)?.ino();
        if !is_in_place {
            // The new file: looks random, so that no file system makes a hole of it.
            let bytes = self.read(SLOTS, SLOTS_LEN)?;
            old.write_all(&bytes).and_then(|()| old.sync_all()).map_err(at)?;
        }
        self.remove(OLD_SLOTS)?;
        self.sync()
    }

    /// Makes the folder in which a profile is built, empty.
    pub(crate) fn nursery(&self) -> Result<Self, StoreError> {
        let path = self.join(NURSERY);
        self.clear_nursery()?;
        alive()?;
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| StoreError::io(DIRECTORY, &error))?;
        Ok(Self { path })
    }

    /// Whether the last creation was interrupted: its database may lie in place, its slots not.
    pub(crate) fn creation_was_interrupted(&self) -> bool {
        !self.has(SLOTS) && self.join(NURSERY).join(SLOTS).symlink_metadata().is_ok()
    }

    /// Removes the folder in which a profile was built.
    pub(crate) fn clear_nursery(&self) -> Result<(), StoreError> {
        alive()?;
        missing_is_fine(std::fs::remove_dir_all(self.join(NURSERY)))
    }

    /// Moves a file of the nursery into place.
    pub(crate) fn adopt(&self, nursery: &Self, name: &'static str) -> Result<(), StoreError> {
        alive()?;
        std::fs::rename(nursery.join(name), self.join(name))
            .map_err(|error| StoreError::io(name, &error))?;
        self.sync()
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), StoreError> {
        missing_is_fine(std::fs::remove_file(self.join(name)))
    }

    /// Waits until the directory's entries are on the disk.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        alive()?;
        File::open(&self.path)
            .and_then(|dir| dir.sync_all())
            .map_err(|error| StoreError::io(DIRECTORY, &error))
    }

    fn open_old(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).custom_flags(no_follow()).open(self.join(name))
    }
}

fn missing_is_fine(result: io::Result<()>) -> Result<(), StoreError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::io(DIRECTORY, &error))
        }
        _ => Ok(()),
    }
}

fn is_ours_alone(found: &std::fs::Metadata) -> bool {
    found.mode() & 0o077 == 0 && found.uid() == rustix::process::geteuid().as_raw()
}

fn no_follow() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default()
}

/// The tests let everything end before a change of the directory; nobody else does.
#[cfg(not(test))]
const fn alive() -> Result<(), StoreError> {
    Ok(())
}

#[cfg(test)]
pub(crate) use death::{after, alive};

#[cfg(test)]
mod death {
    use crate::StoreError;
    use std::cell::Cell;

    thread_local!(static LEFT: Cell<u32> = const { Cell::new(u32::MAX) });

    /// After so many further changes of a directory this thread can change none, as if it had been
    /// killed.
    pub(crate) fn after(changes: u32) {
        LEFT.set(changes);
    }

    pub(crate) fn alive() -> Result<(), StoreError> {
        let left = LEFT.get();
        LEFT.set(left.saturating_sub(1));
        if left == 0 { Err(StoreError::Broken) } else { Ok(()) }
    }
}
