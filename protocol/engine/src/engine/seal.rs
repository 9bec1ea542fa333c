//! From an item to its envelopes: content, ratchet, board (BRD-41).

use super::Engine;
use crate::clock::Now;
use crate::contact::ContactId;
use crate::outbox::{Deposit, Item, ItemId, Load, Owner, Sealed};
use crate::step::Step;
use board::envelope::{self, Kind, Parcel};
use board::tag::OnionKey;
use content::{Content, GenerationRandom};
use crypto::Zeroizing;
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
        let Owner::Contact(owner) = item.owner else { return true };
        if item.sealed.is_some() {
            return true;
        }
        let body = self.content_of(item, &owner).encode();
        let sealed = self.seal_content(rng, &owner, *id, &body);
        let Some((g, n, deposits)) = sealed else { return false };
        self.outbox.change(id, |item| {
            item.sealed = Some(Sealed { g, n, at: now.unix_s() });
            item.deposits = deposits;
        });
        self.save_session(step, &owner);
        self.save_item(step, id);
        true
    }

    fn seal_content(
        &mut self,
        rng: &mut impl CryptoRng,
        owner: &ContactId,
        item: ItemId,
        content: &[u8],
    ) -> Option<(u16, u32, Vec<Deposit>)> {
        let contact = self.contacts.get(owner)?;
        let session = self.sessions.get_mut(owner)?;
        let ciphertext = session.ratchet.encrypt(rng, content).ok()?;
        session.abandon(|item| self.outbox.get(item).is_none());
        let (g, floor) = (session.send.g(), session.floor());
        let (n, slot) = session.send.take();
        session.sent.insert(n, item);
        let parcel = Parcel {
            kind: Kind::Message,
            part: 0,
            parts: 1,
            ack: Some(session.ack()),
            floor,
            mid: item,
            body: Zeroizing::new(ciphertext.as_bytes().to_vec()),
        };
        let seal = |mailbox: &OnionKey, rng: &mut _| -> Option<Deposit> {
            let (key, tag) = (slot.key(mailbox), slot.tag(mailbox));
            let envelope = envelope::seal(rng, &key, tag, mailbox, &parcel).ok()?;
            Some(Deposit { envelope: Some(envelope), ..Deposit::new(*mailbox) })
        };
        let deposits = contact.inbox.iter().map(|m| seal(m, rng)).collect::<Option<_>>()?;
        session.ack_due = false; // BRD-42: it rides on this one
        Some((g, n, deposits))
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
            Load::Receipt | Load::Handshake => Content::Receipt,
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
    fn message_floor(&self, owner: &ContactId) -> u32 {
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
        let id = self.make_item(rng, now, owner, load);
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
        self.make_item(rng, now, owner, Load::Receipt)
    }

    fn make_item(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        owner: &ContactId,
        load: Load,
    ) -> ItemId {
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        let inbox = self.contacts.get(owner).map(|contact| contact.inbox.as_slice());
        let mut item = Item {
            id,
            order: self.outbox.next_order(),
            owner: Owner::Contact(*owner),
            load,
            queued: now.unix_s(),
            sealed: None,
            repeats: 0,
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
