//! A profile in one file, under a passphrase of its own, and back (`docs/spec/backup.md`).

mod file;
mod record;
mod rows;

use crate::StoreError;
use crate::open::{Role, open_hard};
use crate::place::{name_it, sync_folder};
use crate::profile::ProfileDir;
use crate::store::Store;
use crypto::Zeroizing;
use crypto::kdf::ct_eq;
use crypto::password::Cost;
use crypto::rand_core::CryptoRng;
use engine::changes::Table;
use file::{RecordReader, SegmentWriter};
use record::Record;
use rusqlite::{Connection, TransactionBehavior};
use rustix::fs::{Advice, fadvise};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use wire::Malformed;

pub use record::Stamp;

/// Why there is no backup, or no profile of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// The profile's database, or the passphrase, is at fault.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The path is not absolute, or names no file.
    #[error("the path is not absolute, or names no file")]
    Path,
    /// There is something at the path already. It was not touched.
    #[error("there is a file of this name already")]
    Exists,
    /// There is no file at the path, or no folder for it.
    #[error("there is no such file or folder")]
    Missing,
    /// The file's disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// The file or its folder may not be read or written.
    #[error("no permission")]
    Permission,
    /// The operating system failed a read or write of the file.
    #[error("input/output error: {0}")]
    Io(io::ErrorKind),
    /// Not a backup: another magic, or reserved bytes that are not zero.
    #[error("not a backup")]
    NotABackup,
    /// Made by a newer version.
    #[error("the backup was made by a newer version")]
    NewerVersion,
    /// The cost in the header is weaker or larger than allowed (STO-12).
    #[error("the backup's cost parameters are outside what is allowed")]
    Cost,
    /// The passphrase is another; or salt, seed or commitment in the first 128 bytes are damaged.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// A segment is not what was written at this place.
    #[error("the backup is damaged at byte {at}")]
    Damaged {
        /// Where the segment begins.
        at: u64,
    },
    /// The file ends before its end.
    #[error("the backup ends at byte {at}, too early")]
    Truncated {
        /// Where something is missing.
        at: u64,
    },
    /// Bytes follow the end.
    #[error("the backup goes on after its end at byte {at}")]
    Appended {
        /// Where it should end.
        at: u64,
    },
    /// Authentic, and not what a backup says: a fault of the program that wrote it.
    #[error("the backup says what no backup says")]
    Content,
    /// Made on a private test network and restored elsewhere, or the other way (TOR-31).
    #[error("the backup belongs to another network")]
    OtherNetwork,
    /// What was read back is not what was written. No backup was made.
    #[error("what was read back is not what was written")]
    NotVerified,
    /// The caller ended it.
    #[error("cancelled")]
    Cancelled,
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Judges an error of the operating system on the backup's file.
fn file_error(error: &io::Error) -> BackupError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => BackupError::Missing,
        io::ErrorKind::AlreadyExists => BackupError::Exists,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            BackupError::Permission
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            BackupError::DiskFull
        }
        kind => BackupError::Io(kind),
    }
}

/// What becomes of a row of the engine on the way into a backup, and on the way out of it: the row
/// as it is carried, or nothing. The engine knows (`engine::backup::carried`); the store carries.
pub type Carry =
    fn(Table, &[u8], Zeroizing<Vec<u8>>) -> Result<Option<Zeroizing<Vec<u8>>>, Malformed>;

/// Told how much is done, of how much; says whether to go on.
type Progress<'a> = &'a mut dyn FnMut(u64, u64) -> bool;

/// What was backed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupReport {
    /// Messages in it.
    pub messages: u64,
    /// Length of the file in bytes.
    pub bytes: u64,
}

/// How a profile is restored.
#[derive(Debug, Clone, Copy)]
pub struct RestoreTerms {
    /// Whether the new profile belongs to a private test network.
    pub private_network: bool,
    /// Messages whose timer has run out by this are over (the clock for ages, ENG-8, in seconds).
    /// The retention is judged by whoever can read the profile that is made (BAK-9).
    pub now: u64,
}

