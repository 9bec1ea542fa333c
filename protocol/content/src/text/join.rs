//! Joining parts, in whatever order they come (CNT-5, CNT-6).

use super::{MAX_PARTS, Part, part_len};
use crate::timer::Timer;
use crypto::Zeroizing;
use std::collections::BTreeMap;
use wire::{Malformed, Reader, Writer};

/// Why a part was not taken. The joiner is as it was; the sender misbehaved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// It contradicts the parts before, or itself.
    #[error("the part does not belong to the others")]
    Inconsistent,
    /// The whole is not UTF-8. Nothing that comes later can mend it.
    #[error("the message is not text")]
    NotUtf8,
}

/// The parts of one message that have come so far: at most [`super::MAX_TEXT`] bytes.
#[derive(Default)]
pub struct Joiner {
    head: Option<Head>,
    parts: BTreeMap<u16, Zeroizing<Vec<u8>>>,
}

/// What all parts of a message agree on.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Head {
    message: [u8; 16],
    seq: u32,
    count: u16,
    total: u32,
    sent: u64,
    timer: Timer,
}

impl Joiner {
    /// A joiner that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many parts it holds.
    #[must_use]
    pub fn held(&self) -> usize {
        self.parts.len()
    }

    /// Adds a part; gives the text when this was the one that was missing. A part that is there
    /// already is ignored.
    ///
    /// # Errors
    /// [`JoinError`]; the joiner is then as it was.
    pub fn add(&mut self, part: Part) -> Result<Option<String>, JoinError> {
        let Part { message, seq, floor: _, index, count, total, sent, timer, bytes } = part;
        let head = Head { message, seq, count, total, sent, timer };
        let bytes = Zeroizing::new(bytes);
        // CNT-5
        if self.head.is_some_and(|known| known != head)
            || part_len(index, count, total) != Some(bytes.len())
        {
            return Err(JoinError::Inconsistent);
        }
        if let Some(known) = self.parts.get(&index) {
            return if *known == bytes { Ok(None) } else { Err(JoinError::Inconsistent) };
        }
        self.parts.insert(index, bytes);
        if self.parts.len() < usize::from(count) {
            self.head = Some(head);
            return Ok(None);
        }
        // CNT-6
        let text = String::from_utf8(self.parts.values().flat_map(|p| p.iter().copied()).collect());
        match text {
            Ok(text) => {
                self.head = Some(head);
                Ok(Some(text))
            }
            Err(_) => {
                self.parts.remove(&index);
                Err(JoinError::NotUtf8)
            }
        }
    }

    /// The sender has given this message another number, as one does who has lost its session and
    /// repeats what it had begun (ENG-2). The parts to come have this one.
    pub const fn renumber(&mut self, seq: u32) {
        if let Some(head) = &mut self.head {
            head.seq = seq;
        }
    }

    /// The state for the encrypted store: nothing, or `message(16) ‖ seq u32 ‖ count u16 ‖
    /// total u32 ‖ sent u64 ‖ timer u32 ‖ have u16 ‖ have × ( index u16 ‖ bytes )`.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let Some(head) = &self.head else { return Zeroizing::default() };
        let held: usize = self.parts.values().map(|p| p.len().saturating_add(2)).sum();
        let mut w = Writer::with_capacity(held.saturating_add(40));
        w.bytes(&head.message).u32(head.seq).u16(head.count).u32(head.total).u64(head.sent);
        head.timer.encode_into(&mut w);
        w.u16(u16::try_from(self.parts.len()).unwrap_or(u16::MAX)); // at most MAX_PARTS
        for (index, bytes) in &self.parts {
            w.u16(*index).bytes(bytes);
        }
        Zeroizing::new(w.into_vec())
    }

    /// Takes back what [`to_secret_bytes`](Self::to_secret_bytes) gave.
    ///
    /// # Errors
    /// [`Malformed`] for everything else.
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut r = Reader::new(bytes);
        let head = Head {
            message: r.array()?,
            seq: r.u32()?,
            count: r.u16()?,
            total: r.u32()?,
            sent: r.u64()?,
            timer: Timer::decode(&mut r)?,
        };
        let have = r.u16()?;
        if have == 0 || usize::from(have) > MAX_PARTS {
            return Err(Malformed::Field("have"));
        }
        let mut parts = BTreeMap::new();
        for _ in 0..have {
            let index = r.u16()?;
            let len = part_len(index, head.count, head.total).ok_or(Malformed::Field("index"))?;
            if parts.last_key_value().is_some_and(|(last, _)| *last >= index) {
                return Err(Malformed::Field("index"));
            }
            parts.insert(index, Zeroizing::new(r.take(len)?.to_vec()));
        }
        r.finish()?;
        Ok(Self { head: Some(head), parts })
    }
}
