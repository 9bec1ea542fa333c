//! From envelopes to what people said: board, ratchet, content, order (BRD-42..44).

use super::Engine;
use crate::ahead::{WAITING_PARTS, WHOLE};
use crate::changes::{Change, EventKind, Message, MessageState, Table};
use crate::clock::Now;
use crate::contact::{Contact, ContactId, Trust, is_blocked};
use crate::outbox::{ItemId, Load};
use crate::rows::{done, get_bytes, open_row, pair, put_bytes, row};
use crate::step::Step;
use crate::terms::get_timer;
use crate::watch::{Meaning, Place, WatchOwner};
use board::envelope::{self, Envelope, Kind, Parcel};
use board::tag::OnionKey;
use content::{Content, Joiner, Part, Timer};
use crypto::Zeroizing;
use crypto::aead::EnvelopeKey;
use rand_core::CryptoRng;
use ratchet::{Authentic, Ciphertext};
use wire::Malformed;

/// Messages of one contact that wait for parts or for their turn, at most.
const PARTIALS: usize = 256;

/// A message that is not shown yet: parts are missing, or an earlier message is.
pub(crate) struct Partial {
    seq: u32,
    sent: u64,
    timer: Timer,
    state: Progress,
}

enum Progress {
    Joining(Joiner),
    Whole(Zeroizing<String>),
    /// Shown under another number; what comes behind it need not wait for it.
    Shown,
}

impl Partial {
    /// How many parts of a text it holds.
    fn parts(&self) -> usize {
        match &self.state {
            Progress::Joining(joiner) => joiner.held(),
            Progress::Whole(text) => text.len().div_ceil(content::PART_LEN),
            Progress::Shown => 0,
        }
    }

    fn to_row(&self) -> Zeroizing<Vec<u8>> {
        let mut w = row(4096);
        w.u32(self.seq).u64(self.sent).u32(self.timer.seconds());
        match &self.state {
            Progress::Joining(joiner) => put_bytes(w.u8(0), &joiner.to_secret_bytes()),
            Progress::Whole(text) => put_bytes(w.u8(1), text.as_bytes()),
            Progress::Shown => put_bytes(w.u8(2), &[]),
        }
        done(w)
    }

    pub(crate) fn from_row(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let (seq, sent, timer, whole) = (r.u32()?, r.u64()?, get_timer(&mut r)?, r.u8()?);
        let body = get_bytes(&mut r)?;
        r.finish()?;
        let state = match whole {
            0 => Progress::Joining(Joiner::from_secret_bytes(body)?),
            1 => {
                let text = core::str::from_utf8(body).map_err(|_| Malformed::Field("utf-8"))?;
                Progress::Whole(Zeroizing::new(text.to_owned()))
            }
            2 if body.is_empty() => Progress::Shown,
            _ => return Err(Malformed::Field("progress")),
        };
        Ok(Self { seq, sent, timer, state })
    }
}

impl Engine {
    /// Opens an envelope if its tag is one of ours; anything else changes nothing (BRD-8).
    pub(super) fn open(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        mailbox: &OnionKey,
        envelope: &Envelope,
    ) {
        match self.watch.meaning(mailbox, &envelope.tag()) {
            // ENG-4: not opened, so that nothing of it is spent when it may come in again.
            Some(meaning) if meaning.contact().is_some_and(|c| is_blocked(&self.contacts, &c)) => {}
            Some(Meaning::Session { contact, g, n }) => {
                let Some(key) = self.slot_key(&contact, g, n, mailbox) else { return };
                if let Ok(parcel) = envelope::open(&key, mailbox, envelope) {
                    self.session_parcel(now, step, &contact, (g, n), &parcel);
                }
            }
            Some(Meaning::Sync { contact, day, r }) => {
                let Some(key) = self.sync_key(&contact, day, r, mailbox) else { return };
                if let Ok(parcel) = envelope::open(&key, mailbox, envelope) {
                    self.sync_parcel(rng, now, step, &contact, r, &parcel);
                }
            }
            Some(Meaning::Renewed { contact, answer, n }) => {
                self.open_renewed(now, step, &contact, (answer, n), mailbox, envelope);
            }
            Some(Meaning::File { contact, file, n }) => {
                let at = (contact, file);
                let Some(key) = self.file_slot_key(&at, n, mailbox) else { return };
                if let Ok(parcel) = envelope::open(&key, mailbox, envelope) {
                    self.file_parcel(now, step, at, n, parcel);
                }
            }
            Some(Meaning::Pairing { pairing, slot }) => {
                let Some(state) = self.pairings.get(&pairing) else { return };
                let Some(key) = state.key(slot, mailbox, state.inward()) else { return };
                if let Ok(parcel) = envelope::open(&key, mailbox, envelope) {
                    self.pairing_parcel(rng, now, step, &pairing, slot, parcel);
                }
            }
            Some(Meaning::Beacon { day, i }) => {
                self.open_beacon(now, step, (*mailbox, day, i), envelope);
            }
            Some(Meaning::Loop { number }) => {
                let Some(key) = self.loops.key(number) else { return };
                if envelope::open(&key, mailbox, envelope).is_ok() {
                    self.end_loop(number);
                }
            }
            None => {}
        }
    }

