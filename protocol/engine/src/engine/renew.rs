//! Renewing sessions: when an attempt is begun, repeated and given up, and how its messages leave
//! (REK-2, REK-3, REK-5). What arrives is in `answer`, how it ends in `complete`.
//!
//! Everything here waits for slots like all else: nothing is put, fetched or left out because a
//! session is being renewed (BRD-39).

mod answer;
mod complete;

use super::Engine;
use crate::changes::Table;
use crate::clock::Now;
use crate::contact::{Contact, ContactId, Trust};
use crate::outbox::{Deposit, Item, ItemId, Load, Owner, Sealed};
use crate::renewal::{Begun, Due, Fault, Leg};
use crate::step::Step;
use crate::watch::{Meaning, Place, WatchOwner};
use board::envelope::{self, Kind, Parcel};
use board::tag::{OnionKey, SyncDay};
use content::Content;
use crypto::Zeroizing;
use handshake::rekey;
use rand_core::CryptoRng;

/// Parts `r` of a day's resync tags (REK-2).
mod part {
    pub(super) const R1: u8 = 0;
    pub(super) const R2: u8 = 1;
}

impl Engine {
    /// Begins, repeats and gives up what is due, and moves the resync tags on when a day is over.
    pub(super) fn renew_sessions(&mut self, rng: &mut impl CryptoRng, now: Now, step: &mut Step) {
        let contacts: Vec<ContactId> = self.recoveries.keys().copied().collect();
        let new_day = self.sync_day != now.days();
        self.sync_day = now.days();
        for id in contacts {
            if new_day {
                if let Some(recovery) = self.recoveries.get_mut(&id) {
                    recovery.forget_days(now.days());
                }
                self.save_recovery(step, &id);
                self.watch_sync(&id);
            }
            self.renew(rng, now, step, &id);
        }
    }

    fn renew(&mut self, rng: &mut impl CryptoRng, now: Now, step: &mut Step, id: &ContactId) {
        let session = self.sessions.contains_key(id);
        if session && !self.renewals.contains_key(id) {
            return;
        }
        let renewal = self.renewals.entry(*id).or_default();
        let expired = renewal.expire(now.unix_s());
        let due = renewal.due(now.unix_s(), session);
        // SAS-4, ID-3, ENG-4: what may not be written to is not renewed with either.
        let able =
            self.contacts.get(id).is_some_and(Contact::may_send) && !self.own.inbox().is_empty();
        match due {
            Due::Begin if able => self.begin_renewal(rng, now, step, id),
            Due::Repeat if able => {
                if let Some(begun) = self.renewals.get_mut(id).and_then(|r| r.begun.as_mut()) {
                    begun.sent = now.unix_s();
                }
                self.queue_r1(rng, now, step, id);
                self.save_renewal(step, id);
            }
            Due::Drop => {
                self.drop_attempt(step, id);
                self.save_renewal(step, id);
            }
            _ if expired => {
                self.save_renewal(step, id);
                self.watch_renewed(id);
            }
            _ => self.tidy_renewal(id),
        }
    }

    /// REK-3: makes R1 and queues it.
    fn begin_renewal(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &ContactId,
    ) {
        // Whoever has lost its sessions may have lost the newest number of its inbox set as well,
        // and goes on from the clock.
        if !self.sessions.contains_key(id) && self.profile.inbox_version < now.hours() {
            self.profile.inbox_version = now.hours();
            self.save_profile(step);
        }
        let intro = self.introduction();
        let (Some(contact), Some(recovery)) = (self.contacts.get(id), self.recoveries.get(id))
        else {
            return;
        };
        let own = recovery.own(&self.profile.identity);
        let made = rekey::initiate(rng, own, &contact.cert, recovery.psk(), &intro, now.hours());
        let Ok((r1, state)) = made else { return };
        let (at, renewal) = (now.unix_s(), self.renewals.entry(*id).or_default());
        renewal.last = Some(at);
        renewal.begun = Some(Begun { state, r1, at, sent: at });
        self.queue_r1(rng, now, step, id);
        self.save_renewal(step, id);
    }

    fn queue_r1(&mut self, rng: &mut impl CryptoRng, now: Now, step: &mut Step, id: &ContactId) {
        let inbox = self.contacts.get(id).map(|contact| contact.inbox.clone()).unwrap_or_default();
        self.queue_leg(rng, now, step, id, Leg::R1, &inbox);
    }

    /// Queues a message of a renewal; what is left of an earlier copy of it goes.
    fn queue_leg(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        contact: &ContactId,
        leg: Leg,
        inbox: &[OnionKey],
    ) {
        self.drop_legs(step, contact, |other| *other == leg);
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        let mut item = Item {
            id,
            order: self.outbox.next_order(),
            owner: Owner::Renewal(*contact),
            load: Load::Rekey(leg),
            queued: now.unix_s(),
            sealed: None,
            repeats: 0,
            left: false,
            deposits: Vec::new(),
        };
        item.unseal(inbox);
        self.outbox.insert(item);
        self.save_item(step, &id);
    }

