//! Loops: cover that comes back to its sender, and shows whether a mailbox keeps what it took
//! (BRD-33, ENG-11).

use board::tag::{OnionKey, SlotSecret, Tag};
use crypto::aead::EnvelopeKey;
use std::collections::BTreeMap;

/// Loops that may be out at once.
const MOST: usize = 200;
/// A loop lies in the page that was open when it was stored, or in the one before if that closed
/// while the answer was written. When so many later ones show no trace of it, it is lost: BRD-18
/// gives the mailbox two intervals.
const PAGES_BEFORE: u64 = 1;
const PAGES_AFTER: u64 = 5;

/// What is known of where a loop lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trace {
    /// It has left once, and was not answered yet.
    Left,
    /// Its first put was answered with STORED while this page was open.
    Stored(u64),
    /// It has left more than once. The mailbox may have it since the first time, whose answer was
    /// lost, so that what it says now tells nothing of the page.
    Unknown,
}

struct Loop {
    mailbox: OnionKey,
    slot: SlotSecret,
    tag: Tag,
    trace: Trace,
}

/// All loops that are out, by the order in which they were made. A start forgets them.
#[derive(Default)]
pub(crate) struct Loops {
    out: BTreeMap<u64, Loop>,
    next: u64,
}

crypto::opaque!(Loop, Loops);

impl Loops {
    /// The oldest, if there are so many that it has to make room for another.
    pub(crate) fn surplus(&self) -> Option<u64> {
        let (oldest, _) = self.out.first_key_value()?;
        (self.out.len() >= MOST).then_some(*oldest)
    }

    /// One more is out, under the tag of its slot; gives its number.
    pub(crate) fn add(&mut self, mailbox: &OnionKey, slot: SlotSecret, tag: Tag) -> u64 {
        let number = self.next;
        self.next = number.saturating_add(1);
        self.out.insert(number, Loop { mailbox: *mailbox, slot, tag, trace: Trace::Left });
        number
    }

    /// Where a loop comes back, under which tag.
    pub(crate) fn place(&self, number: u64) -> Option<(OnionKey, Tag)> {
        self.out.get(&number).map(|one| (one.mailbox, one.tag))
    }

    pub(crate) fn key(&self, number: u64) -> Option<EnvelopeKey> {
        self.out.get(&number).map(|one| one.slot.key(&one.mailbox))
    }

    /// It came back, or never will.
    pub(crate) fn remove(&mut self, number: u64) {
        self.out.remove(&number);
    }

    fn trace_mut(&mut self, tag: &Tag) -> Option<&mut Trace> {
        let mut out = self.out.values_mut();
        out.find(|one| one.tag == *tag).map(|one| &mut one.trace)
    }

    /// A put with this tag was not answered with STORED, and its bytes will leave again.
    pub(crate) fn not_stored(&mut self, tag: &Tag) {
        if let Some(trace) = self.trace_mut(tag) {
            *trace = Trace::Unknown;
        }
    }

    /// A put with this tag was answered with STORED while `page` was open.
    pub(crate) fn stored(&mut self, tag: &Tag, page: u64) {
        if let Some(trace) = self.trace_mut(tag).filter(|trace| **trace == Trace::Left) {
            *trace = Trace::Stored(page);
        }
    }

    /// Loops of a mailbox that lie in none of the pages in which they must lie, all of which are
    /// `held`; `seen` are the tags that stood in any page.
    pub(crate) fn lost(
        &self,
        mailbox: &OnionKey,
        held: impl Fn(u64) -> bool,
        seen: impl Fn(&Tag) -> bool,
    ) -> Vec<u64> {
        let due = |page: u64| {
            let last = page.saturating_add(PAGES_AFTER);
            held(last) && (page.saturating_sub(PAGES_BEFORE)..last).all(&held)
        };
        let mut lost = Vec::new();
        for (number, one) in self.out.iter().filter(|(_, one)| one.mailbox == *mailbox) {
            match one.trace {
                Trace::Stored(page) if !seen(&one.tag) && due(page) => lost.push(*number),
                _ => {}
            }
        }
        lost
    }
}

#[cfg(test)]
mod tests;
