//! The embedded store (BRD-26, BRD-27): envelopes lie in flat files, what finds them in the engine.
//!
//! The engine has one keyspace for each day, named by it, and `chain`, which outlives days.
//!
//! ```text
//! i ‖ idx(16)             -> nothing                              an envelope is in a page of this day
//! p ‖ page(8)             -> sealed digest frame
//! c ‖ page(8) ‖ chunk(2)  -> sealed first record(8) ‖ path(32 × depth)
//! end                     -> records(8) on the shelf
//! chain:  last -> header(256)    seed ‖ epoch(8) -> seed(32)    gone ‖ day(4) -> nothing
//! ```
//!
//! Beside it each day has two journals, what waits for a page to close, and a shelf, what is in closed
//! ones. A deposit is written to the journal of its page, and copied to the shelf when the page closes;
//! those of the next page are written to the other journal meanwhile.

mod days;
pub mod engine;
mod journal;
mod keys;
mod record;
mod shelf;

use self::days::{DayData, Days, reading};
use self::journal::New;
use self::keys::{END, chunk_key, index_key, page_key};
use self::record::{Short, short};
use super::{
    Chunk, ChunkNo, ClosedPage, Deposit, PageNo, Put, Seeds, Store, StoreError, Waiting, Written,
};
use crate::clock::Day;
use crate::seal::{Record, nonces};
use board::envelope::Envelope;
use board::header::{DigestFrame, PageHeader};
use board::page::{CHUNK, Entry};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use std::collections::{HashMap, HashSet};
use std::fs::{DirBuilder, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::{Codec, Reader, Writer};

const LAST: &[u8] = b"last";
const SEED: &[u8] = b"seed";

/// Bytes that are copied to a shelf at one time.
const PIECE: usize = 1 << 20;

/// A deposit as it goes to disk, if it gets into a page of the day that it was sealed for.
pub(super) struct Sealed {
    day: Day,
    idx: Short,
    bytes: Vec<u8>,
}

/// A board in a directory.
pub struct DiskStore {
    db: Database,
    chain: Keyspace,
    days: Days,
    /// The journals that may have what is not synced, with their pages, lowest first: of the page that
    /// closes and of the one that fills.
    unsynced: Mutex<Vec<(PageNo, Arc<File>)>>,
    /// A sync has failed. A later one could succeed without what was lost.
    failed: AtomicBool,
}

impl DiskStore {
    /// Opens the board in `dir`, made if missing, with the day keys in `keys`.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has it open; else what failed.
    pub fn open(dir: &Path, keys: &Path) -> Result<Self, StoreError> {
        if dir.join("keyspaces").exists() {
            return Err(StoreError::Old);
        }
        let envelopes = dir.join("envelopes");
        for dir in [dir, &envelopes] {
            directory(dir)
                .map_err(|source| StoreError::io("making the board's directories", source))?;
        }
        let db = match engine::open(&dir.join("engine")) {
            Err(fjall::Error::Locked) => return Err(StoreError::Locked),
            other => other?,
        };
        let chain =
            db.keyspace("chain", || KeyspaceCreateOptions::default().max_memtable_size(1 << 20))?;
        let open = last_of(&chain)?.map_or(0, |last| last.page.saturating_add(1));
        let days = Days::open(&db, &chain, (&envelopes, keys), open)?;
        // What a killed process wrote may be in the system's buffers alone.
        let of_day = |data: &DayData| data.journals().map(|journal| journal.waits());
        let mut unsynced: Vec<_> =
            days.all().iter().flat_map(|(_, data)| of_day(data)).flatten().collect();
        unsynced.sort_by_key(|(page, _)| *page);
        let unsynced = Mutex::new(unsynced);
        Ok(Self { db, chain, days, unsynced, failed: AtomicBool::new(false) })
    }

    fn commit(&self, batch: fjall::OwnedWriteBatch) -> Result<(), StoreError> {
        // BRD-27: the engine's own default only reaches the operating system's buffers.
        self.synced(batch.durability(Some(PersistMode::SyncData)).commit().map_err(Into::into))
    }

    fn unsynced(&self) -> MutexGuard<'_, Vec<(PageNo, Arc<File>)>> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.failed.load(Ordering::Acquire) { Err(StoreError::Failed) } else { Ok(()) }
    }

    /// After a sync: whether it failed, now or before.
    fn synced(&self, outcome: Result<(), StoreError>) -> Result<(), StoreError> {
        if outcome.is_err() {
            self.failed.store(true, Ordering::Release);
        }
        outcome.and_then(|()| self.check())
    }

    /// Copies a page's envelopes to the shelf of its day, in its order, and gives where they end.
    fn shelve(
        &self,
        data: &DayData,
        closed: &ClosedPage,
        writes: &mut fjall::OwnedWriteBatch,
    ) -> Result<Range<u64>, StoreError> {
        let journal = reading(data.journal(closed.frame.header.page));
        let sealed = |envelope| {
            let idx = short(&data.key, &Entry::of(envelope));
            (idx, record::seal(&data.key, &idx, envelope))
        };
        let filling: HashMap<Short, Vec<u8>> = closed.filling.iter().map(sealed).collect();
        let first = data.end()?;
        let (mut end, mut piece) = (first, Vec::new());
        let mut flush = |piece: &mut Vec<u8>| {
            data.shelf.write(end, piece)?;
            end = end.saturating_add(record::whole(record::wide(piece.len())));
            piece.clear();
            Ok::<u64, StoreError>(end)
        };
        for entry in closed.layout.entries() {
            let idx = short(&data.key, entry);
            if let Some(sealed) = filling.get(&idx) {
                piece.extend_from_slice(&idx);
                piece.extend_from_slice(sealed);
            } else if !journal.copy(&idx, &mut piece)? {
                return Err(StoreError::Damaged("an envelope of the open page"));
            }
            writes.insert(&data.space, index_key(&idx), []);
            if piece.len() >= PIECE {
                flush(&mut piece)?;
            }
        }
        let end = flush(&mut piece)?;
        self.synced(if end > first { data.shelf.sync() } else { Ok(()) })?;
        Ok(first..end)
    }
}

