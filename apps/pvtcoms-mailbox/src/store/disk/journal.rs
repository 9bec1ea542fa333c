//! The envelopes that wait for a page to close, in the order in which they came (BRD-27).
//!
//! ```text
//! page(8) ‖ check(32) ‖ records
//! ```
//!
//! The file is emptied when its page has closed: from then on nothing shows who came first. A sync
//! covers all records before it, so what a power cut leaves undone is at the end, and was
//! never STORED.

use super::record::{self, RECORD_LEN, SHORT_LEN, Short, wide};
use super::shelf::file;
use crate::seal::{CHECK_LEN, DayKey};
use crate::store::{PageNo, StoreError};
use board::page::Entry;
use rustix::io::Errno;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

const HEAD_LEN: usize = size_of::<PageNo>() + CHECK_LEN;
/// Parts that the system takes in one call.
const PARTS: usize = 1024;

/// What is appended.
pub(super) struct New {
    pub(super) idx: Short,
    pub(super) entry: Entry,
    /// The record without the index before it.
    pub(super) sealed: Vec<u8>,
}

/// The file of one day, and where in it each envelope lies.
pub(super) struct Journal {
    file: Arc<File>,
    /// The page that they wait for; `None` if the file is empty, or as good as that.
    page: Option<PageNo>,
    /// Places of records that are taken, those among them that a crash left unreadable.
    places: u64,
    at: HashMap<Short, u64>,
    entries: Vec<Entry>,
}

impl Journal {
    /// Opens the file of pages with this `parity`, made if missing, with what waits in it for `open`, the
    /// first page that has not closed, or the next. What waited for a page that has closed is in that page;
    /// its name is not durable yet.
    pub(super) fn open(
        path: &Path,
        key: &DayKey,
        parity: PageNo,
        open: PageNo,
    ) -> Result<Self, StoreError> {
        let file = file(path).map_err(|source| StoreError::io("opening a journal", source))?;
        let mut journal = Self {
            file: Arc::new(file),
            page: None,
            places: 0,
            at: HashMap::new(),
            entries: Vec::new(),
        };
        journal.take_up(key, parity, open)?;
        Ok(journal)
    }

    fn take_up(&mut self, key: &DayKey, parity: PageNo, open: PageNo) -> Result<(), StoreError> {
        let reading = |source| StoreError::io("reading a journal", source);
        let len = self.file.metadata().map_err(reading)?.len();
        let mut head = [0; HEAD_LEN];
        let Some(records) = len.checked_sub(wide(HEAD_LEN)) else { return Ok(()) };
        self.file.read_exact_at(&mut head, 0).map_err(reading)?;
        if head == [0; HEAD_LEN] {
            return Ok(()); // Begun and never synced.
        }
        let (page, check) = head.split_first_chunk().unwrap_or((&[0; 8], &[]));
        let page = PageNo::from_be_bytes(*page);
        let early = page > open.saturating_add(1);
        if key.journal_check(page) != check || page.checked_rem(2) != Some(parity) || early {
            return Err(StoreError::Damaged("a journal: is --keys the right directory?"));
        }
        if page < open {
            return Ok(());
        }
        self.page = Some(page);
        let mut bytes = [0; RECORD_LEN];
        for place in 0..record::whole(records) {
            self.file.read_exact_at(&mut bytes, offset(place)).map_err(reading)?;
            self.places = place.saturating_add(1);
            // What does not open was never synced. The same twice: a batch that failed, and was sent
            // again.
            let Ok((idx, envelope)) = record::open(key, &bytes) else { continue };
            if self.at.insert(idx, place).is_none() {
                self.entries.push(Entry::of(&envelope));
            }
        }
        Ok(())
    }

    /// Those that wait for `page`.
    pub(super) fn entries(&self, page: PageNo) -> &[Entry] {
        if self.page == Some(page) { &self.entries } else { &[] }
    }

    pub(super) fn holds(&self, idx: &Short) -> bool {
        self.at.contains_key(idx)
    }

    /// Into the operating system's buffers. A part that a failure leaves is written over by the next.
    pub(super) fn append(
        &mut self,
        key: &DayKey,
        page: PageNo,
        new: Vec<New>,
    ) -> Result<(), StoreError> {
        let writing = |source| StoreError::io("writing deposits to a journal", source);
        if self.page != Some(page) {
            if !self.at.is_empty() {
                return Err(StoreError::Damaged("a journal: another page is open"));
            }
            self.file.set_len(0).map_err(writing)?;
            let check = key.journal_check(page);
            let head = [page.to_be_bytes().as_slice(), &check].concat();
            self.file.write_all_at(&head, 0).map_err(writing)?;
            (self.page, self.places) = (Some(page), 0);
        }
        let mut parts: Vec<IoSlice<'_>> =
            new.iter().flat_map(|n| [IoSlice::new(&n.idx), IoSlice::new(&n.sealed)]).collect();
        write_all_at(&self.file, &mut parts, offset(self.places)).map_err(writing)?;
        for New { idx, entry, .. } in new {
            self.at.insert(idx, self.places);
            self.entries.push(entry);
            self.places = self.places.saturating_add(1);
        }
        Ok(())
    }

    /// Appends the record of `idx` to `out`; false if it is not here.
    pub(super) fn copy(&self, idx: &Short, out: &mut Vec<u8>) -> Result<bool, StoreError> {
        let Some(place) = self.at.get(idx) else { return Ok(false) };
        let begin = out.len();
        out.resize(begin.saturating_add(RECORD_LEN), 0);
        let record = out.get_mut(begin..).unwrap_or_default();
        let read = self.file.read_exact_at(record, offset(*place));
        read.map_err(|source| StoreError::io("reading a journal", source))?;
        if record.first_chunk::<SHORT_LEN>() != Some(idx) {
            return Err(StoreError::Damaged("an envelope that waits"));
        }
        Ok(true)
    }

    /// Forgets all: the page has closed.
    pub(super) fn clear(&mut self) {
        self.page = None;
        self.places = 0;
        self.at = HashMap::new();
        self.entries = Vec::new();
        // Done again before the next is appended, and whose page has closed is not read.
        let _stays = self.file.set_len(0);
    }

    /// For a sync that no lock is held for.
    pub(super) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// The same, and the page, if anything waits.
    pub(super) fn waits(&self) -> Option<(PageNo, Arc<File>)> {
        self.page.filter(|_| !self.entries.is_empty()).map(|page| (page, self.file()))
    }
}

fn offset(place: u64) -> u64 {
    record::bytes(place).saturating_add(wide(HEAD_LEN))
}

fn write_all_at(file: &File, mut parts: &mut [IoSlice<'_>], mut at: u64) -> io::Result<()> {
    while !parts.is_empty() {
        let some = parts.get(..PARTS).unwrap_or(parts);
        match rustix::io::pwritev(file, some, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => {
                IoSlice::advance_slices(&mut parts, n);
                at = at.saturating_add(wide(n));
            }
            Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}