/// What was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoreReport {
    /// When and where the backup was made.
    pub stamp: Stamp,
    /// Messages that came back.
    pub messages: u64,
    /// Messages that had run out meanwhile, and did not.
    pub over: u64,
}

/// The profile as it is at one moment, on a connection of its own: it can go to another thread,
/// and the store goes on.
pub struct BackupSource {
    connection: Connection,
    rows: u64,
}

impl Store {
    /// Holds the present state for a backup. The log is not emptied while this is there.
    ///
    /// # Errors
    /// What opening a connection can fail with.
    pub fn backup_source(&self) -> Result<BackupSource, StoreError> {
        let connection = open_hard(&self.file, &self.key, Role::Reader)?;
        connection.execute_batch("BEGIN")?;
        // The first read fixes what the transaction sees.
        let rows = rows::count(&connection)?;
        Ok(BackupSource { connection, rows })
    }

    /// Makes a new profile of a backup, whole or not at all, as [`create`](Self::create) does.
    ///
    /// # Errors
    /// [`BackupError`]; there is no profile then, as before.
    #[expect(clippy::too_many_arguments, reason = "two passphrases and where they belong")]
    pub fn restore(
        dir: &ProfileDir,
        from: &Path,
        file_passphrase: &[u8],
        passphrase: &[u8],
        cost: Cost,
        terms: &RestoreTerms,
        carry: Carry,
        rng: &mut impl CryptoRng,
        progress: Progress<'_>,
    ) -> Result<(Self, RestoreReport), BackupError> {
        if Self::exists(dir) {
            return Err(StoreError::Exists.into());
        }
        let found = from.metadata().map_err(|error| file_error(&error))?;
        if !found.is_file() {
            return Err(BackupError::NotABackup); // a pipe would be waited for
        }
        let mut file = File::open(from).map_err(|error| file_error(&error))?;
        let length = file.metadata().map_err(|error| file_error(&error))?.len();
        let opened = file::open(&mut file, file_passphrase)?;
        let mut reader = RecordReader::new(file, opened, length)?;
        let stamp = begin(&mut reader)?;
        if stamp.private_network != terms.private_network {
            return Err(BackupError::OtherNetwork); // TOR-31, BAK-8
        }
        Self::build(dir, passphrase, cost, rng, |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let (mut messages, mut over) = (0_u64, 0_u64);
            each_restored(reader, |record, done, total| {
                let message = matches!(record, Record::Message { .. });
                let kept = rows::insert(&transaction, record, terms, carry)?;
                messages = messages.saturating_add(u64::from(message && kept));
                over = over.saturating_add(u64::from(message && !kept));
                if progress(done, total) { Ok(()) } else { Err(BackupError::Cancelled) }
            })?;
            transaction.commit()?;
            Ok(RestoreReport { stamp, messages, over })
        })
    }
}

/// Reads the first record.
fn begin(reader: &mut RecordReader<impl io::Read>) -> Result<Stamp, BackupError> {
    match reader.record()? {
        (Record::Begin(stamp), _) => Ok(stamp),
        _ => Err(BackupError::Content),
    }
}

/// Gives every row and message to `each`, with how far the file is; all of them, or an error.
fn each_restored(
    mut reader: RecordReader<impl io::Read>,
    mut each: impl FnMut(Record, u64, u64) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let (mut rows, mut messages) = (0_u64, 0_u64);
    loop {
        let (record, _) = reader.record()?;
        match &record {
            Record::Begin(_) => return Err(BackupError::Content),
            Record::Row { .. } => rows = rows.saturating_add(1),
            Record::Message { .. } => messages = messages.saturating_add(1),
            Record::End { rows: told, messages: of } if (*told, *of) == (rows, messages) => {
                return reader.finish();
            }
            Record::End { .. } => return Err(BackupError::Content),
        }
        let (done, total) = reader.progress();
        each(record, done, total)?;
    }
}