    fn drop_legs(&mut self, step: &mut Step, contact: &ContactId, which: impl Fn(&Leg) -> bool) {
        let of = self.outbox.of(Owner::Renewal(*contact));
        let gone = of.filter(|item| matches!(&item.load, Load::Rekey(leg) if which(leg)));
        let gone: Vec<ItemId> = gone.map(|item| item.id).collect();
        for item in gone {
            self.drop_item(step, &item);
        }
    }

    /// Gives up what was begun here.
    fn drop_attempt(&mut self, step: &mut Step, id: &ContactId) {
        if let Some(renewal) = self.renewals.get_mut(id) {
            renewal.begun = None;
        }
        self.drop_legs(step, id, |leg| *leg == Leg::R1);
    }

    /// REK-5: an R1 names the mailboxes at which its answer is read. These are others now, so that
    /// another attempt is begun in the place of one that is under way.
    pub(super) fn begin_anew(&mut self, step: &mut Step, id: &ContactId) {
        let Some(renewal) = self.renewals.get_mut(id).filter(|r| r.begun.is_some()) else { return };
        renewal.last = None;
        self.drop_attempt(step, id);
        self.save_renewal(step, id);
    }

    /// Ends all renewal with a contact: it is removed, or its key changed.
    pub(super) fn forget_renewal(&mut self, step: &mut Step, id: &ContactId) {
        self.renewals.remove(id);
        self.drop_legs(step, id, |_| true);
        self.save_renewal(step, id);
        self.watch_renewed(id);
        self.watch_sync(id);
    }

    /// Notes what is wrong with a session; an attempt follows when one may be begun.
    pub(super) fn note_fault(
        &mut self,
        step: &mut Step,
        id: &ContactId,
        note: impl FnOnce(&mut Fault),
    ) {
        let fault = &mut self.renewals.entry(*id).or_default().fault;
        let before = *fault;
        note(fault);
        if *fault == before {
            self.tidy_renewal(id);
        } else {
            self.save_renewal(step, id);
        }
    }

    /// A message of the contact's session opened.
    pub(super) fn heard(&mut self, step: &mut Step, id: &ContactId, behind: bool, acked: bool) {
        let Some(renewal) = self.renewals.get_mut(id) else {
            if behind {
                self.note_fault(step, id, |fault| fault.older = true);
            }
            return;
        };
        let unheard = renewal.unheard.take().is_some();
        if unheard {
            self.save_renewal(step, id);
        }
        self.note_fault(step, id, |fault| {
            fault.older |= behind;
            fault.silent &= !acked;
        });
    }

    /// ENG-1: seals a message of a renewal anew that was put and not stored before the start.
    pub(super) fn seal_leg_anew(&mut self, contact: &ContactId, id: &ItemId) {
        let leg = self.outbox.change(id, |item| {
            let inbox: Vec<OnionKey> = item.deposits.iter().map(|d| d.mailbox).collect();
            item.unseal(&inbox);
            if let Load::Rekey(leg) = item.load { Some(leg) } else { None }
        });
        if let Some(Leg::First(answer)) = leg.flatten()
            && let Some(renewal) = self.renewals.get_mut(contact)
            && let Some(pending) = renewal.pending_mut(&answer)
        {
            pending.session.sent.retain(|_, item| item != id);
        }
    }

    /// BRD-47: whether nothing may be written with this contact's session any more.
    pub(super) fn is_older(&self, id: &ContactId) -> bool {
        self.renewals.get(id).is_some_and(|renewal| renewal.fault.older)
    }

    fn tidy_renewal(&mut self, id: &ContactId) {
        if self.renewals.get(id).is_some_and(crate::renewal::Renewal::is_empty) {
            self.renewals.remove(id);
        }
    }

    fn save_renewal(&mut self, step: &mut Step, id: &ContactId) {
        self.tidy_renewal(id);
        match self.renewals.get(id) {
            Some(renewal) => step.put(Table::Ratchet, &renewal_key(id), renewal.to_row()),
            None => step.delete(Table::Ratchet, &renewal_key(id)),
        }
    }

    /// Seals a message of a renewal for every mailbox that it goes to: R1 and R2 under the tags of
    /// the day, the first message under those of the session that it begins.
    pub(super) fn seal_leg(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &ItemId,
        contact: &ContactId,
    ) -> bool {
        let Some(item) = self.outbox.get(id) else { return false };
        let Load::Rekey(leg) = item.load else { return false };
        let mailboxes: Vec<OnionKey> = item.deposits.iter().map(|d| d.mailbox).collect();
        let sealed = match leg {
            Leg::R1 => {
                let begun = self.renewals.get(contact).and_then(|r| r.begun.as_ref());
                let r1 = begun.map(|begun| begun.r1.clone());
                r1.and_then(|r1| self.seal_sync(rng, now, contact, part::R1, *id, &r1, &mailboxes))
            }
            Leg::R2(answer) => {
                let pending = self.renewals.get_mut(contact).and_then(|r| r.pending_mut(&answer));
                let r2 = pending.map(|pending| pending.r2.clone());
                r2.and_then(|r2| self.seal_sync(rng, now, contact, part::R2, *id, &r2, &mailboxes))
            }
            Leg::First(answer) => {
                let content = Content::InboxSet {
                    version: self.profile.inbox_version,
                    mailboxes: self.own.inbox().to_vec(),
                };
                let pending = self.renewals.get_mut(contact).and_then(|r| r.pending_mut(&answer));
                let sealed = pending.and_then(|pending| {
                    let body = content.encode();
                    let gone = |_: &ItemId| false;
                    pending.session.seal(rng, *id, &body, &mailboxes, gone)
                });
                self.save_renewal(step, contact);
                sealed
            }
        };
        let Some((place, deposits)) = sealed else {
            // What it belongs to is gone, with its row: nothing that waits may wait behind it.
            self.drop_item(step, id);
            return false;
        };
        self.outbox.change(id, |item| {
            item.sealed = Some(Sealed { g: place.0, n: place.1, at: now.unix_s() });
            item.deposits = deposits;
        });
        self.save_item(step, id);
        true
    }

