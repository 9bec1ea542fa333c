//! Pairing: the transitions of [`Phase`], driven by what arrives at the invite's tags.

use super::Engine;
use crate::changes::EventKind;
use crate::clock::Now;
use crate::mailbox::Role;
use crate::outbox::{Deposit, Item, Load, Owner};
use crate::pairing::{Burnt, GARBAGE_LIMIT, InviteId, KeptSlot, Pairing, Phase, slot};
use crate::step::Step;
use crate::watch::{Meaning, Place, WatchOwner};
use board::envelope::{self, Kind, Parcel, split_handshake};
use board::tag::{Direction, InviteSlots, OnionKey, Tag};
use crypto::Zeroizing;
use handshake::Introduction;
use identity::Fingerprint;
use rand_core::CryptoRng;

impl Pairing {
    /// Direction of what we read at the invite's tags.
    pub(super) const fn inward(&self) -> Direction {
        if self.ours { Direction::ToInviter } else { Direction::ToInvited }
    }

    /// Mailboxes of a taken invite, which are read until the handshake is over: M1 lies there,
    /// and a refusal would.
    pub(super) fn borrowed(&self) -> &[OnionKey] {
        match &self.phase {
            Phase::Fetching(invite) | Phase::Accepting { invite, .. } => invite.mailboxes(),
            _ => &[],
        }
    }
}

impl Engine {
    /// Waits for the tags of an invite.
    pub(super) fn watch_pairing(&mut self, id: &InviteId) {
        let mut tags: Vec<(Place, Tag)> = Vec::new();
        if let Some(pairing) = self.pairings.get(id) {
            let mut add = |tag: Tag, slot: u8, mailbox: &OnionKey| {
                tags.push(((*mailbox, Meaning::Pairing { pairing: *id, slot }), tag));
            };
            match &pairing.phase {
                Phase::Depositing(inviter) | Phase::Ready(inviter) => {
                    let slots = InviteSlots::new(inviter.secret().expose_secret());
                    for mailbox in inviter.invite().mailboxes() {
                        for i in [slot::M2, slot::M2.saturating_add(1)] {
                            add(slots.tag(Direction::ToInviter, i, mailbox), i, mailbox);
                        }
                    }
                }
                Phase::Answered { burnt, .. } | Phase::UsedUp(burnt) => {
                    for kept in burnt.slots.iter().filter(|kept| kept.slot != slot::REFUSAL) {
                        add(kept.tag, kept.slot, &kept.mailbox);
                    }
                }
                Phase::Fetching(invite) | Phase::Accepting { invite, .. } => {
                    let slots = InviteSlots::new(invite.secret().expose_secret());
                    for mailbox in invite.mailboxes() {
                        for i in [slot::M1, slot::REFUSAL] {
                            add(slots.tag(Direction::ToInvited, i, mailbox), i, mailbox);
                        }
                    }
                    for mailbox in self.own.read() {
                        for i in [slot::M3, slot::M3.saturating_add(1)] {
                            add(slots.tag(Direction::ToInvited, i, mailbox), i, mailbox);
                        }
                    }
                }
                Phase::Accepted | Phase::Dead => {}
            }
        }
        let places = tags.iter().map(|(place, _)| *place).collect();
        let tag = |place: &Place| tags.iter().find(|(at, _)| at == place).map(|(_, tag)| *tag);
        let changed = self.watch.replace(WatchOwner::Pairing(*id), places, tag);
        self.watch_changed(&changed);
    }

    /// The first message of an invite may lie on a page from before an own mailbox was read; a
    /// mailbox that is borrowed for the pairing is read back anyway.
    pub(super) fn look_for_invite(&mut self, now: Now, id: &InviteId) {
        let Some(Phase::Fetching(invite)) = self.pairings.get(id).map(|p| &p.phase) else { return };
        let slots = InviteSlots::new(invite.secret().expose_secret());
        let mode = self.profile.mode;
        for key in invite.mailboxes() {
            let tag = slots.tag(Direction::ToInvited, slot::M1, key).0;
            if let Some(mailbox) = self.mailboxes.get_mut(key).filter(|m| m.role == Role::Own)
                && !mailbox.holds(&tag)
            {
                mailbox.read_back(now, mode);
            }
        }
    }

