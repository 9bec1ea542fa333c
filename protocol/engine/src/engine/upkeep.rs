//! What is done now and then: repeating, giving up, forgetting.

use super::Engine;
use crate::MessageId;
use crate::changes::{Change, EventKind, MessageState, Table};
use crate::clock::{MINUTE, Now};
use crate::contact::{Contact, ContactId};
use crate::outbox::{Item, ItemId, Load, Owner};
use crate::pairing::{InviteId, Phase};
use crate::step::Step;
use content::GenerationRandom;
use identity::Statics;
use rand_core::CryptoRng;
use std::collections::{BTreeMap, BTreeSet};

/// A message is given up when no mailbox keeps it any longer (PRD-10), in seconds.
const GIVE_UP_S: u64 = 14 * 24 * 3600;
/// A session is silent when this was not acknowledged for a day (REK-3): stored for 4, 8 and 16
/// hours each, or once for all of it, because the window has no room to repeat it.
const SILENT_REPEATS: u8 = 2;
const SILENT_S: u64 = 24 * 3600;
/// What has arrived is remembered for the mailboxes' 14 days and two more (BRD-44), in hours.
pub(super) const SEEN_H: u32 = 16 * 24;
/// A message that was shown is remembered for the 30 days in which its sender may send it again,
/// the 14 in which that is pursued, the 14 of the mailbox, and two more (BRD-50), in hours.
pub(super) const SHOWN_H: u32 = 60 * 24;
/// A used invite is remembered for 30 days after it expired (INV-3), in hours.
const REMEMBER_INVITE_H: u32 = 30 * 24;

impl Engine {
    pub(super) fn upkeep(&mut self, rng: &mut impl CryptoRng, now: Now, step: &mut Step) {
        self.next_upkeep = now.mono_ms.saturating_add(MINUTE);
        self.age(now, step);
        self.turn_pace(now, step);
        self.tend_beacons(now, step);
        self.rotate_statics(rng, now, step);
        self.move_on(rng, now, step);
        self.give_up(now, step);
        self.repeat(now, step);
        self.renew_sessions(rng, now, step);
        self.files_upkeep(now, step);
        let contacts: Vec<ContactId> = self.sessions.keys().copied().collect();
        for contact in contacts {
            self.renew_generation(rng, now, step, &contact);
            self.tell_floor(rng, now, step, &contact);
            let forgot = self
                .sessions
                .get_mut(&contact)
                .is_some_and(|s| s.ratchet.forget_expired(now.days()));
            if forgot {
                self.save_session(step, &contact);
            }
        }
        self.expire_invites(now, step);
        self.forget_seen(now, step);
    }

    /// Renews the agreement keys of the identity every 30 days (ID-CERT-4). Sessions heal by their
    /// ratchet; what is renewed here serves new pairings. Contacts go on with the keys that they
    /// know, which stay (ID-CERT-5).
    fn rotate_statics(&mut self, rng: &mut impl CryptoRng, now: Now, step: &mut Step) {
        if !self.profile.identity.rotation_due(now.hours()) {
            return;
        }
        let known = |own: &Statics| self.recoveries.values().any(|contact| contact.knows(own));
        if let Ok(renewed) = self.profile.identity.rotate_keeping(rng, now.hours(), known) {
            self.profile.identity = renewed;
            self.save_profile(step);
        }
    }

    /// Gives up messages of which no part is still to be pursued. Whole ones: what was given up in
    /// part could never be whole at the peer, and would look delivered.
    fn give_up(&mut self, now: Now, step: &mut Step) {
        // Inbox sets and generations are pursued for ever: without them nobody can write.
        let before = now.unix_s().saturating_sub(GIVE_UP_S);
        let old = self.outbox.queued_before(before).filter_map(|item| {
            let Owner::Contact(contact) = item.owner else { return None };
            Some((contact, item.message()?))
        });
        let old: BTreeSet<(ContactId, MessageId)> = old.collect();
        for (contact, id) in old {
            // What may not leave waits (ID-3, ENG-4).
            let may_send = self.may_send(&contact);
            let over = |item: &Item| item.queued < before && (item.sealed.is_some() || may_send);
            if !self.outbox.of_message(contact, id).all(over) {
                continue;
            }
            let stored = |item: &Item| item.repeats > 0 || item.stored();
            let stored = self.outbox.of_message(contact, id).all(stored);
            let items: Vec<ItemId> =
                self.outbox.of_message(contact, id).map(|item| item.id).collect();
            self.drop_message(step, &contact, items);
            let state = if stored { MessageState::Failed } else { MessageState::NotStored };
            step.change(Change::MessageState { contact, id, state });
            step.message_event(now, EventKind::State, Some(contact), Some(id));
        }
    }

    fn may_send(&self, contact: &ContactId) -> bool {
        self.contacts.get(contact).is_some_and(Contact::may_send)
    }