impl BackupSource {
    /// Writes the backup to the new file `to`, reads it back with the passphrase, compares it with
    /// what it was made of, and gives it its name then (BAK-7).
    ///
    /// # Errors
    /// [`BackupError`]; there is no file of this name then, and one that was there is untouched.
    #[expect(clippy::too_many_arguments, reason = "what, where to, and how")]
    pub fn write(
        &self,
        to: &Path,
        passphrase: &[u8],
        cost: Cost,
        stamp: Stamp,
        carry: Carry,
        rng: &mut impl CryptoRng,
        progress: Progress<'_>,
    ) -> Result<BackupReport, BackupError> {
        let (folder, name) = to.parent().zip(to.file_name()).ok_or(BackupError::Path)?;
        if !to.is_absolute() {
            return Err(BackupError::Path);
        }
        if to.symlink_metadata().is_ok() {
            return Err(BackupError::Exists);
        }
        let mut mark = [0; 8];
        rng.fill_bytes(&mut mark);
        let mut part = std::ffi::OsString::from(".");
        part.push(name);
        part.push(format!(".{:016x}.part", u64::from_be_bytes(mark)));
        let part = Unfinished(folder.join(part));
        // Written and read back: each half of the way.
        let total = self.rows.saturating_mul(2);
        let mut done = 0_u64;
        let mut step = || {
            done = done.saturating_add(1);
            if progress(done.min(total), total) { Ok(()) } else { Err(BackupError::Cancelled) }
        };
        let messages = self.put(&part.0, passphrase, cost, stamp, carry, rng, &mut step)?;
        let bytes = self.verify(&part.0, passphrase, stamp, carry, &mut step)?;
        name_it(&part.0, to)
            .and_then(|()| sync_folder(folder))
            .map_err(|error| file_error(&error))?;
        Ok(BackupReport { messages, bytes })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of `write`")]
    fn put(
        &self,
        part: &Path,
        passphrase: &[u8],
        cost: Cost,
        stamp: Stamp,
        carry: Carry,
        rng: &mut impl CryptoRng,
        step: &mut dyn FnMut() -> Result<(), BackupError>,
    ) -> Result<u64, BackupError> {
        let failed = |error: io::Error| file_error(&error);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(part)
            .map_err(failed)?;
        let mut writer =
            SegmentWriter::begin(file, file::fresh(passphrase, cost, rng)?).map_err(failed)?;
        let mut messages = 0_u64;
        rows::each_record(&self.connection, stamp, carry, |record| {
            messages = messages.saturating_add(u64::from(matches!(record, Record::Message { .. })));
            writer.push(&record.encode()).map_err(failed)?;
            step()
        })?;
        let file = writer.finish().map_err(failed)?;
        file.sync_all().map_err(failed)?;
        // So that reading back reads the disk, as far as the system follows advice.
        let _ = fadvise(&file, 0, None, Advice::DontNeed);
        Ok(messages)
    }

    /// BAK-7: opened anew with the passphrase alone, and compared record by record with the
    /// database. Gives the length of the file.
    fn verify(
        &self,
        part: &Path,
        passphrase: &[u8],
        stamp: Stamp,
        carry: Carry,
        step: &mut dyn FnMut() -> Result<(), BackupError>,
    ) -> Result<u64, BackupError> {
        let file = File::open(part).map_err(|error| file_error(&error))?;
        let length = file.metadata().map_err(|error| file_error(&error))?.len();
        let mut file = BufReader::new(file);
        let read = |error| match error {
            BackupError::Store(StoreError::NoMemory)
            | BackupError::Io(_)
            | BackupError::Permission => error,
            _ => BackupError::NotVerified,
        };
        let opened = file::open(&mut file, passphrase).map_err(read)?;
        let mut reader = RecordReader::new(file, opened, length).map_err(read)?;
        rows::each_record(&self.connection, stamp, carry, |record| {
            let (found, _) = reader.record().map_err(read)?;
            if !ct_eq(&found.encode(), &record.encode()) {
                return Err(BackupError::NotVerified);
            }
            step()
        })?;
        reader.finish().map_err(read)?;
        Ok(length)
    }
}

/// A file that is not a backup yet; removed when it does not become one.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After it was given its name there is nothing of this name.
        let _ = std::fs::remove_file(&self.0);
    }
}
