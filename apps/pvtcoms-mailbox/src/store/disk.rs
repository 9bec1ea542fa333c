//! The embedded engine (BRD-27).
//!
//! One keyspace for each day, named by it, with these records; and `chain`, which outlives days.
//!
//! ```text
//! i ‖ idx(32)              -> page(8)                              which page an envelope is in
//! e ‖ page(8) ‖ idx(16)    -> sealed envelope(4096)
//! p ‖ page(8)              -> sealed digest frame
//! c ‖ page(8) ‖ chunk(2)   -> sealed idx(16) × 8 ‖ path(32 × depth)
//! chain:  last -> header(256)    seed ‖ epoch(8) -> seed(32)    gone ‖ day(4) -> nothing
//! ```

mod days;
pub mod engine;
mod keys;

use self::days::{DayData, Days};
use self::keys::{CHUNK_LIST, chunk_key, envelope_key, index_key, page_key, short};
use super::{
    Accepted, Chunk, ChunkNo, ClosedPage, Deposit, PageNo, Put, Seeds, Store, StoreError, Waiting,
    Written,
};
use crate::clock::Day;
use crate::seal::{Record, nonces};
use board::envelope::Envelope;
use board::header::{DigestFrame, PageHeader};
use board::page::{CHUNK, Entry};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, UserKey, UserValue};
use std::collections::BTreeSet;
use std::path::Path;
use wire::{Codec, Reader, Writer};

const LAST: &[u8] = b"last";
const SEED: &[u8] = b"seed";

/// A deposit as it goes to disk, if it gets into the page that was open when it was sealed. Its
/// records are the engine's own buffers, so that the one thread that writes copies none.
pub(super) struct Sealed {
    day: Day,
    page: PageNo,
    index: UserKey,
    at: UserKey,
    envelope: UserValue,
}

/// A board in a directory.
pub struct DiskStore {
    db: Database,
    chain: Keyspace,
    days: Days,
}

impl DiskStore {
    /// Opens the board in `dir`, made if missing, with the day keys in `keys`.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has it open; else what failed.
    pub fn open(dir: &Path, keys: &Path) -> Result<Self, StoreError> {
        let db = match engine::open(dir) {
            Err(fjall::Error::Locked) => return Err(StoreError::Locked),
            other => other?,
        };
        let chain =
            db.keyspace("chain", || KeyspaceCreateOptions::default().max_memtable_size(1 << 20))?;
        let days = Days::open(&db, &chain, keys)?;
        Ok(Self { db, chain, days })
    }

    fn commit(&self, batch: fjall::OwnedWriteBatch) -> Result<(), StoreError> {
        // BRD-27: the engine's own default only reaches the operating system's buffers.
        Ok(batch.durability(Some(PersistMode::SyncData)).commit()?)
    }
}

impl Store for DiskStore {
    fn seal(&self, day: Day, page: PageNo, envelope: Envelope) -> Deposit {
        let mut deposit = Deposit::from(envelope);
        // The first one of a day has no key to be sealed with: the one thread that writes makes it.
        deposit.sealed = self.days.get(day).map(|data| data.seal(day, page, &deposit));
        deposit
    }

    fn write(&self, batch: &[Accepted]) -> Result<Written, StoreError> {
        let mut writes = self.db.batch();
        let mut fresh = BTreeSet::new();
        let mut answers = Vec::with_capacity(batch.len());
        for Accepted { day, page, deposit } in batch {
            let today = self.days.get_or_create(&self.db, *day)?;
            let ready = deposit.sealed.as_ref().filter(|s| (s.day, s.page) == (*day, *page));
            let sealed = match ready {
                Some(sealed) => sealed,
                None => &today.seal(*day, *page, deposit),
            };
            // BRD-19: under today's key and the day before's.
            let known = !fresh.insert((*day, sealed.index.clone()))
                || today.space.contains_key(&sealed.index)?
                || self.days.before(*day).map_or(Ok(false), |d| d.holds(&deposit.entry))?;
            if known {
                answers.push(Put::Known);
                continue;
            }
            writes.insert(&today.space, sealed.index.clone(), page.to_be_bytes());
            writes.insert(&today.space, sealed.at.clone(), sealed.envelope.clone());
            answers.push(Put::Stored);
        }
        // Into the operating system's buffers, in one piece; `sync` goes on from there.
        writes.durability(Some(PersistMode::Buffer)).commit()?;
        Ok(Written(answers))
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(self.db.persist(PersistMode::SyncData)?)
    }

