//! One file on its way, as it is kept (`docs/spec/files.md`).

use crate::contact::ContactId;
use crate::outbox::ItemId;
use crate::rows::{done, get_bytes, get_flag, get_text, open_row, put_bytes, put_flag, row};
use board::chain::{FileSecret, RecvChain, SendChain, WINDOW};
use board::envelope::{Ack, BODY_LEN};
use content::{FileEnd, FileKey, MAX_FILE};
use crypto::Zeroizing;
use std::collections::BTreeMap;
use wire::Malformed;

/// Names a file, 16 random bytes of its sender.
pub type FileId = [u8; 16];
/// A contact, and a file from or to it.
pub(crate) type FileAt = (ContactId, FileId);
/// Parts of a file by number; the last one may be shorter than [`BODY_LEN`].
pub(crate) type Parts = BTreeMap<u32, Zeroizing<Vec<u8>>>;

/// Most bytes of own files under way (FIL-3).
pub(crate) const MAX_OUTGOING: u64 = 32 * 1024 * 1024;
/// Most bytes of files under way from one contact (FIL-8).
pub(crate) const MAX_FROM_ONE: u64 = 16 * 1024 * 1024;
/// Most bytes of files under way from all contacts (FIL-8).
pub(crate) const MAX_FROM_ALL: u64 = 64 * 1024 * 1024;
/// Most files under way from one contact (FIL-8).
pub(crate) const MAX_FILES_FROM_ONE: usize = 16;
/// Indices that first copies leave free (FIL-6).
const RESERVED: u32 = 8;

/// What is known of a file.
pub(crate) struct FileRecord {
    pub(crate) contact: ContactId,
    pub(crate) id: FileId,
    /// The sender's name for it; not cleaned.
    pub(crate) name: String,
    /// Bytes of the whole.
    pub(crate) size: u32,
    pub(crate) hash: [u8; 32],
    /// When it was accepted or offered here, Unix seconds.
    pub(crate) begun: u64,
    /// When it last moved, Unix seconds.
    pub(crate) moved: u64,
    pub(crate) stage: Stage,
    /// The bytes, in rows of their own.
    pub(crate) parts: Parts,
}

crypto::opaque!(FileRecord, Stage, Sending, Receiving);

/// Where it stands.
pub(crate) enum Stage {
    Sending(Box<Sending>),
    Receiving(Box<Receiving>),
    /// It is over. `saved` is the name in the folder of one that came.
    Ended {
        ours: bool,
        how: Outcome,
        saved: String,
    },
}

/// How a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the receiver's folder.
    Done,
    /// This side ended it.
    Cancelled,
    /// The other side ended it.
    Refused,
    /// Too much was under way.
    NoRoom,
    /// What came was not what was offered.
    Damaged,
    /// It did not move for 14 days, or the contact's key changed.
    Failed,
}

/// A file of ours.
pub(crate) struct Sending {
    /// Until the offer is acknowledged.
    pub(crate) key: Option<FileKey>,
    pub(crate) chain: SendChain,
    /// Indices that are pursued, and the items that they carry.
    pub(crate) sent: BTreeMap<u32, ItemId>,
    /// Below this the peer has everything, or was told not to wait for it.
    peer_base: u32,
    /// The first part that is not in the outbox yet.
    pub(crate) next: u32,
}

/// A file of the contact.
pub(crate) struct Receiving {
    pub(crate) chain: RecvChain,
    /// Envelopes since the last report, and when the first of them came, Unix seconds.
    pub(crate) unreported: u32,
    pub(crate) since: u64,
    /// The base that the last report spoke of.
    pub(crate) reported: u32,
    /// All parts are here and have the right hash: it is to be saved in the folder.
    pub(crate) whole: bool,
}

impl Sending {
    pub(crate) fn new(key: FileKey) -> Self {
        let chain = SendChain::of_file(&FileSecret::copy_of(key.expose_secret()));
        Self { key: Some(key), chain, sent: BTreeMap::new(), peer_base: 0, next: 0 }
    }