    fn slot_key(&self, id: &ContactId, g: u16, n: u32, mailbox: &OnionKey) -> Option<EnvelopeKey> {
        let session = self.sessions.get(id)?;
        let next = session.recv_next.as_ref().map(|(_, chain)| chain);
        let chain = [Some(&session.recv), next].into_iter().flatten().find(|c| c.g() == g)?;
        chain.slot(n).map(|slot| slot.key(mailbox))
    }

    fn session_parcel(
        &mut self,
        now: Now,
        step: &mut Step,
        id: &ContactId,
        at: (u16, u32),
        parcel: &Parcel,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if parcel.kind != Kind::Message {
            return;
        }
        // Nothing of the session changes before the ratchet has found the message authentic.
        let body = <[u8; ratchet::CIPHERTEXT_LEN]>::try_from(parcel.body.as_slice()).ok();
        let opened = body.map(|b| session.ratchet.decrypt(now.days(), &Ciphertext::from_bytes(&b)));
        let authentic = opened.and_then(Result::ok);
        if authentic.is_none() && !self.seen.contains(&(*id, parcel.mid)) {
            // REK-3: who writes at these tags holds the chain, and another ratchet than ours.
            return self.note_fault(step, id, |fault| fault.deaf = true);
        }
        self.take_parcel(now, step, id, at, parcel, authentic.as_ref());
    }

    /// Takes a parcel of index `n` of generation `g`, the content of which is authentic, or was taken
    /// before (BRD-44).
    pub(super) fn take_parcel(
        &mut self,
        now: Now,
        step: &mut Step,
        id: &ContactId,
        (g, n): (u16, u32),
        parcel: &Parcel,
        authentic: Option<&Authentic>,
    ) {
        let known = self.seen.contains(&(*id, parcel.mid));
        let Some(contact) = self.contacts.get(id) else { return };
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.opened(g);
        session.recv.floor(parcel.floor);
        session.recv.consume(n);
        let behind = parcel.ack.is_some_and(|ack| session.is_behind(&ack));
        let acked = parcel.ack.map(|ack| session.acknowledged(&ack)).unwrap_or_default();
        let anew = session.switch_generation(&acked, contact, now.unix_s());
        let content = authentic.map(|authentic| Content::decode(authentic.content()));
        // A receipt asks for none: two sides that acknowledge each other's receipts never end.
        session.ack_due |= known || !matches!(content, Some(Ok(Content::Receipt)));
        for item in &acked {
            self.confirmed(now, step, id, item);
        }
        self.unseal(step, id, &anew);
        if !known {
            self.remember(step, now, id, &parcel.mid);
        }
        self.heard(step, id, behind, !acked.is_empty());
        match content {
            Some(Ok(Content::Part(part))) => self.take_part(now, step, id, part),
            // Also of what was taken before: it is said anew with the floor of a later moment.
            Some(Ok(Content::Floor { floor })) => self.release(now, step, id, floor),
            // Of what was taken before, only the number of a message says something new (ENG-2).
            _ if known => {}
            Some(Ok(Content::NewGeneration { g, r })) => {
                if let (Some(session), Some(contact)) =
                    (self.sessions.get_mut(id), self.contacts.get(id))
                {
                    session.generation_announced(g, r.expose_secret(), contact);
                }
            }
            Some(Ok(Content::InboxSet { version, mailboxes })) => {
                self.contact_moved(now, step, id, version, mailboxes);
            }
            Some(Ok(Content::FileOffer(offer))) => self.take_offer(now, step, id, offer),
            Some(Ok(Content::FileReport(report))) => self.take_report(now, step, id, report),
            Some(Ok(Content::Timer(setting))) => self.timer_told(now, step, id, setting),
            // An unsupported or ill-formed content of an authentic peer is acknowledged, so that
            // it stalls nothing, and not shown.
            Some(Ok(Content::Receipt | Content::Unsupported { .. }) | Err(_)) | None => {}
        }
        self.save_session(step, id);
        self.watch_contact(id);
    }