    fn waiting(&self, page: PageNo) -> Result<Vec<Waiting>, StoreError> {
        let mut waiting = Vec::new();
        for (day, data) in self.days.all() {
            for record in data.space.prefix(keys::envelope_prefix(page)) {
                let (at, sealed) = record.into_inner()?;
                let entry = Entry::of(&data.open_envelope(&at, &sealed)?);
                waiting.push(Waiting { day, entry });
            }
        }
        Ok(waiting)
    }

    fn close(&self, closed: &ClosedPage) -> Result<(), StoreError> {
        let data = self.days.get_or_create(&self.db, closed.day)?;
        let page = closed.frame.header.page;
        let mut writes = self.db.batch();
        for envelope in &closed.filling {
            let idx = data.key.index(&Entry::of(envelope));
            let at = envelope_key(page, short(&idx));
            let sealed = data.key.seal(&mut nonces(), Record::Envelope, &at, envelope.as_bytes());
            writes.insert(&data.space, index_key(&idx), page.to_be_bytes().as_slice());
            writes.insert(&data.space, at, sealed);
        }
        let (chunks, _) = closed.layout.entries().as_chunks::<CHUNK>();
        for (chunk, entries) in (0..=ChunkNo::MAX).zip(chunks) {
            let mut w = Writer::new();
            for entry in entries {
                w.bytes(short(&data.key.index(entry)));
            }
            let path = closed.layout.tree().path(chunk.into()).unwrap_or_default();
            w.bytes(path.as_flattened());
            let at = chunk_key(page, chunk);
            let sealed = data.key.seal(&mut nonces(), Record::Page, &at, w.as_slice());
            writes.insert(&data.space, at, sealed);
        }
        let at = page_key(page);
        let frame = closed.frame.to_bytes();
        writes.insert(
            &data.space,
            at.clone(),
            data.key.seal(&mut nonces(), Record::Page, &at, &frame),
        );
        writes.insert(&self.chain, LAST, closed.frame.header.to_bytes());
        self.commit(writes)?;
        data.pages.write().map_err(|_| StoreError::Damaged("a lock"))?.insert(page);
        Ok(())
    }

    fn last(&self) -> Result<Option<PageHeader>, StoreError> {
        let Some(bytes) = self.chain.get(LAST)? else { return Ok(None) };
        PageHeader::from_bytes(&bytes).map(Some).map_err(|_| StoreError::Damaged("the last header"))
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
        let (list, path) =
            plain.split_at_checked(CHUNK_LIST).ok_or(StoreError::Damaged("a chunk"))?;
        let (path, rest) = path.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(StoreError::Damaged("a chunk"));
        }
        let (list, _) = list.as_chunks::<16>();
        let envelopes =
            list.iter().map(|idx| data.read_envelope(page, idx)).collect::<Result<_, _>>()?;
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
    /// Whether the envelope is in a page of this day, or waits for one.
    fn holds(&self, entry: &Entry) -> Result<bool, StoreError> {
        Ok(self.space.contains_key(index_key(&self.key.index(entry)))?)
    }

    /// A deposit as it lies in a page of this day.
    fn seal(&self, day: Day, page: PageNo, deposit: &Deposit) -> Sealed {
        let Deposit { envelope, entry, .. } = deposit;
        let idx = self.key.index(entry);
        let at = envelope_key(page, short(&idx));
        let envelope = self.key.seal(&mut nonces(), Record::Envelope, &at, envelope.as_bytes());
        let (index, at, envelope) = (index_key(&idx).into(), at.into(), envelope.into());
        Sealed { day, page, index, at, envelope }
    }

    fn read_envelope(&self, page: PageNo, idx: &[u8; 16]) -> Result<Envelope, StoreError> {
        let at = envelope_key(page, idx);
        let sealed = self.space.get(&at)?.ok_or(StoreError::Damaged("a chunk's envelope"))?;
        self.open_envelope(&at, &sealed)
    }

    fn open_envelope(&self, at: &[u8], sealed: &[u8]) -> Result<Envelope, StoreError> {
        let plain = self.key.open(Record::Envelope, at, sealed)?;
        let bytes = plain.as_slice().try_into();
        bytes.map(Envelope::from_bytes).map_err(|_| StoreError::Damaged("an envelope"))
    }

    fn open_frame(&self, at: &[u8], sealed: &[u8]) -> Result<DigestFrame, StoreError> {
        let plain = self.key.open(Record::Page, at, sealed)?;
        DigestFrame::from_bytes(&plain).map_err(|_| StoreError::Damaged("a page"))
    }
}
