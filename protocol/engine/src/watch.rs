//! Which tags are waited for, and what each of them means (BRD-43).

use crate::contact::ContactId;
use board::tag::{OnionKey, Tag};
use std::collections::BTreeMap;

/// What a tag means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Index `n` of generation `g` from a contact.
    Session { contact: ContactId, g: u16, n: u32 },
    /// A part of a handshake.
    Pairing { pairing: [u8; 16], slot: u8 },
    /// A loop of ours came round.
    Loop { number: u64 },
}

impl Meaning {
    /// The contact who writes under this tag, if it is a session's.
    pub(crate) const fn contact(&self) -> Option<ContactId> {
        match self {
            Self::Session { contact, .. } => Some(*contact),
            Self::Pairing { .. } | Self::Loop { .. } => None,
        }
    }

    /// Whether this tag belongs to the same contact, pairing or loop.
    const fn owner(&self) -> WatchOwner {
        match self {
            Self::Session { contact, .. } => WatchOwner::Contact(*contact),
            Self::Pairing { pairing, .. } => WatchOwner::Pairing(*pairing),
            Self::Loop { number } => WatchOwner::Loop(*number),
        }
    }
}

/// Whose tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WatchOwner {
    Contact(ContactId),
    Pairing([u8; 16]),
    Loop(u64),
}

/// The tags that are waited for, by mailbox.
#[derive(Default)]
pub(crate) struct Watch(BTreeMap<(OnionKey, [u8; 16]), Meaning>);

impl Watch {
    /// Replaces all tags of an owner; gives those that were not waited for before.
    pub(crate) fn replace(
        &mut self,
        owner: WatchOwner,
        tags: Vec<(OnionKey, Tag, Meaning)>,
    ) -> Vec<(OnionKey, Tag)> {
        let before: Vec<(OnionKey, [u8; 16])> = self
            .0
            .iter()
            .filter(|(_, meaning)| meaning.owner() == owner)
            .map(|(key, _)| *key)
            .collect();
        for key in &before {
            self.0.remove(key);
        }
        let mut fresh = Vec::new();
        for (mailbox, tag, meaning) in tags {
            self.0.insert((mailbox, tag.0), meaning);
            if before.binary_search(&(mailbox, tag.0)).is_err() {
                fresh.push((mailbox, tag));
            }
        }
        fresh
    }

    /// What `tag` means at `mailbox`.
    pub(crate) fn meaning(&self, mailbox: &OnionKey, tag: &Tag) -> Option<Meaning> {
        self.0.get(&(*mailbox, tag.0)).copied()
    }

    /// What tags at `mailbox` that begin with `prefix` mean.
    pub(crate) fn with_prefix(
        &self,
        mailbox: &OnionKey,
        prefix: &[u8; 8],
    ) -> impl Iterator<Item = Meaning> {
        let [mut low, mut high] = [[0x00; 16], [0xff; 16]];
        for (to, from) in low.iter_mut().zip(prefix) {
            *to = *from;
        }
        for (to, from) in high.iter_mut().zip(prefix) {
            *to = *from;
        }
        self.0.range((*mailbox, low)..=(*mailbox, high)).map(|(_, meaning)| *meaning)
    }
}
