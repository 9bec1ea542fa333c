//! A renewed session takes the place of the old one (REK-7).

use super::super::Engine;
use crate::changes::EventKind;
use crate::clock::Now;
use crate::contact::ContactId;
use crate::outbox::{ItemId, Load, Owner};
use crate::renewal::AnswerId;
use crate::session::{Passed, Session};
use crate::step::Step;
use board::envelope::{self, Envelope, Kind};
use board::tag::OnionKey;
use ratchet::Ciphertext;
use std::collections::BTreeMap;

impl Engine {
    /// Opens the peer's first message in a session that an answer of ours made: that is what proves
    /// the peer to us.
    pub(in crate::engine) fn open_renewed(
        &mut self,
        now: Now,
        step: &mut Step,
        id: &ContactId,
        (answer, n): (AnswerId, u32),
        mailbox: &OnionKey,
        envelope: &Envelope,
    ) {
        let Some(renewal) = self.renewals.get_mut(id) else { return };
        let Some(pending) = renewal.pending_mut(&answer) else { return };
        let Some(key) = pending.session.recv.slot(n).map(|slot| slot.key(mailbox)) else { return };
        let Ok(parcel) = envelope::open(&key, mailbox, envelope) else { return };
        let body = <[u8; ratchet::CIPHERTEXT_LEN]>::try_from(parcel.body.as_slice());
        let (Kind::Message, Ok(body)) = (parcel.kind, body) else { return };
        // Nothing of it changes before the message was found authentic.
        let opened = pending.session.ratchet.decrypt(now.days(), &Ciphertext::from_bytes(&body));
        let Ok(authentic) = opened else { return };
        let of_answer = renewal.answers.iter_mut().find(|known| known.id == answer);
        let Some(pending) = of_answer.and_then(|known| known.pending.take()) else { return };
        let inbox = (pending.version, pending.inbox);
        self.complete_renewal(now, step, id, pending.session, inbox, false);
        self.take_parcel(now, step, id, (0, n), &parcel, Some(&authentic));
    }

    /// Installs a renewed session: what waits is encrypted anew in it, with its old `mid`, so that it
    /// arrives once.
    pub(super) fn complete_renewal(
        &mut self,
        now: Now,
        step: &mut Step,
        id: &ContactId,
        mut session: Session,
        (version, inbox): (u32, Vec<OnionKey>),
        ours: bool,
    ) {
        if let Some(contact) = self.contacts.get_mut(id).filter(|c| version > c.inbox_version) {
            contact.inbox_version = version;
            contact.inbox = inbox;
            self.save_contact(step, id);
        }
        if let Some(before) = self.sessions.remove(id) {
            (session.seq_out, session.seq_in) = (before.seq_out, before.seq_in);
            (session.passed, session.ahead) = (before.passed, before.ahead);
        } else {
            session.seq_out = self.number_anew(now, id);
            // ENG-10: what was taken back or given up went with it.
            session.passed = Some(Passed { first: 0, last: 0 });
        }
        self.sessions.insert(*id, session);
        self.drop_legs(step, id, |_| true);
        let (keep, gone): (Vec<_>, Vec<_>) = self
            .outbox
            .of(Owner::Contact(*id))
            .map(|item| (item.id, of_session(&item.load)))
            .partition(|(_, of)| !of);
        for (item, _) in gone {
            self.drop_item(step, &item);
        }
        let keep: Vec<ItemId> = keep.into_iter().map(|(item, _)| item).collect();
        for item in &keep {
            self.outbox.change(item, |item| item.repeats = 0);
        }
        self.unseal(step, id, &keep);
        let unheard = ours.then(|| now.unix_s());
        self.renewals.entry(*id).or_default().complete(unheard);
        step.event(now, EventKind::SessionRenewed, Some(*id));
        self.save_session(step, id);
        self.save_renewal(step, id);
        // In this order: both wait for the same tags.
        self.watch_renewed(id);
        self.watch_contact(id);
        self.sync_mailboxes(now);
    }

    /// ENG-2: whoever has lost the session does not know which numbers it has used. What waits gets
    /// numbers from the clock on, in its old order and without holes. Gives the next one.
    fn number_anew(&mut self, now: Now, id: &ContactId) -> u32 {
        let mut next = self.next_seq(id, now);
        let mut numbers: BTreeMap<[u8; 16], u32> = BTreeMap::new();
        let parts: Vec<(ItemId, [u8; 16])> = self
            .outbox
            .of(Owner::Contact(*id))
            .filter_map(|item| Some((item.id, item.message()?)))
            .collect();
        for (item, message) in parts {
            let number = *numbers.entry(message).or_insert_with(|| {
                let number = next;
                next = next.saturating_add(1);
                number
            });
            self.outbox.change(&item, |item| {
                if let Load::Part(part) = &mut item.load {
                    part.seq = number;
                }
            });
        }
        next
    }
}

/// Whether an item says something about the session that it was queued in, and nothing to people.
const fn of_session(load: &Load) -> bool {
    matches!(load, Load::Receipt | Load::Generation { .. })
}
