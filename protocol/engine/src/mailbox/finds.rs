//! Chunks that hold something of ours, and which of them is fetched next (BRD-34, BRD-43).

use crate::contact::ContactId;
use crate::file::FileAt;
use crate::rows::{done, open_row, row};
use crate::watch::WatchOwner;
use board::header::PageHeader;
use crypto::Zeroizing;
use std::collections::{BTreeMap, BTreeSet};
use wire::{Codec, Malformed};

/// Chunks that are fetched for one tag, at most (BRD-43): whoever can write at a tag, a contact, a
/// mailbox, or anybody who has read the page, cannot make us fetch without end.
const CANDIDATES: u8 = 8;

/// Page and chunk.
pub(crate) type At = (u64, u16);

/// For whom a chunk is fetched. They take turns (PRD-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum For {
    Contact(ContactId),
    Pairing([u8; 16]),
    Loops,
    File(FileAt),
    /// Found before the last start; nobody knows for whom.
    Kept,
}

impl From<WatchOwner> for For {
    fn from(owner: WatchOwner) -> Self {
        match owner {
            WatchOwner::Contact(id) | WatchOwner::Sync(id) | WatchOwner::Renewed(id) => {
                Self::Contact(id)
            }
            WatchOwner::Pairing(id) => Self::Pairing(id),
            WatchOwner::Loop(_) | WatchOwner::Beacons => Self::Loops,
            WatchOwner::File(file) => Self::File(file),
        }
    }
}

/// A chunk that holds something of ours.
#[derive(Default)]
struct Found {
    /// Tags that are waited for and may be in it.
    tags: BTreeMap<[u8; 16], For>,
    /// Found before the last start, or noted while its contact was blocked.
    kept: Option<For>,
    /// A fetch of it is under way, or it waits behind others for its next one.
    busy: bool,
    tries: u32,
    /// Answers with other bytes than the page promised, and when the first of them came.
    refused: Option<(u32, u64)>,
}

impl Found {
    fn owner(&self) -> Option<For> {
        self.tags.values().next().copied().or(self.kept)
    }
}

struct FoundPage {
    header: PageHeader,
    chunks: BTreeMap<u16, Found>,
}

/// Where a tag was seen.
#[derive(Default)]
struct Candidates {
    seen: u8,
    at: Vec<At>,
}

/// What is free for one owner.
struct Queue {
    /// Whoever has the lowest one is next.
    turn: u64,
    /// Fewest tries first, then in page order.
    chunks: BTreeSet<(u32, u64, u16)>,
}

/// All chunks of a mailbox that hold something of ours and were not fetched.
#[derive(Default)]
pub(crate) struct Finds {
    pages: BTreeMap<u64, FoundPage>,
    tags: BTreeMap<[u8; 16], Candidates>,
    free: BTreeMap<For, Queue>,
    /// Owners that have something free, the next one first, by [`Queue::turn`].
    turns: BTreeMap<u64, For>,
    next_turn: u64,
    /// Pages whose row is to be saved.
    changed: BTreeSet<u64>,
}

impl Finds {
    /// A tag that is waited for may be in this chunk.
    pub(crate) fn note(&mut self, header: &PageHeader, chunk: u16, tag: [u8; 16], owner: For) {
        let at = (header.page, chunk);
        let candidates = self.tags.entry(tag).or_default();
        if candidates.at.contains(&at) || candidates.seen >= CANDIDATES {
            return;
        }
        candidates.seen = candidates.seen.saturating_add(1);
        candidates.at.push(at);
        let found = self.enter(header, chunk);
        found.tags.insert(tag, owner);
        self.place(at);
    }

    /// A chunk that was found in an earlier life, or noted for a contact who was blocked.
    pub(crate) fn keep(&mut self, header: &PageHeader, chunk: u16, owner: For) {
        self.enter(header, chunk).kept = Some(owner);
        self.place((header.page, chunk));
    }

