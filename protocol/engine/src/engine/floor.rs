//! Telling a contact what it need not wait for any more (ENG-10).

use super::Engine;
use crate::clock::Now;
use crate::contact::ContactId;
use crate::outbox::{Item, ItemId, Load};
use crate::session::Passed;
use crate::step::Step;
use rand_core::CryptoRng;

impl Engine {
    /// Drops the items of a message that was taken back or given up. It will never come, and what
    /// was sealed while it might have come says nothing of that.
    pub(super) fn drop_message(
        &mut self,
        step: &mut Step,
        contact: &ContactId,
        items: Vec<ItemId>,
    ) {
        for id in items {
            if let Some(Item { load: Load::Part(part), .. }) = self.outbox.get(&id)
                && let Some(session) = self.sessions.get_mut(contact)
            {
                let next = part.seq.saturating_add(1);
                let before = session.passed.unwrap_or(Passed { first: next, last: next });
                let (first, last) = (before.first.min(next), before.last.max(next));
                session.passed = Some(Passed { first, last });
            }
            self.drop_item(step, &id);
        }
        self.save_session(step, contact);
    }

    /// Queues a floor, once everything before the last that will never come has arrived or will not
    /// come either, and unless nothing was said after it: what will be said brings the floor with it.
    pub(super) fn tell_floor(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        contact: &ContactId,
    ) {
        // Asked every minute of every contact: first what is nearly always the answer.
        let Some(passed) = self.sessions.get(contact).and_then(|session| session.passed) else {
            return;
        };
        let floor = self.message_floor(contact);
        let Some(session) = self.sessions.get_mut(contact).filter(|_| passed.last <= floor) else {
            return;
        };
        session.passed = None;
        if passed.first < session.seq_out {
            // One that has not left says too little, and its `mid` may be known to the peer.
            let older = self.outbox.floors(*contact).filter(|item| item.sealed.is_none());
            let older: Vec<ItemId> = older.map(|item| item.id).collect();
            for item in older {
                self.drop_item(step, &item);
            }
            self.queue(rng, now, step, contact, Load::Floor);
        }
        self.save_session(step, contact);
    }
}
