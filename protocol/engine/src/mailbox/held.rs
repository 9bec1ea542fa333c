//! Chunks that hold something of a blocked contact: noted, and not fetched (ENG-4).

use super::finds::KeptPage;
use crate::contact::ContactId;
use board::header::PageHeader;
use crypto::Zeroizing;
use std::collections::{BTreeMap, BTreeSet};

/// Noted for one contact at most: its two windows of 64 indices. Whoever puts more under the same
/// tags harms nobody else.
const PER_CONTACT: usize = 128;

/// A contact, and a page with something of it.
pub(crate) type HeldKey = (ContactId, u64);

/// Where something of blocked contacts lies in one mailbox.
#[derive(Default)]
pub(crate) struct Held {
    pages: BTreeMap<HeldKey, KeptPage>,
    /// Pages whose row is to be saved.
    changed: BTreeSet<HeldKey>,
}

impl Held {
    /// Notes a chunk of a page.
    pub(crate) fn note(&mut self, contact: ContactId, header: &PageHeader, chunk: u16) {
        let noted = self.pages.range((contact, 0)..).take_while(|((id, _), _)| *id == contact);
        let noted = noted.map(|(_, page)| page.chunks.len()).fold(0, usize::saturating_add);
        if noted >= PER_CONTACT {
            return;
        }
        let key = (contact, header.page);
        let page = self.pages.entry(key);
        let page = page.or_insert_with(|| KeptPage { header: *header, chunks: BTreeSet::new() });
        if page.chunks.insert(chunk) {
            self.changed.insert(key);
        }
    }

    /// A page that was noted in an earlier life.
    pub(crate) fn keep(&mut self, contact: ContactId, page: KeptPage) {
        self.pages.insert((contact, page.header.page), page);
    }

    /// Takes out what was noted for contacts that `free` names.
    pub(crate) fn release(
        &mut self,
        free: impl Fn(&ContactId) -> bool,
    ) -> Vec<(ContactId, KeptPage)> {
        let keys: Vec<HeldKey> = self.pages.keys().filter(|(id, _)| free(id)).copied().collect();
        self.changed.extend(&keys);
        let page = |key: HeldKey| Some((key.0, self.pages.remove(&key)?));
        keys.into_iter().filter_map(page).collect()
    }

    /// Forgets pages before `oldest`.
    pub(crate) fn expire(&mut self, oldest: u64) {
        let gone = self.pages.extract_if(.., |(_, page), _| *page < oldest);
        self.changed.extend(gone.map(|(key, _)| key));
    }

    pub(crate) fn clear(&mut self) {
        self.changed.extend(core::mem::take(&mut self.pages).into_keys());
    }

    /// Rows that are to be saved, as those of [`super::finds::Finds::take_changed`].
    pub(crate) fn take_changed(&mut self) -> Vec<(HeldKey, Option<Zeroizing<Vec<u8>>>)> {
        let changed = core::mem::take(&mut self.changed);
        let row = |key: HeldKey| (key, self.pages.get(&key).map(KeptPage::to_row));
        changed.into_iter().map(row).collect()
    }

    /// Every page with something noted.
    pub(crate) fn keys(&self) -> impl Iterator<Item = HeldKey> {
        self.pages.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::finds::tests::header;
    use super::*;

    #[test]
    fn eng_4_what_is_noted_is_bounded_by_contact_and_saved() {
        let mut held = Held::default();
        for page in 0..1000 {
            held.note([1; 16], &header(page), 0);
        }
        held.note([2; 16], &header(7), 3);
        held.note([2; 16], &header(7), 3);
        assert_eq!(held.keys().count(), PER_CONTACT + 1);
        let rows = held.take_changed();
        assert_eq!(rows.len(), PER_CONTACT + 1);
        let mut again = Held::default();
        for ((contact, _), row) in rows {
            again.keep(contact, KeptPage::from_row(&row.unwrap()).unwrap());
        }
        assert!(again.keys().eq(held.keys()));
        let second = |id: &ContactId| *id == [2; 16];
        let freed = again.release(second);
        assert_eq!(freed.len(), 1);
        assert_eq!((freed[0].0, freed[0].1.header.page), ([2; 16], 7));
        assert_eq!(freed[0].1.chunks, [3].into());
        assert!(again.release(second).is_empty());
        assert!(matches!(again.take_changed()[..], [(([2, ..], 7), None)]));
        again.expire(100);
        assert_eq!(again.take_changed().len(), 100);
        assert_eq!(again.release(|_| true).len(), PER_CONTACT - 100);
    }
}
