//! The file of a backup: a header, then sealed segments of one size (BAK-1, BAK-3, BAK-4).
//!
//! ```text
//! 0    magic "PVTCBACK"                8      AAD of every segment: bytes 0..128
//! 8    version = 1                     2
//! 10   0                               2
//! 12   Argon2id m (KiB), t, p      3 × 4
//! 24   Argon2id salt                  16
//! 40   seed                           32
//! 72   commitment                     32
//! 104  0                              24
//! 128  n segments of 65536 + 16 bytes
//! ```
//! Big-endian. `n` is 16 or more and one of `4, 5, 6, 7 × 2^k`.

use super::record::{MAX_BODY, PREFIX, Record};
use super::{BackupError, file_error};
use crate::StoreError;
use crate::passphrase::{judge, stretch};
use crypto::Zeroizing;
use crypto::backup::{BackupKey, SegmentOpener, SegmentSealer};
use crypto::password::Cost;
use crypto::rand_core::CryptoRng;
use std::io::{self, Read, Write};
use wire::{Malformed, Reader, Writer};

pub(super) const HEADER_LEN: usize = 128;
const MAGIC: &[u8; 8] = b"PVTCBACK";
const VERSION: u16 = 1;
/// Bytes of one segment before it is sealed.
pub(super) const SEGMENT: usize = 64 * 1024;
/// Bytes of one segment in the file.
pub(super) const SEALED: usize = SEGMENT + 16;
/// Segments of the smallest file: one MiB.
const FEWEST: u64 = 16;

/// How many segments a file has that needs `needed`: the size tells two bits and the order of
/// magnitude (BAK-4).
pub(super) fn padded(needed: u64) -> u64 {
    let needed = needed.max(FEWEST);
    // The three leading bits stay; whatever is below them is rounded up.
    let step = 1_u64 << needed.ilog2().saturating_sub(2);
    needed.checked_next_multiple_of(step).unwrap_or(needed)
}

/// A header that was read or made, and the key that fits it.
pub(super) struct Opened {
    header: [u8; HEADER_LEN],
    commitment: [u8; 32],
    key: BackupKey,
}

crypto::opaque!(Opened, SegmentWriter<std::fs::File>, RecordReader<std::fs::File>);

/// Makes the header and key of a new file.
pub(super) fn fresh(
    passphrase: &[u8],
    cost: Cost,
    rng: &mut impl CryptoRng,
) -> Result<Opened, StoreError> {
    judge(cost)?;
    make(passphrase, cost, rng)
}

fn make(passphrase: &[u8], cost: Cost, rng: &mut impl CryptoRng) -> Result<Opened, StoreError> {
    let (mut salt, mut seed) = ([0; 16], [0; 32]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut seed);
    let key = BackupKey::derive(&seed, &stretch(passphrase, &salt, cost)?);
    let commitment = *key.commitment();
    let mut w = Writer::with_capacity(HEADER_LEN);
    w.bytes(MAGIC).u16(VERSION).u16(0).u32(cost.memory_kib).u32(cost.passes).u32(cost.lanes);
    w.bytes(&salt).bytes(&seed).bytes(&commitment).pad_to(HEADER_LEN);
    let header = w.into_vec().try_into().map_err(|_| StoreError::Format)?;
    Ok(Opened { header, commitment, key })
}

/// Reads a header; every field is checked before anything is computed from it (BAK-1).
///
/// # Errors
/// [`BackupError::NotABackup`], [`BackupError::NewerVersion`], [`BackupError::Cost`];
/// [`BackupError::WrongPassphrase`], also if salt, seed or commitment were changed.
pub(super) fn open(file: &mut impl Read, passphrase: &[u8]) -> Result<Opened, BackupError> {
    let mut header = [0; HEADER_LEN];
    file.read_exact(&mut header).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => BackupError::NotABackup,
        _ => file_error(&error),
    })?;
    let fields = Fields::read(&header).map_err(|_| BackupError::NotABackup)?;
    if fields.version != VERSION {
        return Err(BackupError::NewerVersion);
    }
    // STO-12, before Argon2id runs.
    judge(fields.cost).map_err(|_| BackupError::Cost)?;
    fields.unlock(header, passphrase)
}

