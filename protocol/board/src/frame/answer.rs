use super::{FETCH_ANSWER_LEN, HEAD_LEN, VERSION};
use crate::envelope::{ENVELOPE_LEN, Envelope};
use crate::header::PageHeader;
use crate::merkle::{self, Hash, MAX_DEPTH};
use crate::page::CHUNK;
use crypto::rand_core::CryptoRng;
use wire::{Malformed, Reader, Writer};

const STORED: u8 = 1;
const RETRY: u8 = 2;

/// The answer to a PUT, 64 bytes: `ver(1) status(1) open_page(8) head(32) zero(22)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PutAnswer {
    /// STORED (durable, BRD-18), or RETRY, which covers every other case (BRD-16).
    pub stored: bool,
    /// Number of the page that is open.
    pub open_page: u64,
    /// Head of the last closed page; zeros before the first.
    pub head: Hash,
}

impl PutAnswer {
    /// The 64 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(HEAD_LEN);
        w.u8(VERSION).u8(if self.stored { STORED } else { RETRY });
        w.u64(self.open_page).bytes(&self.head).pad_to(HEAD_LEN);
        w.into_vec()
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// [`Malformed`] for anything but exactly one answer.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        if r.u8()? != VERSION {
            return Err(Malformed::Field("ver"));
        }
        let stored = match r.u8()? {
            STORED => true,
            RETRY => false,
            _ => return Err(Malformed::Field("status")),
        };
        let answer = Self { stored, open_page: r.u64()?, head: r.array()? };
        r.zeros(22)?; // BRD-12
        r.finish()?;
        Ok(answer)
    }
}

/// Why an answer to a FETCH is discarded. Either the mailbox did not have the chunk (it answers
/// with random bytes then, BRD-16) or it lied; the two look alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It answers another question.
    #[error("the answer is for another page or chunk")]
    OtherChunk,
    /// The envelopes are not those of the page.
    #[error("the chunk does not lead to the page's root")]
    NotInPage,
}

/// The answer to a FETCH, 33 280 bytes:
/// `ver(1) depth(1) chunk(2) page(8) zero(52) ‖ path(14 × 32) ‖ envelopes(8 × 4096)`.
///
/// The path has `depth` hashes, lowest first; what is left of its 448 bytes is zero.
pub struct FetchAnswer {
    depth: u8,
    chunk: u16,
    page: u64,
    path: [Hash; MAX_DEPTH],
    envelopes: Vec<Envelope>,
}

impl FetchAnswer {
    /// Answers with a chunk of exactly eight envelopes; `None` for any other number, or a path
    /// longer than 14.
    #[must_use]
    pub fn new(page: u64, chunk: u16, path: &[Hash], envelopes: &[Envelope]) -> Option<Self> {
        if envelopes.len() != CHUNK {
            return None;
        }
        let mut padded = [[0; 32]; MAX_DEPTH];
        padded.get_mut(..path.len())?.copy_from_slice(path);
        let depth = u8::try_from(path.len()).ok()?;
        Some(Self { depth, chunk, page, path: padded, envelopes: envelopes.to_vec() })
    }

    /// The bytes for a chunk that does not exist: all that is unknown is random (BRD-16).
    pub fn unknown(page: u64, chunk: u16, rng: &mut impl CryptoRng) -> Vec<u8> {
        let mut w = Writer::with_capacity(FETCH_ANSWER_LEN);
        w.u8(VERSION).u8(0).u16(chunk).u64(page).pad_to(FETCH_ANSWER_LEN);
        let mut bytes = w.into_vec();
        if let Some(unknown) = bytes.get_mut(HEAD_LEN..) {
            rng.fill_bytes(unknown);
        }
        bytes
    }

    /// The 33 280 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(FETCH_ANSWER_LEN);
        w.u8(VERSION).u8(self.depth).u16(self.chunk).u64(self.page).pad_to(HEAD_LEN);
        w.bytes(self.path.as_flattened());
        for envelope in &self.envelopes {
            w.bytes(envelope.as_bytes());
        }
        w.into_vec()
    }

    /// Reads an answer; whether it is true says [`verify`](Self::verify).
    ///
    /// # Errors
    /// [`Malformed`] for anything but exactly one answer.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        if r.u8()? != VERSION {
            return Err(Malformed::Field("ver"));
        }
        let depth = r.u8()?;
        if usize::from(depth) > MAX_DEPTH {
            return Err(Malformed::Field("depth"));
        }
        let (chunk, page) = (r.u16()?, r.u64()?);
        r.zeros(52)?; // BRD-12
        let mut path = [[0; 32]; MAX_DEPTH];
        for hash in &mut path {
            *hash = r.array()?;
        }
        let envelopes = (0..CHUNK)
            .map(|_| r.array::<ENVELOPE_LEN>().map(|bytes| Envelope::from_bytes(&bytes)))
            .collect::<Result<_, _>>()?;
        r.finish()?;
        Ok(Self { depth, chunk, page, path, envelopes })
    }

    /// Gives the envelopes if they are the ones at `chunk` of the page of `header` (BRD-14).
    ///
    /// # Errors
    /// [`FetchError`]; the answer is to be discarded.
    pub fn verify(
        &self,
        header: &PageHeader,
        page: u64,
        chunk: u16,
    ) -> Result<[Envelope; CHUNK], FetchError> {
        if (self.page, self.chunk) != (page, chunk) || header.page != page {
            return Err(FetchError::OtherChunk);
        }
        let depth = merkle::depth(header.chunks());
        if u32::from(chunk) >= header.chunks() || self.depth != depth {
            return Err(FetchError::NotInPage);
        }
        let (path, rest) = self.path.split_at_checked(depth.into()).ok_or(FetchError::NotInPage)?;
        let digests: Vec<Hash> = self.envelopes.iter().map(Envelope::digest).collect();
        let digests = digests.first_chunk().ok_or(FetchError::NotInPage)?;
        let root = merkle::climb(&merkle::leaf(digests), chunk, path);
        if root != header.root || rest.iter().any(|hash| *hash != [0; 32]) {
            return Err(FetchError::NotInPage); // BRD-14
        }
        self.envelopes.clone().try_into().map_err(|_| FetchError::NotInPage)
    }
}
