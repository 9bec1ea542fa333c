//! Slots, operations and their answers.

use super::read::raise_alarm;
use super::{Engine, Purpose};
use crate::ahead::Ahead;
use crate::changes::{Change, EventKind, MessageState};
use crate::clock::Now;
use crate::contact::{Contact, ContactId};
use crate::mailbox::Mailbox;
use crate::outbox::{Group, Item, ItemId, Load, Owner};
use crate::pace::USUAL;
use crate::pairing::Phase;
use crate::schedule::{FAST_TRIES, Mode, fast_delay};
use crate::step::{Answer, Effect, FailReason, OpId, Operation, OperationKind, Step};
use board::envelope::{self, Envelope};
use board::frame::{FetchAnswer, PutAnswer, Window};
use board::pow::MAX_EFFORT;
use board::tag::OnionKey;
use rand_core::CryptoRng;

/// Operations under way at once, streams apart (BRD-32).
const IN_FLIGHT: usize = 8;
/// PUT slots that an acknowledgement waits for a message to ride on (BRD-42).
const ACK_SLOTS: u64 = 6;
/// Of the 64 indices that may be unacknowledged, those that no new message takes (ENG-3).
const RESERVED: u32 = 8;
/// Of so many cover deposits at an own mailbox one is a loop (BRD-33). A loop takes a fetch: if all
/// were loops, they would fill every FETCH slot, and the queue of them would mark who reads.
const COVERS_A_LOOP: u32 = 8;
/// Most clocks of `fast` mode that run at once: beyond that the next fires at once anyway.
const FAST_CLOCKS: usize = 64;

impl Engine {
    /// A PUT slot: the target first, then what to put there (BRD-33).
    pub(super) fn put_slot(&mut self, rng: &mut impl CryptoRng, now: Now, step: &mut Step) {
        self.acks.slot();
        let target = self.put_slots.dice.pick(self.mailboxes.len());
        let target = target.and_then(|i| self.mailboxes.keys().nth(i));
        let Some(target) = target.copied().filter(|_| self.has_room()) else { return };
        if let Some((item, envelope)) = self.take_again(&target) {
            return self.start_put(rng, step, target, item, envelope);
        }
        let real = self.oldest_item(&target).or_else(|| {
            let contact = self.lone_ack(&target, ACK_SLOTS)?;
            Some(self.queue_receipt(rng, now, step, &contact))
        });
        // FIL-7: the slot and its target were drawn before. FIL-5: a file delays nothing that people say.
        let real = real.or_else(|| self.oldest_part(&target));
        let sent = real.is_some_and(|item| self.put_item(rng, now, step, &item, &target));
        if !sent {
            self.put_cover(rng, now, step, &target);
        }
    }

    /// A FETCH slot: the mailbox first, then what to fetch there (BRD-34).
    ///
    /// The dice fall alike whether or not something waits, and so does the mailbox.
    pub(super) fn fetch_slot(&mut self, rng: &mut impl CryptoRng, now: Now, step: &mut Step) {
        let read = u32::try_from(self.read.len()).unwrap_or(u32::MAX);
        // At all hours and paces: ages that followed them would tell one client's decoys from another's.
        let wait = USUAL.saturating_mul(read);
        let dice = &mut self.fetch_slots.dice;
        let mailbox = dice.pick(self.read.len()).and_then(|i| self.read.get(i)).copied();
        let drawn = mailbox.and_then(|key| self.mailboxes.get(&key));
        let decoy = drawn.map(|m| m.decoy(now, wait, dice));
        let (Some(mailbox), Some(decoy)) = (mailbox, decoy) else { return };
        if self.has_room() {
            let again = self.mailboxes.get_mut(&mailbox).and_then(Mailbox::take_again);
            let next = again.or_else(|| self.mailboxes.get(&mailbox)?.finds.next());
            let (page, chunk) = next.unwrap_or(decoy);
            self.start_fetch(rng, step, mailbox, page, chunk);
        }
    }