    /// Takes a part that opened at slot `at` of an invite.
    pub(super) fn pairing_parcel(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &InviteId,
        at: u8,
        parcel: Parcel,
    ) {
        let Some(pairing) = self.pairings.get_mut(id).filter(|_| parcel.kind == Kind::Handshake)
        else {
            return;
        };
        let (part, parts, item, body) = (parcel.part, parcel.parts, parcel.mid, parcel.body);
        let whole = |pairing: &mut Pairing, first: u8| {
            let fits = parts == 2 && at.checked_sub(first) == Some(part);
            fits.then(|| pairing.collect(item, part, body.clone())).flatten()
        };
        match &pairing.phase {
            Phase::Depositing(_) | Phase::Ready(_) => {
                let m2 = whole(pairing, slot::M2);
                if let Some(m2) = m2 {
                    self.receive_m2(rng, now, step, id, &m2);
                }
            }
            Phase::Answered { .. } if at == slot::M4 => self.receive_m4(rng, now, step, id, &body),
            Phase::Answered { burnt, .. } | Phase::UsedUp(burnt) => {
                let first = burnt.m2;
                let again = whole(pairing, slot::M2);
                if again.is_some_and(|m2| crypto::hash(&[&m2]) != first) {
                    self.used_again(rng, now, step, id);
                }
            }
            Phase::Fetching(_) if at == slot::M1 => self.receive_m1(rng, now, step, id, &body),
            Phase::Fetching(_) | Phase::Accepting { .. } if at == slot::REFUSAL => {
                self.refused(now, step, id);
            }
            Phase::Accepting { .. } => {
                let m3 = whole(pairing, slot::M3);
                if let Some(m3) = m3 {
                    self.receive_m3(rng, now, step, id, &m3);
                }
            }
            Phase::Fetching(_) | Phase::Accepted | Phase::Dead => {}
        }
        self.save_pairing(step, id);
    }

    pub(super) fn introduction(&self) -> Introduction {
        Introduction {
            inbox: self.own.inbox().to_vec(),
            version: self.profile.inbox_version,
            name: self.profile.name.clone(),
        }
    }

    fn is_known(&self) -> impl Fn(&Fingerprint) -> bool + use<> {
        let known: Vec<Fingerprint> =
            self.contacts.values().map(|contact| contact.cert.fingerprint()).collect();
        move |fingerprint| known.contains(fingerprint)
    }

    /// B: M1 is there; M2 goes out (INV-2: its hash is checked by `accept`).
    fn receive_m1(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &InviteId,
        m1: &[u8],
    ) {
        let intro = self.introduction();
        let Some(pairing) = self.pairings.get_mut(id) else { return };
        let Phase::Fetching(invite) = &pairing.phase else { return };
        let identity = &self.profile.identity;
        let accepted = handshake::accept(rng, identity, invite, &intro, m1, now.hours());
        let Ok((m2, awaiting)) = accepted else { return };
        let slots = InviteSlots::new(invite.secret().expose_secret());
        let mailboxes = invite.mailboxes().to_vec();
        if let Phase::Fetching(invite) = core::mem::replace(&mut pairing.phase, Phase::Dead) {
            pairing.phase = Phase::Accepting { invite, awaiting: Box::new(awaiting) };
        }
        // Unless another invite is still looked for.
        if !self.pairings.values().any(|other| matches!(other.phase, Phase::Fetching(_))) {
            for key in &mailboxes {
                if let Some(mailbox) = self.mailboxes.get_mut(key) {
                    mailbox.stop_searching();
                }
            }
        }
        self.deposit(rng, now, step, id, &slots, Direction::ToInviter, slot::M2, &m2, &mailboxes);
        self.watch_pairing(id);
        self.sync_mailboxes(now);
    }