    /// Whether an index may be used for a first copy, or for a repeated one (FIL-6).
    pub(crate) const fn has_room(&self, first: bool) -> bool {
        let used = self.chain.next_index().saturating_sub(self.peer_base);
        WINDOW.saturating_sub(used) > if first { RESERVED } else { 0 }
    }

    /// How many indices may still be used.
    pub(crate) const fn room(&self) -> u32 {
        WINDOW.saturating_sub(self.chain.next_index().saturating_sub(self.peer_base))
    }

    /// Lowest index that is still pursued.
    pub(crate) fn floor(&self) -> u32 {
        self.sent.keys().next().copied().unwrap_or(self.chain.next_index())
    }

    /// Takes a report and gives the items that it covers.
    pub(crate) fn reported(&mut self, base: u32, map: u64) -> Vec<ItemId> {
        self.peer_base = self.peer_base.max(base.min(self.chain.next_index()));
        let ack = Ack { g: 0, base, map };
        let done: Vec<u32> = self.sent.keys().copied().filter(|n| ack.covers(*n)).collect();
        done.iter().filter_map(|n| self.sent.remove(n)).collect()
    }
}

impl Receiving {
    pub(crate) fn new(key: &FileKey) -> Self {
        let chain = RecvChain::of_file(&FileSecret::copy_of(key.expose_secret()));
        Self { chain, unreported: 0, since: 0, reported: 0, whole: false }
    }
}

impl FileRecord {
    /// Number of its parts.
    pub(crate) fn count(&self) -> u32 {
        let part = u32::try_from(BODY_LEN).unwrap_or(u32::MAX);
        self.size.div_ceil(part)
    }

    /// Bytes in a part; `None` if there is no such part (FIL-9).
    pub(crate) fn part_len(&self, part: u32) -> Option<usize> {
        let size = usize::try_from(self.size).ok()?;
        let from = usize::try_from(part).ok()?.checked_mul(BODY_LEN)?;
        size.checked_sub(from).filter(|rest| *rest > 0).map(|rest| rest.min(BODY_LEN))
    }

    /// SHA-256 of its parts in order (FIL-11).
    pub(crate) fn hash_of_parts(&self) -> [u8; 32] {
        let parts: Vec<&[u8]> = self.parts.values().map(|part| part.as_slice()).collect();
        crypto::hash(&parts)
    }

    pub(crate) const fn sending(&self) -> Option<&Sending> {
        match &self.stage {
            Stage::Sending(sending) => Some(sending),
            _ => None,
        }
    }

    pub(crate) const fn sending_mut(&mut self) -> Option<&mut Sending> {
        match &mut self.stage {
            Stage::Sending(sending) => Some(sending),
            _ => None,
        }
    }

    pub(crate) const fn receiving(&self) -> Option<&Receiving> {
        match &self.stage {
            Stage::Receiving(receiving) => Some(receiving),
            _ => None,
        }
    }

    pub(crate) const fn receiving_mut(&mut self) -> Option<&mut Receiving> {
        match &mut self.stage {
            Stage::Receiving(receiving) => Some(receiving),
            _ => None,
        }
    }

    pub(crate) const fn ended(&self) -> bool {
        matches!(self.stage, Stage::Ended { .. })
    }

    /// Whether it goes out from here.
    pub(crate) const fn ours(&self) -> bool {
        matches!(self.stage, Stage::Sending(_) | Stage::Ended { ours: true, .. })
    }

