//! Whole messages above the ratchet: text in parts of one size (CNT-3 to CNT-6).

mod join;

pub use join::{JoinError, Joiner};

use crate::kinds::MAX_CONTENT;
use crate::timer::Timer;
use wire::{Malformed, Reader, Writer};

/// Most bytes of one text message, in UTF-8.
pub const MAX_TEXT: usize = 256 * 1024;
/// Bytes of text in every part but the last.
pub const PART_LEN: usize = MAX_CONTENT - 1 - HEAD_LEN;
/// Most parts of one text message.
pub const MAX_PARTS: usize = MAX_TEXT.div_ceil(PART_LEN);

const HEAD_LEN: usize = 16 + 4 + 4 + 2 + 2 + 4 + 8 + 4;

// CNT-3: the ledger.
const _: () = assert!(PART_LEN == 1589 && 1 + HEAD_LEN + PART_LEN == MAX_CONTENT);
const _: () = assert!(MAX_PARTS == 165);

/// A part of a text message:
/// `message(16) ‖ seq u32 ‖ floor u32 ‖ index u16 ‖ count u16 ‖ total u32 ‖ sent u64 ‖ timer u32 ‖
/// bytes`, 44 bytes and the text.
///
/// Made by [`split_text`] or by [`crate::Content::decode`]; only [`Joiner`] gives text back.
#[derive(Clone, PartialEq, Eq)]
pub struct Part {
    /// The message, 16 random bytes of the sender.
    pub message: [u8; 16],
    /// Number of the message, counted by the sender from 0 in each session: the order in which
    /// messages are shown (CNT-7).
    pub seq: u32,
    /// Every message with a smaller number was delivered or given up by the sender (CNT-7).
    pub floor: u32,
    /// Which part this is, from 0.
    pub index: u16,
    /// How many parts there are.
    pub count: u16,
    /// Bytes of the whole text.
    pub total: u32,
    /// The sender's clock, Unix seconds. A claim: shown, never ordered by.
    pub sent: u64,
    /// The timer that was in force when the message was written (CNT-8).
    pub timer: Timer,
    /// The text from byte `index` × [`PART_LEN`]. A character may be cut in two.
    pub bytes: Vec<u8>,
}

/// Why a text was not split: misuse by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// There is no text.
    #[error("the message is empty")]
    Empty,
    /// The text is longer than [`MAX_TEXT`] bytes.
    #[error("the message is longer than {MAX_TEXT} bytes")]
    TooLong,
}

/// Splits a text into parts of one size (CNT-3). The floor is the sealer's to set.
///
/// # Errors
/// [`TextError`] for an empty text, and above [`MAX_TEXT`] bytes.
pub fn split_text(
    message: [u8; 16],
    seq: u32,
    sent: u64,
    timer: Timer,
    text: &str,
) -> Result<Vec<Part>, TextError> {
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.len() > MAX_TEXT {
        return Err(TextError::TooLong);
    }
    let chunks = text.as_bytes().chunks(PART_LEN);
    let total = u32::try_from(text.len()).map_err(|_| TextError::TooLong)?;
    let count = u16::try_from(chunks.len()).map_err(|_| TextError::TooLong)?;
    let part = |(index, chunk): (u16, &[u8])| Part {
        message,
        seq,
        floor: 0,
        index,
        count,
        total,
        sent,
        timer,
        bytes: chunk.to_vec(),
    };
    Ok((0..count).zip(chunks).map(part).collect())
}

impl Part {
    pub(crate) fn encode_into(&self, w: &mut Writer) {
        w.bytes(&self.message)
            .u32(self.seq)
            .u32(self.floor)
            .u16(self.index)
            .u16(self.count)
            .u32(self.total)
            .u64(self.sent);
        self.timer.encode_into(w);
        w.bytes(&self.bytes);
    }

    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (message, seq, floor) = (r.array()?, r.u32()?, r.u32()?);
        let (index, count) = (r.u16()?, r.u16()?);
        let (total, sent) = (r.u32()?, r.u64()?);
        let timer = Timer::decode(r)?;
        // CNT-4
        let len = part_len(index, count, total).ok_or(Malformed::Field("part"))?;
        let bytes = r.take(len)?.to_vec();
        Ok(Self { message, seq, floor, index, count, total, sent, timer, bytes })
    }
}

/// Bytes in part `index` of `count` parts of a text of `total` bytes; `None` if there is no such
/// part, or no such text (CNT-4).
fn part_len(index: u16, count: u16, total: u32) -> Option<usize> {
    let (index, count, total) =
        (usize::from(index), usize::from(count), usize::try_from(total).ok()?);
    if total > MAX_TEXT || count != total.div_ceil(PART_LEN) || index >= count {
        return None;
    }
    Some(total.checked_sub(index.checked_mul(PART_LEN)?)?.min(PART_LEN))
}