    /// In `fast` mode real operations go after Exp(2 s), beside the slots (BRD-38).
    pub(super) fn fast_due(&mut self, rng: &mut impl CryptoRng, now: Now, step: &mut Step) {
        if self.fast_put.take_if(|due| *due <= now.mono_ms).is_some() {
            if let Some((item, key)) = self.fast_item(false) {
                self.put_item(rng, now, step, &item, &key);
            } else if let Some((contact, key)) = self.fast_ack() {
                let item = self.queue_receipt(rng, now, step, &contact);
                self.put_item(rng, now, step, &item, &key);
            } else if let Some((item, key)) = self.fast_item(true) {
                self.put_item(rng, now, step, &item, &key); // FIL-5
            }
        }
        if self.fast_fetch.take_if(|due| *due <= now.mono_ms).is_some() {
            // The fewest tries first: a mailbox that withholds is asked less and less.
            let ready = |m: &&Mailbox| m.health.failures < FAST_TRIES;
            let read = self.read.iter().filter_map(|key| self.mailboxes.get(key)).filter(ready);
            let next = read.filter_map(|m| Some((m.finds.fewest_tries()?, m.key, m.finds.next()?)));
            if let Some((_, mailbox, (page, chunk))) = next.min() {
                self.start_fetch(rng, step, mailbox, page, chunk);
            }
        }
    }

    /// Sets the clocks of `fast` mode.
    pub(super) fn arm_fast(&mut self, now: Now) {
        if self.profile.mode != Mode::Fast || !self.has_room() {
            (self.fast_put, self.fast_fetch) = (None, None);
            return;
        }
        if self.fast_put.is_none() {
            let ready = |group: &Group| !group.tired && self.sendable(group);
            let items = |key: &OnionKey| self.outbox.waiting(key, FAST_CLOCKS, ready);
            let items = self.outbox.missing().filter(|key| self.reachable(key)).map(|k| items(&k));
            let items = items.fold(0, usize::saturating_add).min(FAST_CLOCKS);
            let waiting = items.saturating_add(usize::from(self.fast_ack().is_some()));
            if waiting > 0 {
                let delay = fast_delay(&mut self.fast, waiting);
                self.fast_put = Some(now.mono_ms.saturating_add(delay));
            }
        }
        if self.fast_fetch.is_none() {
            let read = self.read.iter().filter_map(|key| self.mailboxes.get(key));
            let found = read
                .filter(|m| m.health.failures < FAST_TRIES)
                .map(|m| m.finds.waiting(FAST_TRIES, FAST_CLOCKS))
                .fold(0, usize::saturating_add);
            if found > 0 {
                let delay = fast_delay(&mut self.fast, found);
                self.fast_fetch = Some(now.mono_ms.saturating_add(delay));
            }
        }
    }

    /// Whether `fast` mode tries a mailbox at all: one whose header was never read would refuse,
    /// and one that is dead is left to the slots.
    fn reachable(&self, key: &OnionKey) -> bool {
        self.mailboxes
            .get(key)
            .is_some_and(|m| m.header().is_some() && m.health.failures < FAST_TRIES)
    }

    fn has_room(&self) -> bool {
        let short =
            |purpose: &&Purpose| !matches!(purpose, Purpose::Digest { window: Window::Stream, .. });
        self.operations.values().filter(short).count() < IN_FLIGHT
    }

    /// The oldest item that waits for `target`, first copies before second ones.
    fn oldest_item(&self, target: &OnionKey) -> Option<ItemId> {
        self.outbox.oldest(target, |group| !group.of_file() && self.sendable(group))
    }

    /// The oldest part of a file that waits for `target`.
    fn oldest_part(&self, target: &OnionKey) -> Option<ItemId> {
        self.outbox.oldest(target, |group| group.of_file() && self.sendable(group))
    }

    /// What `fast` mode puts next, and where: the oldest item, or part of a file, of all mailboxes
    /// that answer.
    fn fast_item(&self, of_file: bool) -> Option<(ItemId, OnionKey)> {
        let ready =
            |group: &Group| group.of_file() == of_file && !group.tired && self.sendable(group);
        let reachable = self.outbox.missing().filter(|key| self.reachable(key));
        let oldest = reachable.filter_map(|key| {
            let item = self.outbox.get(&self.outbox.oldest(&key, ready)?)?;
            Some((item.order, item.id, key))
        });
        oldest.min().map(|(_, item, key)| (item, key))
    }