    pub(crate) fn to_row(&self) -> Zeroizing<Vec<u8>> {
        let mut w = row(4096);
        w.bytes(&self.contact).bytes(&self.id);
        put_bytes(&mut w, self.name.as_bytes());
        w.u32(self.size).bytes(&self.hash).u64(self.begun).u64(self.moved);
        match &self.stage {
            Stage::Sending(sending) => {
                w.u8(0);
                put_flag(&mut w, sending.key.is_some());
                if let Some(key) = &sending.key {
                    w.bytes(key.expose_secret());
                }
                put_bytes(&mut w, &sending.chain.to_secret_bytes());
                w.u32(sending.peer_base).u32(sending.next);
                w.u32(u32::try_from(sending.sent.len()).unwrap_or(u32::MAX)); // at most WINDOW
                for (n, item) in &sending.sent {
                    w.u32(*n).bytes(item);
                }
            }
            Stage::Receiving(receiving) => {
                put_bytes(w.u8(1), &receiving.chain.to_secret_bytes());
                w.u32(receiving.unreported).u64(receiving.since).u32(receiving.reported);
                put_flag(&mut w, receiving.whole);
            }
            Stage::Ended { ours, how, saved } => {
                put_flag(w.u8(2), *ours);
                put_bytes(w.u8(how.byte()), saved.as_bytes());
            }
        }
        done(w)
    }

    pub(crate) fn from_row(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let (contact, id, name) = (r.array()?, r.array()?, get_text(&mut r)?);
        let (size, hash, begun, moved) = (r.u32()?, r.array()?, r.u64()?, r.u64()?);
        if size == 0 || size > MAX_FILE {
            return Err(Malformed::Field("size"));
        }
        let stage = match r.u8()? {
            0 => {
                let key =
                    if get_flag(&mut r)? { Some(FileKey::copy_of(r.array_ref()?)) } else { None };
                let chain = SendChain::from_secret_bytes(get_bytes(&mut r)?)?;
                let (peer_base, next, count) = (r.u32()?, r.u32()?, r.u32()?);
                let mut sent = BTreeMap::new();
                for _ in 0..count {
                    sent.insert(r.u32()?, r.array()?);
                }
                Stage::Sending(Box::new(Sending { key, chain, sent, peer_base, next }))
            }
            1 => {
                let chain = RecvChain::from_secret_bytes(get_bytes(&mut r)?)?;
                let (unreported, since, reported) = (r.u32()?, r.u64()?, r.u32()?);
                let whole = get_flag(&mut r)?;
                Stage::Receiving(Box::new(Receiving { chain, unreported, since, reported, whole }))
            }
            2 => Stage::Ended {
                ours: get_flag(&mut r)?,
                how: Outcome::from_byte(r.u8()?)?,
                saved: get_text(&mut r)?,
            },
            _ => return Err(Malformed::Field("stage")),
        };
        r.finish()?;
        Ok(Self { contact, id, name, size, hash, begun, moved, stage, parts: Parts::new() })
    }
}

impl Outcome {
    const ALL: [Self; 6] =
        [Self::Done, Self::Cancelled, Self::Refused, Self::NoRoom, Self::Damaged, Self::Failed];

    fn byte(self) -> u8 {
        let at = Self::ALL.iter().position(|how| *how == self);
        at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
    }

    fn from_byte(byte: u8) -> Result<Self, Malformed> {
        Self::ALL.get(usize::from(byte)).copied().ok_or(Malformed::Field("outcome"))
    }

    /// What the other side is told of an end on this one (FIL-13); nothing of one that came from there.
    pub(crate) const fn report(self, ours: bool) -> Option<FileEnd> {
        match (self, ours) {
            (Self::Done, false) => Some(FileEnd::Whole),
            (Self::Cancelled | Self::Failed, false) => Some(FileEnd::Declined),
            (Self::NoRoom, false) => Some(FileEnd::NoRoom),
            (Self::Damaged, false) => Some(FileEnd::Damaged),
            (Self::Cancelled | Self::Failed, true) => Some(FileEnd::Withdrawn),
            _ => None,
        }
    }
}

/// Key of the row of a part.
pub(crate) fn part_key(at: &FileAt, part: u32) -> Vec<u8> {
    [at.0.as_slice(), &at.1, &part.to_be_bytes()].concat()
}