    #[expect(clippy::too_many_arguments, reason = "what, where and for whom, once each")]
    fn seal_sync(
        &self,
        rng: &mut impl CryptoRng,
        now: Now,
        contact: &ContactId,
        r: u8,
        mid: ItemId,
        body: &[u8],
        mailboxes: &[OnionKey],
    ) -> Option<((u16, u32), Vec<Deposit>)> {
        let d = self.contacts.get(contact)?.outward();
        let recovery = self.recoveries.get(contact)?;
        let day = recovery.sync_day(recovery.today(now.days()))?;
        let body = Zeroizing::new(body.to_vec());
        let kind = Kind::Resync;
        let parcel = Parcel { kind, part: 0, parts: 1, ack: None, floor: 0, mid, body };
        let mut seal = |mailbox: &OnionKey| {
            let (key, tag) = (day.key(d, r, mailbox), day.tag(d, r, mailbox));
            let sealed = envelope::seal(rng, &key, tag, mailbox, &parcel).ok()?;
            Some(Deposit { envelope: Some(sealed), ..Deposit::new(*mailbox) })
        };
        let deposits = mailboxes.iter().map(&mut seal).collect::<Option<_>>()?;
        Some(((0, 0), deposits))
    }

    /// Waits for the peer's messages under the resync tags at every own mailbox (REK-2).
    pub(super) fn watch_sync(&mut self, id: &ContactId) {
        let locked = self.contacts.get(id).is_none_or(|c: &Contact| c.trust == Trust::Locked);
        let recovery = self.recoveries.get(id).filter(|_| !locked);
        let days: Vec<(u32, SyncDay)> = recovery
            .into_iter()
            .flat_map(|r| r.days_read(self.sync_day).filter_map(|t| Some((t, r.sync_day(t)?))))
            .collect();
        let inward = self.contacts.get(id).map(|contact| contact.outward().back());
        let mut places: Vec<Place> = Vec::new();
        for mailbox in self.own.read() {
            for (day, _) in &days {
                let parts = [part::R1, part::R2].into_iter();
                let meaning = |r| Meaning::Sync { contact: *id, day: *day, r };
                places.extend(parts.map(|r| (*mailbox, meaning(r))));
            }
        }
        let tag = |(mailbox, meaning): &Place| match meaning {
            Meaning::Sync { day, r, .. } => {
                let (_, day) = days.iter().find(|(known, _)| known == day)?;
                Some(day.tag(inward?, *r, mailbox))
            }
            _ => None,
        };
        let changed = self.watch.replace(WatchOwner::Sync(*id), places, tag);
        self.watch_changed(&changed);
    }

    /// Waits for the first messages of sessions that answers have made.
    pub(super) fn watch_renewed(&mut self, id: &ContactId) {
        let mut places: Vec<Place> = Vec::new();
        let renewal = self.renewals.get(id);
        for (answer, pending) in renewal.into_iter().flat_map(|renewal| renewal.pending()) {
            for (n, _) in pending.session.recv.slots() {
                let meaning = Meaning::Renewed { contact: *id, answer: answer.id, n };
                self.own.read().for_each(|mailbox| places.push((*mailbox, meaning)));
            }
        }
        let tag = |(mailbox, meaning): &Place| match meaning {
            Meaning::Renewed { answer, n, .. } => {
                let (_, pending) = renewal?.pending().find(|(known, _)| known.id == *answer)?;
                Some(pending.session.recv.slot(*n)?.tag(mailbox))
            }
            _ => None,
        };
        let changed = self.watch.replace(WatchOwner::Renewed(*id), places, tag);
        self.watch_changed(&changed);
    }
}

/// Key of the row of what is under way to renew a contact's session, beside the session's own.
pub(super) fn renewal_key(id: &ContactId) -> Vec<u8> {
    [id.as_slice(), &[RENEWAL]].concat()
}

/// The contact of a row with such a key.
pub(super) fn renewal_of(key: &[u8]) -> Option<ContactId> {
    let (id, rest) = key.split_first_chunk::<16>()?;
    (rest == [RENEWAL]).then_some(*id)
}

const RENEWAL: u8 = 1;
