//! All items of a profile, and where each stands, so that no question walks over all of them.

use super::{Item, ItemId, Load, Owner};
use crate::MessageId;
use crate::contact::ContactId;
use crate::file::FileAt;
use crate::schedule::FAST_TRIES;
use board::tag::OnionKey;
use core::ops::Bound;
use std::collections::{BTreeMap, BTreeSet};

/// Items of one owner that may leave together or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    pub(crate) owner: Owner,
    /// Sealed already: it has its index.
    pub(crate) sealed: bool,
    /// Said for the first time: part of a message, offer or part of a file (ENG-3, FIL-6).
    pub(crate) first: bool,
    /// Failed at this mailbox so often that `fast` mode leaves it to the slots.
    pub(crate) tired: bool,
}

impl Group {
    /// Parts of a file.
    pub(crate) const fn of_file(&self) -> bool {
        matches!(self.owner, Owner::File(..))
    }
}

/// The group before all others.
const LEAST: Group =
    Group { owner: Owner::Contact([0; 16]), sealed: false, first: false, tired: false };

/// What an item is found by; each ends with its order. A function of the item and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Owner(Owner, u64),
    Message(ContactId, MessageId, u64),
    /// Number of the message in its session.
    Number(ContactId, u32, u64),
    /// The same, of a part that was never sealed.
    Unsaid(ContactId, u32, u64),
    Receipt(ContactId, u64),
    Floor(ContactId, u64),
    /// The offer or a report of a file.
    About(FileAt, u64),
    /// A part of a message, by the time that its 14 days count from.
    Queued(u64, u64),
    /// Stored and not acknowledged, by the time at which it is encrypted anew.
    Repeat(u64, u64),
    /// A copy that this mailbox has not stored.
    Missing(OnionKey, u64),
    /// A copy that could go to this mailbox: a first one, or one of an item that is stored at
    /// another.
    Waiting(OnionKey, bool, Group, u64),
}

fn keys(item: &Item) -> Vec<Key> {
    let order = item.order;
    let mut keys = vec![Key::Owner(item.owner, order)];
    if let Owner::Contact(contact) = item.owner {
        match &item.load {
            Load::Part(part) => {
                keys.push(Key::Message(contact, part.message, order));
                keys.push(Key::Number(contact, part.seq, order));
                if item.first() && item.sealed.is_none() {
                    keys.push(Key::Unsaid(contact, part.seq, order));
                }
                keys.push(Key::Queued(item.queued, order));
            }
            Load::Receipt => keys.push(Key::Receipt(contact, order)),
            Load::Floor => keys.push(Key::Floor(contact, order)),
            Load::Offer(file) | Load::Report(file) => {
                keys.push(Key::About((contact, *file), order));
            }
            _ => {}
        }
    }
    if !matches!(item.owner, Owner::Pairing(_)) {
        keys.extend(item.repeat_at().map(|at| Key::Repeat(at, order)));
    }
    for deposit in item.deposits.iter().filter(|d| !d.stored) {
        keys.push(Key::Missing(deposit.mailbox, order));
        if !deposit.busy {
            let group = Group {
                owner: item.owner,
                sealed: item.sealed.is_some(),
                first: item.first(),
                tired: deposit.tries >= FAST_TRIES,
            };
            keys.push(Key::Waiting(deposit.mailbox, item.stored(), group, order));
        }
    }
    keys
}

crypto::opaque!(Outbox);

/// All items, oldest first.
#[derive(Default)]
pub(crate) struct Outbox {
    items: BTreeMap<u64, Item>,
    by_id: BTreeMap<ItemId, u64>,
    /// ENG-6: nothing is looked for by walking over all items.
    index: BTreeSet<Key>,
    next_order: u64,
}

impl Outbox {
    /// Adds an item that was loaded or made; `order` of a new one comes from [`Self::next_order`].
    pub(crate) fn insert(&mut self, item: Item) {
        self.next_order = self.next_order.max(item.order.saturating_add(1));
        self.by_id.insert(item.id, item.order);
        self.index.extend(keys(&item));
        self.items.insert(item.order, item);
    }

    pub(crate) const fn next_order(&self) -> u64 {
        self.next_order
    }

    pub(crate) fn get(&self, id: &ItemId) -> Option<&Item> {
        self.items.get(self.by_id.get(id)?)
    }

    /// Changes an item, all but its id and order.
    pub(crate) fn change<T>(
        &mut self,
        id: &ItemId,
        change: impl FnOnce(&mut Item) -> T,
    ) -> Option<T> {
        let item = self.items.get_mut(self.by_id.get(id)?)?;
        for key in keys(item) {
            self.index.remove(&key);
        }
        let done = change(item);
        self.index.extend(keys(item));
        Some(done)
    }