struct Fields {
    version: u16,
    cost: Cost,
    salt: [u8; 16],
    seed: [u8; 32],
    commitment: [u8; 32],
}

impl Fields {
    fn read(header: &[u8; HEADER_LEN]) -> Result<Self, Malformed> {
        let mut r = Reader::new(header);
        if r.array_ref::<8>()? != MAGIC {
            return Err(Malformed::Field("magic"));
        }
        let version = r.u16()?;
        // What a later version does with the rest is not known here.
        if version == VERSION {
            r.zeros(2)?;
        } else {
            let _later = r.u16()?;
        }
        let cost = Cost { memory_kib: r.u32()?, passes: r.u32()?, lanes: r.u32()? };
        let fields =
            Self { version, cost, salt: r.array()?, seed: r.array()?, commitment: r.array()? };
        if version == VERSION {
            r.zeros(24)?;
        }
        Ok(fields)
    }

    /// Runs Argon2id, once.
    fn unlock(self, header: [u8; HEADER_LEN], passphrase: &[u8]) -> Result<Opened, BackupError> {
        let Self { cost, salt, seed, commitment, .. } = self;
        let stretched = stretch(passphrase, &salt, cost).map_err(|error| match error {
            StoreError::Passphrase => BackupError::WrongPassphrase,
            other => BackupError::Store(other),
        })?;
        Ok(Opened { header, commitment, key: BackupKey::derive(&seed, &stretched) })
    }
}

/// Writes records as segments.
pub(super) struct SegmentWriter<W> {
    to: W,
    sealer: SegmentSealer,
    /// The segment that is being filled.
    pending: Zeroizing<Vec<u8>>,
    written: u64,
}

impl<W: Write> SegmentWriter<W> {
    /// Writes the header.
    pub(super) fn begin(mut to: W, opened: Opened) -> io::Result<Self> {
        to.write_all(&opened.header)?;
        let sealer = opened.key.sealer(&opened.header);
        let pending = Zeroizing::new(Vec::with_capacity(SEGMENT));
        Ok(Self { to, sealer, pending, written: 0 })
    }

    pub(super) fn push(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.pending.len() >= SEGMENT {
                self.flush()?;
            }
            let room = SEGMENT.saturating_sub(self.pending.len());
            let (now, later) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.pending.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Pads and writes what is left, and gives back what was written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let last = padded(self.written.saturating_add(1)).saturating_sub(1);
        while self.written < last {
            self.flush()?;
        }
        self.pending.resize(SEGMENT, 0);
        let Self { mut to, sealer, pending, .. } = self;
        to.write_all(&sealer.seal_last(&pending))?;
        Ok(to)
    }

    /// Seals what is pending, with zeros after it.
    fn flush(&mut self) -> io::Result<()> {
        self.pending.resize(SEGMENT, 0);
        self.to.write_all(&self.sealer.seal(&self.pending))?;
        self.pending.clear();
        self.written = self.written.saturating_add(1);
        Ok(())
    }
}

/// Reads segments as records.
pub(super) struct RecordReader<R> {
    from: R,
    opener: SegmentOpener,
    /// Whole segments that the file has by its length, and whether bytes follow them.
    segments: u64,
    ragged: bool,
    next: u64,
    /// What was opened and not read yet, from `at` on.
    opened: Zeroizing<Vec<u8>>,
    at: usize,
}