    /// An acknowledgement that `fast` mode gives on its own, and where.
    fn fast_ack(&self) -> Option<(ContactId, OnionKey)> {
        let owed = self.acks.waiting(0).filter(|id| self.may_ack(id));
        owed.filter_map(|id| Some((*id, self.contacts.get(id)?)))
            .find_map(|(id, c)| Some((id, *c.inbox.iter().find(|key| self.reachable(key))?)))
    }

    /// Whether items of a group may leave at this moment (SAS-4, ID-3, BRD-41).
    fn sendable(&self, group: &Group) -> bool {
        let id = match group.owner {
            Owner::Contact(id) => id,
            Owner::Pairing(_) => return true,
            Owner::Renewal(id) => return self.contacts.get(&id).is_some_and(Contact::may_send),
            Owner::File(contact, file) => return self.part_sendable(group, (contact, file)),
        };
        let (Some(contact), Some(session)) = (self.contacts.get(&id), self.sessions.get(&id))
        else {
            return false;
        };
        // What is said for the first time leaves room for receipts and repeats.
        let room = session.room() > if group.first { RESERVED } else { 0 };
        let fits = group.sealed || (session.ratchet.can_send() && room);
        let near = group.sealed || !group.first || !self.runs_ahead(id, session.ahead);
        contact.may_send() && fits && near && !self.is_older(&id)
    }

    /// ENG-2: whether the next message to a contact is so far ahead of one that has not arrived that
    /// the contact would show it, or one before it, too early.
    fn runs_ahead(&self, id: ContactId, ahead: Ahead) -> bool {
        let numbers = self.outbox.next_number(id).zip(self.outbox.lowest_number(id));
        numbers.is_some_and(|(next, lowest)| !ahead.may_say(next, lowest))
    }

    /// A contact at `target` who is owed an acknowledgement that found nothing to ride on.
    fn lone_ack(&self, target: &OnionKey, slots: u64) -> Option<ContactId> {
        let reads =
            |id: &ContactId| self.contacts.get(id).is_some_and(|c| c.inbox.contains(target));
        self.acks.waiting(slots).find(|id| reads(id) && self.may_ack(id)).copied()
    }

    /// Whether an acknowledgement may go to a contact on its own.
    fn may_ack(&self, id: &ContactId) -> bool {
        let (Some(contact), Some(session)) = (self.contacts.get(id), self.sessions.get(id)) else {
            return false;
        };
        let able = contact.may_send() && session.ratchet.can_send() && session.room() > 0;
        able && !self.is_older(id) && self.outbox.receipts(*id).all(Item::stored)
    }

    fn put_item(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        item: &ItemId,
        target: &OnionKey,
    ) -> bool {
        if !self.seal(rng, now, step, item) {
            return false;
        }
        let envelope = self.outbox.change(item, |item| {
            let deposit = item.deposit_mut(target)?;
            deposit.busy = deposit.envelope.is_some();
            deposit.envelope.clone()
        });
        let Some(envelope) = envelope.flatten() else { return false };
        self.start_put(rng, step, *target, Some(*item), envelope);
        true
    }

    /// A beacon or a loop to an own mailbox, a dummy to another's (BRD-33, ENG-9).
    fn put_cover(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        target: &OnionKey,
    ) {
        let own = self.own.contains(target);
        let beacon = own.then(|| self.make_beacon(rng, now, step, target)).flatten();
        let due = own && rng.next_u32().is_multiple_of(COVERS_A_LOOP);
        let envelope = beacon.or_else(|| due.then(|| self.make_loop(rng, target)).flatten());
        let envelope = envelope.unwrap_or_else(|| envelope::dummy(rng));
        self.start_put(rng, step, *target, None, envelope);
    }

