//! Contacts: made by a handshake, changed by another one, forgotten.

use super::Engine;
use crate::changes::{Change, EventKind, Table};
use crate::clock::Now;
use crate::contact::{Contact, ContactId, Trust};
use crate::outbox::{Load, Owner};
use crate::pairing::InviteId;
use crate::recovery::Recovery;
use crate::session::Session;
use crate::step::Step;
use handshake::Established;
use identity::Relation;
use rand_core::CryptoRng;

impl Engine {
    /// Makes the contact of a completed handshake, unverified; or, if the invite was assigned to
    /// a contact that is known, changes that contact's key, which blocks it (ID-3).
    pub(super) fn establish(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        pairing_id: &InviteId,
        inviter: bool,
        established: Established,
    ) {
        let Established { peer, own_x, peer_intro, sas, session, first, day, .. } = established;
        // SAS-4: half of a known identity is nobody.
        let half = |c: &Contact| peer.relation_to(&c.cert) != Relation::Stranger;
        if self.contacts.values().any(half) {
            return self.kill_pairing(now, step, pairing_id);
        }
        let wanted = self.pairings.get(pairing_id).map(|p| p.name.clone()).unwrap_or_default();
        let assigned = self.contacts.values().find(|c| !wanted.is_empty() && c.name == wanted);
        let changed = assigned.map(|contact| contact.id);
        let id = changed.unwrap_or_else(|| {
            let mut id = [0; 16];
            rng.fill_bytes(&mut id);
            id
        });
        let shown = if wanted.is_empty() { &peer_intro.name } else { &wanted };
        let name = if changed.is_some() { wanted.clone() } else { self.free_name(shown) };
        // A key that changes changes nothing of what was agreed before.
        let terms = changed.and_then(|id| self.contacts.get(&id)).map(|contact| contact.terms);
        let contact = Contact {
            id,
            name,
            trust: if changed.is_some() { Trust::Changed } else { Trust::Unverified },
            cert: peer,
            inbox: peer_intro.inbox,
            inbox_version: peer_intro.version,
            inviter,
            sas: sas.code(),
            tries: 0,
            terms: terms.unwrap_or_default(),
        };
        let made = Session::new(rng, &contact, &session, first, now.unix_s());
        self.contacts.insert(id, contact);
        self.sessions.insert(id, made);
        self.recoveries.insert(id, Recovery::new(&session, day, own_x));
        // What was under way with the old key.
        self.forget_renewal(step, &id);
        if changed.is_some() {
            self.void_files(now, step, &id); // FIL-13: whoever had the old key has their secrets
            self.requeue(step, &id);
        }
        if let Some(pairing) = self.pairings.get_mut(pairing_id) {
            pairing.contact = Some(id);
        }
        let kind =
            if changed.is_some() { EventKind::ContactChanged } else { EventKind::ContactAdded };
        step.event(now, kind, Some(id));
        self.save_contact(step, &id);
        self.save_session(step, &id);
        self.save_recovery(step, &id);
        self.watch_contact(&id);
    }

    /// After a key change everything that waits is encrypted anew, in its old order, for whoever
    /// is verified then (ID-3).
    fn requeue(&mut self, step: &mut Step, contact: &ContactId) {
        let owner = Owner::Contact(*contact);
        let (keep, drop): (Vec<_>, Vec<_>) = self
            .outbox
            .of(owner)
            .map(|item| (item.id, item.message()))
            .partition(|(_, message)| message.is_some());
        for (item, _) in drop {
            self.drop_item(step, &item);
        }
        let mut numbers: Vec<[u8; 16]> = Vec::new();
        for (id, message) in &keep {
            let Some(message) = message else { continue };
            if !numbers.contains(message) {
                numbers.push(*message);
            }
            let seq = numbers.iter().position(|m| m == message).unwrap_or(0);
            self.outbox.change(id, |item| {
                if let Load::Part(part) = &mut item.load {
                    part.seq = u32::try_from(seq).unwrap_or(u32::MAX);
                }
            });
        }
        if let Some(session) = self.sessions.get_mut(contact) {
            session.seq_out = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        }
        let items: Vec<[u8; 16]> = keep.into_iter().map(|(id, _)| id).collect();
        self.unseal(step, contact, &items);
        // Halves of messages from the old session never become whole: the peer sends them anew.
        self.forget_partials(step, contact);
    }

    fn forget_partials(&mut self, step: &mut Step, contact: &ContactId) {
        let of = self.partials.range((*contact, [0; 16])..=(*contact, [0xff; 16]));
        let keys: Vec<_> = of.map(|(key, _)| *key).collect();
        for key in keys {
            self.partials.remove(&key);
            step.delete(Table::Partial, &crate::rows::pair(&key.0, &key.1));
        }
    }

    /// A name that no contact has.
    pub(super) fn free_name(&self, wanted: &str) -> String {
        let base = if wanted.trim().is_empty() { "contact" } else { wanted.trim() };
        let taken = |name: &str| self.contacts.values().any(|contact| contact.name == name);
        if !taken(base) {
            return base.to_owned();
        }
        (2_u32..).map(|k| format!("{base} ({k})")).find(|name| !taken(name)).unwrap_or_default()
    }

    /// ENG-5: removes a contact, its session, what waits for it and its conversation. Nothing is
    /// sent: to the peer it is as if this device were off.
    pub(super) fn forget_contact(&mut self, now: Now, step: &mut Step, id: &ContactId) {
        self.contacts.remove(id);
        self.sessions.remove(id);
        self.recoveries.remove(id);
        self.forget_renewal(step, id);
        for table in [Table::Contact, Table::Ratchet, Table::Recovery] {
            step.delete(table, id);
        }
        let waiting: Vec<[u8; 16]> =
            self.outbox.of(Owner::Contact(*id)).map(|item| item.id).collect();
        for item in waiting {
            self.drop_item(step, &item);
        }
        self.forget_partials(step, id);
        self.forget_files(step, id);
        for key in self.seen.forget_contact(id) {
            step.delete(Table::Seen, &crate::rows::pair(&key.0, &key.1));
        }
        // The invite is remembered, so that a second use is noticed (INV-3); not whom it led to.
        let pairings = self.pairings.values_mut().filter(|p| p.contact == Some(*id));
        let of_theirs: Vec<InviteId> = pairings
            .map(|pairing| {
                pairing.contact = None;
                pairing.name.clear();
                pairing.id
            })
            .collect();
        of_theirs.iter().for_each(|pairing| self.save_pairing(step, pairing));
        self.acks.note(id, false);
        step.change(Change::ForgetConversation { contact: *id });
        self.unhold();
        self.watch_contact(id);
        self.sync_mailboxes(now);
    }
}