/// Makes a directory if it is missing, durably.
fn directory(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    dir.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn last_of(chain: &Keyspace) -> Result<Option<PageHeader>, StoreError> {
    let Some(bytes) = chain.get(LAST)? else { return Ok(None) };
    PageHeader::from_bytes(&bytes).map(Some).map_err(|_| StoreError::Damaged("the last header"))
}

impl Store for DiskStore {
    fn seal(&self, day: Day, envelope: Envelope) -> Deposit {
        let mut deposit = Deposit::from(envelope);
        // The first one of a day has no key to be sealed with: the one thread that writes makes it.
        deposit.sealed = self.days.get(day).map(|data| data.seal(day, &deposit));
        deposit
    }

    fn write(&self, day: Day, page: PageNo, batch: Vec<Deposit>) -> Result<Written, StoreError> {
        self.check()?;
        let today = self.days.get_or_create(&self.db, day)?;
        let before = self.days.before(day);
        let (mut new, mut fresh) = (Vec::with_capacity(batch.len()), HashSet::new());
        let mut answers = Vec::with_capacity(batch.len());
        for mut deposit in batch {
            let ready = deposit.sealed.take().filter(|sealed| sealed.day == day);
            let Sealed { idx, bytes, .. } = ready.unwrap_or_else(|| today.seal(day, &deposit));
            let entry = deposit.entry;
            // BRD-19: under today's key and the day before's.
            let known = !fresh.insert(idx)
                || today.holds(&idx)?
                || before.as_ref().map_or(Ok(false), |day| day.holds(&short(&day.key, &entry)))?;
            if known {
                answers.push(Put::Known);
            } else {
                answers.push(Put::Stored);
                new.push(New { idx, entry, sealed: bytes });
            }
        }
        if !new.is_empty() {
            let mut journal = today.journal(page).write().unwrap_or_else(PoisonError::into_inner);
            journal.append(&today.key, page, new)?;
            let mut unsynced = self.unsynced();
            if unsynced.last().is_none_or(|(newest, _)| *newest != page) {
                unsynced.push((page, journal.file()));
            }
        }
        Ok(Written(answers))
    }

    fn sync(&self) -> Result<(), StoreError> {
        let files = self.unsynced().clone();
        let outcome = files.iter().try_for_each(|(_, file)| file.sync_data());
        self.synced(outcome.map_err(|source| StoreError::io("syncing deposits", source)))?;
        // To a page before the newest nothing had been added any more.
        if let Some((newest, _)) = files.last() {
            self.unsynced().retain(|(page, _)| page >= newest);
        }
        Ok(())
    }

    fn waiting(&self, page: PageNo) -> Result<Vec<Waiting>, StoreError> {
        let days = self.days.all().into_iter();
        let of_day = |(day, data): (Day, Arc<DayData>)| {
            let entries = reading(data.journal(page)).entries(page).to_vec();
            entries.into_iter().map(move |entry| Waiting { day, entry })
        };
        Ok(days.flat_map(of_day).collect())
    }

    fn close(&self, closed: &ClosedPage) -> Result<(), StoreError> {
        self.check()?;
        let data = self.days.get_or_create(&self.db, closed.day)?;
        let page = closed.frame.header.page;
        let mut writes = self.db.batch();
        let on_shelf = self.shelve(&data, closed, &mut writes)?;
        for (chunk, first) in (0..=ChunkNo::MAX).zip(on_shelf.clone().step_by(CHUNK)) {
            let path = closed.layout.tree().path(chunk.into()).unwrap_or_default();
            let mut w = Writer::new();
            w.u64(first);
            w.bytes(path.as_flattened());
            let at = chunk_key(page, chunk);
            let sealed = data.key.seal(&mut nonces(), Record::Page, &at, w.as_slice());
            writes.insert(&data.space, at, sealed);
        }
        let at = page_key(page);
        let frame = data.key.seal(&mut nonces(), Record::Page, &at, &closed.frame.to_bytes());
        writes.insert(&data.space, at, frame);
        writes.insert(&data.space, END, on_shelf.end.to_be_bytes());
        writes.insert(&self.chain, LAST, closed.frame.header.to_bytes());
        self.commit(writes)?;
        data.pages.write().map_err(|_| StoreError::Damaged("a lock"))?.insert(page);
        data.journal(page).write().unwrap_or_else(PoisonError::into_inner).clear();
        self.unsynced().retain(|(of, _)| *of != page);
        Ok(())
    }

    fn last(&self) -> Result<Option<PageHeader>, StoreError> {
        last_of(&self.chain)
    }

    fn headers(&self) -> Result<Vec<(Day, PageHeader)>, StoreError> {
        let mut headers = Vec::new();
        for (day, data) in self.days.all() {
            for record in data.space.prefix(keys::PAGE) {
                let (at, sealed) = record.into_inner()?;
                headers.push((day, data.open_frame(&at, &sealed)?.header));
            }
        }
        headers.sort_by_key(|(_, header)| header.page);
        Ok(headers)
    }

    fn frame(&self, page: PageNo) -> Result<Option<DigestFrame>, StoreError> {
        let Some(data) = self.days.of_page(page) else { return Ok(None) };
        let at = page_key(page);
        let Some(sealed) = data.space.get(&at)? else { return Ok(None) };
        data.open_frame(&at, &sealed).map(Some)
    }

    fn chunk(&self, page: PageNo, chunk: ChunkNo) -> Result<Option<Chunk>, StoreError> {
        let Some(data) = self.days.of_page(page) else { return Ok(None) };
        let at = chunk_key(page, chunk);
        let Some(sealed) = data.space.get(&at)? else { return Ok(None) };
        let plain = data.key.open(Record::Page, &at, &sealed)?;
        let (first, path) = plain.split_first_chunk().ok_or(StoreError::Damaged("a chunk"))?;
        let (path, rest) = path.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(StoreError::Damaged("a chunk"));
        }
        let records = data.shelf.read(u64::from_be_bytes(*first), CHUNK)?;
        let (records, _) = records.as_chunks();
        let open = |record| record::open(&data.key, record).map(|(_, envelope)| envelope);
        let envelopes = records.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Some(Chunk { path: path.to_vec(), envelopes }))
    }

    fn days(&self) -> Vec<Day> {
        self.days.all().into_iter().map(|(day, _)| day).collect()
    }

    fn drop_day(&self, day: Day) -> Result<(), StoreError> {
        self.days.drop_day(&self.db, &self.chain, day)
    }

    fn seeds(&self) -> Result<Seeds, StoreError> {
        let mut seeds = Seeds::new();
        for record in self.chain.prefix(SEED) {
            let (at, seed) = record.into_inner()?;
            let mut r = Reader::new(&at);
            let epoch = r.take(SEED.len()).and_then(|_| r.u64());
            let (Ok(epoch), Ok(seed)) = (epoch, <[u8; 32]>::from_bytes(&seed)) else {
                return Err(StoreError::Damaged("a seed"));
            };
            seeds.insert(epoch, seed);
        }
        Ok(seeds)
    }

    fn add_seed(&self, epoch: u64, seed: &[u8; 32]) -> Result<(), StoreError> {
        let at = |epoch: u64| [SEED, &epoch.to_be_bytes()].concat();
        let mut writes = self.db.batch();
        for old in self.seeds()?.keys().filter(|old| old.saturating_add(1) < epoch) {
            writes.remove(&self.chain, at(*old));
        }
        writes.insert(&self.chain, at(epoch), seed.as_slice());
        self.commit(writes)
    }
}