    /// A: M2 is there; if it verifies, the invite's secret is burnt and M3 goes out (INV-3).
    fn receive_m2(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &InviteId,
        m2: &[u8],
    ) {
        let (intro, known) = (self.introduction(), self.is_known());
        let Some(pairing) = self.pairings.get_mut(id) else { return };
        let (Phase::Depositing(inviter) | Phase::Ready(inviter)) = &pairing.phase else { return };
        let identity = &self.profile.identity;
        let verified = inviter.receive_m2(rng, identity, &intro, m2, now.hours(), known);
        let (m3, awaiting) = match verified {
            Ok(verified) => verified,
            Err(_) => {
                // INV-3: the invite stays as it was, until garbage has come 16 times.
                pairing.garbage = pairing.garbage.saturating_add(1);
                if pairing.garbage >= GARBAGE_LIMIT {
                    self.kill_pairing(now, step, id);
                }
                return;
            }
        };
        let slots = InviteSlots::new(inviter.secret().expose_secret());
        let burnt = burn(&slots, inviter.invite().mailboxes(), crypto::hash(&[m2]));
        let mailboxes = awaiting.peer_intro().inbox.clone();
        pairing.phase = Phase::Answered { awaiting: Box::new(awaiting), burnt };
        self.deposit(rng, now, step, id, &slots, Direction::ToInvited, slot::M3, &m3, &mailboxes);
        self.watch_pairing(id);
        self.sync_mailboxes(now);
    }

    /// B: M3 is there; M4 goes out and the contact is made.
    fn receive_m3(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &InviteId,
        m3: &[u8],
    ) {
        let known = self.is_known();
        let Some(pairing) = self.pairings.get_mut(id) else { return };
        let Phase::Accepting { invite, awaiting } = &pairing.phase else { return };
        let identity = &self.profile.identity;
        let done = awaiting.receive_m3(rng, identity, m3, now.hours(), known);
        let (m4, established) = match done {
            Ok(done) => done,
            // Somebody else's M3, or an attack: the invite stays as it was.
            Err(_) => return,
        };
        let slots = InviteSlots::new(invite.secret().expose_secret());
        let mailboxes = established.peer_intro.inbox.clone();
        pairing.phase = Phase::Accepted;
        pairing.parts.clear();
        self.deposit(rng, now, step, id, &slots, Direction::ToInviter, slot::M4, &m4, &mailboxes);
        self.establish(rng, now, step, id, false, established);
        self.watch_pairing(id);
        self.sync_mailboxes(now);
    }

    /// A: M4 is there and the contact is made.
    fn receive_m4(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &InviteId,
        m4: &[u8],
    ) {
        let Some(pairing) = self.pairings.get_mut(id) else { return };
        let Phase::Answered { awaiting, .. } = &pairing.phase else { return };
        let Ok(established) = awaiting.receive_m4(m4) else { return };
        if let Phase::Answered { burnt, .. } = core::mem::replace(&mut pairing.phase, Phase::Dead) {
            pairing.phase = Phase::UsedUp(burnt);
        }
        self.establish(rng, now, step, id, true, established);
        self.watch_pairing(id);
        self.sync_mailboxes(now);
    }

    /// A second handshake opened at the tags of a used invite: refused, and reported to both
    /// sides (ID-2, INV-3).
    fn used_again(&mut self, rng: &mut impl CryptoRng, now: Now, step: &mut Step, id: &InviteId) {
        let Some(pairing) = self.pairings.get_mut(id).filter(|pairing| !pairing.reused) else {
            return;
        };
        pairing.reused = true;
        pairing.parts.clear();
        let contact = pairing.contact;
        let (Phase::Answered { burnt, .. } | Phase::UsedUp(burnt)) = &pairing.phase else { return };
        let mut mid = [0; 16];
        rng.fill_bytes(&mut mid);
        let parcel = Parcel {
            kind: Kind::Handshake,
            part: 0,
            parts: 1,
            ack: None,
            floor: 0,
            mid,
            body: Zeroizing::new(b"refused".to_vec()),
        };
        let deposits = burnt
            .slots
            .iter()
            .filter(|kept| kept.slot == slot::REFUSAL)
            .filter_map(|kept| {
                let sealed =
                    envelope::seal(rng, &kept.key, kept.tag, &kept.mailbox, &parcel).ok()?;
                Some(Deposit { envelope: Some(sealed), ..Deposit::new(kept.mailbox) })
            })
            .collect();
        self.queue_handshake(now, step, id, mid, deposits);
        step.event(now, EventKind::InviteReused, contact);
    }