    pub(crate) fn remove(&mut self, id: &ItemId) -> Option<Item> {
        let item = self.items.remove(&self.by_id.remove(id)?)?;
        for key in keys(&item) {
            self.index.remove(&key);
        }
        Some(item)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    pub(crate) fn of(&self, owner: Owner) -> impl Iterator<Item = &Item> {
        self.found(Key::Owner(owner, 0), Key::Owner(owner, u64::MAX))
    }

    /// Items of one message.
    pub(crate) fn of_message(
        &self,
        contact: ContactId,
        message: MessageId,
    ) -> impl Iterator<Item = &Item> {
        let key = |order| Key::Message(contact, message, order);
        self.found(key(0), key(u64::MAX))
    }

    /// Acknowledgements to a contact that have not reached every mailbox yet.
    pub(crate) fn receipts(&self, contact: ContactId) -> impl Iterator<Item = &Item> {
        self.found(Key::Receipt(contact, 0), Key::Receipt(contact, u64::MAX))
    }

    /// What tells a contact a floor, and was not acknowledged.
    pub(crate) fn floors(&self, contact: ContactId) -> impl Iterator<Item = &Item> {
        self.found(Key::Floor(contact, 0), Key::Floor(contact, u64::MAX))
    }

    /// The offer and the reports of a file.
    pub(crate) fn about(&self, file: FileAt) -> impl Iterator<Item = &Item> {
        self.found(Key::About(file, 0), Key::About(file, u64::MAX))
    }

    /// Parts of messages whose 14 days began before `time`, oldest first.
    pub(crate) fn queued_before(&self, time: u64) -> impl Iterator<Item = &Item> {
        let last = time.checked_sub(1).map(|time| Key::Queued(time, u64::MAX));
        last.into_iter().flat_map(|last| self.found(Key::Queued(0, 0), last))
    }

    /// What was stored, was not acknowledged, and is to be encrypted anew before `time`.
    pub(crate) fn repeats_before(&self, time: u64) -> impl Iterator<Item = &Item> {
        let last = time.checked_sub(1).map(|time| Key::Repeat(time, u64::MAX));
        last.into_iter().flat_map(|last| self.found(Key::Repeat(0, 0), last))
    }

    /// The smallest number of a message to this contact that waits or is pursued.
    pub(crate) fn lowest_number(&self, contact: ContactId) -> Option<u32> {
        self.least(|number, order| Key::Number(contact, number, order))
    }

    /// The number of the next message that this contact is told for the first time.
    pub(crate) fn next_number(&self, contact: ContactId) -> Option<u32> {
        self.least(|number, order| Key::Unsaid(contact, number, order))
    }

    /// The smallest number among keys that are made of one and an order.
    fn least(&self, key: impl Fn(u32, u64) -> Key) -> Option<u32> {
        match self.index.range(key(0, 0)..=key(u32::MAX, u64::MAX)).next() {
            Some(Key::Number(_, number, _) | Key::Unsaid(_, number, _)) => Some(*number),
            _ => None,
        }
    }

    /// Mailboxes that have not stored everything that is to lie there.
    pub(crate) fn missing(&self) -> impl Iterator<Item = OnionKey> {
        let mut from = Bound::Included(Key::Missing([0; 32], 0));
        core::iter::from_fn(move || match self.index.range((from, Bound::Unbounded)).next() {
            Some(Key::Missing(mailbox, _)) => {
                from = Bound::Excluded(Key::Missing(*mailbox, u64::MAX));
                Some(*mailbox)
            }
            _ => None,
        })
    }

    /// The oldest item that could go to `target` and may, first copies before second ones.
    pub(crate) fn oldest(&self, target: &OnionKey, may: impl Fn(&Group) -> bool) -> Option<ItemId> {
        let oldest = |stored| {
            let groups = self.groups(*target, stored).filter(|(group, _)| may(group));
            groups.map(|(_, order)| order).min()
        };
        let order = oldest(false).or_else(|| oldest(true))?;
        self.items.get(&order).map(|item| item.id)
    }

    /// How many copies could go to `target` and may; counts no further than `most`.
    pub(crate) fn waiting(
        &self,
        target: &OnionKey,
        most: usize,
        may: impl Fn(&Group) -> bool,
    ) -> usize {
        let groups = |stored| self.groups(*target, stored).map(move |(group, _)| (stored, group));
        groups(false)
            .chain(groups(true))
            .filter(|(_, group)| may(group))
            .flat_map(|(stored, group)| {
                let key = |order| Key::Waiting(*target, stored, group, order);
                self.index.range(key(0)..=key(u64::MAX))
            })
            .take(most)
            .count()
    }

    /// Groups with something for `target`, and the oldest of each.
    fn groups(&self, target: OnionKey, stored: bool) -> impl Iterator<Item = (Group, u64)> {
        let mut from = Bound::Included(Key::Waiting(target, stored, LEAST, 0));
        core::iter::from_fn(move || match self.index.range((from, Bound::Unbounded)).next() {
            Some(Key::Waiting(mailbox, s, group, order)) if (*mailbox, *s) == (target, stored) => {
                from = Bound::Excluded(Key::Waiting(target, stored, *group, u64::MAX));
                Some((*group, *order))
            }
            _ => None,
        })
    }

    fn found(&self, first: Key, last: Key) -> impl Iterator<Item = &Item> {
        self.index.range(first..=last).filter_map(|key| {
            let (Key::Owner(.., order)
            | Key::Message(.., order)
            | Key::Number(.., order)
            | Key::Unsaid(.., order)
            | Key::Receipt(_, order)
            | Key::Floor(_, order)
            | Key::About(_, order)
            | Key::Queued(_, order)
            | Key::Repeat(_, order)
            | Key::Missing(_, order)
            | Key::Waiting(.., order)) = key;
            self.items.get(order)
        })
    }
}

#[cfg(test)]
mod tests;
