//! How far a mailbox was read: the row that is saved for it.

use crate::contact::ContactId;
use crate::rows::{done, open_row, row};
use board::header::PageHeader;
use crypto::Zeroizing;
use wire::{Codec, Malformed};

/// How far a mailbox was read, and what is still to be fetched there; saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) page: u64,
    pub(crate) head: [u8; 32],
    pub(crate) closed_at: u64,
    /// Headers and chunks that hold something of ours.
    pub(crate) found: Vec<(PageHeader, u16)>,
    /// Headers and chunks that hold something of a blocked contact (ENG-4).
    pub(crate) held: Vec<(PageHeader, u16, ContactId)>,
}

impl Cursor {
    pub(crate) fn to_row(&self) -> Zeroizing<Vec<u8>> {
        let mut w = row(64);
        w.u64(self.page).bytes(&self.head).u64(self.closed_at);
        w.u32(u32::try_from(self.found.len()).unwrap_or(u32::MAX));
        for (header, chunk) in &self.found {
            header.encode_into(&mut w);
            w.u16(*chunk);
        }
        w.u32(u32::try_from(self.held.len()).unwrap_or(u32::MAX));
        for (header, chunk, contact) in &self.held {
            header.encode_into(&mut w);
            w.u16(*chunk).bytes(contact);
        }
        done(w)
    }

    pub(crate) fn from_row(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let (page, head, closed_at) = (r.u64()?, r.array()?, r.u64()?);
        let count = r.u32()?;
        let mut found = Vec::new();
        for _ in 0..count {
            found.push((PageHeader::decode_from(&mut r)?, r.u16()?));
        }
        let mut held = Vec::new();
        // A row that ends here is older than blocking.
        let count = if r.remaining() == 0 { 0 } else { r.u32()? };
        for _ in 0..count {
            held.push((PageHeader::decode_from(&mut r)?, r.u16()?, r.array()?));
        }
        r.finish()?;
        Ok(Self { page, head, closed_at, found, held })
    }
}
