//! Page headers and the digest frames that begin with one (BRD-12, 13, 37).

mod digest;

pub use digest::{DigestFrame, DigestReader, PREFIX_LEN};

use crate::merkle::Hash;
use crate::page::{CHUNK, MAX_PAGE};
use core::ops::RangeInclusive;
use crypto::{hash, labels};
use wire::{Codec, Malformed, Reader, Writer};

/// Length of an encoded header in bytes: 8 + 32 + 8 + 5 × 32 + 48.
pub const HEADER_LEN: usize = 256;

/// Seconds between two pages that an operator may choose (BRD-20).
pub const INTERVAL_S: RangeInclusive<u16> = 1..=300;
/// Smallest non-empty page that an operator may choose, in envelopes (BRD-20).
pub const FILL: RangeInclusive<u16> = 8..=256;
/// Hours that a page is kept which an operator may choose (BRD-37).
pub const TTL_H: RangeInclusive<u16> = 24..=720;
/// How far a fresh header's clock may be from ours, in seconds (BRD-37).
pub const CLOCK_SKEW_S: u64 = 600;
/// Seconds in an epoch: a seed of the proof of work lives one hour (BRD-15).
pub const EPOCH_S: u64 = 3600;

const VERSION: u8 = 1;
const KIND_PAGE: u8 = 1;

