//! Repeating what failed: real and cover alike, so that bytes seen twice say nothing (BRD-36).

use super::Engine;
use crate::outbox::{ItemId, Owner};
use crate::schedule::Mode;
use board::envelope::Envelope;
use board::tag::OnionKey;
use std::collections::VecDeque;

/// Indices that must be left for an item to be encrypted anew at a start.
const ROOM_TO_REPEAT: u32 = 32;

impl Engine {
    /// The bytes that the next put at `target` repeats, and the item that still waits for them.
    pub(super) fn take_again(&mut self, target: &OnionKey) -> Option<(Option<ItemId>, Envelope)> {
        let (item, envelope) = self.again.get_mut(target).and_then(VecDeque::pop_front)?;
        Some((item.filter(|id| self.carries(id, target, &envelope)), envelope))
    }

    /// A put that was not answered with STORED: its bytes are put again by the next slot for this
    /// target. In `fast` mode real ones need not wait for it.
    pub(super) fn put_failed(
        &mut self,
        mailbox: OnionKey,
        item: Option<ItemId>,
        envelope: Envelope,
    ) {
        if item.is_none() {
            self.loops.not_stored(&envelope.tag());
        }
        let item = item.filter(|id| self.carries(id, &mailbox, &envelope));
        if let Some(id) = item.filter(|_| self.profile.mode == Mode::Fast) {
            self.outbox.change(&id, |item| {
                if let Some(deposit) = item.deposit_mut(&mailbox) {
                    deposit.busy = false;
                    deposit.tries = deposit.tries.saturating_add(1);
                }
            });
            return;
        }
        if self.mailboxes.contains_key(&mailbox) {
            self.again.entry(mailbox).or_default().push_back((item, envelope));
        }
    }

    /// Whether an item still waits for this target with these bytes.
    pub(super) fn carries(&self, item: &ItemId, target: &OnionKey, envelope: &Envelope) -> bool {
        self.outbox.get(item).is_some_and(|item| {
            item.deposits
                .iter()
                .any(|d| d.mailbox == *target && !d.stored && d.envelope.as_ref() == Some(envelope))
        })
    }

    /// ENG-1: after a start nobody knows which cover was put and not stored, so that it cannot be
    /// repeated; what was sealed and not stored is encrypted anew, so that a mailbox sees no bytes
    /// a second time that only real ones could be. Saved when it is sealed.
    pub(super) fn seal_anew(&mut self) {
        let tried = self.outbox.iter().filter(|item| item.sealed.is_some() && !item.stored());
        let tried: Vec<(ItemId, Owner)> = tried.map(|item| (item.id, item.owner)).collect();
        for (id, owner) in tried {
            let owner = match owner {
                Owner::Contact(owner) => owner,
                Owner::Renewal(owner) => {
                    self.seal_leg_anew(&owner, &id);
                    continue;
                }
                Owner::File(contact, file) => {
                    self.seal_part_anew((contact, file), &id, ROOM_TO_REPEAT);
                    continue;
                }
                Owner::Pairing(_) => continue,
            };
            let (Some(contact), Some(session)) =
                (self.contacts.get(&owner), self.sessions.get_mut(&owner))
            else {
                continue;
            };
            // Restarts must not use up the window.
            if session.room() > ROOM_TO_REPEAT {
                session.sent.retain(|_, item| *item != id);
                self.outbox.change(&id, |item| item.unseal(&contact.inbox));
            }
        }
    }
}
