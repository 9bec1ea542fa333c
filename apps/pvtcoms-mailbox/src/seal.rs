//! Sealing at rest, and the keys of the days (BRD-26).
//!
//! Each UTC day on which a page was opened has a random key `DK` in a file of its own, synced
//! before its first use. With the file gone, what is left of the day in journals, backups and
//! flash cannot be opened: expiry destroys the key first, the data second.

use crate::clock::Day;
use crate::store::{PageNo, StoreError};
use board::page::Entry;
use crypto::aead::EnvelopeKey;
use crypto::kdf::{Prk, hmac};
use crypto::rand_core::{CryptoRng, UnwrapErr};
use crypto::{Zeroizing, labels};
use getrandom::SysRng;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

crypto::secret! {
    /// `DK`: opens everything that one day of pages left on disk.
    pub struct DayKey([u8; 32]);
}

/// Length of an index in bytes.
pub const INDEX_LEN: usize = 32;

/// Length of a journal's check in bytes.
pub const CHECK_LEN: usize = 32;

/// What a sealed record holds; each kind has keys of its own.
#[derive(Clone, Copy)]
pub enum Record {
    /// An envelope.
    Envelope,
    /// A page's frame, or the order and path of one of its chunks.
    Page,
}

impl DayKey {
    /// `idx = HMAC(DK, label ‖ tag ‖ H(envelope))`: the only name an envelope has outside a
    /// sealed record.
    #[must_use]
    pub fn index(&self, entry: &Entry) -> [u8; INDEX_LEN] {
        let mut idx = [0; INDEX_LEN];
        hmac(self.expose_secret(), &[labels::AT_REST_INDEX, &entry.tag, &entry.digest], &mut idx);
        idx
    }

    /// Shows that a journal was begun for `page` with this key.
    #[must_use]
    pub fn journal_check(&self, page: PageNo) -> [u8; CHECK_LEN] {
        let mut check = [0; CHECK_LEN];
        hmac(
            self.expose_secret(),
            &[labels::AT_REST_JOURNAL, page.to_be_bytes().as_slice()],
            &mut check,
        );
        check
    }

    /// Seals the record that is stored at `at`.
    pub fn seal(
        &self,
        rng: &mut impl CryptoRng,
        record: Record,
        at: &[u8],
        plain: &[u8],
    ) -> Vec<u8> {
        self.record_key(record, at).seal(rng, at, plain)
    }

    /// Opens the record that is stored at `at`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it is not what was sealed there.
    pub fn open(
        &self,
        record: Record,
        at: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        self.record_key(record, at)
            .open(at, sealed)
            .map_err(|_| StoreError::Damaged("a sealed record"))
    }

    fn record_key(&self, record: Record, at: &[u8]) -> EnvelopeKey {
        let label = match record {
            Record::Envelope => labels::AT_REST_ENVELOPE,
            Record::Page => labels::AT_REST_PAGE,
        };
        let prk = Prk::from_key(self.expose_secret());
        EnvelopeKey::filled(|key| prk.expand(&[label, at], key))
    }
}

/// Randomness of the sealed records' nonces, one for each thread: seeded by the operating system, and
/// without a call of it for every record.
#[must_use]
pub fn nonces() -> impl CryptoRng {
    rand::rng()
}

/// The operating system's randomness. Stops the program if there is none: nothing can be done
/// honestly without it.
#[must_use]
pub fn os_rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// Where the key of a day lies.
#[must_use]
pub fn key_file(dir: &Path, day: u64) -> PathBuf {
    dir.join(format!("d{day:05}.key"))
}

/// The directory of the day keys, one file a day.
pub struct Keyring {
    dir: PathBuf,
}

impl Keyring {
    /// Opens the directory, made if missing (mode 0700).
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|source| StoreError::io("making the key directory", source))?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// Makes the key of a day, durable on return.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn create(&self, day: Day) -> Result<DayKey, StoreError> {
        let key = DayKey::random(&mut os_rng());
        let (path, draft) = (self.path(day), self.path(day).with_extension("new"));
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&draft)?;
            file.write_all(key.expose_secret())?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            self.sync()
        };
        write().map_err(|source| StoreError::io("writing a day key", source))?;
        Ok(key)
    }

    /// The key of a day, or `None` if there is none (any more).
    ///
    /// # Errors
    /// [`StoreError::Io`], or [`StoreError::Damaged`] if the file is not 32 bytes.
    pub fn load(&self, day: Day) -> Result<Option<DayKey>, StoreError> {
        let mut file = match File::open(self.path(day)) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::io("reading a day key", source)),
        };
        let mut bytes = Zeroizing::new([0; DayKey::LEN]);
        let whole = file.read_exact(bytes.as_mut_slice());
        let more = file.read(&mut [0]).map(|n| n > 0);
        if whole.is_err() || more.unwrap_or(true) {
            return Err(StoreError::Damaged("a day key"));
        }
        Ok(Some(DayKey::copy_of(&bytes)))
    }

    /// Overwrites and unlinks the key of a day; a key that is gone is no error.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn destroy(&self, day: Day) -> Result<(), StoreError> {
        let path = self.path(day);
        let wipe = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).open(&path)?;
            file.write_all(DayKey::random(&mut os_rng()).expose_secret())?;
            file.sync_all()?;
            fs::remove_file(&path)?;
            self.sync()
        };
        match wipe() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(|source| StoreError::io("destroying a day key", source)),
        }
    }

    fn path(&self, day: Day) -> PathBuf {
        key_file(&self.dir, day.into())
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }
}
