//! How far a mailbox was read: the row that is saved for it.

use crate::rows::{done, open_row, row};
use crypto::Zeroizing;
use wire::Malformed;

/// How far a mailbox was read; saved. What is still to be fetched there has rows of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) page: u64,
    pub(crate) head: [u8; 32],
    pub(crate) closed_at: u64,
}

impl Cursor {
    pub(crate) fn to_row(&self) -> Zeroizing<Vec<u8>> {
        let mut w = row(64);
        w.u64(self.page).bytes(&self.head).u64(self.closed_at);
        done(w)
    }

    pub(crate) fn from_row(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let (page, head, closed_at) = (r.u64()?, r.array()?, r.u64()?);
        r.finish()?;
        Ok(Self { page, head, closed_at })
    }
}