    fn start_put(
        &mut self,
        rng: &mut impl CryptoRng,
        step: &mut Step,
        mailbox: OnionKey,
        item: Option<ItemId>,
        envelope: Envelope,
    ) {
        // The slot fires with whatever header is known; without one the mailbox refuses.
        let header = self.mailboxes.get(&mailbox).and_then(|m| m.header());
        let (seed, epoch, effort) = header.map_or(([0; 32], 0, 1), |h| (h.seed, h.epoch, h.effort));
        let purpose = Purpose::Put { mailbox, item, envelope: envelope.clone() };
        let kind =
            OperationKind::Put { envelope, seed, epoch, effort: effort.clamp(1, MAX_EFFORT) }; // BRD-37
        self.start(rng, step, mailbox, kind, purpose);
    }

    fn start_fetch(
        &mut self,
        rng: &mut impl CryptoRng,
        step: &mut Step,
        mailbox: OnionKey,
        page: u64,
        chunk: u16,
    ) {
        if let Some(mailbox) = self.mailboxes.get_mut(&mailbox) {
            mailbox.finds.start((page, chunk));
        }
        let kind = OperationKind::Fetch { page, chunk };
        self.start(rng, step, mailbox, kind, Purpose::Fetch { mailbox, page, chunk });
    }

    pub(super) fn start(
        &mut self,
        rng: &mut impl CryptoRng,
        step: &mut Step,
        mailbox: OnionKey,
        kind: OperationKind,
        purpose: Purpose,
    ) -> OpId {
        let id = OpId(self.next_operation);
        self.next_operation = self.next_operation.saturating_add(1);
        let mut token = [0; 16];
        rng.fill_bytes(&mut token); // TOR-6
        self.operations.insert(id, purpose);
        step.effect(Effect::Start(Operation { id, mailbox, token, kind }));
        id
    }

    pub(super) fn answer(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        id: OpId,
        answer: Answer,
        step: &mut Step,
    ) {
        if let Answer::Frame(frame) = answer {
            if let Some(Purpose::Digest { mailbox, window, .. }) = self.operations.get(&id) {
                self.digest_frame(now, step, *mailbox, *window, *frame);
            }
            return;
        }
        match (self.operations.remove(&id), answer) {
            (Some(Purpose::Put { mailbox, item, envelope }), Answer::Put(put)) => {
                self.put_answered(now, step, mailbox, item, envelope, put);
            }
            (Some(Purpose::Fetch { mailbox, page, chunk }), Answer::Fetch(fetched)) => {
                self.fetch_answered(rng, now, step, mailbox, page, chunk, &fetched);
            }
            (Some(Purpose::Digest { mailbox, window, .. }), Answer::Ended) => {
                self.digest_ended(now, mailbox, window, id);
            }
            (Some(purpose), Answer::Failed(reason)) => self.lost(now, id, purpose, reason),
            (Some(purpose), _) => self.lost(now, id, purpose, FailReason::Internal),
            (None, _) => {}
        }
    }

    fn put_answered(
        &mut self,
        now: Now,
        step: &mut Step,
        mailbox: OnionKey,
        item: Option<ItemId>,
        envelope: Envelope,
        put: PutAnswer,
    ) {
        let mode = self.profile.mode;
        if let Some(known) = self.mailboxes.get_mut(&mailbox) {
            known.health.worked(now);
            if !put.stored {
                known.header_stale(now, mode);
            }
            // Only a head that comes with STORED is a statement about the board (BRD-37).
            if put.stored && known.head_contradicts(put.open_page, &put.head) {
                raise_alarm(known, now, step);
            }
        }
        if !put.stored {
            return self.put_failed(mailbox, item, envelope);
        }
        if item.is_none() {
            self.loops.stored(&envelope.tag(), put.open_page);
        }
        // An item that was encrypted anew in between still waits for its new bytes.
        let item_id = item.filter(|id| self.carries(id, &mailbox, &envelope));
        let Some(item_id) = item_id else { return };
        let first = self.outbox.change(&item_id, |item| {
            let first = !item.stored();
            if first && item.repeats == 0 {
                item.queued = now.unix_s(); // BRD-41: the mailbox keeps it from here on
            }
            if let Some(deposit) = item.deposit_mut(&mailbox) {
                deposit.busy = false;
                deposit.stored = true;
                deposit.envelope = None; // BRD-41: the sealed copy is erased at STORED
            }
            first
        });
        let (Some(first), Some(item)) = (first, self.outbox.get(&item_id)) else { return };
        let everywhere = item.deposits.iter().all(|d| d.stored);
        let (owner, message) = (item.owner, item.message());
        let fleeting = matches!(item.load, Load::Receipt | Load::Handshake | Load::Rekey(_));
        if everywhere && fleeting {
            self.drop_item(step, &item_id);
        } else {
            self.save_item(step, &item_id);
        }
        match owner {
            Owner::Pairing(pairing) => self.deposited(now, step, &pairing),
            Owner::Renewal(_) => {}
            Owner::Contact(contact) => {
                if let Some(message) = message.filter(|_| first) {
                    self.message_stored(now, step, contact, message);
                }
            }
            Owner::File(..) => {}
        }
    }

