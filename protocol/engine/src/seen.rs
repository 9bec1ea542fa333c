//! What has arrived, so that none of it is taken twice (BRD-44).

use crate::contact::ContactId;
use std::collections::BTreeMap;

/// A contact, and an item or a message of it.
pub(crate) type SeenKey = (ContactId, [u8; 16]);

/// What has arrived, and when, in Unix hours.
#[derive(Default)]
pub(crate) struct Seen {
    at: BTreeMap<SeenKey, u32>,
    /// The same by hour; an entry whose hour is not that of `at` is of the past.
    by_hour: BTreeMap<u32, Vec<SeenKey>>,
}

impl Seen {
    /// Whether this has arrived.
    pub(crate) fn contains(&self, key: &SeenKey) -> bool {
        self.at.contains_key(key)
    }

    /// It arrived at this hour.
    pub(crate) fn insert(&mut self, key: SeenKey, hour: u32) {
        if self.at.insert(key, hour) != Some(hour) {
            self.by_hour.entry(hour).or_default().push(key);
        }
    }

    /// Forgets what arrived before `hour`, and gives it.
    pub(crate) fn forget_before(&mut self, hour: u32) -> Vec<SeenKey> {
        let later = self.by_hour.split_off(&hour);
        let due = core::mem::replace(&mut self.by_hour, later);
        let mut gone = Vec::new();
        for (hour, keys) in due {
            for key in keys {
                if self.at.get(&key) == Some(&hour) {
                    self.at.remove(&key);
                    gone.push(key);
                }
            }
        }
        gone
    }

    /// Forgets what arrived from a contact, and gives it.
    pub(crate) fn forget_contact(&mut self, contact: &ContactId) -> Vec<SeenKey> {
        let all = self.at.range((*contact, [0; 16])..=(*contact, [0xff; 16]));
        let gone: Vec<SeenKey> = all.map(|(key, _)| *key).collect();
        for key in &gone {
            self.at.remove(key);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn brd_44_what_is_due_is_forgotten_and_nothing_else(
            steps in proptest::collection::vec((0_u8..4, 0_u8..3, 0_u8..6, 0_u32..9), 0..60)
        ) {
            let mut seen = Seen::default();
            let mut plain: BTreeMap<SeenKey, u32> = BTreeMap::new();
            for (what, contact, item, hour) in steps {
                let key = ([contact; 16], [item; 16]);
                match what {
                    0 | 1 => {
                        seen.insert(key, hour);
                        plain.insert(key, hour);
                    }
                    2 => {
                        let gone: BTreeSet<SeenKey> = seen.forget_before(hour).into_iter().collect();
                        let old = plain.iter().filter(|(_, at)| **at < hour);
                        prop_assert_eq!(&gone, &old.map(|(key, _)| *key).collect());
                        plain.retain(|_, at| *at >= hour);
                    }
                    _ => {
                        let gone = seen.forget_contact(&key.0);
                        let of = plain.keys().filter(|(owner, _)| *owner == key.0);
                        prop_assert_eq!(gone, of.copied().collect::<Vec<_>>());
                        plain.retain(|(owner, _), _| *owner != key.0);
                    }
                }
                prop_assert_eq!(&seen.at, &plain);
                for key in plain.keys() {
                    prop_assert!(seen.contains(key));
                }
            }
        }
    }
}
