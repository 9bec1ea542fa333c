use super::{FrameError, HEADER_LEN, PageHeader};
use crate::page::{CHUNK, MAX_PAGE};
use core::mem;
use core::ops::Range;
use crypto::hash;
use wire::{Codec, Malformed, Reader, Writer};

/// Length of a tag prefix in a digest, in bytes.
pub const PREFIX_LEN: usize = 8;

const MAX_FRAME: usize = HEADER_LEN + PREFIX_LEN * MAX_PAGE;

/// A page header and the first 8 bytes of every tag in the page, in order:
/// `header(256) ‖ prefixes(8 × count)` (BRD-12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestFrame {
    /// The header.
    pub header: PageHeader,
    /// The tag prefixes; position `i` lies in chunk `i / 8`.
    pub prefixes: Vec<[u8; PREFIX_LEN]>,
}

impl DigestFrame {
    /// Checks the frame against its own header: ranges, mailbox, order, `tags_hash` (BRD-37).
    ///
    /// # Errors
    /// The [`FrameError`] that names the first fault found.
    pub fn check(&self, mailbox: &[u8; 32]) -> Result<(), FrameError> {
        self.header.check(mailbox)?;
        if u32::try_from(self.prefixes.len()) != Ok(self.header.count) {
            return Err(FrameError::Range("count"));
        }
        if !self.prefixes.iter().is_sorted() {
            return Err(FrameError::Unsorted); // BRD-21
        }
        if hash(&[self.prefixes.as_flattened()]) != self.header.tags_hash {
            return Err(FrameError::TagsHash); // BRD-13
        }
        Ok(())
    }

    /// The positions whose tag begins with `prefix`; the frame must have passed [`check`](Self::check).
    #[must_use]
    pub fn find(&self, prefix: &[u8; PREFIX_LEN]) -> Range<usize> {
        let from = self.prefixes.partition_point(|p| p < prefix);
        let to = self.prefixes.partition_point(|p| p <= prefix);
        from..to
    }

    /// The chunks that hold tags beginning with `prefix`, lowest first.
    pub fn chunks_of(&self, prefix: &[u8; PREFIX_LEN]) -> impl Iterator<Item = u16> + use<> {
        let Range { start, end } = self.find(prefix);
        let (from, to) = (start.div_euclid(CHUNK), end.div_ceil(CHUNK));
        // A page has at most 2^14 chunks (BRD-14).
        (from..to).filter_map(|chunk| u16::try_from(chunk).ok()).take(end.saturating_sub(start))
    }
}

impl Codec for DigestFrame {
    fn encode_into(&self, w: &mut Writer) {
        self.header.encode_into(w);
        w.bytes(self.prefixes.as_flattened());
    }

    fn decode_from(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let header = PageHeader::decode_from(r)?;
        // The header's decoding bounds `count`, so that this allocates at most 1 MiB.
        let prefixes = (0..header.count).map(|_| r.array()).collect::<Result<_, _>>()?;
        Ok(Self { header, prefixes })
    }
}

/// Cuts the answer to one DIGEST into checked frames, as its bytes arrive.
///
/// Every frame passes [`DigestFrame::check`] and continues the one before it. Holds at most one
/// frame (256 + 8 × 131 072 bytes) beside the bytes just pushed. After a fault nothing more comes out.
pub struct DigestReader {
    mailbox: [u8; 32],
    buffer: Vec<u8>,
    last: Option<PageHeader>,
    fault: Option<FrameError>,
}

impl DigestReader {
    /// Starts at the first byte of an answer of `mailbox`.
    #[must_use]
    pub const fn new(mailbox: [u8; 32]) -> Self {
        Self { mailbox, buffer: Vec::new(), last: None, fault: None }
    }

    /// Takes the next bytes and gives the frames that they complete, in order.
    ///
    /// # Errors
    /// The first fault, once the good frames before it have been given.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<DigestFrame>, FrameError> {
        let mut frames = Vec::new();
        let mut rest = bytes;
        while self.fault.is_none() {
            match self.step(&mut rest) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(fault) => {
                    self.fault = Some(fault);
                    self.buffer = Vec::new();
                }
            }
        }
        match self.fault {
            Some(fault) if frames.is_empty() => Err(fault),
            _ => Ok(frames),
        }
    }

    /// Ends the reading: the answer is complete.
    ///
    /// # Errors
    /// The fault met, or [`FrameError::Incomplete`] inside a frame.
    pub fn finish(self) -> Result<(), FrameError> {
        match self.fault {
            Some(fault) => Err(fault),
            None if self.buffer.is_empty() => Ok(()),
            None => Err(FrameError::Incomplete),
        }
    }

    /// The header of the last frame given.
    #[must_use]
    pub const fn last(&self) -> Option<&PageHeader> {
        self.last.as_ref()
    }

    /// Moves bytes of `rest` into the buffer up to the end of a frame, and takes the frame.
    fn step(&mut self, rest: &mut &[u8]) -> Result<Option<DigestFrame>, FrameError> {
        if !self.fill_to(HEADER_LEN, rest) {
            return Ok(None);
        }
        let header = PageHeader::decode_from(&mut Reader::new(&self.buffer))?;
        header.check(&self.mailbox)?;
        if let Some(before) = &self.last {
            header.check_follows(before)?; // BRD-37
        }
        let whole = usize::try_from(header.count)
            .ok()
            .and_then(|count| count.checked_mul(PREFIX_LEN)?.checked_add(HEADER_LEN))
            .unwrap_or(MAX_FRAME);
        if !self.fill_to(whole, rest) {
            return Ok(None);
        }
        let frame = DigestFrame::from_bytes(&mem::take(&mut self.buffer))?;
        frame.check(&self.mailbox)?;
        self.last = Some(frame.header);
        Ok(Some(frame))
    }

    /// Whether the buffer holds `len` bytes, after moving what is missing from `rest`.
    fn fill_to(&mut self, len: usize, rest: &mut &[u8]) -> bool {
        let missing = len.saturating_sub(self.buffer.len()).min(rest.len());
        let (now, later) = rest.split_at_checked(missing).unwrap_or((rest, &[]));
        self.buffer.extend_from_slice(now);
        *rest = later;
        self.buffer.len() >= len
    }
}
