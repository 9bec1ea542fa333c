//! Chunks that hold something of a blocked contact: noted, and not fetched (ENG-4).

use crate::contact::ContactId;
use std::collections::BTreeSet;

/// Noted for one contact at most: its two windows of 64 indices. Whoever puts more under the same
/// tags harms nobody else.
const PER_CONTACT: usize = 128;

/// Where something of blocked contacts lies in one mailbox.
#[derive(Default)]
pub(crate) struct Held(BTreeSet<(ContactId, u64, u16)>);

impl Held {
    /// Notes a chunk of a page.
    pub(crate) fn note(&mut self, contact: ContactId, page: u64, chunk: u16) {
        let range = (contact, 0, 0)..=(contact, u64::MAX, u16::MAX);
        if self.0.range(range).count() < PER_CONTACT {
            self.0.insert((contact, page, chunk));
        }
    }

    /// Takes out what was noted for contacts that `free` names.
    pub(crate) fn release(
        &mut self,
        free: impl Fn(&ContactId) -> bool,
    ) -> BTreeSet<(ContactId, u64, u16)> {
        let all = core::mem::take(&mut self.0).into_iter();
        let (out, stays) = all.partition(|(contact, ..)| free(contact));
        self.0 = stays;
        out
    }

    /// Whether anything was noted in this page.
    pub(crate) fn holds(&self, page: u64) -> bool {
        self.0.iter().any(|(_, held, _)| *held == page)
    }

    /// Forgets pages before `oldest`.
    pub(crate) fn expire(&mut self, oldest: u64) {
        self.0.retain(|(_, page, _)| *page >= oldest);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(ContactId, u64, u16)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eng_4_what_is_noted_is_bounded_by_contact() {
        let mut held = Held::default();
        for page in 0..1000 {
            held.note([1; 16], page, 0);
        }
        held.note([2; 16], 7, 3);
        held.note([2; 16], 7, 3);
        assert_eq!(held.iter().count(), PER_CONTACT + 1);
        let second = |id: &ContactId| *id == [2; 16];
        assert_eq!(held.release(second), [([2; 16], 7, 3)].into());
        assert!(held.release(second).is_empty());
        held.expire(100);
        assert_eq!(held.release(|_| true).len(), PER_CONTACT - 100);
    }
}
