//! What holds between this device and a contact beside keys and places.

use crate::rows::{get_flag, put_flag};
use wire::{Malformed, Reader, Writer};

/// The terms of a contact; the end of its row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Nothing goes in or out (ENG-4).
    pub(crate) blocked: bool,
}

impl Terms {
    pub(crate) fn encode_into(self, w: &mut Writer) {
        put_flag(w, self.blocked);
    }

    /// A row that ends before its terms has none: it is older than they are.
    pub(crate) fn decode_from(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        if r.remaining() == 0 {
            return Ok(Self::default());
        }
        Ok(Self { blocked: get_flag(r)? })
    }
}