    /// M1 is at a mailbox of the invite: it can be handed out (INV-2).
    fn deposited(&mut self, now: Now, step: &mut Step, id: &[u8; 16]) {
        let waiting = self.outbox.of(Owner::Pairing(*id)).any(|item| !item.stored());
        let Some(pairing) = self.pairings.get_mut(id).filter(|_| !waiting) else { return };
        if matches!(pairing.phase, Phase::Depositing(_)) {
            let phase = core::mem::replace(&mut pairing.phase, Phase::Dead);
            if let Phase::Depositing(inviter) = phase {
                pairing.phase = Phase::Ready(inviter);
            }
            step.event(now, EventKind::State, None);
            self.save_pairing(step, id);
        }
        self.sync_mailboxes(now);
    }

    fn message_stored(&self, now: Now, step: &mut Step, contact: ContactId, message: [u8; 16]) {
        if self.outbox.of_message(contact, message).all(Item::stored) {
            let state = MessageState::Stored;
            step.change(Change::MessageState { contact, id: message, state });
            self.begin_timer(now, step, contact, message);
            step.message_event(now, EventKind::State, Some(contact), Some(message));
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the answer with all that it answers")]
    fn fetch_answered(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        key: OnionKey,
        page: u64,
        chunk: u16,
        fetched: &FetchAnswer,
    ) {
        let Some(mailbox) = self.mailboxes.get_mut(&key) else { return };
        mailbox.health.worked(now);
        let header = mailbox.header_of(page).copied();
        let Some(Ok(envelopes)) = header.map(|h| fetched.verify(&h, page, chunk)) else {
            // BRD-14: a chunk that does not lead to the root is discarded. Random bytes are how a
            // mailbox says that it has no such page, so this alone is no alarm.
            mailbox.fetch_failed(page, chunk, self.profile.mode);
            if mailbox.withholds(now, page, chunk) {
                raise_alarm(mailbox, now, step);
            }
            return;
        };
        self.hold(&key, page, chunk, &envelopes);
        if let Some(mailbox) = self.mailboxes.get_mut(&key) {
            mailbox.fetched(page, chunk);
        }
        for envelope in &envelopes {
            self.open(rng, now, step, &key, envelope);
        }
    }

    fn lost(&mut self, now: Now, id: OpId, purpose: Purpose, reason: FailReason) {
        let mode = self.profile.mode;
        let (Purpose::Put { mailbox, .. }
        | Purpose::Fetch { mailbox, .. }
        | Purpose::Digest { mailbox, .. }) = &purpose;
        let key = *mailbox;
        if let Some(mailbox) = self.mailboxes.get_mut(&key) {
            mailbox.health.failed(reason);
        }
        match purpose {
            Purpose::Put { item, envelope, .. } => self.put_failed(key, item, envelope),
            Purpose::Fetch { page, chunk, .. } => {
                if let Some(mailbox) = self.mailboxes.get_mut(&key) {
                    mailbox.fetch_failed(page, chunk, mode);
                }
            }
            Purpose::Digest { window, day, .. } => {
                if let Some(mailbox) = self.mailboxes.get_mut(&key) {
                    match window {
                        Window::Stream => mailbox.stream_lost(id, now, mode),
                        window => mailbox.window_lost(window, day, now, mode),
                    }
                }
            }
        }
    }
}