    /// The inviter says that the invite was used before (ID-2). The handshake is left as it is:
    /// the first to use it is told as well.
    fn refused(&mut self, now: Now, step: &mut Step, id: &InviteId) {
        let Some(pairing) = self.pairings.get_mut(id).filter(|pairing| !pairing.reused) else {
            return;
        };
        pairing.reused = true;
        step.event(now, EventKind::InviteRefused, None);
    }

    /// Ends an invite without a contact.
    pub(super) fn kill_pairing(&mut self, now: Now, step: &mut Step, id: &InviteId) {
        let Some(pairing) = self.pairings.get_mut(id) else { return };
        if matches!(pairing.phase, Phase::Dead) {
            return;
        }
        pairing.phase = Phase::Dead;
        pairing.parts.clear();
        let waiting: Vec<[u8; 16]> =
            self.outbox.of(Owner::Pairing(*id)).map(|item| item.id).collect();
        for item in waiting {
            self.drop_item(step, &item);
        }
        step.event(now, EventKind::InviteDead, None);
        self.save_pairing(step, id);
        self.watch_pairing(id);
        self.sync_mailboxes(now);
    }

    /// Seals a handshake message for each mailbox and queues it. Handshakes are sealed when they
    /// are made: their keys may be gone when a slot comes.
    #[expect(clippy::too_many_arguments, reason = "where, what and for whom, once each")]
    pub(super) fn deposit(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &InviteId,
        slots: &InviteSlots,
        direction: Direction,
        first: u8,
        bytes: &[u8],
        mailboxes: &[OnionKey],
    ) {
        let mut mid = [0; 16];
        rng.fill_bytes(&mut mid);
        let Ok(parcels) = split_handshake(mid, Kind::Handshake, bytes) else { return };
        for parcel in parcels {
            let i = first.saturating_add(parcel.part);
            let deposits = mailboxes
                .iter()
                .filter_map(|mailbox| {
                    let key = slots.key(direction, i, mailbox);
                    let tag = slots.tag(direction, i, mailbox);
                    let sealed = envelope::seal(rng, &key, tag, mailbox, &parcel).ok()?;
                    Some(Deposit { envelope: Some(sealed), ..Deposit::new(*mailbox) })
                })
                .collect();
            let mut item = [0; 16];
            rng.fill_bytes(&mut item);
            self.queue_handshake(now, step, id, item, deposits);
        }
    }

    fn queue_handshake(
        &mut self,
        now: Now,
        step: &mut Step,
        pairing: &InviteId,
        id: [u8; 16],
        deposits: Vec<Deposit>,
    ) {
        self.outbox.insert(Item {
            id,
            order: self.outbox.next_order(),
            owner: Owner::Pairing(*pairing),
            load: Load::Handshake,
            queued: now.unix_s(),
            sealed: None,
            repeats: 0,
            left: false,
            deposits,
        });
        self.save_item(step, &id);
    }
}

/// What stays of an invite's secret: tags and keys of the slots that are still read, and of the
/// refusal (INV-3).
fn burn(slots: &InviteSlots, mailboxes: &[OnionKey], m2: [u8; 32]) -> Burnt {
    let mut kept = Vec::new();
    for mailbox in mailboxes {
        let inward = [slot::M2, slot::M2.saturating_add(1), slot::M4];
        let all = inward.into_iter().map(|i| (Direction::ToInviter, i));
        for (d, i) in all.chain([(Direction::ToInvited, slot::REFUSAL)]) {
            kept.push(KeptSlot {
                slot: i,
                mailbox: *mailbox,
                tag: slots.tag(d, i, mailbox),
                key: slots.key(d, i, mailbox),
            });
        }
    }
    Burnt { m2, slots: kept }
}
