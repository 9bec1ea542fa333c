//! How far a sender runs ahead of a message that has not arrived (ENG-2), so that its reader never
//! has more waiting than it keeps.

use wire::{Malformed, Reader, Writer};

/// With so many whole messages of one contact waiting, the lowest is shown early. So far ahead of the
/// oldest that has not arrived a message is not said, by number.
pub(crate) const WHOLE: usize = 128;
/// Parts of one contact that wait, at most: 1 MB.
pub(crate) const WAITING_PARTS: usize = 640;
/// Parts that are said before the oldest message has arrived; its own find room beside them.
const PARTS: usize = WAITING_PARTS - content::MAX_PARTS;

/// What a contact was told since everything before had arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ahead {
    /// Parts.
    parts: u32,
    /// One more than the highest number.
    end: u32,
}

impl Ahead {
    /// Whether a part of message `next` may be said for the first time, while `lowest` is the
    /// smallest number that has not arrived.
    pub(crate) fn may_say(self, next: u32, lowest: u32) -> bool {
        let below = |n: u32, most: usize| usize::try_from(n).is_ok_and(|n| n < most);
        let near = below(next.saturating_sub(lowest), WHOLE);
        next <= lowest || (near && below(self.since(lowest), PARTS))
    }

    /// A part of message `number` was said for the first time.
    pub(crate) fn said(&mut self, number: u32, lowest: u32) {
        self.parts = self.since(lowest).saturating_add(1);
        self.end = self.end.max(number.saturating_add(1));
    }

    /// The parts that may be waiting for `lowest`: none, if all that was said has arrived.
    const fn since(self, lowest: u32) -> u32 {
        if lowest >= self.end { 0 } else { self.parts }
    }

    pub(crate) fn put(self, w: &mut Writer) {
        w.u32(self.parts).u32(self.end);
    }

    pub(crate) fn get(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { parts: r.u32()?, end: r.u32()? })
    }
}

#[cfg(test)]
mod tests;