/// Why a header or frame of a mailbox is refused. The mailbox's fault, always; it changes no slot
/// of the schedule (BRD-37).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes are no frame.
    #[error("malformed frame: {0}")]
    Malformed(#[from] Malformed),
    /// A field is outside the range that a client accepts.
    #[error("header field `{0}` is out of range")]
    Range(&'static str),
    /// The header names another mailbox.
    #[error("the page belongs to another mailbox")]
    WrongMailbox,
    /// The tags are not in order.
    #[error("the tags are not sorted")]
    Unsorted,
    /// The tags are not those that the header speaks of.
    #[error("the tags do not match the header")]
    TagsHash,
    /// The page does not continue the chain.
    #[error("the page does not follow the one before it")]
    Fork,
    /// The page was closed too far from the present.
    #[error("the mailbox's clock is off")]
    Clock,
    /// The stream ended inside a frame.
    #[error("the stream ended inside a frame")]
    Incomplete,
}

/// What a mailbox says about one closed page; the same bytes for everybody.
///
/// ```text
/// ver(1)=1 kind(1)=1 interval_s(2) fill(2) ttl_h(2)                   8
/// page(8) closed_at(8) oldest(8) epoch(8)                            32
/// count(4) effort(4)                                                  8
/// mailbox(32) prev(32) tags_hash(32) root(32) seed(32)              160
/// zero(48)                                                           48   = 256
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageHeader {
    /// Seconds between two pages.
    pub interval_s: u16,
    /// Least number of envelopes in a page that is not empty.
    pub fill: u16,
    /// Hours that a page stays readable after its close.
    pub ttl_h: u16,
    /// Number of the page; the first is 0.
    pub page: u64,
    /// When it was closed, in seconds since 1970 (UTC).
    pub closed_at: u64,
    /// The oldest page that can still be read.
    pub oldest: u64,
    /// Hours since 1970 at the close; `seed` belongs to it.
    pub epoch: u64,
    /// Envelopes in the page: a multiple of 8, at most 131 072.
    pub count: u32,
    /// Effort of the proof of work that a PUT needs, at least 1.
    pub effort: u32,
    /// The mailbox's onion key (`M`).
    pub mailbox: [u8; 32],
    /// Head of the page before; zeros for page 0.
    pub prev: Hash,
    /// `H(tag prefixes)`.
    pub tags_hash: Hash,
    /// Root of the hash tree over the chunks.
    pub root: Hash,
    /// Seed of the proof of work in this epoch.
    pub seed: [u8; 32],
}

impl PageHeader {
    /// `head = H("pvtcoms board v1 header" ‖ header)`: the link of the chain (BRD-13).
    #[must_use]
    pub fn head(&self) -> Hash {
        hash(&[labels::BOARD_HEADER, &self.to_bytes()])
    }

    /// Chunks of 8 envelopes in the page.
    #[must_use]
    pub const fn chunks(&self) -> u32 {
        self.count.div_ceil(8)
    }

    /// Checks everything that the header alone can tell (BRD-20, BRD-37).
    ///
    /// # Errors
    /// [`FrameError::WrongMailbox`] or [`FrameError::Range`] with the field's name.
    pub fn check(&self, mailbox: &[u8; 32]) -> Result<(), FrameError> {
        if self.mailbox != *mailbox {
            return Err(FrameError::WrongMailbox);
        }
        let ranges = [
            ("interval_s", INTERVAL_S.contains(&self.interval_s)), // BRD-20
            ("fill", FILL.contains(&self.fill)),                   // BRD-20
            ("ttl_h", TTL_H.contains(&self.ttl_h)),                // BRD-37
            ("count", self.count == 0 || self.count >= u32::from(self.fill)), // BRD-20
            ("effort", self.effort >= 1),                          // BRD-23
            ("oldest", self.oldest <= self.page),
            ("epoch", Some(self.epoch) == self.closed_at.checked_div(EPOCH_S)), // BRD-15
        ];
        match ranges.iter().find(|(_, fine)| !fine) {
            Some((field, _)) => Err(FrameError::Range(field)),
            None => Ok(()),
        }
    }

    /// Checks that a page which is said to be fresh was closed within 10 minutes of `now`
    /// (seconds since 1970; BRD-37). Pages of a day window are old, so it is not for them.
    ///
    /// # Errors
    /// [`FrameError::Clock`].
    pub const fn check_fresh(&self, now: u64) -> Result<(), FrameError> {
        if self.closed_at.abs_diff(now) <= CLOCK_SKEW_S { Ok(()) } else { Err(FrameError::Clock) }
    }

    /// Checks that this page is the one after `before` (BRD-13, BRD-37).
    ///
    /// # Errors
    /// [`FrameError::Fork`].
    pub fn check_follows(&self, before: &Self) -> Result<(), FrameError> {
        let next = before.page.checked_add(1) == Some(self.page)
            && self.prev == before.head()
            && self.closed_at >= before.closed_at
            && self.oldest >= before.oldest;
        if next { Ok(()) } else { Err(FrameError::Fork) }
    }
}

impl Codec for PageHeader {
    fn encode_into(&self, w: &mut Writer) {
        w.u8(VERSION).u8(KIND_PAGE);
        w.u16(self.interval_s).u16(self.fill).u16(self.ttl_h);
        w.u64(self.page).u64(self.closed_at).u64(self.oldest).u64(self.epoch);
        w.u32(self.count).u32(self.effort);
        w.bytes(&self.mailbox).bytes(&self.prev).bytes(&self.tags_hash).bytes(&self.root);
        w.bytes(&self.seed).zeros(48);
    }

    fn decode_from(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        if r.u8()? != VERSION {
            return Err(Malformed::Field("ver"));
        }
        if r.u8()? != KIND_PAGE {
            return Err(Malformed::Field("kind"));
        }
        let header = Self {
            interval_s: r.u16()?,
            fill: r.u16()?,
            ttl_h: r.u16()?,
            page: r.u64()?,
            closed_at: r.u64()?,
            oldest: r.u64()?,
            epoch: r.u64()?,
            count: r.u32()?,
            effort: r.u32()?,
            mailbox: r.array()?,
            prev: r.array()?,
            tags_hash: r.array()?,
            root: r.array()?,
            seed: r.array()?,
        };
        r.zeros(48)?; // BRD-13
        let whole = usize::try_from(header.count)
            .is_ok_and(|count| count <= MAX_PAGE && count.is_multiple_of(CHUNK)); // BRD-14
        if whole { Ok(header) } else { Err(Malformed::Field("count")) }
    }
}

#[cfg(test)]
mod tests;