impl DayData {
    fn seal(&self, day: Day, deposit: &Deposit) -> Sealed {
        let idx = short(&self.key, &deposit.entry);
        Sealed { day, idx, bytes: record::seal(&self.key, &idx, &deposit.envelope) }
    }

    fn open_frame(&self, at: &[u8], sealed: &[u8]) -> Result<DigestFrame, StoreError> {
        let plain = self.key.open(Record::Page, at, sealed)?;
        DigestFrame::from_bytes(&plain).map_err(|_| StoreError::Damaged("a page"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::rand_core::Rng as _;

    #[test]
    fn brd_27_after_a_sync_that_failed_nothing_is_written_or_called_durable() {
        let dir = tempfile::tempdir().unwrap();
        let store = DiskStore::open(&dir.path().join("board"), &dir.path().join("keys")).unwrap();
        let batch = || {
            let mut bytes = [0; board::envelope::ENVELOPE_LEN];
            nonces().fill_bytes(&mut bytes);
            vec![Envelope::from_bytes(&bytes).into()]
        };
        let _first = store.write(5, 0, batch()).unwrap();
        store.sync().unwrap();
        let _lost = store.write(5, 0, batch()).unwrap();
        let failure = StoreError::io("syncing, on purpose", io::ErrorKind::Other.into());
        assert!(matches!(store.synced(Err(failure)), Err(StoreError::Io { .. })));
        // The system may call it synced now; what it dropped before is gone.
        assert!(matches!(store.sync(), Err(StoreError::Failed)));
        assert!(matches!(store.write(5, 0, batch()).err(), Some(StoreError::Failed)));
        assert!(matches!(store.add_seed(1, &[1; 32]), Err(StoreError::Failed)));
        assert_eq!(store.waiting(0).unwrap().len(), 2, "reads go on");
    }
}
