//! Contacts who are owed an acknowledgement (BRD-42).

use crate::contact::ContactId;
use std::collections::{BTreeMap, BTreeSet};

/// Who is owed an acknowledgement, and since which PUT slot.
#[derive(Default)]
pub(crate) struct Acks {
    slot: u64,
    since: BTreeMap<ContactId, u64>,
    queue: BTreeSet<(u64, ContactId)>,
}

impl Acks {
    /// A PUT slot came.
    pub(crate) const fn slot(&mut self) {
        self.slot = self.slot.saturating_add(1);
    }

    /// Notes whether something is owed; what is owed already goes on waiting.
    pub(crate) fn note(&mut self, contact: &ContactId, owed: bool) {
        if !owed {
            if let Some(since) = self.since.remove(contact) {
                self.queue.remove(&(since, *contact));
            }
        } else if !self.since.contains_key(contact) {
            self.since.insert(*contact, self.slot);
            self.queue.insert((self.slot, *contact));
        }
    }

    /// Those who have waited for this many slots, the longest first: nobody's flood keeps another's
    /// receipt back (PRD-5).
    pub(crate) fn waiting(&self, slots: u64) -> impl Iterator<Item = &ContactId> {
        let last = self.slot.checked_sub(slots).map(|slot| (slot, [0xff; 16]));
        last.into_iter().flat_map(|last| self.queue.range(..=last)).map(|(_, contact)| contact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brd_42_acknowledgements_wait_in_turn_and_begin_anew_when_they_were_given() {
        let mut acks = Acks::default();
        let waiting =
            |acks: &Acks, slots| -> Vec<u8> { acks.waiting(slots).map(|c| c[0]).collect() };
        acks.note(&[2; 16], true);
        acks.slot();
        acks.note(&[1; 16], true);
        acks.note(&[2; 16], true);
        assert_eq!(waiting(&acks, 0), [2, 1]);
        assert_eq!(waiting(&acks, 1), [2]);
        assert!(waiting(&acks, 2).is_empty());
        acks.slot();
        assert_eq!(waiting(&acks, 1), [2, 1]);
        acks.note(&[2; 16], false);
        acks.note(&[2; 16], true);
        assert_eq!(waiting(&acks, 0), [1, 2]);
        assert_eq!(waiting(&acks, 1), [1]);
        acks.note(&[1; 16], false);
        acks.note(&[1; 16], false);
        assert_eq!(waiting(&acks, 0), [2]);
    }
}