impl<R: Read> RecordReader<R> {
    /// Continues after the header; `length` is the whole file's.
    ///
    /// # Errors
    /// [`BackupError::WrongPassphrase`].
    pub(super) fn new(from: R, opened: Opened, length: u64) -> Result<Self, BackupError> {
        let Opened { header, commitment, key } = opened;
        let opener = key.opener(&commitment, &header).map_err(|_| BackupError::WrongPassphrase)?;
        let body = length.saturating_sub(u64::try_from(HEADER_LEN).unwrap_or(u64::MAX));
        let sealed = u64::try_from(SEALED).unwrap_or(u64::MAX);
        let segments = body.checked_div(sealed).unwrap_or(0);
        let ragged = body.checked_rem(sealed) != Some(0);
        let opened = Zeroizing::new(Vec::with_capacity(MAX_BODY.saturating_add(2 * SEGMENT)));
        Ok(Self { from, opener, segments, ragged, next: 0, opened, at: 0 })
    }

    /// Segments read, and segments in all: how far it is.
    pub(super) const fn progress(&self) -> (u64, u64) {
        (self.next, self.segments)
    }

    /// The next record with its bytes.
    ///
    /// # Errors
    /// [`BackupError::Damaged`], [`BackupError::Truncated`], [`BackupError::Appended`] by place;
    /// [`BackupError::Content`].
    pub(super) fn record(&mut self) -> Result<(Record, Zeroizing<Vec<u8>>), BackupError> {
        let mut prefix = [0; PREFIX];
        prefix.copy_from_slice(&self.take(PREFIX)?);
        let [kind, a, b, c, d] = prefix;
        let length = u32::from_be_bytes([a, b, c, d]);
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_BODY);
        let body = self.take(length.ok_or(BackupError::Content)?)?;
        Ok((Record::decode(kind, &body)?, body))
    }

    /// After the last record: nothing but zeros, to the last segment (BAK-4).
    pub(super) fn finish(mut self) -> Result<(), BackupError> {
        loop {
            if self.opened.iter().skip(self.at).any(|byte| *byte != 0) {
                return Err(BackupError::Content);
            }
            self.at = self.opened.len();
            if self.next >= self.segments && !self.ragged {
                return Ok(());
            }
            self.segment()?;
        }
    }

    fn take(&mut self, length: usize) -> Result<Zeroizing<Vec<u8>>, BackupError> {
        loop {
            let end = self.at.saturating_add(length);
            if let Some(bytes) = self.opened.get(self.at..end) {
                let bytes = Zeroizing::new(bytes.to_vec());
                self.at = end;
                return Ok(bytes);
            }
            if self.next >= self.segments && !self.ragged && self.next > 0 {
                // Everything was authentic: a fault of whoever wrote it.
                return Err(BackupError::Content);
            }
            self.segment()?;
        }
    }

    /// Opens the next segment, or says what became of the file (BAK-3).
    fn segment(&mut self) -> Result<(), BackupError> {
        let place = |segment: u64| {
            let sealed = u64::try_from(SEALED).unwrap_or(u64::MAX);
            let header = u64::try_from(HEADER_LEN).unwrap_or(u64::MAX);
            segment.saturating_mul(sealed).saturating_add(header)
        };
        let (start, end) = (place(self.next), place(self.next.saturating_add(1)));
        if self.next >= self.segments {
            return Err(BackupError::Truncated { at: start });
        }
        let last = self.next.saturating_add(1) == self.segments && !self.ragged;
        let mut sealed = vec![0; SEALED];
        self.from.read_exact(&mut sealed).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BackupError::Truncated { at: start },
            _ => file_error(&error),
        })?;
        match self.opener.open(&sealed, last) {
            Ok(segment) => {
                self.opened.drain(..self.at);
                self.at = 0;
                self.opened.extend_from_slice(&segment);
                self.next = self.next.saturating_add(1);
                Ok(())
            }
            Err(_) if self.opener.open(&sealed, !last).is_err() => {
                Err(BackupError::Damaged { at: start })
            }
            Err(_) if last => Err(BackupError::Truncated { at: end }),
            Err(_) => Err(BackupError::Appended { at: end }),
        }
    }
}

#[cfg(test)]
mod tests;