    /// Takes the chunk out of its queue, to be changed and then [`Self::place`]d again.
    fn enter(&mut self, header: &PageHeader, chunk: u16) -> &mut Found {
        self.lift((header.page, chunk));
        let page = self.pages.entry(header.page);
        let page = page.or_insert_with(|| FoundPage { header: *header, chunks: BTreeMap::new() });
        page.chunks.entry(chunk).or_insert_with(|| {
            self.changed.insert(header.page);
            Found::default()
        })
    }

    fn get(&self, (page, chunk): At) -> Option<&Found> {
        self.pages.get(&page)?.chunks.get(&chunk)
    }

    fn get_mut(&mut self, (page, chunk): At) -> Option<&mut Found> {
        self.pages.get_mut(&page)?.chunks.get_mut(&chunk)
    }

    fn lift(&mut self, at: At) {
        let Some(found) = self.get(at).filter(|found| !found.busy) else { return };
        let (Some(owner), key) = (found.owner(), (found.tries, at.0, at.1)) else { return };
        if let Some(queue) = self.free.get_mut(&owner) {
            queue.chunks.remove(&key);
            if queue.chunks.is_empty() {
                self.turns.remove(&queue.turn);
                self.free.remove(&owner);
            }
        }
    }

    /// The last turn of all.
    fn last_turn(&mut self, owner: For) -> u64 {
        let turn = self.next_turn;
        self.next_turn = turn.saturating_add(1); // 2^64 turns do not pass in a life
        self.turns.insert(turn, owner);
        turn
    }

    fn place(&mut self, at: At) {
        let Some(found) = self.get(at) else { return };
        match found.owner() {
            // Nobody waits for it any more.
            None => self.remove(at),
            Some(_) if found.busy => {}
            Some(owner) => {
                let key = (found.tries, at.0, at.1);
                if !self.free.contains_key(&owner) {
                    let turn = self.last_turn(owner);
                    self.free.insert(owner, Queue { turn, chunks: BTreeSet::new() });
                }
                if let Some(queue) = self.free.get_mut(&owner) {
                    queue.chunks.insert(key);
                }
            }
        }
    }

    fn remove(&mut self, (page, chunk): At) {
        if let Some(found) = self.pages.get_mut(&page) {
            if found.chunks.remove(&chunk).is_some() {
                self.changed.insert(page);
            }
            if found.chunks.is_empty() {
                self.pages.remove(&page);
            }
        }
    }

    /// A tag is not waited for any more.
    pub(crate) fn forget(&mut self, tag: &[u8; 16]) {
        let Some(candidates) = self.tags.remove(tag) else { return };
        for at in candidates.at {
            self.lift(at);
            if let Some(found) = self.get_mut(at) {
                found.tags.remove(tag);
                // One that is under way is judged when its answer comes.
                if !found.busy {
                    self.place(at);
                }
            }
        }
    }

    /// What is fetched next.
    pub(crate) fn next(&self) -> Option<At> {
        let (_, owner) = self.turns.first_key_value()?;
        self.free.get(owner)?.chunks.first().map(|(_, page, chunk)| (*page, *chunk))
    }

    /// The fewest tries of anything that is free.
    pub(crate) fn fewest_tries(&self) -> Option<u32> {
        self.free.values().filter_map(|queue| Some(queue.chunks.first()?.0)).min()
    }

    /// How many are free and were tried less often than this; counts no further than `most`.
    pub(crate) fn waiting(&self, tries: u32, most: usize) -> usize {
        let fresh = |queue: &Queue| queue.chunks.range(..(tries, 0, 0)).take(most).count();
        self.free.values().map(fresh).fold(0, usize::saturating_add).min(most)
    }

    /// A fetch of it is under way: its owner's turn is over.
    pub(crate) fn start(&mut self, at: At) {
        let owner = self.get(at).filter(|found| !found.busy).and_then(Found::owner);
        self.lift(at);
        if let Some(found) = self.get_mut(at) {
            found.busy = true;
        }
        let queue = owner.and_then(|owner| Some((owner, self.free.get(&owner)?.turn)));
        if let Some((owner, turn)) = queue {
            self.turns.remove(&turn);
            let turn = self.last_turn(owner);
            if let Some(queue) = self.free.get_mut(&owner) {
                queue.turn = turn;
            }
        }
    }

