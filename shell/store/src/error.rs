//! What can go wrong, and whose fault it is.

use rusqlite::ErrorCode;
use rusqlite::ffi;
use std::io;

/// Why the store did not do what it was asked to. No variant carries a path, a key or a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the profile.
    #[error("the profile is in use by another process")]
    InUse,
    /// There is a profile already where one should be created.
    #[error("there is a profile here already")]
    Exists,
    /// There is no profile here.
    #[error("there is no profile here")]
    NoProfile,
    /// A database lies here without the file that holds its wrapped key: `slots.bin` was lost.
    #[error("a database lies here, but slots.bin, which holds its key, is missing")]
    SlotsMissing,
    /// No slot opens under this passphrase.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// A passphrase is 1 to 1024 bytes of UTF-8 (STO-13).
    #[error("a passphrase is 1 to 1024 bytes of UTF-8")]
    Passphrase,
    /// The new passphrase opens a slot already (STO-14).
    #[error("this passphrase is in use already")]
    SamePassphrase,
    /// `slots.bin` is not one (STO-9): another length, magic, version, or a field out of its range.
    #[error("slots.bin is not in a format this version knows")]
    Format,
    /// The cost in `slots.bin`, or the one asked for, is below the floor (STO-12).
    #[error("the passphrase's cost parameters are too weak to be used")]
    Weak,
    /// The cost in `slots.bin`, or the one asked for, is above the ceiling (STO-12).
    #[error("the passphrase's cost parameters are larger than allowed")]
    Excessive,
    /// The machine has not the memory that Argon2id needs.
    #[error("not enough memory to check the passphrase")]
    NoMemory,
    /// The profile wants a second secret from the OS keystore, and there is none.
    #[error("this profile also needs the OS keystore, which is not there")]
    NoKeystore,
    /// A linked library is older than its floor, or is not the one it should be (STO-2).
    #[error("the linked {0} is too old or is not SQLCipher's")]
    Floor(&'static str),
    /// A setting was refused or did not read back as it was set (STO-4, STO-5).
    #[error("the database refused the setting {0}")]
    Pragma(&'static str),
    /// The file is an ordinary, unencrypted database.
    #[error("the database is not encrypted")]
    Plaintext,
    /// The database was written by a newer version; it was left untouched (STO-30).
    #[error("the database has version {found}, this program knows up to {known}")]
    NewerVersion {
        /// Version of the file.
        found: i64,
        /// Newest version that is known here.
        known: i64,
    },
    /// The passphrase was right, and the database is damaged (STO-29). Nothing was deleted.
    #[error("the database is damaged; nothing was deleted")]
    Damaged {
        /// Its files as they were found lie in `salvage-<n>`; `None` if they could not be copied.
        salvage: Option<u32>,
    },
    /// No room on the disk. Nothing of what should have been saved was.
    #[error("the disk is full")]
    DiskFull,
    /// A file or folder is not ours alone (0600, 0700), or may not be read or written.
    #[error("no permission, or not ours alone: {0}")]
    Permission(&'static str),
    /// Another program holds the database open.
    #[error("the database is busy")]
    Busy,
    /// A write failed before; what is on the disk is known again after the next unlock only.
    #[error("an earlier write failed: lock the profile and unlock it again")]
    Broken,
    /// The caller broke a rule of [`Changes`](engine::changes::Changes): our bug. Nothing was saved.
    #[error("the changes contradict what is saved")]
    Conflict,
    /// The operating system failed a read or write.
    #[error("input/output error: {0}")]
    Io(io::ErrorKind),
    /// Any other answer of SQLite, by its extended code.
    #[error("database error {0}")]
    Database(i32),
}

impl StoreError {
    /// Judges an error of the operating system on the file or folder `what`.
    pub(crate) fn io(what: &'static str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Permission(what)
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            kind => Self::Io(kind),
        }
    }

    /// Whether a write may have reached the disk in part, so that only recovery at the next open
    /// shows what is there.
    pub(crate) const fn leaves_doubt(&self) -> bool {
        matches!(self, Self::Io(_) | Self::Damaged { .. })
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let ffi::Error { code, extended_code } = match error {
            rusqlite::Error::SqliteFailure(error, _) => error,
            rusqlite::Error::SqlInputError { error, .. } => error,
            // A row of another type or number than the schema says.
            _ => return Self::Damaged { salvage: None },
        };
        match code {
            ErrorCode::DiskFull => Self::DiskFull,
            ErrorCode::SystemIoFailure if extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
                Self::DiskFull
            }
            ErrorCode::SystemIoFailure => Self::Io(io::ErrorKind::Other),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged { salvage: None },
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => {
                Self::Permission("pvtcoms.db")
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
            ErrorCode::ConstraintViolation => Self::Conflict,
            ErrorCode::OutOfMemory => Self::NoMemory,
            _ => Self::Database(extended_code),
        }
    }
}
