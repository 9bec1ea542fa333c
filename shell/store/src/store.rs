//! Creating, unlocking, changing the passphrase.

use crate::StoreError;
use crate::damage;
use crate::key::DbKey;
use crate::migrate::{migrate, user_version};
use crate::open::{DatabaseFile, Role, keep_log_on_close, open_hard};
use crate::profile::{DATABASE, DATABASE_FILES, ProfileDir, SLOTS, SLOTS_LEN};
use crate::slots::Slots;
use crypto::password::Cost;
use crypto::rand_core::CryptoRng;
use rusqlite::{Connection, Transaction, TransactionBehavior};

/// An unlocked profile: one connection that writes and one that cannot (STO-6).
///
/// Dropping it closes both and moves the log into the database.
pub struct Store {
    /// Dropped first: the last connection to close should be the one that may write.
    pub(crate) reader: Connection,
    writer: Connection,
    broken: bool,
    /// For the connection of a backup.
    pub(crate) file: DatabaseFile,
    pub(crate) key: DbKey,
}

crypto::opaque!(Store);

impl Store {
    /// Whether a profile was created here.
    #[must_use]
    pub fn exists(dir: &ProfileDir) -> bool {
        dir.has(SLOTS)
    }

    /// Creates a profile: a fresh master key, wrapped under `passphrase`, and an empty database.
    ///
    /// Both files are built aside and renamed into place, the slots last: a crash leaves either no
    /// profile or a whole one.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; [`StoreError::SlotsMissing`] if a database lies here that somebody
    /// may still hold the key of; [`StoreError::Weak`], [`StoreError::Excessive`] cost;
    /// [`StoreError::Passphrase`]; what opening a database can fail with.
    pub fn create(
        dir: &ProfileDir,
        passphrase: &[u8],
        cost: Cost,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, StoreError> {
        Self::build(dir, passphrase, cost, rng, |_| Ok(())).map(|(store, ())| store)
    }

    /// As [`create`](Self::create), with what `fill` writes into the database.
    pub(crate) fn build<T, E: From<StoreError>>(
        dir: &ProfileDir,
        passphrase: &[u8],
        cost: Cost,
        rng: &mut impl CryptoRng,
        fill: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<(Self, T), E> {
        if Self::exists(dir) {
            return Err(StoreError::Exists.into());
        }
        if dir.has(DATABASE) {
            if !dir.creation_was_interrupted() {
                return Err(StoreError::SlotsMissing.into());
            }
            // Its slots never got into place: nobody ever had this database unlocked.
            for name in DATABASE_FILES {
                dir.remove(name)?;
            }
        }
        let nursery = dir.nursery()?;
        let key = DbKey::random(rng);
        let slots = Slots::create(&key, passphrase, cost, rng)?;
        let filled = Self::fill(&nursery, &key, fill);
        if filled.is_err() {
            // Nobody can open what was begun: its key was never written.
            dir.clear_nursery()?;
        }
        let filled = filled?;
        nursery.write_new(SLOTS, &slots.to_bytes())?;
        nursery.sync()?;
        dir.adopt(&nursery, DATABASE)?;
        dir.adopt(&nursery, SLOTS)?;
        dir.clear_nursery()?;
        Ok((Self::open(dir, key)?, filled))
    }

    fn fill<T, E: From<StoreError>>(
        nursery: &ProfileDir,
        key: &DbKey,
        fill: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = open_hard(&DatabaseFile::create(nursery)?, key, Role::Writer)?;
        migrate(&mut connection)?;
        let filled = fill(&mut connection)?;
        keep_log_on_close(&connection, false)?;
        connection.close().map_err(|(_, error)| StoreError::from(error))?;
        Ok(filled)
    }

    /// Opens a profile. The caller holds its [`ProfileLock`](crate::ProfileLock).
    ///
    /// Takes as long as one Argon2id run, whatever the passphrase (STO-11).
    ///
    /// # Errors
    /// [`StoreError::NoProfile`]; [`StoreError::WrongPassphrase`]; [`StoreError::Format`],
    /// [`StoreError::Weak`], [`StoreError::Excessive`], [`StoreError::NoKeystore`] of `slots.bin`;
    /// [`StoreError::Damaged`], after the files were copied aside (STO-29);
    /// [`StoreError::NewerVersion`]; [`StoreError::Pragma`], [`StoreError::Floor`].
    pub fn unlock(dir: &ProfileDir, passphrase: &[u8]) -> Result<Self, StoreError> {
        let key = read_slots(dir)?.open(passphrase)?.key;
        dir.finish_replacing()?;
        Self::open(dir, key).map_err(|error| match error {
            // Every connection is closed again: the files are as they were found.
            StoreError::Damaged { .. } => StoreError::Damaged { salvage: damage::keep_copy(dir) },
            other => other,
        })
    }

    /// Wraps the master key under another passphrase. The database is untouched (STO-14).
    ///
    /// # Errors
    /// [`StoreError::WrongPassphrase`] for `old`; [`StoreError::SamePassphrase`] if `new` opens a
    /// slot already; [`StoreError::Passphrase`]; what reading and writing files can fail with.
    pub fn change_passphrase(
        dir: &ProfileDir,
        old: &[u8],
        new: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<(), StoreError> {
        let mut slots = read_slots(dir)?;
        slots.change(old, new, rng)?;
        dir.replace_slots(&slots.to_bytes())
    }

    fn open(dir: &ProfileDir, key: DbKey) -> Result<Self, StoreError> {
        let file = DatabaseFile::existing(dir)?;
        let mut writer = open_hard(&file, &key, Role::Writer)?;
        // Nothing writes before the database was judged sound, and before its version is known.
        damage::check(&writer)?;
        if user_version(&writer)? == 0 {
            return Err(StoreError::Damaged { salvage: None });
        }
        migrate(&mut writer)?;
        keep_log_on_close(&writer, false)?;
        let reader = open_hard(&file, &key, Role::Reader)?;
        let mut store = Self { reader, writer, broken: false, file, key };
        // What was deleted just before the last process died may still be in the log (STO-32).
        store.truncate_log()?;
        Ok(store)
    }

    /// Runs `work` in one transaction that is on the disk when this returns (STO-24).
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.doubting(|writer| {
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
    }

    /// Moves the log into the database and empties it, so that what was deleted or overwritten
    /// is in neither (STO-32).
    pub(crate) fn truncate_log(&mut self) -> Result<(), StoreError> {
        self.doubting(|writer| {
            let busy: i64 =
                writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            if busy == 0 { Ok(()) } else { Err(StoreError::Busy) }
        })
    }

    /// After a failed write or sync the system may have dropped a page of the log that a later
    /// commit stands on, and recovery would then end before that commit: nothing more is written.
    fn doubting<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.broken {
            return Err(StoreError::Broken);
        }
        let result = work(&mut self.writer);
        self.broken = result.as_ref().is_err_and(StoreError::leaves_doubt);
        result
    }
}

fn read_slots(dir: &ProfileDir) -> Result<Slots, StoreError> {
    if !dir.has(SLOTS) {
        return Err(if dir.has(DATABASE) && !dir.creation_was_interrupted() {
            StoreError::SlotsMissing
        } else {
            StoreError::NoProfile
        });
    }
    Slots::parse(&dir.read(SLOTS, SLOTS_LEN)?)
}

#[cfg(test)]
mod tests;