    /// It was fetched.
    pub(crate) fn fetched(&mut self, at: At) {
        self.lift(at);
        for tag in self.get(at).map(|found| found.tags.clone()).unwrap_or_default().keys() {
            if let Some(candidates) = self.tags.get_mut(tag) {
                candidates.at.retain(|other| *other != at);
            }
        }
        self.remove(at);
    }

    /// A fetch of it brought nothing. It is free again, or waits while it `stays_busy`.
    pub(crate) fn failed(&mut self, at: At, stays_busy: bool) {
        self.lift(at);
        if let Some(found) = self.get_mut(at) {
            found.tries = found.tries.saturating_add(1);
            found.busy = stays_busy;
        }
        self.place(at);
    }

    /// Whether a tag that is waited for stood in a page.
    pub(crate) fn knows(&self, tag: &[u8; 16]) -> bool {
        self.tags.contains_key(tag)
    }

    /// A chunk with something of ours was answered with other bytes. Gives how often by now, and
    /// since when.
    pub(crate) fn refused(&mut self, at: At, now_ms: u64) -> Option<(u32, u64)> {
        let found = self.get_mut(at)?;
        let (times, since) = found.refused.unwrap_or((0, now_ms));
        found.refused = Some((times.saturating_add(1), since));
        found.refused
    }

    /// Whether this chunk holds something of ours.
    pub(crate) fn contains(&self, at: At) -> bool {
        self.get(at).is_some()
    }

    /// The header of a page with something of ours.
    pub(crate) fn header_of(&self, page: u64) -> Option<&PageHeader> {
        self.pages.get(&page).map(|page| &page.header)
    }

    /// Pages below `oldest` cannot be fetched any more (BRD-22).
    pub(crate) fn expire(&mut self, oldest: u64) {
        let expired: Vec<At> = self
            .pages
            .range(..oldest)
            .flat_map(|(page, found)| found.chunks.keys().map(|chunk| (*page, *chunk)))
            .collect();
        for at in expired {
            self.fetched(at);
        }
    }

    /// Forgets everything: the mailbox shows another history.
    pub(crate) fn clear(&mut self) {
        let pages: Vec<u64> = self.pages.keys().copied().collect();
        *self = Self { changed: core::mem::take(&mut self.changed), ..Self::default() };
        self.changed.extend(pages);
    }

    /// Rows that are to be saved: `header(256) ‖ count u16 ‖ count × chunk u16` of a page, or that
    /// it has none.
    pub(crate) fn take_changed(&mut self) -> Vec<(u64, Option<Zeroizing<Vec<u8>>>)> {
        let changed = core::mem::take(&mut self.changed);
        let row = |page: u64| {
            let found = self.pages.get(&page)?;
            Some(page_row(&found.header, found.chunks.keys()))
        };
        changed.into_iter().map(|page| (page, row(page))).collect()
    }

    /// Every page with something of ours.
    pub(crate) fn pages(&self) -> impl Iterator<Item = u64> {
        self.pages.keys().copied()
    }
}

/// A page with something of ours, as it is saved.
pub(crate) struct KeptPage {
    pub(crate) header: PageHeader,
    pub(crate) chunks: BTreeSet<u16>,
}

impl KeptPage {
    pub(crate) fn to_row(&self) -> Zeroizing<Vec<u8>> {
        page_row(&self.header, self.chunks.iter())
    }

    pub(crate) fn from_row(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let header = PageHeader::decode_from(&mut r)?;
        let mut chunks = BTreeSet::new();
        for _ in 0..r.u16()? {
            chunks.insert(r.u16()?);
        }
        r.finish()?;
        Ok(Self { header, chunks })
    }
}

fn page_row<'a>(
    header: &PageHeader,
    chunks: impl ExactSizeIterator<Item = &'a u16>,
) -> Zeroizing<Vec<u8>> {
    let mut w = row(320);
    header.encode_into(&mut w);
    w.u16(u16::try_from(chunks.len()).unwrap_or(u16::MAX)); // at most 2^14 (BRD-14)
    for chunk in chunks {
        w.u16(*chunk);
    }
    done(w)
}

#[cfg(test)]
pub(super) mod tests;