    /// The peer has saved an item.
    fn confirmed(&mut self, now: Now, step: &mut Step, contact: &ContactId, item: &ItemId) {
        let known = self.outbox.get(item);
        let message = known.and_then(crate::outbox::Item::message);
        if let Some(Load::Offer(file)) = known.map(|item| &item.load) {
            self.offer_arrived(now, step, (*contact, *file));
        }
        self.drop_item(step, item);
        let Some(id) = message else { return };
        if self.outbox.of_message(*contact, id).next().is_none() {
            let state = MessageState::Delivered;
            step.change(Change::MessageState { contact: *contact, id, state });
            self.begin_timer(now, step, *contact, id);
            step.message_event(now, EventKind::State, Some(*contact), Some(id));
        }
    }

    /// The contact reads other mailboxes from here on (BRD-48): what waits goes there.
    fn contact_moved(
        &mut self,
        now: Now,
        step: &mut Step,
        id: &ContactId,
        version: u32,
        mailboxes: Vec<OnionKey>,
    ) {
        let Some(contact) = self.contacts.get_mut(id) else { return };
        if version <= contact.inbox_version {
            return;
        }
        contact.inbox_version = version;
        contact.inbox = mailboxes;
        self.save_contact(step, id);
        let owner = crate::outbox::Owner::Contact(*id);
        let waiting: Vec<ItemId> = self.outbox.of(owner).map(|item| item.id).collect();
        if let Some(session) = self.sessions.get_mut(id) {
            session.sent.retain(|_, item| self.outbox.get(item).is_none());
        }
        self.unseal(step, id, &waiting);
        self.move_files(step, id);
        self.sync_mailboxes(now);
    }

    fn take_part(&mut self, now: Now, step: &mut Step, id: &ContactId, part: Part) {
        let key = (*id, part.message);
        // What waits below the floor goes first, and makes room.
        self.release(now, step, id, part.floor);
        // ENG-2: a message is shown early rather than lost, which a peer that keeps to its bounds
        // never sees.
        if !self.may_wait(&key) {
            self.show_early(now, step, id);
        }
        if self.may_wait(&key) {
            self.join(id, part);
            if let Some(partial) = self.partials.get(&key) {
                step.put(Table::Partial, &pair(id, &key.1), partial.to_row());
            }
        }
        if self.whole(id).count() >= WHOLE {
            self.show_early(now, step, id);
        }
        self.release(now, step, id, 0);
    }

    /// What waits of a contact.
    fn waiting(&self, id: &ContactId) -> impl Iterator<Item = &Partial> {
        self.partials.range((*id, [0; 16])..=(*id, [0xff; 16])).map(|(_, partial)| partial)
    }

    /// The numbers of those that are whole.
    fn whole(&self, id: &ContactId) -> impl Iterator<Item = u32> {
        self.waiting(id).filter(|p| matches!(p.state, Progress::Whole(_))).map(|p| p.seq)
    }

    /// Whether another part of this message is taken.
    fn may_wait(&self, key: &(ContactId, [u8; 16])) -> bool {
        let parts = self.waiting(&key.0).fold(0_usize, |sum, p| sum.saturating_add(p.parts()));
        let known = self.partials.contains_key(key);
        (known || self.waiting(&key.0).count() < PARTIALS) && parts < WAITING_PARTS
    }

    /// Shows the lowest message that is whole, and waits no more for those before it.
    fn show_early(&mut self, now: Now, step: &mut Step, id: &ContactId) {
        if let Some(lowest) = self.whole(id).min() {
            self.release(now, step, id, lowest.saturating_add(1));
        }
    }

