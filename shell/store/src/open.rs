//! `open_hard`: the only way to a connection (STO-4, STO-5).
//!
//! Every setting is made, and then read back; an error, a missing row or another value closes the
//! connection. There is no warning.

use crate::StoreError;
use crate::key::DbKey;
use crate::profile::{DATABASE, ProfileDir};
use rusqlite::config::DbConfig;
use rusqlite::types::FromSql;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::OnceLock;

/// How an unencrypted database begins.
const PLAINTEXT_MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// A database file that was looked at before SQLite has it open.
///
/// Afterwards it must not be looked at: closing any other descriptor of the file would let go of
/// the locks that SQLite holds on it.
pub(crate) struct DatabaseFile(PathBuf);

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The one that writes.
    Writer,
    /// Cannot write.
    Reader,
}

impl DatabaseFile {
    /// Makes a new, empty file, 0600.
    pub(crate) fn create(dir: &ProfileDir) -> Result<Self, StoreError> {
        dir.write_new(DATABASE, &[])?;
        Ok(Self(dir.join(DATABASE)))
    }

    /// Takes a file that is there and is encrypted (STO-4, steps 1 and 2).
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it is missing or empty: opening it would give a new, empty
    /// database. [`StoreError::Plaintext`].
    pub(crate) fn existing(dir: &ProfileDir) -> Result<Self, StoreError> {
        let path = dir.join(DATABASE);
        let mut start = Vec::new();
        let read =
            std::fs::File::open(&path).and_then(|file| file.take(16).read_to_end(&mut start));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(StoreError::Damaged { salvage: None })
            }
            Err(error) => Err(StoreError::io(DATABASE, &error)),
            Ok(0) => Err(StoreError::Damaged { salvage: None }),
            Ok(_) if start == PLAINTEXT_MAGIC => Err(StoreError::Plaintext),
            Ok(_) => Ok(Self(path)),
        }
    }
}

/// Opens the database, or fails by name.
///
/// # Errors
/// [`StoreError::Pragma`], [`StoreError::Floor`]; [`StoreError::Damaged`] if the first page does
/// not open under `key`.
pub(crate) fn open_hard(
    file: &DatabaseFile,
    key: &DbKey,
    role: Role,
) -> Result<Connection, StoreError> {
    open_with(&Plan::hard(), file, key, role)
}

/// Pages that a connection keeps in memory, as SQLite writes kibibytes: 8 MiB. A page that it does
/// not keep is decrypted and authenticated again; with the 2 MiB of SQLite's own default that was
/// most of what a message cost with a long history.
const CACHE: i64 = -8192;
const CACHE_KIB: &str = "-8192";

/// The settings, in their order. A value, so that the tests can spoil each in turn.
pub(crate) struct Plan {
    before_key: Vec<(&'static str, &'static str)>,
    after_key: Vec<(&'static str, &'static str)>,
    journal_mode: &'static str,
    query_only: &'static str,
    texts: Vec<(&'static str, &'static str)>,
    integers: Vec<(&'static str, i64)>,
}

impl Plan {
    fn hard() -> Self {
        Self {
            before_key: vec![
                // A failing key is printed to stderr otherwise.
                ("cipher_log_level", "NONE"),
                // Before the key, so that key material is covered.
                ("cipher_memory_security", "ON"),
            ],
            after_key: vec![
                // Without effect on a raw key; if SQLCipher took it for a passphrase, it is dear.
                ("kdf_iter", "1000000"),
                ("secure_delete", "ON"),
                ("trusted_schema", "OFF"),
                ("foreign_keys", "ON"),
                ("temp_store", "MEMORY"),
                ("cache_size", CACHE_KIB),
                ("cell_size_check", "ON"),
                ("mmap_size", "0"),
                ("synchronous", "FULL"),
                #[cfg(target_os = "macos")]
                ("fullfsync", "ON"),
                #[cfg(target_os = "macos")]
                ("checkpoint_fullfsync", "ON"),
            ],
            journal_mode: "WAL",
            query_only: "ON",
            texts: vec![
                ("cipher_log_level", "NONE"),
                ("cipher_memory_security", "1"),
                ("cipher_status", "1"),
                ("cipher_use_hmac", "1"),
                ("cipher_page_size", "4096"),
                ("cipher_hmac_algorithm", "HMAC_SHA512"),
                ("cipher_kdf_algorithm", "PBKDF2_HMAC_SHA512"),
                ("cipher_plaintext_header_size", "0"),
                ("journal_mode", "wal"),
            ],
            integers: vec![
                ("secure_delete", 1),
                ("trusted_schema", 0),
                ("foreign_keys", 1),
                ("temp_store", 2),
                ("cache_size", CACHE),
                ("cell_size_check", 1),
                ("mmap_size", 0),
                ("synchronous", 2),
                #[cfg(target_os = "macos")]
                ("fullfsync", 1),
                #[cfg(target_os = "macos")]
                ("checkpoint_fullfsync", 1),
            ],
        }
    }
}

fn open_with(
    plan: &Plan,
    file: &DatabaseFile,
    key: &DbKey,
    role: Role,
) -> Result<Connection, StoreError> {
    prepare_process()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(&file.0, flags)?;
    // Until the database was judged sound, closing must not move the log into it (STO-29).
    keep_log_on_close(&connection, true)?;
    for (name, value) in &plan.before_key {
        set(&connection, name, value)?;
    }
    key.apply(&connection)?;
    for (name, value) in &plan.after_key {
        set(&connection, name, value)?;
    }
    // The first page that is read proves the key; no slot gives a wrong one, so this is damage.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    set(&connection, "journal_mode", plan.journal_mode)?;
    read_back(plan, &connection)?;
    floors(&connection)?;
    if role == Role::Reader {
        set(&connection, "query_only", plan.query_only)?;
        expect(&connection, "query_only", 1_i64)?;
    }
    Ok(connection)
}

/// Whether the log stays as it is when the last connection closes.
pub(crate) fn keep_log_on_close(connection: &Connection, keep: bool) -> Result<(), StoreError> {
    let kept = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep)?;
    if kept == keep { Ok(()) } else { Err(StoreError::Pragma("no_ckpt_on_close")) }
}