    /// Encrypts anew what was stored and not acknowledged, as far as each peer's window has room.
    fn repeat(&mut self, now: Now, step: &mut Step) {
        let mut late: BTreeMap<ContactId, Vec<(u32, ItemId)>> = BTreeMap::new();
        let mut late_parts = BTreeMap::new();
        let mut silent: BTreeSet<ContactId> = BTreeSet::new();
        for item in self.outbox.repeats_before(now.unix_s()) {
            match (item.owner, item.sealed) {
                (Owner::Contact(contact), Some(sealed)) => {
                    late.entry(contact).or_default().push((sealed.n, item.id));
                    let waited = now.unix_s().saturating_sub(sealed.at);
                    if item.repeats >= SILENT_REPEATS || waited >= SILENT_S {
                        silent.insert(contact);
                    }
                }
                (Owner::File(contact, file), Some(sealed)) => {
                    let of_file: &mut Vec<_> = late_parts.entry((contact, file)).or_default();
                    of_file.push((sealed.n, item.id));
                }
                _ => {}
            }
        }
        self.repeat_parts(step, late_parts);
        late.retain(|contact, _| self.contacts.get(contact).is_some_and(Contact::may_send));
        for contact in silent.into_iter().filter(|contact| late.contains_key(contact)) {
            self.note_fault(step, &contact, |fault| fault.silent = true);
        }
        for (contact, mut items) in late {
            items.sort_unstable();
            self.repeat_for(step, &contact, items);
        }
    }

    fn repeat_for(&mut self, step: &mut Step, contact: &ContactId, late: Vec<(u32, ItemId)>) {
        let Some(session) = self.sessions.get_mut(contact) else { return };
        let room = usize::try_from(session.room()).unwrap_or(0);
        let pursued = late.into_iter().filter(|(n, id)| session.sent.get(n) == Some(id));
        let again: Vec<(u32, ItemId)> = pursued.take(room).collect();
        if again.is_empty() {
            return;
        }
        for (n, _) in &again {
            session.sent.remove(n);
        }
        let items: Vec<ItemId> = again.into_iter().map(|(_, id)| id).collect();
        for id in &items {
            self.outbox.change(id, |item| item.repeats = item.repeats.saturating_add(1));
        }
        self.unseal(step, contact, &items);
        self.save_session(step, contact);
    }

    fn renew_generation(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        contact: &ContactId,
    ) {
        let due = self.sessions.get(contact).is_some_and(|s| s.generation_due(now.unix_s()));
        let able = self.contacts.get(contact).is_some_and(Contact::may_send);
        if !due || !able {
            return;
        }
        let r = GenerationRandom::random(rng);
        let g = self.sessions.get(contact).and_then(|s| s.send.g().checked_add(1));
        let Some(g) = g else { return };
        let load = Load::Generation { g, r: GenerationRandom::copy_of(r.expose_secret()) };
        let item = self.queue(rng, now, step, contact, load);
        if let Some(session) = self.sessions.get_mut(contact) {
            session.announce_generation(r.expose_secret(), item);
        }
        self.save_session(step, contact);
    }

    fn expire_invites(&mut self, now: Now, step: &mut Step) {
        let over: Vec<InviteId> = self
            .pairings
            .values()
            .filter(|pairing| pairing.expires < now.hours())
            .map(|pairing| pairing.id)
            .collect();
        for id in over {
            let Some(pairing) = self.pairings.get_mut(&id) else { continue };
            let forget = pairing.expires.saturating_add(REMEMBER_INVITE_H) < now.hours();
            match pairing.phase {
                _ if forget => {
                    self.pairings.remove(&id);
                    step.delete(Table::Invite, &id);
                    self.watch_pairing(&id);
                }
                // A handshake that has begun is not cut off half-way by the clock.
                Phase::Depositing(_) | Phase::Ready(_) | Phase::Fetching(_) => {
                    self.kill_pairing(now, step, &id);
                }
                _ => {}
            }
        }
    }

    fn forget_seen(&mut self, now: Now, step: &mut Step) {
        for key in self.seen.forget_before(now.hours().saturating_sub(SEEN_H)) {
            step.delete(Table::Seen, &crate::rows::pair(&key.0, &key.1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::{Change, Snapshot};
    use crate::engine::Settings;
    use crate::schedule::Mode;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    #[test]
    fn id_cert_4_agreement_keys_are_renewed_after_thirty_days_and_saved() {
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let day = |n: u64| Now { mono_ms: n * 86_400_000, unix_ms: (20_000 + n) * 86_400_000 };
        let settings = Settings { name: String::new(), mode: Mode::Steady, utc_offset_min: 0 };
        let (mut engine, _) = Engine::create(&mut rng, day(0), settings).unwrap();
        let epoch = |engine: &Engine| engine.profile.identity.cert().epoch();
        let first = epoch(&engine);
        let _ = engine.handle_timeout(&mut rng, day(29)).commit(|_| Ok::<(), ()>(()));
        assert_eq!(epoch(&engine), first);
        let mut saved = Snapshot::default();
        let keep = |changes: &crate::changes::Changes| -> Result<(), ()> {
            for change in &changes.0 {
                if let Change::Put { table, key, value } = change {
                    saved.0.push((*table, key.clone(), value.clone()));
                }
            }
            Ok(())
        };
        let _ = engine.handle_timeout(&mut rng, day(31)).commit(keep);
        assert!(epoch(&engine) > first);
        let again = Engine::load(&mut rng, day(31), &saved).unwrap();
        assert_eq!(epoch(&again), epoch(&engine));
    }
}