    /// Adds a part to its message.
    fn join(&mut self, id: &ContactId, part: Part) {
        let key = (*id, part.message);
        let (seq, sent, timer) = (part.seq, part.sent, part.timer);
        if self.seen.contains(&key) {
            // Shown before, and repeated under another number: the order goes on behind it.
            let passed = self.sessions.get(id).is_none_or(|session| seq < session.seq_in);
            if !passed {
                self.partials.insert(key, Partial { seq, sent, timer, state: Progress::Shown });
            }
            return;
        }
        let fresh = !self.partials.contains_key(&key);
        let joining = || Progress::Joining(Joiner::new());
        let partial = self.partials.entry(key).or_insert_with(|| Partial {
            seq,
            sent,
            timer,
            state: joining(),
        });
        // ENG-2: a sender that has lost its session numbers anew what it repeats.
        let renumbered = seq > partial.seq;
        partial.seq = partial.seq.max(seq);
        if let Progress::Joining(joiner) = &mut partial.state {
            if renumbered {
                joiner.renumber(seq);
            }
            match joiner.add(part) {
                Ok(None) => {}
                Ok(Some(text)) => partial.state = Progress::Whole(Zeroizing::new(text)),
                // Inconsistent parts: the contact's fault; what was there stays as it was.
                Err(_) if !fresh => {}
                Err(_) => {
                    self.partials.remove(&key);
                }
            }
        }
    }

    /// ENG-2: shows every message whose turn has come: in the sender's order, without holes but those
    /// that the sender has given up.
    fn release(&mut self, now: Now, step: &mut Step, id: &ContactId, floor: u32) {
        loop {
            let Some(session) = self.sessions.get_mut(id) else { return };
            let ready = self
                .partials
                .range((*id, [0; 16])..=(*id, [0xff; 16]))
                .filter(|(_, p)| !matches!(p.state, Progress::Joining(_)))
                .map(|(key, p)| (p.seq, key.1))
                .filter(|(seq, _)| *seq <= session.seq_in || *seq < floor)
                .min();
            let Some((seq, message)) = ready else {
                if session.seq_in < floor {
                    session.seq_in = floor;
                    continue;
                }
                return;
            };
            session.seq_in = session.seq_in.max(seq.saturating_add(1));
            let Some(partial) = self.partials.remove(&(*id, message)) else { return };
            step.delete(Table::Partial, &pair(id, &message));
            if let Progress::Whole(text) = partial.state {
                let (saved, since) = (now.unix_s(), self.steady.at(now));
                let state = MessageState::Received;
                step.change(Change::Message(Message {
                    id: message,
                    contact: *id,
                    state,
                    text,
                    sent: partial.sent,
                    saved,
                    since,
                    timer: partial.timer.seconds(),
                }));
                step.message_event(now, EventKind::Message, Some(*id), Some(message));
                self.remember_message(step, now, id, &message);
            }
        }
    }

    /// Waits for the tags of a contact's windows at every own mailbox (BRD-43).
    pub(super) fn watch_contact(&mut self, id: &ContactId) {
        let locked = self.contacts.get(id).is_none_or(|c: &Contact| c.trust == Trust::Locked);
        let session = self.sessions.get(id).filter(|_| !locked);
        let next = session.and_then(|s| s.recv_next.as_ref()).map(|(_, chain)| chain);
        let chains = || session.map(|s| &s.recv).into_iter().chain(next);
        let mut places: Vec<Place> = Vec::new();
        for chain in chains() {
            for (n, _) in chain.slots() {
                let meaning = Meaning::Session { contact: *id, g: chain.g(), n };
                self.own.read().for_each(|mailbox| places.push((*mailbox, meaning)));
            }
        }
        let tag = |(mailbox, meaning): &Place| match meaning {
            Meaning::Session { g, n, .. } => {
                let slot = chains().find(|chain| chain.g() == *g)?.slot(*n)?;
                Some(slot.tag(mailbox))
            }
            _ => None,
        };
        let changed = self.watch.replace(WatchOwner::Contact(*id), places, tag);
        self.watch_changed(&changed);
    }

    /// Queues the first ratchet message of the side that was invited, so that the inviter's
    /// ratchet can send (RAT-4).
    pub(super) fn greet(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &ContactId,
    ) {
        let (version, mailboxes) = (self.profile.inbox_version, self.own.inbox().to_vec());
        if !mailboxes.is_empty() {
            self.queue(rng, now, step, id, Load::Inbox { version, mailboxes });
        }
    }
}
