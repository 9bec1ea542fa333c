//! Which tags are waited for, and what each of them means (BRD-43).

use crate::contact::ContactId;
use crate::file::{FileAt, FileId};
use board::tag::{OnionKey, Tag};
use std::collections::BTreeMap;

/// What a tag means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Meaning {
    /// Index `n` of generation `g` from a contact.
    Session { contact: ContactId, g: u16, n: u32 },
    /// Part `r` of a day's resync tags of a contact.
    Sync { contact: ContactId, day: u32, r: u8 },
    /// Index `n` of a session that an answer of ours made.
    Renewed { contact: ContactId, answer: [u8; 16], n: u32 },
    /// A part of a handshake.
    Pairing { pairing: [u8; 16], slot: u8 },
    /// A loop of ours came round.
    Loop { number: u64 },
    /// A beacon of this profile, of this copy or another.
    Beacon { day: u32, i: u8 },
    /// Index `n` of the chain of a file from a contact.
    File { contact: ContactId, file: FileId, n: u32 },
}

impl Meaning {
    /// The contact who writes under this tag, if it is one's.
    pub(crate) const fn contact(&self) -> Option<ContactId> {
        match self {
            Self::Session { contact, .. }
            | Self::Sync { contact, .. }
            | Self::Renewed { contact, .. }
            | Self::File { contact, .. } => Some(*contact),
            Self::Pairing { .. } | Self::Loop { .. } | Self::Beacon { .. } => None,
        }
    }

    /// Whether this tag belongs to the same contact, pairing or loop.
    pub(crate) const fn owner(&self) -> WatchOwner {
        match self {
            Self::Session { contact, .. } => WatchOwner::Contact(*contact),
            Self::Sync { contact, .. } => WatchOwner::Sync(*contact),
            Self::Renewed { contact, .. } => WatchOwner::Renewed(*contact),
            Self::Pairing { pairing, .. } => WatchOwner::Pairing(*pairing),
            Self::Loop { number } => WatchOwner::Loop(*number),
            Self::Beacon { .. } => WatchOwner::Beacons,
            Self::File { contact, file, .. } => WatchOwner::File((*contact, *file)),
        }
    }
}

/// Whose tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WatchOwner {
    Contact(ContactId),
    Sync(ContactId),
    Renewed(ContactId),
    Pairing([u8; 16]),
    Loop(u64),
    Beacons,
    File(FileAt),
}

/// Where something is waited for, and what.
pub(crate) type Place = (OnionKey, Meaning);

/// The tags that are waited for, by mailbox.
#[derive(Default)]
pub(crate) struct Watch {
    tags: BTreeMap<(OnionKey, [u8; 16]), Meaning>,
    owners: BTreeMap<WatchOwner, BTreeMap<Place, Tag>>,
}

/// What became of the tags of an owner.
#[derive(Default)]
pub(crate) struct Changed {
    /// Waited for from here on.
    pub(crate) fresh: Vec<(Place, Tag)>,
    /// Not waited for any more.
    pub(crate) gone: Vec<(Place, Tag)>,
}

impl Watch {
    /// Replaces all tags of an owner. `tag` is asked for the tags of new places, and for the first
    /// of those that stay: if that is another one, another chain has taken the place of the old,
    /// and all are asked for.
    pub(crate) fn replace(
        &mut self,
        owner: WatchOwner,
        places: Vec<Place>,
        tag: impl Fn(&Place) -> Option<Tag>,
    ) -> Changed {
        let mut before = self.owners.remove(&owner).unwrap_or_default();
        let mut changed = Changed::default();
        let kept = places.iter().find_map(|place| Some((place, before.get(place)?)));
        if kept.is_some_and(|(place, known)| tag(place).is_none_or(|t| t != *known)) {
            changed.gone.extend(core::mem::take(&mut before));
        }
        let mut after = BTreeMap::new();
        for place in places {
            if let Some(known) = before.remove(&place) {
                after.insert(place, known);
            } else if let Some(tag) = tag(&place) {
                after.insert(place, tag);
                changed.fresh.push((place, tag));
            }
        }
        changed.gone.extend(before);
        for ((mailbox, _), tag) in &changed.gone {
            self.tags.remove(&(*mailbox, tag.0));
        }
        for ((mailbox, meaning), tag) in &changed.fresh {
            self.tags.insert((*mailbox, tag.0), *meaning);
        }
        if !after.is_empty() {
            self.owners.insert(owner, after);
        }
        changed
    }

    /// What `tag` means at `mailbox`.
    pub(crate) fn meaning(&self, mailbox: &OnionKey, tag: &Tag) -> Option<Meaning> {
        self.tags.get(&(*mailbox, tag.0)).copied()
    }

    /// Tags at `mailbox` that begin with `prefix`, and what each means.
    pub(crate) fn with_prefix(
        &self,
        mailbox: &OnionKey,
        prefix: &[u8; 8],
    ) -> impl Iterator<Item = (Tag, Meaning)> {
        let [mut low, mut high] = [[0x00; 16], [0xff; 16]];
        for (to, from) in low.iter_mut().zip(prefix) {
            *to = *from;
        }
        for (to, from) in high.iter_mut().zip(prefix) {
            *to = *from;
        }
        let range = self.tags.range((*mailbox, low)..=(*mailbox, high));
        range.map(|((_, tag), meaning)| (Tag(*tag), *meaning))
    }
}

#[cfg(test)]
mod tests;
