//! The envelopes of a day's closed pages, in the order of the pages (BRD-21): what came first is
//! not to be seen here.
//!
//! What lies beyond the end that the engine knows was left by a crash, and is written over.

use super::record::{RECORD_LEN, bytes};
use crate::store::StoreError;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// A file of records.
pub(super) struct Shelf(File);

impl Shelf {
    /// Opens the file, made if missing; its name is not durable yet.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        file(path).map(Self).map_err(|source| StoreError::io("opening a shelf", source))
    }

    /// Writes whole records from the record `first` on.
    pub(super) fn write(&self, first: u64, records: &[u8]) -> Result<(), StoreError> {
        let wrote = self.0.write_all_at(records, bytes(first));
        wrote.map_err(|source| StoreError::io("writing envelopes to a shelf", source))
    }

    /// Reads so many records from the record `first` on.
    pub(super) fn read(&self, first: u64, count: usize) -> Result<Vec<u8>, StoreError> {
        let mut records = vec![0; count.saturating_mul(RECORD_LEN)];
        let read = self.0.read_exact_at(&mut records, bytes(first));
        read.map_err(|source| StoreError::io("reading envelopes from a shelf", source))?;
        Ok(records)
    }

    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.0.sync_data().map_err(|source| StoreError::io("syncing a shelf", source))
    }
}

/// A file of envelopes, for its owner alone.
pub(super) fn file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}
