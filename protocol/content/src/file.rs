//! Files: what is said about one inside the ratchet (FIL-1, FIL-2).

mod name;

pub use name::safe_file_name;

use crypto::secret;
use wire::{Malformed, Reader, Writer};

/// Most bytes of one file: 8 MiB.
pub const MAX_FILE: u32 = 8 * 1024 * 1024;
/// Most bytes of the name that its sender gives it, in UTF-8.
pub const MAX_FILE_NAME: usize = 255;

const HAVE: u8 = 0;
const WHOLE: u8 = 1;
const DECLINED: u8 = 2;
const NO_ROOM: u8 = 3;
const DAMAGED: u8 = 4;
const WITHDRAWN: u8 = 5;

secret! {
    /// `FK`: the secret of one file, 32 fresh bytes, from which its tags and keys come (FIL-4).
    pub struct FileKey([u8; 32]);
}

crypto::opaque!(Offer);

/// A file is about to come:
/// `file(16) ‖ FK(32) ‖ size u32 ‖ SHA-256(32) ‖ sent u64 ‖ length(1) ‖ name`.
pub struct Offer {
    /// Names the file, 16 random bytes of the sender.
    pub file: [u8; 16],
    /// What its tags and keys come from.
    pub key: FileKey,
    /// Bytes of the whole, 1 to [`MAX_FILE`].
    pub size: u32,
    /// SHA-256 of the whole.
    pub hash: [u8; 32],
    /// The sender's clock, Unix seconds. A claim.
    pub sent: u64,
    /// The sender's name for it, 1 to [`MAX_FILE_NAME`] bytes; never a name on this device.
    pub name: String,
}

/// How far a file has come, or that it ends: `file(16) ‖ what(1) ‖ base u32 ‖ map u64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Which file.
    pub file: [u8; 16],
    /// What is said about it.
    pub progress: FileProgress,
}

/// What a report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileProgress {
    /// 0, of the receiver: which indices of the file's chain have arrived, as in an
    /// acknowledgement (BRD-42).
    Have {
        /// All indices below have arrived or were given up.
        base: u32,
        /// Bit `j`: index `base + 1 + j` has arrived.
        map: u64,
    },
    /// 1 to 5: it ends.
    End(FileEnd),
}

/// How a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileEnd {
    /// 1, of the receiver: it lies in the receiver's folder, with the hash of the offer.
    Whole,
    /// 2, of the receiver: not wanted, or given up.
    Declined,
    /// 3, of the receiver: too much is under way already.
    NoRoom,
    /// 4, of the receiver: what came has another hash.
    Damaged,
    /// 5, of the sender: it will not come.
    Withdrawn,
}

impl FileEnd {
    const fn byte(self) -> u8 {
        match self {
            Self::Whole => WHOLE,
            Self::Declined => DECLINED,
            Self::NoRoom => NO_ROOM,
            Self::Damaged => DAMAGED,
            Self::Withdrawn => WITHDRAWN,
        }
    }
}

impl Offer {
    pub(crate) fn encode_into(&self, w: &mut Writer) {
        let len = u8::try_from(self.name.len()).unwrap_or(u8::MAX); // at most MAX_FILE_NAME
        w.bytes(&self.file).bytes(self.key.expose_secret()).u32(self.size).bytes(&self.hash);
        w.u64(self.sent).u8(len).bytes(self.name.as_bytes());
    }

    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (file, key) = (r.array()?, FileKey::copy_of(r.array_ref()?));
        let (size, hash, sent) = (r.u32()?, r.array()?, r.u64()?);
        // FIL-1
        if size == 0 || size > MAX_FILE {
            return Err(Malformed::Field("size"));
        }
        let len = usize::from(r.u8()?);
        let name = core::str::from_utf8(r.take(len)?).map_err(|_| Malformed::Field("name"))?;
        if name.is_empty() {
            return Err(Malformed::Field("name"));
        }
        Ok(Self { file, key, size, hash, sent, name: name.to_owned() })
    }
}

impl Report {
    pub(crate) fn encode_into(&self, w: &mut Writer) {
        let (what, base, map) = match self.progress {
            FileProgress::Have { base, map } => (HAVE, base, map),
            FileProgress::End(end) => (end.byte(), 0, 0),
        };
        w.bytes(&self.file).u8(what).u32(base).u64(map);
    }

    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (file, what, base, map) = (r.array()?, r.u8()?, r.u32()?, r.u64()?);
        let end = match what {
            HAVE => None,
            WHOLE => Some(FileEnd::Whole),
            DECLINED => Some(FileEnd::Declined),
            NO_ROOM => Some(FileEnd::NoRoom),
            DAMAGED => Some(FileEnd::Damaged),
            WITHDRAWN => Some(FileEnd::Withdrawn),
            _ => return Err(Malformed::Field("what")),
        };
        let progress = match end {
            None => FileProgress::Have { base, map },
            // FIL-1: an end has no numbers.
            Some(_) if (base, map) != (0, 0) => return Err(Malformed::Field("base")),
            Some(end) => FileProgress::End(end),
        };
        Ok(Self { file, progress })
    }
}

#[cfg(test)]
mod tests;
