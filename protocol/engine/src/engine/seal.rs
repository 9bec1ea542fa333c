//! From an item to its envelopes: content, ratchet, board (BRD-41).

use super::Engine;
use crate::clock::Now;
use crate::contact::ContactId;
use crate::outbox::{Item, ItemId, Load, Owner, Sealed};
use crate::step::Step;
use content::{Content, GenerationRandom};
use rand_core::CryptoRng;

impl Engine {
    /// Seals an item for every mailbox of its recipient, unless it is sealed already. One index,
    /// one ratchet ciphertext, one envelope a mailbox (BRD-40). Says whether it is sealed.
    pub(super) fn seal(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &ItemId,
    ) -> bool {
        let Some(item) = self.outbox.get(id) else { return false };
        let owner = match item.owner {
            _ if item.sealed.is_some() => return true,
            Owner::Pairing(_) => return true,
            Owner::Renewal(contact) => return self.seal_leg(rng, now, step, id, &contact),
            Owner::Contact(contact) => contact,
            Owner::File(contact, file) => {
                return self.seal_part(rng, now, step, id, (contact, file)).is_some();
            }
        };
        let body = self.content_of(item, &owner).encode();
        let (Some(contact), Some(session)) =
            (self.contacts.get(&owner), self.sessions.get_mut(&owner))
        else {
            return false;
        };
        let said = match &item.load {
            Load::Part(part) if item.first() => Some(part.seq),
            _ => None,
        };
        let gone = |item: &ItemId| self.outbox.get(item).is_none();
        let Some(((g, n), deposits)) = session.seal(rng, *id, &body, &contact.inbox, gone) else {
            return false;
        };
        if let Some((said, lowest)) = said.zip(self.outbox.lowest_number(owner)) {
            session.ahead.said(said, lowest);
        }
        self.outbox.change(id, |item| {
            item.sealed = Some(Sealed { g, n, at: now.unix_s() });
            item.deposits = deposits;
        });
        self.save_session(step, &owner);
        self.save_item(step, id);
        true
    }

    fn content_of(&self, item: &Item, owner: &ContactId) -> Content {
        match &item.load {
            Load::Part(part) => {
                let mut part = part.clone();
                part.floor = self.message_floor(owner);
                Content::Part(part)
            }
            Load::Generation { g, r } => {
                let r = GenerationRandom::copy_of(r.expose_secret());
                Content::NewGeneration { g: *g, r }
            }
            Load::Inbox { version, mailboxes } => {
                Content::InboxSet { version: *version, mailboxes: mailboxes.clone() }
            }
            Load::Timer(setting) => Content::Timer(*setting),
            Load::Floor => Content::Floor { floor: self.message_floor(owner) },
            Load::Offer(file) => self.offer_of((*owner, *file)),
            Load::Report(file) => self.report_of((*owner, *file)),
            Load::Receipt | Load::Handshake | Load::Rekey(_) | Load::FilePart(_) => {
                Content::Receipt
            }
        }
    }

    /// ENG-2: the number of the next message of ours. Whoever has lost the session goes on from the
    /// clock, in seconds: no number that was used before is as high.
    pub(super) fn next_seq(&self, owner: &ContactId, now: Now) -> u32 {
        if let Some(session) = self.sessions.get(owner) {
            return session.seq_out;
        }
        let clock = u32::try_from(now.unix_s()).unwrap_or(u32::MAX);
        let waiting = self.outbox.of(Owner::Contact(*owner)).filter_map(|item| match &item.load {
            Load::Part(part) => Some(part.seq.saturating_add(1)),
            _ => None,
        });
        waiting.max().map_or(clock, |next| next.max(clock))
    }

    /// Every message of ours with a smaller number was delivered or given up.
    pub(super) fn message_floor(&self, owner: &ContactId) -> u32 {
        let next = || self.sessions.get(owner).map_or(0, |session| session.seq_out);
        self.outbox.lowest_number(*owner).unwrap_or_else(next)
    }

    /// Queues something for a contact; saved by the caller's step.
    pub(super) fn queue(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        owner: &ContactId,
        load: Load,
    ) -> ItemId {
        let id = self.make_item(rng, now, Owner::Contact(*owner), load);
        self.save_item(step, &id);
        id
    }

    /// Makes an acknowledgement that goes alone. It is saved when it is sealed, which follows at
    /// once.
    pub(super) fn queue_receipt(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        owner: &ContactId,
    ) -> ItemId {
        // The newest says all that older ones say.
        let older: Vec<ItemId> = self.outbox.receipts(*owner).map(|item| item.id).collect();
        for item in older {
            self.drop_item(step, &item);
        }
        self.make_item(rng, now, Owner::Contact(*owner), Load::Receipt)
    }

    pub(super) fn make_item(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        owner: Owner,
        load: Load,
    ) -> ItemId {
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        let inbox = match owner {
            Owner::Contact(contact) | Owner::Renewal(contact) | Owner::File(contact, _) => {
                self.contacts.get(&contact)
            }
            Owner::Pairing(_) => None,
        };
        let inbox = inbox.map(|contact| contact.inbox.as_slice());
        let mut item = Item {
            id,
            order: self.outbox.next_order(),
            owner,
            load,
            queued: now.unix_s(),
            sealed: None,
            repeats: 0,
            left: false,
            deposits: Vec::new(),
        };
        item.unseal(inbox.unwrap_or_default());
        self.outbox.insert(item);
        id
    }

    /// Makes items be encrypted anew: under a new index, with the same `mid` (BRD-41).
    pub(super) fn unseal(&mut self, step: &mut Step, owner: &ContactId, items: &[ItemId]) {
        let inbox =
            self.contacts.get(owner).map(|contact| contact.inbox.clone()).unwrap_or_default();
        for id in items {
            if self.outbox.change(id, |item| item.unseal(&inbox)).is_some() {
                self.save_item(step, id);
            }
        }
    }
}
