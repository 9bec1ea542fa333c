//! Building a page: order, filling, hash tree, header (BRD-14, 20, 21).
//!
//! The server keeps its envelopes on disk and works with a [`Layout`] of their tags and digests
//! alone; [`Page`] holds a whole page in memory, for the simulator and for tests.

use crate::envelope::{self, Envelope};
use crate::frame::FetchAnswer;
use crate::header::{DigestFrame, EPOCH_S, PageHeader};
use crate::merkle::{self, Hash, Tree};
use crypto::hash;
use crypto::rand_core::CryptoRng;

/// Envelopes in a chunk: what one FETCH moves.
pub const CHUNK: usize = 8;
/// Most envelopes in a page: 2^14 chunks (BRD-14).
pub const MAX_PAGE: usize = 131_072;

/// What the operator chose; it stands in every header (BRD-13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Seconds between two pages, 1 to 300.
    pub interval_s: u16,
    /// Least number of envelopes in a page that is not empty, 8 to 256.
    pub fill: u16,
    /// Hours that a page is kept, 24 to 720.
    pub ttl_h: u16,
    /// The onion key `M`.
    pub mailbox: [u8; 32],
}

/// Where a page stands in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Number of the page.
    pub page: u64,
    /// When it closes, in seconds since 1970.
    pub closed_at: u64,
    /// The oldest page that can still be read.
    pub oldest: u64,
    /// Head of the page before; zeros for page 0.
    pub prev: Hash,
    /// The seed of the epoch in which it closes.
    pub seed: [u8; 32],
    /// Effort of the proof of work from here on, 1 to [`MAX_EFFORT`](crate::pow::MAX_EFFORT)
    /// (BRD-23).
    pub effort: u32,
}

/// What the order of a page depends on: tag, then digest (BRD-21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The envelope's tag.
    pub tag: [u8; 16],
    /// `H(envelope)`.
    pub digest: Hash,
}

impl Entry {
    /// The entry of an envelope.
    #[must_use]
    pub fn of(envelope: &Envelope) -> Self {
        Self { tag: envelope.tag().0, digest: envelope.digest() }
    }
}

/// A page cannot be built. A bug of the caller, never of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// More than 131 072 envelopes.
    #[error("a page holds at most {MAX_PAGE} envelopes")]
    TooMany,
    /// Not filled to a multiple of 8.
    #[error("a page holds a multiple of {CHUNK} envelopes")]
    Uneven,
}

/// Random envelopes that a page with `waiting` deposits needs: to a multiple of 8, and to at least
/// `fill`; none for an empty page (BRD-20).
#[must_use]
pub fn filling(waiting: usize, fill: u16) -> usize {
    if waiting == 0 {
        return 0;
    }
    let least = waiting.max(fill.into());
    let whole = least.checked_next_multiple_of(CHUNK).unwrap_or(least);
    whole.min(MAX_PAGE).saturating_sub(waiting)
}

/// The order and the hash tree of one page.
pub struct Layout {
    entries: Vec<Entry>,
    tree: Tree,
}

impl Layout {
    /// Sorts `entries` by tag, then digest, and hashes its chunks.
    ///
    /// # Errors
    /// [`PageError`] if there are too many, or not a multiple of 8.
    pub fn new(mut entries: Vec<Entry>) -> Result<Self, PageError> {
        if entries.len() > MAX_PAGE {
            return Err(PageError::TooMany); // BRD-14
        }
        entries.sort_unstable(); // BRD-21
        let (chunks, rest) = entries.as_chunks::<CHUNK>();
        if !rest.is_empty() {
            return Err(PageError::Uneven); // BRD-20
        }
        let leaves = chunks.iter().map(|c| merkle::leaf(&c.map(|e| e.digest))).collect();
        Ok(Self { entries, tree: Tree::new(leaves) })
    }

    /// The entries in their order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The hash tree over the chunks.
    #[must_use]
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The digest frame of the page.
    #[must_use]
    pub fn frame(&self, settings: &Settings, place: &Place) -> DigestFrame {
        let prefixes: Vec<[u8; 8]> =
            self.entries.iter().map(|e| *e.tag.first_chunk().unwrap_or(&[0; 8])).collect();
        let header = PageHeader {
            interval_s: settings.interval_s,
            fill: settings.fill,
            ttl_h: settings.ttl_h,
            page: place.page,
            closed_at: place.closed_at,
            oldest: place.oldest,
            epoch: place.closed_at.div_euclid(EPOCH_S),
            // At most MAX_PAGE, checked by `new`.
            count: u32::try_from(self.entries.len()).unwrap_or(u32::MAX),
            effort: place.effort,
            mailbox: settings.mailbox,
            prev: place.prev,
            tags_hash: hash(&[prefixes.as_flattened()]),
            root: self.tree.root(),
            seed: place.seed,
        };
        DigestFrame { header, prefixes }
    }
}

/// A whole closed page in memory.
pub struct Page {
    /// What DIGEST gives of it.
    pub frame: DigestFrame,
    envelopes: Vec<Envelope>,
    tree: Tree,
}

impl Page {
    /// Fills, sorts and hashes `deposits` into the page at `place`.
    ///
    /// # Errors
    /// [`PageError::TooMany`].
    pub fn build(
        settings: &Settings,
        place: &Place,
        mut deposits: Vec<Envelope>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, PageError> {
        for _ in 0..filling(deposits.len(), settings.fill) {
            deposits.push(envelope::dummy(rng));
        }
        let mut sorted: Vec<(Entry, Envelope)> =
            deposits.into_iter().map(|envelope| (Entry::of(&envelope), envelope)).collect();
        sorted.sort_unstable_by_key(|(entry, _)| *entry);
        let (entries, envelopes): (Vec<_>, Vec<_>) = sorted.into_iter().unzip();
        let layout = Layout::new(entries)?;
        let frame = layout.frame(settings, place);
        Ok(Self { frame, envelopes, tree: layout.tree })
    }

    /// The answer to a FETCH of `chunk`; `None` beyond the page.
    #[must_use]
    pub fn answer(&self, chunk: u16) -> Option<FetchAnswer> {
        let envelopes = self.envelopes.chunks(CHUNK).nth(chunk.into())?;
        let path = self.tree.path(chunk.into())?;
        FetchAnswer::new(self.frame.header.page, chunk, &path, envelopes)
    }
}
