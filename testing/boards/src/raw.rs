//! The peer of a deposit: the storage engine alone, with the batches of the server, and the records
//! that a deposit is with all of it in the engine.

use anyhow::Result;
use board::envelope::ENVELOPE_LEN;
use crypto::rand_core::Rng as _;
use fjall::{Database, Keyspace, PersistMode};
use mailbox::committer::BATCH;
use mailbox::seal::os_rng;
use mailbox::store::engine;
use std::path::Path;
use std::time::Instant;

/// What sealing adds: a nonce and a tag.
const SEALED: usize = 24 + 16;
/// Keys and values: an index, and the page and envelope that it leads to.
const RECORDS: [(usize, usize); 2] = [(1 + 32, 8), (1 + 8 + 16, ENVELOPE_LEN + SEALED)];

/// An empty database.
pub(crate) struct Raw {
    db: Database,
    space: Keyspace,
}

impl Raw {
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let db = engine::open(folder)?;
        let space = db.keyspace("d00000", engine::day_options)?;
        Ok(Self { db, space })
    }

    /// Writes what so many deposits are at rest, in whole batches that are synced one by one; gives
    /// deposits a second. The records are made before the clock runs.
    pub(crate) fn rate(&self, deposits: u32) -> Result<f64> {
        let mut records: Vec<[(Vec<u8>, Vec<u8>); 2]> = (0..deposits).map(|_| record()).collect();
        let start = Instant::now();
        while !records.is_empty() {
            let mut batch = self.db.batch();
            for (key, value) in records.drain(..records.len().min(BATCH)).flatten() {
                batch.insert(&self.space, key, value);
            }
            batch.durability(Some(PersistMode::SyncData)).commit()?;
        }
        Ok(f64::from(deposits) / start.elapsed().as_secs_f64())
    }
}

fn record() -> [(Vec<u8>, Vec<u8>); 2] {
    RECORDS.map(|(key, value)| (random(key), random(value)))
}

fn random(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    os_rng().fill_bytes(&mut bytes);
    bytes
}