/// STO-4, step 0: what holds for the whole process.
fn prepare_process() -> Result<(), StoreError> {
    static PREPARED: OnceLock<()> = OnceLock::new();
    if PREPARED.get().is_none() {
        let connection = Connection::open_in_memory()?;
        set(&connection, "cipher_log_level", "NONE")?;
        // What a database would get that SQLCipher opened with a passphrase.
        set(&connection, "cipher_default_kdf_iter", "1000000")?;
        expect(&connection, "cipher_default_kdf_iter", "1000000".to_owned())?;
        PREPARED.get_or_init(|| ());
    }
    Ok(())
}

fn set(connection: &Connection, name: &'static str, value: &str) -> Result<(), StoreError> {
    // `name` and `value` are constants of this file; a PRAGMA takes no bound parameters.
    connection
        .execute_batch(&format!("PRAGMA {name} = {value}"))
        .map_err(|error| refused(name, error))
}

/// A setting that touches a page may be the first to find that the page, or the disk, is bad.
fn refused(name: &'static str, error: rusqlite::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Database(_) => StoreError::Pragma(name),
        other => other,
    }
}

/// STO-5. Settings of the cipher answer with text, those of SQLite with integers.
fn read_back(plan: &Plan, connection: &Connection) -> Result<(), StoreError> {
    let iterations: String = ask(connection, "kdf_iter")?;
    if !iterations.parse::<u64>().is_ok_and(|n| n > 600_000) {
        return Err(StoreError::Pragma("kdf_iter")); // DB-1
    }
    for (name, wanted) in &plan.texts {
        expect(connection, name, (*wanted).to_owned())?;
    }
    for (name, wanted) in &plan.integers {
        expect(connection, name, *wanted)?;
    }
    Ok(())
}

fn expect<T: FromSql + PartialEq>(
    connection: &Connection,
    name: &'static str,
    wanted: T,
) -> Result<(), StoreError> {
    if ask::<T>(connection, name)? == wanted { Ok(()) } else { Err(StoreError::Pragma(name)) }
}

/// A missing row is how plain SQLite answers a question about the cipher.
fn ask<T: FromSql>(connection: &Connection, name: &'static str) -> Result<T, StoreError> {
    connection
        .query_row(&format!("PRAGMA {name}"), [], |row| Ok(row.get(0).ok()))
        .optional()
        .map_err(|error| refused(name, error))?
        .flatten()
        .ok_or(StoreError::Pragma(name))
}

/// STO-2, SC-3: asked of the libraries that are really linked.
fn floors(connection: &Connection) -> Result<(), StoreError> {
    if rusqlite::version_number() < 3_050_002 {
        return Err(StoreError::Floor("SQLite"));
    }
    let at_least = |pragma, library, floor: [u32; 3]| {
        let text: String = ask(connection, pragma).map_err(|_| StoreError::Floor(library))?;
        if version(&text).is_some_and(|found| found >= floor) {
            Ok(())
        } else {
            Err(StoreError::Floor(library))
        }
    };
    at_least("cipher_version", "SQLCipher", [4, 14, 0])?;
    at_least("cipher_provider_version", "OpenSSL", [3, 5, 5])
}

/// `OpenSSL 3.6.3 9 Jun 2026` or `4.14.0 community`: the first word that is three numbers.
fn version(text: &str) -> Option<[u32; 3]> {
    text.split(' ').find_map(|word| {
        let mut numbers = word.split('.').map(|number| number.parse().ok());
        let version = [numbers.next()??, numbers.next()??, numbers.next()??];
        numbers.next().is_none().then_some(version)
    })
}

#[cfg(test)]
pub(crate) mod tests;
